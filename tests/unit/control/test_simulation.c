/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/control/merge.h"
#include "simulation.h"

#define MINUTE_NS UINT64_C(60000000000)
#define SECOND_NS UINT64_C(1000000000)

static struct simulation simulation;
static char name_counted[] = "counted", name_timed[] = "timed", name_long[] = "long";

static struct weft_test counted_test(void)
{
    return (struct weft_test){.name = name_counted,
                              .pattern = weft_pattern_find("all-reduce", NULL),
                              .options = {.size_bytes = 1u << 20},
                              .iterations = 200,
                              .warmup = 10,
                              .verify = true,
                              .trace = true};
}

static struct weft_test timed_test(void)
{
    return (struct weft_test){.name = name_timed,
                              .pattern = weft_pattern_find("all-reduce", NULL),
                              .options = {.size_bytes = 1u << 20},
                              .duration_ns = SECOND_NS,
                              .warmup = 10,
                              .verify = true};
}

static bool decides(const struct fake_runtime *runtime)
{
    return runtime->decides;
}

/* The histogram that `count` iterations must have: the slowest deciding agent of each. */
static void expected_completion(uint64_t count, struct weft_hist *hist)
{
    weft_hist_clear(hist);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t largest_ns = 0;
        for (uint32_t agent = 0; agent < simulation.options.agent_count; agent++) {
            if (decides(&simulation.seats[agent].runtime) &&
                fake_duration_ns(agent, i) > largest_ns)
                largest_ns = fake_duration_ns(agent, i);
        }
        weft_hist_record(hist, largest_ns);
    }
}

static void check_completion(const struct weft_test_result *test)
{
    struct weft_hist *expected = weft_hist_create();
    expected_completion(test->completion_ns->count, expected);
    cr_assert_eq(memcmp(expected, test->completion_ns, sizeof(*expected)), 0,
                 "the completions are not the slowest agents'");
    weft_hist_destroy(expected);
}

static void check_agents(const char *trial)
{
    for (uint32_t i = 0; i < simulation.options.agent_count; i++) {
        const struct fake_runtime *runtime = &simulation.seats[i].runtime;
        cr_assert_eq(runtime->prepares, runtime->releases, "%s: agent %u: %u prepares, %u releases",
                     trial, i, runtime->prepares, runtime->releases);
        cr_assert_not(runtime->misused, "%s: agent %u's runtime was misused", trial, i);
    }
}

static void check_whole_test(const struct weft_test_result *test, const char *trial)
{
    cr_assert_eq(test->verdict, WEFT_VERDICT_PASS, "%s: %s", trial, test->broken);
    cr_assert_eq(test->ranks_reported, test->rank_count, "%s", trial);
    cr_assert_eq(test->completion_ns->count, test->iterations, "%s", trial);
    check_completion(test);
    for (uint32_t rank = 0; rank < test->rank_count; rank++) {
        const struct weft_rank_result *figures = &test->ranks[rank];
        cr_assert_eq(figures->iterations, test->iterations, "%s: rank %u ran %" PRIu64, trial, rank,
                     figures->iterations);
        cr_assert_eq(figures->host, rank % simulation.options.agent_count);
        cr_assert_eq(figures->verified_known, test->test->verify);
        cr_assert_eq(figures->verified.compared_bytes, test->test->verify ? 1000 + rank : 0);
        cr_assert_eq(figures->latency_ns->count, 10);
        cr_assert_eq(figures->latency_ns->max, (UINT64_C(9) << 20) + rank);
        cr_assert_eq(figures->counters_shared, rank >= simulation.options.agent_count);
    }
    cr_assert_eq(test->latency_ns->count, 10u * test->rank_count);
}

static const struct weft_result *run_whole(const struct simulation_options *options)
{
    char trial[64];
    (void)snprintf(trial, sizeof(trial), "seed %" PRIu64 ", %u agents", options->seed,
                   options->agent_count);
    cr_assert(simulation_run(&simulation, options, 2 * MINUTE_NS), "%s: no end", trial);
    const struct weft_result *result = weft_controller_result(simulation.controller);
    cr_assert_eq(result->test_count, options->test_count, "%s: %s", trial, result->tests[0].broken);
    cr_assert_eq(result->verdict, WEFT_VERDICT_PASS);
    cr_assert_not(result->refused);
    for (uint32_t i = 0; i < result->test_count; i++)
        check_whole_test(&result->tests[i], trial);
    check_agents(trial);
    return result;
}

/* ---- nothing goes wrong ---- */

Test(simulation, plans_run_whole_on_any_number_of_agents)
{
    static const uint32_t agent_counts[] = {1, 3, 20};
    const struct weft_test tests[] = {counted_test(), timed_test(), counted_test()};
    for (size_t i = 0; i < 3; i++) {
        for (uint64_t seed = 1; seed <= 10; seed++) {
            const struct simulation_options options = {.seed = seed,
                                                       .agent_count = agent_counts[i],
                                                       .ranks_per_agent = 3,
                                                       .period_ns = 1000000,
                                                       .tests = tests,
                                                       .test_count = 3,
                                                       .silent_remainder = 2};
            const struct weft_result *result = run_whole(&options);
            cr_assert_eq(result->tests[0].iterations, 200);
            cr_assert_str_eq(result->environments[agent_counts[i] - 1].cpu, "fake");
            /* As it was told after the last release. */
            cr_assert_eq(result->environments[0].clock_drift_ppb, 3);
            simulation_fini(&simulation);
        }
    }
}

Test(simulation, one_seed_gives_one_trace)
{
    const struct weft_test tests[] = {counted_test(), timed_test()};
    struct simulation_options options = {.seed = 7,
                                         .agent_count = 3,
                                         .ranks_per_agent = 2,
                                         .period_ns = 300000,
                                         .tests = tests,
                                         .test_count = 2,
                                         .silent_remainder = 2};
    (void)run_whole(&options);
    uint64_t trace = simulation.trace;
    uint64_t finished_ns = simulation.finished_ns;
    simulation_fini(&simulation);
    (void)run_whole(&options);
    cr_assert_eq(simulation.trace, trace);
    cr_assert_eq(simulation.finished_ns, finished_ns);
    simulation_fini(&simulation);
    options.seed = 8;
    (void)run_whole(&options);
    cr_assert_neq(simulation.trace, trace);
    simulation_fini(&simulation);
}

/* Paces from 1 us to 2 s an iteration, known beforehand or not. */
Test(simulation, timed_tests_last_as_long_as_asked)
{
    static const uint64_t periods_ns[] = {1000, 30000, 5000000, 150000000, 2000000000};
    for (size_t i = 0; i < 5; i++) {
        for (uint64_t warmup = 0; warmup <= 10; warmup += 10) {
            struct weft_test test = timed_test();
            test.duration_ns = 3 * SECOND_NS;
            test.verify = false;
            test.warmup = warmup;
            const struct simulation_options options = {.seed = 5 + i,
                                                       .agent_count = 3,
                                                       .ranks_per_agent = 1,
                                                       .period_ns = periods_ns[i],
                                                       .tests = &test,
                                                       .test_count = 1,
                                                       .silent_remainder = 2};
            const struct weft_result *result = run_whole(&options);
            /* The slowest agent's pace is at most 5/4 of the period; the end is found in time. */
            double lasted_s = (double)result->tests[0].iterations * (double)periods_ns[i] / 1e9;
            cr_assert_gt(lasted_s, 1.5, "period %" PRIu64 ": %f s", periods_ns[i], lasted_s);
            cr_assert_lt(lasted_s, 3.3 + (double)periods_ns[i] / 1e9, "period %" PRIu64 ": %f s",
                         periods_ns[i], lasted_s);
            simulation_fini(&simulation);
        }
    }
}

/* An agent starts its driver with the first test, for the largest one. */
Test(simulation, the_whole_plan_is_foreseen)
{
    struct weft_test tests[] = {counted_test(), counted_test(), counted_test()};
    tests[0].options.rank_count = 4;
    tests[1].options.rank_count = 8;
    tests[2].options.rank_count = 5;
    struct simulation_options options = {.seed = 1,
                                         .agent_count = 4,
                                         .ranks_per_agent = 3,
                                         .period_ns = 1000,
                                         .tests = tests,
                                         .test_count = 3};
    for (uint32_t all = 0; all < 2; all++) {
        tests[0].mtu_bytes = 512;
        tests[1].mtu_bytes = all ? 0 : 256;
        tests[2].mtu_bytes = 1024;
        (void)run_whole(&options);
        for (uint32_t i = 0; i < 4; i++) {
            const struct fake_runtime *runtime = &simulation.seats[i].runtime;
            uint32_t ranks = 0;
            for (uint32_t rank = 0; rank < 8; rank++) {
                uint32_t host = simulation.nics[simulation.rank_nics[rank]].host;
                ranks += simulation.host_agents[host] == i;
            }
            cr_assert_eq(runtime->foreseen_ranks, ranks, "agent %u: %u", i,
                         runtime->foreseen_ranks);
            cr_assert_eq(runtime->foreseen_mtu_bytes, ranks && !all ? 1024 : 0);
        }
        simulation_fini(&simulation);
    }
}

/* More iterations than the controller has room for durations of. */
Test(simulation, a_long_count_is_granted_in_windows)
{
    struct weft_test test = counted_test();
    test.name = name_long;
    test.iterations = 3u * WEFT_MERGE_WINDOW + 17;
    const struct simulation_options options = {.seed = 3,
                                               .agent_count = 3,
                                               .ranks_per_agent = 1,
                                               .period_ns = 1000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .silent_remainder = 2};
    const struct weft_result *result = run_whole(&options);
    cr_assert_eq(result->tests[0].iterations, 3u * WEFT_MERGE_WINDOW + 17);
    simulation_fini(&simulation);
}

Test(simulation, a_pattern_without_deciding_ranks_has_no_completion)
{
    const struct weft_test test = counted_test();
    const struct simulation_options options = {.seed = 3,
                                               .agent_count = 1,
                                               .ranks_per_agent = 2,
                                               .period_ns = 100000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .silent_remainder = 0};
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    cr_assert_eq(result->verdict, WEFT_VERDICT_PASS, "%s", result->tests[0].broken);
    cr_assert_eq(result->tests[0].iterations, 200);
    cr_assert_eq(result->tests[0].completion_ns->count, 0);
    simulation_fini(&simulation);
}

/* ---- something goes wrong ---- */

static const char *fault_text(enum fault fault)
{
    static const char *const texts[FAULT_COUNT] = {
        [FAULT_NONE] = "none",       [FAULT_DISCONNECT] = "disconnect",
        [FAULT_SILENCE] = "silence", [FAULT_FAILURE] = "failure",
        [FAULT_GARBAGE] = "garbage", [FAULT_INTERRUPT] = "interrupt",
    };
    return texts[fault];
}

static void check_reason(const struct simulation_options *options, const char *broken,
                         const char *trial)
{
    char who[32];
    const char *what[FAULT_COUNT] = {
        [FAULT_DISCONNECT] = "was lost while",
        [FAULT_SILENCE] = "said nothing for ",
        [FAULT_FAILURE] = "",
        [FAULT_GARBAGE] = "sent a bad message while",
        [FAULT_INTERRUPT] = "interrupted while",
    };
    cr_assert_not_null(strstr(broken, what[options->fault]), "%s: %s", trial, broken);
    if (options->fault == FAULT_INTERRUPT)
        return;
    (void)snprintf(who, sizeof(who), "host h%u", options->victim);
    cr_assert_not_null(strstr(broken, who), "%s: %s", trial, broken);
}

/* Whoever still lives tells what it has measured, however far it came. */
static void check_kept(const struct simulation_options *options,
                       const struct weft_test_result *test, const char *trial)
{
    bool dead = options->fault != FAULT_FAILURE && options->fault != FAULT_INTERRUPT;
    if (options->moment != FAKE_MIDDLE_MEASURE)
        return;
    for (uint32_t i = 0; i < test->rank_count; i++) {
        bool lives = i % options->agent_count != options->victim || !dead;
        cr_assert_eq(test->ranks[i].reported, lives, "%s: rank %u", trial, i);
        if (!lives)
            continue;
        cr_assert_eq(test->ranks[i].latency_ns->count, 10, "%s: rank %u", trial, i);
        cr_assert(test->ranks[i].verified_known, "%s: rank %u", trial, i);
    }
}

static void run_broken(const struct simulation_options *options)
{
    char trial[128];
    (void)snprintf(trial, sizeof(trial), "seed %" PRIu64 ", %u agents, %s of %u at %s",
                   options->seed, options->agent_count, fault_text(options->fault), options->victim,
                   fake_moment_text(options->moment));
    cr_assert(simulation_run(&simulation, options, 10 * MINUTE_NS), "%s: no end", trial);
    cr_assert_gt(simulation.hurt_ns, 0, "%s: never struck", trial);
    /* Silence may be that of an agent which opens devices: 60 s; then the others are stopped. */
    cr_assert_lt(simulation.finished_ns - simulation.hurt_ns, 70 * SECOND_NS, "%s: %" PRIu64, trial,
                 simulation.finished_ns - simulation.hurt_ns);
    const struct weft_result *result = weft_controller_result(simulation.controller);
    const struct weft_test_result *test = &result->tests[result->test_count - 1];
    cr_assert_eq(result->verdict, WEFT_VERDICT_BROKEN, "%s", trial);
    cr_assert_eq(test->verdict, WEFT_VERDICT_BROKEN, "%s", trial);
    /* What is sent with the last word of a test may reach the controller in the next. */
    cr_assert(result->test_count == 1 || options->moment == FAKE_RELEASE,
              "%s: a test was begun after a broken one", trial);
    check_reason(options, test->broken, trial);
    check_kept(options, test, trial);
    check_completion(test);
    cr_assert_leq(test->completion_ns->count, 200);
    check_agents(trial);
    bool bad_request = options->fault == FAULT_FAILURE && options->moment == FAKE_PREPARE;
    cr_assert_eq(result->refused, bad_request, "%s", trial);
}

/* ---- traces ---- */

static uint64_t slowest_agent_ns(uint64_t iteration)
{
    uint64_t largest_ns = 0;
    for (uint32_t agent = 0; agent < simulation.options.agent_count; agent++) {
        uint64_t duration_ns = fake_duration_ns(agent, iteration);
        largest_ns = duration_ns > largest_ns ? duration_ns : largest_ns;
    }
    return largest_ns;
}

/* Runtimes forget all but the last iterations, and what they were told to keep. */
Test(simulation, the_slowest_iterations_are_traced)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct weft_test tests[] = {counted_test(), counted_test()};
        const struct simulation_options options = {.seed = seed,
                                                   .agent_count = 3,
                                                   .ranks_per_agent = 2,
                                                   .period_ns = 5000000,
                                                   .tests = tests,
                                                   .test_count = 2,
                                                   .silent_remainder = 3};
        const struct weft_result *result = run_whole(&options);
        for (uint32_t i = 0; i < 2; i++) {
            const struct weft_attribution *attribution = result->tests[i].attribution;
            uint64_t slowest = 0;
            for (uint64_t iteration = 1; iteration < 200; iteration++) {
                if (slowest_agent_ns(iteration) > slowest_agent_ns(slowest))
                    slowest = iteration;
            }
            cr_assert_not_null(attribution, "seed %" PRIu64, seed);
            cr_assert_eq(attribution->slow_traced, 200 / 20 + 1);
            cr_assert_geq(attribution->other_traced, FAKE_TRACES - attribution->slow_traced);
            cr_assert_eq(attribution->chains[0].iteration, slowest);
            cr_assert_eq(attribution->chains[0].duration_ns, slowest_agent_ns(slowest));
        }
        simulation_fini(&simulation);
    }
}

Test(simulation, nothing_is_traced_unless_all_agents_can)
{
    struct weft_test tests[] = {counted_test()};
    tests[0].trace = false;
    const struct simulation_options options = {.seed = 1,
                                               .agent_count = 3,
                                               .ranks_per_agent = 2,
                                               .period_ns = 5000000,
                                               .tests = tests,
                                               .test_count = 1,
                                               .silent_remainder = 3};
    cr_assert_null(run_whole(&options)->tests[0].attribution);
    simulation_fini(&simulation);
}

static void run_all_broken(uint32_t agent_count, enum fault fault, uint64_t seeds)
{
    const struct weft_test tests[] = {counted_test(), counted_test()};
    for (int moment = FAKE_ATTACH; moment < FAKE_MOMENT_COUNT; moment++) {
        if (fault == FAULT_FAILURE && !fake_moment_may_fail((enum fake_moment)moment))
            continue;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            const struct simulation_options options = {.seed = seed,
                                                       .agent_count = agent_count,
                                                       .ranks_per_agent = 2,
                                                       .period_ns = 5000000,
                                                       .tests = tests,
                                                       .test_count = 2,
                                                       .fault = fault,
                                                       .moment = (enum fake_moment)moment,
                                                       .victim = (uint32_t)seed % agent_count,
                                                       .silent_remainder = 2};
            run_broken(&options);
            simulation_fini(&simulation);
        }
    }
}

static void run_all_sizes(enum fault fault)
{
    run_all_broken(1, fault, 5);
    run_all_broken(3, fault, 10);
    run_all_broken(20, fault, 2);
}

Test(simulation, an_agent_that_disconnects)
{
    run_all_sizes(FAULT_DISCONNECT);
}

Test(simulation, an_agent_that_falls_silent)
{
    run_all_sizes(FAULT_SILENCE);
}

Test(simulation, a_runtime_that_fails)
{
    run_all_sizes(FAULT_FAILURE);
}

Test(simulation, an_agent_that_sends_garbage)
{
    run_all_sizes(FAULT_GARBAGE);
}

Test(simulation, an_interrupt)
{
    run_all_sizes(FAULT_INTERRUPT);
}

/* While measuring, an interrupt lets the ranks end together and tell what they found. */
Test(simulation, an_interrupted_measurement_keeps_its_figures)
{
    struct weft_test test = timed_test();
    test.duration_ns = 1000 * SECOND_NS;
    const struct simulation_options options = {.seed = 4,
                                               .agent_count = 3,
                                               .ranks_per_agent = 2,
                                               .period_ns = 1000000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .fault = FAULT_INTERRUPT,
                                               .moment = FAKE_MIDDLE_MEASURE,
                                               .silent_remainder = 2};
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    const struct weft_test_result *figures = &result->tests[0];
    cr_assert_eq(figures->verdict, WEFT_VERDICT_BROKEN);
    cr_assert_str_eq(figures->broken, "interrupted while measuring: Ctrl-C");
    cr_assert_eq(figures->ranks_reported, 6);
    cr_assert_gt(figures->iterations, 0);
    cr_assert_eq(figures->completion_ns->count, figures->iterations);
    check_completion(figures);
    check_agents("interrupt");
    simulation_fini(&simulation);
}

/* What is measured until an interrupt ends by it: nothing is broken. */
Test(simulation, an_endless_measurement_ends_by_an_interrupt)
{
    struct weft_test test = timed_test();
    test.duration_ns = WEFT_FOREVER;
    const struct simulation_options options = {.seed = 4,
                                               .agent_count = 3,
                                               .ranks_per_agent = 2,
                                               .period_ns = 1000000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .fault = FAULT_INTERRUPT,
                                               .moment = FAKE_MIDDLE_MEASURE,
                                               .silent_remainder = 2};
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_test_result *figures =
        &weft_controller_result(simulation.controller)->tests[0];
    cr_assert_eq(figures->verdict, WEFT_VERDICT_PASS);
    cr_assert_str_eq(figures->broken, "");
    cr_assert_gt(figures->iterations, 0);
    check_completion(figures);
    simulation_fini(&simulation);
}

Test(simulation, a_failing_prepare_is_said_in_the_runtimes_own_words)
{
    const struct weft_test test = counted_test();
    const struct simulation_options options = {.seed = 9,
                                               .agent_count = 3,
                                               .ranks_per_agent = 1,
                                               .period_ns = 1000000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .fault = FAULT_FAILURE,
                                               .moment = FAKE_PREPARE,
                                               .victim = 1,
                                               .silent_remainder = 2};
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    cr_assert_str_eq(result->tests[0].broken,
                     "host h1: no device 'mlx5_9' on agent 1;\ntry another");
    cr_assert(result->refused);
    simulation_fini(&simulation);
}

Test(simulation, a_silent_agent_is_named_with_what_it_was_asked)
{
    const struct weft_test test = counted_test();
    const struct simulation_options options = {.seed = 9,
                                               .agent_count = 3,
                                               .ranks_per_agent = 1,
                                               .period_ns = 1000000,
                                               .tests = &test,
                                               .test_count = 1,
                                               .fault = FAULT_SILENCE,
                                               .moment = FAKE_MIDDLE_MEASURE,
                                               .victim = 2,
                                               .silent_remainder = 2};
    cr_assert(simulation_run(&simulation, &options, MINUTE_NS));
    const struct weft_result *result = weft_controller_result(simulation.controller);
    cr_assert_str_eq(result->tests[0].broken,
                     "agent 2 (host h2) said nothing for 15s while measuring");
    simulation_fini(&simulation);
}

/* Of 100 s each: too long, unless that was said. */
Test(simulation, iterations_may_take_as_long_as_was_said)
{
    struct weft_test tests[] = {counted_test()};
    tests[0].iterations = 2;
    tests[0].warmup = 0;
    tests[0].verify = tests[0].trace = false;
    const struct simulation_options options = {.seed = 1,
                                               .agent_count = 1,
                                               .ranks_per_agent = 2,
                                               .period_ns = 100 * SECOND_NS,
                                               .tests = tests,
                                               .test_count = 1,
                                               .silent_remainder = 2};
    cr_assert(simulation_run(&simulation, &options, 10 * MINUTE_NS));
    const struct weft_test_result *test = &weft_controller_result(simulation.controller)->tests[0];
    cr_assert_not_null(strstr(test->broken, "raise iteration-timeout"), "%s", test->broken);
    simulation_fini(&simulation);
    tests[0].iteration_timeout_ns = 200 * SECOND_NS;
    cr_assert(simulation_run(&simulation, &options, 10 * MINUTE_NS));
    check_whole_test(&weft_controller_result(simulation.controller)->tests[0], "long");
    simulation_fini(&simulation);
}
