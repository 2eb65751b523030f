/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static enum weft_status parse_into(const char *text, struct weft_plan **ret_plan,
                                   struct weft_error *error)
{
    const struct weft_source source = {"p.yaml", text, strlen(text)};
    return weft_plan_parse(&source, ret_plan, error);
}

static struct weft_plan *parse(const char *text)
{
    struct weft_plan *plan = NULL;
    struct weft_error error = {0};
    cr_assert_eq(parse_into(text, &plan, &error), WEFT_OK, "%s", error.text);
    return plan;
}

static void check_defaults(const struct weft_test *test, const struct weft_pattern *pattern)
{
    cr_assert_eq(test->pattern, pattern);
    cr_assert_eq(test->options.rank_count, 0u);
    cr_assert_eq(test->options.size_bytes, pattern->default_size_bytes);
    cr_assert_eq(test->options.chunk_bytes, 0u);
    cr_assert_eq(test->options.microbatches, 0u);
    cr_assert_eq(test->options.calc_ns, 0u);
    cr_assert_null(test->driver);
    cr_assert_eq(test->transfer, WEFT_TRANSFER_WRITE);
    cr_assert_eq(test->mtu_bytes, 0u);
    cr_assert_eq(test->pace_bps, 0u);
    cr_assert_eq(test->rate_bps, 0u);
    cr_assert_eq(test->congestion.control, WEFT_CONGESTION_NONE);
    cr_assert_eq(test->iterations, 100u);
    cr_assert_eq(test->duration_ns, 0u);
    cr_assert_eq(test->warmup, 10u);
    cr_assert_eq(test->depth, 0u);
    cr_assert_eq(weft_test_in_flight(test), 1u);
    cr_assert_eq(test->interval_ns, 0u);
    cr_assert(!test->reduce);
    cr_assert(test->verify);
    cr_assert_not(weft_fault_is_on(&test->fault));
    cr_assert_eq(test->expect_count, 0u);
}

Test(plan, takes_faults_as_a_text_and_as_a_map)
{
    struct weft_plan *plan =
        parse("tests:\n"
              "  - {name: a, pattern: all-reduce, fault: 'drop=1e-4,delay=1%:50us,seed=3'}\n"
              "  - name: b\n"
              "    pattern: all-reduce\n"
              "    fault: {drop: 1e-4, delay: 1%:50us, seed: 3}\n");
    for (uint32_t i = 0; i < 2; i++) {
        const struct weft_fault_options *fault = &plan->tests[i].fault;
        cr_assert_eq(fault->drop, 1e-4);
        cr_assert_eq(fault->delay, 0.01);
        cr_assert_eq(fault->delay_ns, 50000u);
        cr_assert_eq(fault->seed, 3u);
    }
    weft_plan_destroy(plan);
}

Test(plan, has_defaults)
{
    struct weft_plan *plan = parse("tests:\n  - pattern: all-reduce\n");
    cr_assert_str_eq(plan->name, "plan");
    cr_assert_eq(plan->test_count, 1u);
    cr_assert_str_eq(plan->tests[0].name, "all-reduce");
    check_defaults(&plan->tests[0], weft_pattern_find("all-reduce", NULL));
    weft_plan_destroy(plan);
    weft_plan_destroy(NULL);
}

Test(plan, of_one_pattern_has_the_same_defaults)
{
    for (const struct weft_pattern *const *pattern = weft_patterns(); *pattern; pattern++) {
        struct weft_plan *plan = NULL;
        cr_assert_eq(weft_plan_single(*pattern, &plan, NULL), WEFT_OK);
        cr_assert_str_eq(plan->name, (*pattern)->name);
        cr_assert_eq(plan->test_count, 1u);
        cr_assert_str_eq(plan->tests[0].name, (*pattern)->name);
        check_defaults(&plan->tests[0], *pattern);
        weft_plan_destroy(plan);
    }
}

Test(plan, holds_what_the_file_says)
{
    struct weft_plan *plan = parse("name: nightly\n"
                                   "tests:\n"
                                   "  - name: big one\n"
                                   "    pattern: all-reduce\n"
                                   "    ranks: 8\n"
                                   "    size: 1MiB\n"
                                   "    chunk: 4KiB\n"
                                   "    driver: verbs\n"
                                   "    transfer: send\n"
                                   "    mtu: 1KiB\n"
                                   "    dscp: 26\n"
                                   "    iterations: 5k\n"
                                   "    warmup: 0\n"
                                   "    depth: 32\n"
                                   "    in-flight: 24\n"
                                   "    interval: 100us\n"
                                   "    rate: 1.5Gbps\n"
                                   "    arrivals: poisson\n"
                                   "    pace: 9.7Gbps\n"
                                   "    congestion:\n"
                                   "      control: dcqcn\n"
                                   "      line-rate: 100Gbps\n"
                                   "      minimum-rate: 1Gbps\n"
                                   "      additive-rate: 5Mbps\n"
                                   "      hyper-rate: 50Mbps\n"
                                   "      alpha-period: 50us\n"
                                   "      decrease-period: 5us\n"
                                   "      increase-period: 1500us\n"
                                   "      increase-bytes: 2MB\n"
                                   "      fast-recovery-steps: 4\n"
                                   "      alpha-shift: 6\n"
                                   "      cnp-period: 40us\n"
                                   "    reduce: true\n"
                                   "    verify: false\n"
                                   "    expect:\n"
                                   "      - completion.p99 <= 5ms\n"
                                   "      - \"lost == 0\"\n"
                                   "  - {pattern: pipeline, microbatches: 16, calc: 20us,\n"
                                   "     duration: 2.5s, transfer: write, congestion: dcqcn,\n"
                                   "     expect: []}\n");
    cr_assert_str_eq(plan->name, "nightly");
    cr_assert_eq(plan->test_count, 2u);
    const struct weft_test *test = &plan->tests[0];
    cr_assert_str_eq(test->name, "big one");
    cr_assert_str_eq(test->pattern->name, "all-reduce");
    cr_assert_eq(test->options.rank_count, 8u);
    cr_assert_eq(test->options.size_bytes, 1u << 20);
    cr_assert_eq(test->options.chunk_bytes, 4096u);
    cr_assert_str_eq(test->driver, "verbs");
    cr_assert_eq(test->transfer, WEFT_TRANSFER_SEND);
    cr_assert_eq(test->mtu_bytes, 1024u);
    cr_assert_eq(test->dscp, 26u);
    cr_assert_eq(test->rate_bps, 1500000000u);
    cr_assert_eq(test->arrivals, WEFT_ARRIVALS_POISSON);
    cr_assert_eq(test->iterations, 5000u);
    cr_assert_eq(test->duration_ns, 0u);
    cr_assert_eq(test->warmup, 0u);
    cr_assert_eq(test->depth, 32u);
    cr_assert_eq(test->in_flight, 24u);
    cr_assert_eq(weft_test_in_flight(test), 24u);
    cr_assert_eq(test->interval_ns, 100000u);
    cr_assert_eq(test->pace_bps, UINT64_C(9700000000));
    cr_assert_eq(test->congestion.control, WEFT_CONGESTION_DCQCN);
    cr_assert_eq(test->congestion.line_rate_bps, UINT64_C(100000000000));
    cr_assert_eq(test->congestion.minimum_rate_bps, 1000000000u);
    cr_assert_eq(test->congestion.additive_rate_bps, 5000000u);
    cr_assert_eq(test->congestion.hyper_rate_bps, 50000000u);
    cr_assert_eq(test->congestion.alpha_period_ns, 50000u);
    cr_assert_eq(test->congestion.decrease_period_ns, 5000u);
    cr_assert_eq(test->congestion.increase_period_ns, 1500000u);
    cr_assert_eq(test->congestion.increase_bytes, 2000000u);
    cr_assert_eq(test->congestion.fast_recovery_steps, 4u);
    cr_assert_eq(test->congestion.alpha_shift, 6u);
    cr_assert_eq(test->congestion.cnp_period_ns, 40000u);
    cr_assert(test->reduce);
    cr_assert(!test->verify);
    cr_assert_eq(test->expect_count, 2u);
    cr_assert_str_eq(test->expects[0].metric, "completion.p99");
    cr_assert_str_eq(test->expects[1].text, "lost == 0");
    test = &plan->tests[1];
    cr_assert_str_eq(test->name, "pipeline");
    cr_assert_eq(test->options.microbatches, 16u);
    cr_assert_eq(test->options.calc_ns, 20000u);
    cr_assert_eq(test->iterations, 0u, "it is timed");
    cr_assert_eq(test->duration_ns, UINT64_C(2500000000));
    cr_assert_eq(test->transfer, WEFT_TRANSFER_WRITE);
    cr_assert_eq(test->pace_bps, 0u);
    cr_assert_eq(test->congestion.control, WEFT_CONGESTION_DCQCN);
    cr_assert_eq(test->congestion.line_rate_bps, 0u);
    cr_assert_eq(test->expect_count, 0u);
    weft_plan_destroy(plan);
}

static void refuses(const char *fields, const char *phrase)
{
    char text[2000];
    (void)snprintf(text, sizeof(text), "tests:\n  - pattern: all-reduce\n    %s\n", fields);
    struct weft_plan *plan = NULL;
    struct weft_error error = {0};
    cr_assert_eq(parse_into(text, &plan, &error), WEFT_INVALID, "%s", fields);
    cr_assert_null(plan);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
}

static void takes(const char *fields)
{
    char text[2000];
    (void)snprintf(text, sizeof(text), "tests:\n  - pattern: all-reduce\n    %s\n", fields);
    weft_plan_destroy(parse(text));
}

Test(plan, bounds_each_value)
{
    refuses("size: 0", "'size' must be from 1B to 1TiB");
    refuses("size: 1025GiB", "'size' must be from 1B to 1TiB");
    refuses("chunk: 0", "'chunk' must be from 1B to 1GiB");
    refuses("chunk: 2GiB", "'chunk' must be from 1B to 1GiB");
    refuses("ranks: 0", "'ranks' must be from 1 to 130000");
    refuses("ranks: 4294967298", "'ranks' must be"); /* 2 in 32 bits */
    refuses("microbatches: 4", "all-reduce does not take 'microbatches'; leave it out");
    refuses("type: bfloat", "did you mean 'bfloat16'?");
    refuses("depth: 0", "'depth' must be from 1 to 4096");
    refuses("depth: 4294967297", "'depth' must be");
    refuses("in-flight: 0", "'in-flight' must be from 1 to 1024");
    refuses("in-flight: 1025", "'in-flight' must be");
    refuses("iterations: 0", "'iterations' must be");
    refuses("iterations: 1.5", "not a whole number");
    refuses("duration: 0s", "'duration' must be from 1ms to 168h");
    refuses("duration: 500h", "'duration' must be from 1ms to 168h");
    refuses("interval: 1us", "'interval' must be from 10us to 1h");
    refuses("calc: 2h", "all-reduce does not take 'calc'");
    refuses("warmup: 2G", "'warmup' must be");
    refuses("mtu: 0", "'mtu' must be 256, 512, 1024, 2048 or 4096");
    refuses("mtu: 128", "'mtu' must be");
    refuses("mtu: 8192", "'mtu' must be");
    refuses("mtu: 1000", "'mtu' must be");
    refuses("pace: 10", "it has no unit");
    refuses("pace: 99kbps", "'pace' must be from 100kbps to 16Tbps");
    refuses("congestion: dcqn", "unknown congestion control 'dcqn'; did you mean 'dcqcn'?");
    refuses("congestion: [dcqcn]", "unknown congestion control");
    refuses("congestion: {}", "needs the key 'control'");
    refuses("congestion: {line-rate: 1Gbps}", "needs the key 'control'");
    refuses("congestion: {control: none, line-rate: 1Gbps}", "'none' has no parameters");
    refuses("congestion: {control: dcqcn, alpha-shft: 3}", "did you mean 'alpha-shift'?");
    refuses("congestion: {control: dcqcn, alpha-shift: 0}", "'alpha-shift' must be from 1 to 16");
    refuses("congestion: {control: dcqcn, cnp-period: 999ns}", "'cnp-period' must be from 1us");
    refuses("congestion: {control: dcqcn, minimum-rate: 2Gbps, line-rate: 1Gbps}",
            "p.yaml:3:48: error: 'minimum-rate' is more than 'line-rate'");
    takes("congestion: {control: none}");
    takes("congestion: none");
    takes("congestion: {control: dcqcn, minimum-rate: 2Gbps}");
    takes("pace: 100kbps");
    refuses("dscp: 64", "'dscp' must be from 0 to 63");
    refuses("duration: 1s\n    iterations: 5", "not both");
    refuses("name: ''", "must not be empty");
    refuses("name: \"two\\nlines\"", "one line");
    refuses("driver: [dpdk]", "'driver' must be a text");
    takes("mtu: 256");
    takes("dscp: 0");
    takes("dscp: 63");
    takes("mtu: 4KiB");
    takes("duration: 168h");
    takes("interval: 10us");
    takes("warmup: 0");
}

/* The pattern's own check has a place in the file once the number of ranks is known. */
Test(plan, asks_the_pattern)
{
    refuses("ranks: 1", "p.yaml:2:14: error: all-reduce takes");
    takes("ranks: 2");
}

/* The name of a schedule's file is a pattern. Nothing is read here. */
Test(plan, files)
{
    struct weft_plan *plan = parse("tests: [{pattern: dir/a.goal, ranks: 7}, {pattern: incast}]");
    cr_assert_eq(plan->tests[0].pattern, weft_pattern_find("goal", NULL));
    cr_assert_str_eq(plan->tests[0].file, "dir/a.goal");
    cr_assert_str_eq(plan->tests[0].name, "goal");
    cr_assert_null(plan->tests[1].file);
    weft_plan_destroy(plan);
    refuses("file: a.goal", "all-reduce is not made from a file");
}

Test(plan, takes_every_pattern_by_name)
{
    for (const struct weft_pattern *const *pattern = weft_patterns(); *pattern; pattern++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "tests: [{pattern: %s, ranks: %u%s}]", (*pattern)->name,
                       (*pattern)->default_ranks, (*pattern)->takes_text ? ", file: a" : "");
        struct weft_plan *plan = parse(text);
        cr_assert_eq(plan->tests[0].pattern, *pattern);
        weft_plan_destroy(plan);
    }
}
