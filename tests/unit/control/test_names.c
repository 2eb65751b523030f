/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom the controller names where an agent fails. */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/control/control.h"

static void drop(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes)
{
    (void)context;
    (void)peer;
    (void)frame;
    (void)len_bytes;
}

static char names[5][3] = {"h0", "h1", "h2", "h3", "h4"};

/* The test's ranks are on h1 (agent 0), h2 and h4 (agent 1); h0 has a rank of no test, h3 none, and
 * nobody has said whose they are. */
static const char *blamed(uint32_t lost, char text[WEFT_BROKEN_BYTES])
{
    static char test_name[] = "t";
    static const uint32_t host_agents[] = {0, 0, 1, 1, 1};
    struct weft_host hosts[5];
    struct weft_nic nics[5];
    uint32_t rank_nics[] = {1, 2, 4, 0};
    for (uint32_t i = 0; i < 5; i++) {
        hosts[i] = (struct weft_host){.name = names[i], .first_nic = i};
        nics[i] = (struct weft_nic){.name = names[i], .host = i};
    }
    const struct weft_topology topology = {.host_count = 5,
                                           .nic_count = 5,
                                           .rank_count = 4,
                                           .hosts = hosts,
                                           .nics = nics,
                                           .rank_nics = rank_nics};
    struct weft_test test = {.name = test_name,
                             .pattern = weft_pattern_find("all-reduce", NULL),
                             .options = {.size_bytes = 1024, .rank_count = 3},
                             .iterations = 1};
    const struct weft_plan plan = {.test_count = 1, .tests = &test};
    const struct weft_controller_options options = {.plan = &plan,
                                                    .topology = &topology,
                                                    .host_agents = host_agents,
                                                    .agent_count = 2,
                                                    .output = {.send = drop}};
    struct weft_controller *controller = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_controller_create(&options, &controller, &error), WEFT_OK, "%s", error.text);
    weft_controller_lost(controller, lost, "hung up", 1);
    memcpy(text, weft_controller_result(controller)->tests[0].broken, WEFT_BROKEN_BYTES);
    weft_controller_destroy(controller);
    return text;
}

Test(names, only_hosts_that_a_test_uses_are_blamed)
{
    char text[WEFT_BROKEN_BYTES];
    cr_assert_not_null(strstr(blamed(0, text), "agent 0 (host h1) was lost"), "%s", text);
    cr_assert_not_null(strstr(blamed(1, text), "agent 1 (host h2 and 1 more) was lost"), "%s",
                       text);
}
