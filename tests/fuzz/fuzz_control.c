/* SPDX-License-Identifier: BSD-3-Clause */
/* The input is a run: each chunk is a message to the controller or to an agent, or a step of time.
 * Neither may crash, and every prepare must be released. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

#define AGENTS 2u
#define MS_NS UINT64_C(1000000)

/* ---- hands that do nothing, quickly ---- */

struct hands {
    uint32_t local_count, rank_limit, part_count, prepares, releases;
    uint32_t ranks[64];
    uint64_t granted[WEFT_JOBS_MAX], taken[WEFT_JOBS_MAX];
};

static enum weft_status environment(void *context, struct weft_host_environment *ret)
{
    (void)context;
    *ret = (struct weft_host_environment){.host = "fuzz"};
    return WEFT_OK;
}

static enum weft_status prepare(void *context, const struct weft_agent_test *test,
                                struct weft_error *error)
{
    struct hands *hands = context;
    hands->prepares++;
    if (test->local_count > 64)
        return weft_error_set(error, WEFT_UNSUPPORTED, "too many ranks");
    hands->local_count = test->local_count;
    hands->part_count = test->part_count;
    hands->rank_limit = 0;
    for (uint32_t i = 0; i < test->part_count; i++) {
        uint32_t needed = weft_test_ranks_needed(&test->parts[i]);
        hands->rank_limit = needed > hands->rank_limit ? needed : hands->rank_limit;
    }
    for (uint32_t i = 0; i < test->local_count; i++) {
        const struct weft_test *part = &test->parts[test->local_parts[i]];
        assert(test->local_places[i] < part->options.rank_count);
        assert(weft_test_rank(part, test->local_places[i]) == test->local_ranks[i]);
    }
    memcpy(hands->ranks, test->local_ranks, test->local_count * sizeof(hands->ranks[0]));
    return WEFT_OK;
}

static uint32_t addresses(void *context, struct weft_channel_address *into, uint32_t count)
{
    struct hands *hands = context;
    for (uint32_t i = 0; i < hands->local_count && i < count; i++)
        into[i] = (struct weft_channel_address){
            .from_rank = hands->ranks[i],
            .to_rank = (hands->ranks[i] + 1) % hands->rank_limit,
            .depth = 1,
        };
    return hands->local_count;
}

static enum weft_status connect_channels(void *context, const struct weft_channel_address *given,
                                         uint32_t count, struct weft_error *error)
{
    const struct hands *hands = context;
    (void)error;
    for (uint32_t i = 0; i < count; i++)
        assert(given[i].to_rank < hands->rank_limit);
    return WEFT_OK;
}

static enum weft_status connected(void *context, struct weft_error *error)
{
    (void)context;
    (void)error;
    return WEFT_OK;
}

static enum weft_status start(void *context, enum weft_phase phase, struct weft_error *error)
{
    struct hands *hands = context;
    (void)error;
    assert((unsigned)phase < WEFT_PHASE_COUNT);
    memset(hands->granted, 0, sizeof(hands->granted));
    memset(hands->taken, 0, sizeof(hands->taken));
    return WEFT_OK;
}

static void grant(void *context, const struct weft_agent_grant *grants,
                  enum weft_agent_record record)
{
    struct hands *hands = context;
    assert((unsigned)record <= WEFT_RECORD_NO_MORE);
    for (uint32_t i = 0; i < hands->part_count; i++) {
        assert(grants[i].iterations >= hands->granted[i]);
        hands->granted[i] = grants[i].iterations;
    }
}

static enum weft_status progress(void *context, uint32_t part,
                                 struct weft_agent_progress *ret_progress, struct weft_error *error)
{
    const struct hands *hands = context;
    (void)error;
    *ret_progress = (struct weft_agent_progress){hands->granted[part], true};
    return WEFT_OK;
}

static uint32_t take_durations(void *context, uint32_t part, uint64_t *durations_ns, uint32_t count)
{
    struct hands *hands = context;
    uint64_t *next = &hands->taken[part];
    uint32_t taken = 0;
    for (; taken < count && taken < 8 && *next < hands->granted[part]; taken++, ++*next)
        durations_ns[taken] = *next;
    return taken;
}

static bool decides(void *context, uint32_t part)
{
    (void)context;
    (void)part;
    return true;
}

static enum weft_status verify(void *context, uint32_t local, struct weft_verify_result *ret_result)
{
    const struct hands *hands = context;
    assert(local < hands->local_count);
    *ret_result = (struct weft_verify_result){.compared_bytes = 1};
    return WEFT_OK;
}

static enum weft_status collect(void *context, uint32_t local, struct weft_rank_result *ret_result,
                                struct weft_error *error)
{
    const struct hands *hands = context;
    (void)error;
    assert(local < hands->local_count);
    *ret_result = (struct weft_rank_result){.latency_ns = weft_hist_create(),
                                            .bandwidth_bps = weft_hist_create()};
    assert(ret_result->latency_ns && ret_result->bandwidth_bps);
    return WEFT_OK;
}

static void halt(void *context)
{
    const struct hands *hands = context;
    assert(hands->local_count);
}

static void release(void *context)
{
    struct hands *hands = context;
    hands->releases++;
}

static const struct weft_agent_runtime runtime = {
    .environment = environment,
    .prepare = prepare,
    .addresses = addresses,
    .connect = connect_channels,
    .connected = connected,
    .start = start,
    .grant = grant,
    .progress = progress,
    .take_durations = take_durations,
    .decides = decides,
    .verify = verify,
    .halt = halt,
    .collect = collect,
    .release = release,
};

/* ---- the run ---- */

/* What is said is dropped: the input alone says what comes. */
static void drop(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes)
{
    (void)context;
    (void)peer;
    (void)frame;
    (void)len_bytes;
}

static struct weft_controller *make_controller(struct weft_plan *plan, struct weft_test *test)
{
    static char name[] = "fuzz";
    static struct weft_host hosts[AGENTS] = {{.name = name}, {.name = name}};
    static struct weft_nic nics[AGENTS] = {{.name = name}, {.name = name, .host = 1}};
    static uint32_t rank_nics[] = {0, 1};
    static const uint32_t host_agents[] = {0, 1};
    static const struct weft_topology topology = {.host_count = AGENTS,
                                                  .nic_count = AGENTS,
                                                  .rank_count = AGENTS,
                                                  .hosts = hosts,
                                                  .nics = nics,
                                                  .rank_nics = rank_nics};
    struct weft_controller *controller = NULL;
    *test = (struct weft_test){.name = name,
                               .pattern = weft_pattern_find("all-reduce", NULL),
                               .options = {.rank_count = 2, .size_bytes = 4096},
                               .iterations = 100,
                               .verify = true};
    *plan = (struct weft_plan){.test_count = 1, .tests = test};
    const struct weft_controller_options options = {.plan = plan,
                                                    .topology = &topology,
                                                    .host_agents = host_agents,
                                                    .agent_count = AGENTS,
                                                    .output = {drop, NULL}};
    enum weft_status status = weft_controller_create(&options, &controller, NULL);
    assert(!status);
    return controller;
}

static void use_result(const struct weft_controller *controller)
{
    const struct weft_result *result = weft_controller_result(controller);
    struct weft_controller_status status;
    weft_controller_status(controller, &status);
    char *json = weft_result_json(result);
    assert(json);
    free(json);
    for (uint32_t i = 0; i < result->test_count; i++) {
        char *table = weft_test_table(result, i);
        assert(table);
        free(table);
    }
}

struct run {
    struct weft_controller *controller;
    struct weft_agent *agent;
    bool attached;
    uint64_t now_ns;
};

/* The first byte says to whom, the next two how long the message is. */
static size_t next_chunk(struct run *run, const uint8_t *data, size_t len_bytes)
{
    struct weft_error error = {0};
    size_t message_bytes = (size_t)data[1] << 8 | data[2];
    if (message_bytes > len_bytes - 3)
        message_bytes = len_bytes - 3;
    run->now_ns += MS_NS * (data[0] >> 3);
    switch (data[0] & 7) {
    case 0:
    case 1:
        weft_controller_receive(run->controller, data[0] & 1, data + 3, message_bytes, run->now_ns);
        break;
    case 2:
        weft_controller_tick(run->controller, run->now_ns);
        break;
    case 3:
        weft_controller_lost(run->controller, data[1] % AGENTS, "fuzz", run->now_ns);
        break;
    case 4:
        weft_agent_tick(run->agent, run->now_ns);
        break;
    case 5:
        weft_controller_interrupt(run->controller, "fuzz", run->now_ns);
        break;
    default:
        if (!run->attached)
            weft_agent_attached(run->agent, run->now_ns);
        run->attached =
            weft_agent_receive(run->agent, data + 3, message_bytes, run->now_ns, &error) == WEFT_OK;
        assert(run->attached || error.text[0]);
        break;
    }
    return 3 + message_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
    struct hands hands = {0};
    struct weft_plan plan;
    struct weft_test test;
    const struct weft_control_output output = {drop, NULL};
    struct run run = {.now_ns = 1};
    run.controller = make_controller(&plan, &test);
    enum weft_status status = weft_agent_create(&runtime, &hands, &output, &run.agent);
    assert(!status);
    for (size_t at = 0; at + 3 <= len_bytes;)
        at += next_chunk(&run, data + at, len_bytes - at);
    use_result(run.controller);
    weft_agent_destroy(run.agent);
    assert(hands.prepares == hands.releases);
    weft_controller_destroy(run.controller);
    return 0;
}
