/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/result/figures.h"

static enum weft_status no_memory(struct weft_error *error)
{
    return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the result");
}

enum weft_status weft_result_create(const struct weft_plan *plan,
                                    const struct weft_topology *topology,
                                    struct weft_result **ret_result, struct weft_error *error)
{
    struct weft_result *result = calloc(1, sizeof(*result));
    if (!result)
        return no_memory(error);
    result->plan = plan;
    result->topology = topology;
    result->tests = calloc(plan->test_count ? plan->test_count : 1, sizeof(*result->tests));
    if (!result->tests) {
        free(result);
        return no_memory(error);
    }
    *ret_result = result;
    return WEFT_OK;
}

static void ranks_fini(struct weft_test_result *test)
{
    for (uint32_t i = 0; test->ranks && i < test->rank_count; i++) {
        weft_hist_destroy(test->ranks[i].latency_ns);
        weft_hist_destroy(test->ranks[i].bandwidth_bps);
        weft_hist_destroy(test->ranks[i].open_loop.latency_intended_ns);
    }
}

static void test_fini(struct weft_test_result *test)
{
    ranks_fini(test);
    weft_hist_destroy(test->completion_ns);
    weft_hist_destroy(test->latency_ns);
    weft_hist_destroy(test->bandwidth_bps);
    weft_hist_destroy(test->completion_intended_ns);
    weft_hist_destroy(test->latency_intended_ns);
    free(test->ranks);
    free(test->expects);
    weft_attribution_destroy(test->attribution);
}

void weft_result_destroy(struct weft_result *result)
{
    if (!result)
        return;
    for (uint32_t i = 0; i < result->test_count; i++)
        test_fini(&result->tests[i]);
    free(result->tests);
    free(result->environments);
    free(result);
}

enum weft_status weft_result_begin(struct weft_result *result, uint32_t rank_count,
                                   struct weft_test_result **ret_test, struct weft_error *error)
{
    assert(result->test_count < result->plan->test_count);
    const struct weft_test *plan_test = &result->plan->tests[result->test_count];
    struct weft_test_result *test = &result->tests[result->test_count];
    uint32_t expect_count = plan_test->expect_count;
    *test = (struct weft_test_result){
        .test = plan_test,
        .ideal = result->ideals ? &result->ideals[result->test_count] : NULL,
        .rank_count = rank_count,
        .rate_bps = plan_test->rate_bps,
        .completion_ns = weft_hist_create(),
        .latency_ns = weft_hist_create(),
        .bandwidth_bps = weft_hist_create(),
        .completion_intended_ns = weft_hist_create(),
        .latency_intended_ns = weft_hist_create(),
        .ranks = calloc(rank_count ? rank_count : 1, sizeof(*test->ranks)),
        .expects = calloc(expect_count ? expect_count : 1, sizeof(*test->expects)),
    };
    bool made = test->completion_ns && test->latency_ns && test->bandwidth_bps &&
                test->completion_intended_ns && test->latency_intended_ns;
    if (!made || !test->ranks || !test->expects) {
        test_fini(test);
        return no_memory(error);
    }
    for (uint32_t i = 0; i < rank_count; i++)
        test->ranks[i].rank = weft_test_rank(plan_test, i);
    for (uint32_t i = 0; i < expect_count; i++)
        test->expects[i].expect = &plan_test->expects[i];
    result->test_count++;
    *ret_test = test;
    return WEFT_OK;
}

static void merge_ranks(struct weft_test_result *result)
{
    result->ranks_reported = 0;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        const struct weft_rank_result *rank = &result->ranks[i];
        if (rank->latency_ns)
            weft_hist_merge(result->latency_ns, rank->latency_ns);
        if (rank->bandwidth_bps)
            weft_hist_merge(result->bandwidth_bps, rank->bandwidth_bps);
        if (rank->open_loop.latency_intended_ns)
            weft_hist_merge(result->latency_intended_ns, rank->open_loop.latency_intended_ns);
        result->ranks_reported += rank->reported;
    }
}

static bool holds(const struct weft_expect *expect, double actual)
{
    switch (expect->relation) {
    case WEFT_RELATION_LESS:
        return actual < expect->value;
    case WEFT_RELATION_LESS_EQUAL:
        return actual <= expect->value;
    case WEFT_RELATION_GREATER:
        return actual > expect->value;
    case WEFT_RELATION_GREATER_EQUAL:
        return actual >= expect->value;
    case WEFT_RELATION_EQUAL:
        return actual >= expect->value && actual <= expect->value;
    case WEFT_RELATION_COUNT:
        break;
    }
    return false;
}

static bool decide_expects(struct weft_test_result *result)
{
    bool all = true;
    for (uint32_t i = 0; i < result->test->expect_count; i++) {
        struct weft_expect_result *expect = &result->expects[i];
        const char *why = NULL;
        expect->known = !result->broken[0] &&
                        weft_figure_metric(result, expect->expect->metric, &expect->actual, &why);
        expect->unknown = expect->known ? NULL : why;
        expect->pass = expect->known && holds(expect->expect, expect->actual);
        all = all && expect->pass;
    }
    return all;
}

void weft_test_result_finish(struct weft_test_result *result)
{
    merge_ranks(result);
    weft_test_result_judge(result);
}

bool weft_test_result_try(struct weft_test_result *result, bool confirms)
{
    struct weft_test_open_loop open_loop = {0};
    struct weft_test_totals totals;
    const struct weft_expect *until = &result->test->until;
    double actual = 0;
    const char *why = NULL;
    assert(result->trial_count < WEFT_SEARCH_TRIALS_MAX);
    weft_test_totals(result, &totals);
    bool known = weft_test_open_loop(result, &open_loop);
    double least = 1.0 - result->test->search.tolerance;
    bool passed = known && open_loop.achieved_bps >= open_loop.offered_bps * least;
    if (until->text)
        passed = passed && weft_figure_metric(result, until->metric, &actual, &why) &&
                 holds(until, actual);
    else
        passed = passed && totals.lost_known && !totals.lost;
    result->trials[result->trial_count++] = (struct weft_trial){
        .rate_bps = result->rate_bps,
        .confirms = confirms,
        .passed = passed,
        .offered_bps = open_loop.offered_bps,
        .achieved_bps = open_loop.achieved_bps,
        .lost = totals.lost,
        .missed = open_loop.missed,
    };
    return passed;
}

void weft_test_result_again(struct weft_test_result *result)
{
    ranks_fini(result);
    memset(result->ranks, 0, result->rank_count * sizeof(result->ranks[0]));
    for (uint32_t i = 0; i < result->rank_count; i++)
        result->ranks[i].rank = weft_test_rank(result->test, i);
    weft_attribution_destroy(result->attribution);
    result->attribution = NULL;
    weft_hist_clear(result->completion_ns);
    weft_hist_clear(result->latency_ns);
    weft_hist_clear(result->bandwidth_bps);
    weft_hist_clear(result->completion_intended_ns);
    weft_hist_clear(result->latency_intended_ns);
    result->iterations = 0;
    result->ranks_reported = 0;
}

void weft_test_result_judge(struct weft_test_result *result)
{
    bool expected = decide_expects(result);
    if (result->broken[0])
        result->verdict = WEFT_VERDICT_BROKEN;
    else if (!expected || weft_test_verified(result) == 0 ||
             (result->test->search.to_bps && !result->found_bps))
        result->verdict = WEFT_VERDICT_FAIL;
    else
        result->verdict = WEFT_VERDICT_PASS;
}

void weft_result_finish(struct weft_result *result)
{
    result->verdict = WEFT_VERDICT_PASS;
    for (uint32_t i = 0; i < result->test_count; i++) {
        if (result->tests[i].verdict > result->verdict)
            result->verdict = result->tests[i].verdict;
    }
}
