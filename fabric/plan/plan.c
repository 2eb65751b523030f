/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/sweep.h"
#include "fabric/plan/test.h"

void weft_plan_destroy(struct weft_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; plan->tests && i < plan->test_count; i++)
        weft_test_fini(&plan->tests[i]);
    free(plan->tests);
    free(plan->name);
    free(plan);
}

void weft_test_fini(struct weft_test *test)
{
    for (uint32_t i = 0; test->expects && i < test->expect_count; i++)
        weft_expect_fini(&test->expects[i]);
    free(test->expects);
    weft_sweep_fini(test);
    weft_pattern_discard(test->pattern, &test->options);
    weft_expect_fini(&test->until);
    free(test->name);
    free(test->ranks);
    free(test->together.name);
    free(test->together.job);
    free(test->driver);
    free(test->file);
    free(test->file_text);
    *test = (struct weft_test){0};
}

uint32_t weft_test_in_flight(const struct weft_test *test)
{
    uint32_t open = test->rate_bps ? test->pattern->in_flight : 0;
    if (test->in_flight)
        return test->in_flight;
    return open ? open : 1;
}

enum weft_status weft_search_parse(const char *text, struct weft_test *test,
                                   struct weft_error *error)
{
    char parts[100];
    struct weft_search_options search = {.resolution = WEFT_SEARCH_RESOLUTION,
                                         .tolerance = WEFT_SEARCH_TOLERANCE};
    (void)snprintf(parts, sizeof(parts), "%s", text);
    char *dots = strstr(parts, "..");
    char *comma = strchr(parts, ',');
    if (!dots || (comma && comma < dots))
        return weft_error_set(
            error, WEFT_INVALID,
            "'%.80s' is not a search: write it like 1Gbps..100Gbps or 1Gbps..100Gbps,0.5%%", text);
    *dots = '\0';
    if (comma)
        *comma = '\0';
    enum weft_status status = weft_parse_rate(parts, &search.from_bps, error);
    if (status == WEFT_OK)
        status = weft_parse_rate(dots + 2, &search.to_bps, error);
    if (status == WEFT_OK && comma)
        status = weft_share_parse(comma + 1, &search.resolution, error);
    return status == WEFT_OK ? weft_test_set_search(test, &search, error) : status;
}

enum weft_status weft_test_set_search(struct weft_test *test,
                                      const struct weft_search_options *search,
                                      struct weft_error *error)
{
    if (search->from_bps < 1000 || search->from_bps > search->to_bps ||
        search->to_bps > UINT64_C(16000000000000))
        return weft_error_set(error, WEFT_INVALID,
                              "a search goes from a lower to a higher rate, from 1kbps to 16Tbps");
    if (search->resolution < 0.0001 || search->resolution > 0.5 || search->tolerance > 0.5)
        return weft_error_set(error, WEFT_INVALID,
                              "a search's resolution is from 0.01%% to 50%%, its tolerance at most "
                              "50%%");
    test->search = *search;
    test->rate_bps = search->to_bps;
    return WEFT_OK;
}

enum weft_status weft_test_check_search(const struct weft_test *test, struct weft_error *error)
{
    static const enum weft_test_option_id lengths[] = {WEFT_TEST_ITERATIONS, WEFT_TEST_DURATION};
    for (size_t i = 0; test->search.to_bps && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char text[WEFT_UNITS_TEXT];
        uint64_t most = weft_test_option_table[lengths[i]].most / WEFT_SEARCH_CONFIRM_TIMES;
        if (weft_test_option_get(test, lengths[i]) > most)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s': a search confirms what it finds by a trial that is "
                                  "%u times as long: '%s' can be %s at most",
                                  test->name, WEFT_SEARCH_CONFIRM_TIMES,
                                  weft_test_option_table[lengths[i]].key,
                                  weft_test_option_format(lengths[i], most, text));
    }
    return WEFT_OK;
}

void weft_test_set_defaults(struct weft_test *test, const struct weft_pattern *pattern)
{
    *test = (struct weft_test){.pattern = pattern};
#define WEFT_OWN(id, type, field, ...) \
    test->field = (type)weft_test_option_table[WEFT_TEST_##id].default_value;
#define WEFT_NOTHING(...)
    WEFT_TEST_OPTIONS(WEFT_OWN, WEFT_NOTHING, WEFT_NOTHING)
#undef WEFT_OWN
#undef WEFT_NOTHING
    test->options.size_bytes = pattern->default_size_bytes;
}

enum weft_status weft_plan_single(const struct weft_pattern *pattern, struct weft_plan **ret_plan,
                                  struct weft_error *error)
{
    struct weft_plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    plan->name = strdup(pattern->name);
    plan->tests = calloc(1, sizeof(plan->tests[0]));
    if (plan->tests) {
        plan->test_count = 1;
        weft_test_set_defaults(&plan->tests[0], pattern);
        plan->tests[0].name = strdup(pattern->name);
    }
    if (!plan->name || !plan->tests || !plan->tests[0].name) {
        weft_plan_destroy(plan);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    }
    *ret_plan = plan;
    return WEFT_OK;
}
