/* SPDX-License-Identifier: BSD-3-Clause */
/* Several jobs at once: the controller with parts, and its agents. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/result/together.h"
#include "simulation.h"

#define MINUTE_NS UINT64_C(60000000000)
#define SECOND_NS UINT64_C(1000000000)
#define JOBS 2u

static struct simulation simulation;
static char whole[] = "mix", job_names[JOBS][4] = {"one", "two"};
/* On three agents: the second job has none on the third. */
static uint32_t ranks_of_one[] = {1, 8, 3, 5, 2}, ranks_of_two[] = {7, 0, 4};

static struct weft_test job(uint32_t index, bool alone)
{
    return (struct weft_test){
        .name = job_names[index],
        .pattern = weft_pattern_find("all-reduce", NULL),
        .options = {.rank_count = index ? 3 : 5, .size_bytes = 15u << 16},
        .ranks = index ? ranks_of_two : ranks_of_one,
        .together = {.name = whole,
                     .job = job_names[index],
                     .job_count = JOBS,
                     .index = index,
                     .alone = alone},
        .iterations = 2000,
        .warmup = 10,
        .verify = true,
        .trace = true,
    };
}

static struct simulation_options options_of(const struct weft_test *tests, uint32_t count)
{
    return (struct simulation_options){.seed = 1,
                                       .agent_count = 3,
                                       .ranks_per_agent = 3,
                                       .period_ns = 1000000,
                                       .tests = tests,
                                       .test_count = count,
                                       .silent_remainder = 3};
}

static void check_agents(const char *trial)
{
    for (uint32_t i = 0; i < simulation.options.agent_count; i++) {
        const struct fake_runtime *runtime = &simulation.seats[i].runtime;
        cr_assert_eq(runtime->prepares, runtime->releases, "%s: agent %u", trial, i);
        cr_assert_not(runtime->misused, "%s: agent %u's runtime was misused", trial, i);
    }
}

static void check_ranks(const struct weft_test_result *test, const uint32_t *ranks)
{
    cr_assert_eq(test->ranks_reported, test->rank_count);
    for (uint32_t i = 0; i < test->rank_count; i++) {
        cr_assert_eq(test->ranks[i].rank, ranks[i]);
        cr_assert_eq(test->ranks[i].host, ranks[i] % 3);
        cr_assert_eq(test->ranks[i].verified.compared_bytes, 1000 + ranks[i]);
        cr_assert_eq(test->ranks[i].latency_ns->max, (UINT64_C(9) << 20) + ranks[i]);
    }
}

static const struct weft_result *run(const struct simulation_options *options)
{
    cr_assert(simulation_run(&simulation, options, 2 * MINUTE_NS), "seed %" PRIu64 ": no end",
              options->seed);
    const struct weft_result *result = weft_controller_result(simulation.controller);
    cr_assert_eq(result->test_count, options->test_count, "%s", result->tests[0].broken);
    cr_assert_eq(result->verdict, WEFT_VERDICT_PASS, "%s", result->tests[0].broken);
    check_agents("whole");
    return result;
}

/* The fake's second part takes twice as long, alone it is the first. */
Test(together, each_job_runs_alone_and_then_all_at_once)
{
    const struct weft_test tests[] = {job(0, true), job(1, true), job(0, false), job(1, false)};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct simulation_options options = options_of(tests, 4);
        struct weft_interference interference;
        options.seed = seed;
        const struct weft_result *result = run(&options);
        for (uint32_t i = 0; i < 4; i++)
            check_ranks(&result->tests[i], i % 2 ? ranks_of_two : ranks_of_one);
        cr_assert_eq(result->tests[0].iterations, 2000);
        cr_assert_eq(result->tests[1].iterations, 2000);
        cr_assert(weft_test_interference(&result->tests[2], &interference));
        cr_assert_float_eq(interference.p50, 1.0, 0.05);
        cr_assert(weft_test_interference(&result->tests[3], &interference));
        cr_assert_float_eq(interference.p50, 2.0, 0.1);
        cr_assert_not(weft_test_interference(&result->tests[1], &interference));
        simulation_fini(&simulation);
    }
}

/* The faster job goes on, and what it does counts, until the slower has been counted often enough;
 * what runs before the window and after it does not count. */
Test(together, the_window_is_the_same_for_all_jobs)
{
    const struct weft_test tests[] = {job(0, false), job(1, false)};
    const struct simulation_options options = options_of(tests, 2);
    const struct weft_result *result = run(&options);
    for (uint32_t i = 0; i < JOBS; i++)
        cr_assert_eq(result->tests[i].completion_ns->count, result->tests[i].iterations);
    cr_assert_geq(result->tests[1].iterations, 2000);
    cr_assert_lt(result->tests[1].iterations, 2100, "%" PRIu64, result->tests[1].iterations);
    /* Agents' paces differ by a quarter at most. */
    double times = (double)result->tests[0].iterations / (double)result->tests[1].iterations;
    cr_assert(times > 2.0 / 1.3 && times < 2.0 * 1.3, "%f", times);
    for (uint32_t i = 0; i < 3; i++) {
        const struct fake_runtime *runtime = &simulation.seats[i].runtime;
        cr_assert_eq(runtime->records[WEFT_RECORD_ANEW], 1);
        cr_assert_eq(runtime->records[WEFT_RECORD_NO_MORE], 1);
        cr_assert_gt(runtime->parts[0].done, result->tests[0].iterations, "it ran on");
    }
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct weft_attribution *attribution = result->tests[i].attribution;
        cr_assert_not_null(attribution);
        cr_assert_gt(attribution->slow_traced, 0);
        cr_assert_geq(attribution->chains[0].duration_ns, 1);
    }
    simulation_fini(&simulation);
}

Test(together, a_time_is_measured_from_when_all_run)
{
    struct weft_test tests[] = {job(0, false), job(1, false)};
    for (uint32_t i = 0; i < JOBS; i++) {
        tests[i].iterations = 0;
        tests[i].duration_ns = 2 * SECOND_NS;
    }
    struct simulation_options options = options_of(tests, 2);
    const struct weft_result *result = run(&options);
    /* Periods of 1 and 2 ms, by agents up to a quarter longer. */
    for (uint32_t i = 0; i < JOBS; i++) {
        uint64_t most = 2000 / (i + 1);
        cr_assert_leq(result->tests[i].iterations, most + most / 20, "%" PRIu64,
                      result->tests[i].iterations);
        cr_assert_geq(result->tests[i].iterations, most * 3 / 4, "%" PRIu64,
                      result->tests[i].iterations);
    }
    simulation_fini(&simulation);
}

Test(together, a_job_that_stands_still_does_not_hide_behind_the_others)
{
    const struct weft_test tests[] = {job(0, false), job(1, false)};
    struct simulation_options options = options_of(tests, 2);
    options.stalled = 1;
    cr_assert(simulation_run(&simulation, &options, 5 * MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    for (uint32_t i = 0; i < JOBS; i++) {
        cr_assert_eq(result->tests[i].verdict, WEFT_VERDICT_BROKEN);
        cr_assert_not_null(strstr(result->tests[i].broken, "no iteration of job two ended for"),
                           "%s", result->tests[i].broken);
    }
    check_agents("stalled");
    simulation_fini(&simulation);
}

/* Of one of the jobs or of both: none of them is whole. */
Test(together, an_agent_that_is_lost_breaks_all_jobs)
{
    static const enum fault faults[] = {FAULT_DISCONNECT, FAULT_SILENCE, FAULT_FAILURE,
                                        FAULT_GARBAGE};
    const struct weft_test tests[] = {job(0, false), job(1, false)};
    for (uint32_t trial = 0; trial < 4 * 3 * 4; trial++) {
        static const enum fake_moment moments[] = {FAKE_PREPARE, FAKE_MIDDLE_VERIFY,
                                                   FAKE_MIDDLE_MEASURE, FAKE_COLLECT};
        char text[64];
        struct simulation_options options = options_of(tests, 2);
        options.seed = trial + 1;
        options.fault = faults[trial % 4];
        options.victim = trial / 4 % 3;
        options.moment = moments[trial / 12];
        (void)snprintf(text, sizeof(text), "%s of %u, fault %u", fake_moment_text(options.moment),
                       options.victim, options.fault);
        cr_assert(simulation_run(&simulation, &options, 10 * MINUTE_NS), "%s: no end", text);
        const struct weft_result *result = weft_controller_result(simulation.controller);
        cr_assert_eq(result->test_count, 2);
        for (uint32_t i = 0; i < JOBS; i++) {
            cr_assert_eq(result->tests[i].verdict, WEFT_VERDICT_BROKEN, "%s", text);
            cr_assert_gt(strlen(result->tests[i].broken), 10);
        }
        check_agents(text);
        simulation_fini(&simulation);
    }
}

Test(together, an_interrupt_keeps_what_was_counted)
{
    const struct weft_test tests[] = {job(0, false), job(1, false)};
    struct simulation_options options = options_of(tests, 2);
    options.fault = FAULT_INTERRUPT;
    options.moment = FAKE_MIDDLE_MEASURE;
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct weft_test_result *test = &result->tests[i];
        cr_assert_eq(test->verdict, WEFT_VERDICT_BROKEN);
        cr_assert_not_null(strstr(test->broken, "interrupted while measuring"), "%s", test->broken);
        cr_assert_eq(test->iterations, test->completion_ns->count);
    }
    check_agents("interrupted");
    simulation_fini(&simulation);
}
