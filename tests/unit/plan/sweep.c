/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/sweep.h"

#include <criterion/criterion.h>
#include <string.h>

static struct weft_plan *expand(const char *text, struct weft_error *error)
{
    struct weft_plan *plan = NULL;
    const struct weft_source source = {"p.yaml", text, strlen(text)};
    cr_assert_eq(weft_plan_parse(&source, &plan, error), WEFT_OK, "%s", error->text);
    if (weft_plan_expand(plan, error) == WEFT_OK)
        return plan;
    weft_plan_destroy(plan);
    return NULL;
}

static struct weft_plan *expanded(const char *text)
{
    struct weft_error error = {0};
    struct weft_plan *plan = expand(text, &error);
    cr_assert_not_null(plan, "%s", error.text);
    return plan;
}

Test(sweep, is_every_combination)
{
    struct weft_plan *plan =
        expanded("tests:\n"
                 "  - {name: a, pattern: incast, expect: [lost == 0],\n"
                 "     sweep: {size: [64B, 1KiB..16KiB*4], ranks: [2, 3], rate: 1Gbps}}\n"
                 "  - {name: b, pattern: ping-pong}\n");
    static const char *const names[] = {
        "a size=64B ranks=2 rate=1Gbps",   "a size=64B ranks=3 rate=1Gbps",
        "a size=1KiB ranks=2 rate=1Gbps",  "a size=1KiB ranks=3 rate=1Gbps",
        "a size=4KiB ranks=2 rate=1Gbps",  "a size=4KiB ranks=3 rate=1Gbps",
        "a size=16KiB ranks=2 rate=1Gbps", "a size=16KiB ranks=3 rate=1Gbps",
    };
    cr_assert_eq(plan->test_count, 9);
    for (uint32_t i = 0; i < 8; i++) {
        const struct weft_test *test = &plan->tests[i];
        static const uint64_t sizes[] = {64, 1024, 4096, 16384};
        cr_assert_str_eq(test->name, names[i]);
        cr_assert_eq(test->options.size_bytes, sizes[i / 2]);
        cr_assert_eq(test->options.rank_count, 2 + i % 2);
        cr_assert_eq(test->rate_bps, 1000000000);
        cr_assert(test->swept);
        cr_assert_eq(test->expect_count, 1);
    }
    cr_assert_not(plan->tests[8].swept);
    weft_plan_destroy(plan);
}

/* It adds no test, but it is what was asked for. */
Test(sweep, of_one_value_sets_it)
{
    struct weft_plan *plan = expanded("tests:\n"
                                      "  - pattern: all-reduce\n"
                                      "    sweep: {algorithm: two-trees, size: 64B}\n");
    cr_assert_eq(plan->test_count, 1);
    cr_assert_str_eq(plan->tests[0].name, "all-reduce algorithm=two-trees size=64B");
    cr_assert_eq(plan->tests[0].options.size_bytes, 64);
    cr_assert_neq(plan->tests[0].options.algorithm, 0);
    weft_plan_destroy(plan);
}

Test(sweep, of_sizes_counts_in_binary_units)
{
    struct weft_plan *plan = expanded("tests:\n"
                                      "  - {pattern: incast, sweep: {size: 1M..3M*3}}\n");
    cr_assert_eq(plan->test_count, 2);
    cr_assert_eq(plan->tests[1].options.size_bytes, 3 << 20);
    weft_plan_destroy(plan);
}

Test(sweep, takes_options_of_the_pattern)
{
    struct weft_plan *plan = expanded("tests:\n"
                                      "  - pattern: all-reduce\n"
                                      "    size: 1MiB\n"
                                      "    sweep: {chunk: 4KiB..64KiB*16}\n");
    cr_assert_eq(plan->test_count, 2);
    cr_assert_eq(plan->tests[1].options.chunk_bytes, 65536);
    weft_plan_destroy(plan);
}

/* Only the last repeat is asked how far all differ. */
Test(sweep, repeats_stand_together)
{
    struct weft_plan *plan =
        expanded("tests:\n"
                 "  - {name: a, pattern: incast, repeats: 3, sweep: {ranks: [2, 4]},\n"
                 "     expect: [lost == 0, completion.p50.cv <= 5%]}\n");
    cr_assert_eq(plan->test_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert_eq(plan->tests[i].repeat, i % 3);
        cr_assert_eq(plan->tests[i].repeats, 3);
        cr_assert_eq(plan->tests[i].options.rank_count, i < 3 ? 2 : 4);
        cr_assert_eq(plan->tests[i].expect_count, i % 3 == 2 ? 2 : 1);
    }
    cr_assert_str_eq(plan->tests[2].name, "a ranks=2 #3");
    cr_assert_str_eq(plan->tests[3].name, "a ranks=4");
    cr_assert_float_eq(plan->tests[2].expects[1].value, 0.05, 1e-12);
    weft_plan_destroy(plan);
}

Test(sweep, is_bounded)
{
    struct weft_error error = {0};
    cr_assert_null(expand("tests:\n"
                          "  - {pattern: incast, repeats: 100, sweep: {ranks: [2, 3, 4, 5, 6, 7,\n"
                          "     8, 9, 10, 11, 12]}}\n",
                          &error));
    cr_assert_not_null(strstr(error.text, "more than 1000 tests"), "%s", error.text);
}

Test(sweep, ranges_end_where_numbers_do)
{
    struct weft_test test = {.pattern = weft_pattern_find("incast", NULL)};
    struct weft_error error = {0};
    cr_assert_eq(weft_sweep_add(&test, "size", "1B..1TiB*1000000", &error), WEFT_OK, "%s",
                 error.text);
    cr_assert_eq(test.axes[0].value_count, 3);
    cr_assert_neq(weft_sweep_add(&test, "size", "4..2", &error), WEFT_OK);
    cr_assert_neq(weft_sweep_add(&test, "size", "0..2", &error), WEFT_OK);
    cr_assert_neq(weft_sweep_add(&test, "size", "1..2*1", &error), WEFT_OK);
    cr_assert_neq(weft_sweep_add(&test, "size", "1KiB..2Gbps", &error), WEFT_OK);
    cr_assert_neq(weft_sweep_add(&test, "size", "4KiB,", &error), WEFT_OK);
    cr_assert_neq(weft_sweep_add(&test, "size", "2TiB", &error), WEFT_OK);
    weft_sweep_fini(&test);
}

static void refuses(const char *text, const char *phrase)
{
    struct weft_plan *plan = NULL;
    struct weft_error error = {0};
    const struct weft_source source = {"p.yaml", text, strlen(text)};
    cr_assert_neq(weft_plan_parse(&source, &plan, &error), WEFT_OK, "%s", text);
    cr_assert_not_null(strstr(error.text, phrase), "%s", error.text);
}

/* A test under two names, and a value that would be ignored. */
Test(sweep, refuses_what_it_cannot_mean)
{
    refuses("tests:\n  - {pattern: incast, sweep: {size: [8, 8B]}}\n", "as 8: leave one out");
    refuses("tests:\n  - {pattern: incast, sweep: {size: [4..16, 8]}}\n", "already");
    refuses("tests:\n  - {pattern: incast, sweep: {root: [1, 1]}}\n", "already");
    refuses("tests:\n  - {pattern: incast, size: 8, sweep: {size: [8, 16]}}\n",
            "p.yaml:2:23: error: 'size' is swept");
    refuses("tests:\n  - {pattern: incast, ranks: 4, sweep: {ranks: 2}}\n", "'ranks' is swept");
    refuses("tests:\n  - {pattern: incast, chunk: 8, sweep: {chunk: 16}}\n", "'chunk' is swept");
}
