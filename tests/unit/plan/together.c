/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/plan.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/ranks.h"
#include "fabric/plan/sweep.h"

static struct weft_plan *parse(const char *text)
{
    const struct weft_source source = {"p.yaml", text, strlen(text)};
    struct weft_plan *plan = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_plan_parse(&source, &plan, &error), WEFT_OK, "%s", error.text);
    return plan;
}

static void has_ranks(const struct weft_test *test, const uint32_t *ranks, uint32_t count)
{
    cr_assert_eq(test->options.rank_count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(weft_test_rank(test, i), ranks[i], "%u is %u", i, weft_test_rank(test, i));
}

static const char mix[] = "tests:\n"
                          "  - pattern: ping-pong\n"
                          "  - name: mix\n"
                          "    duration: 2s\n"
                          "    warmup: 3\n"
                          "    mtu: 1024\n"
                          "    driver: verbs\n"
                          "    expect: [lost == 0]\n"
                          "    together:\n"
                          "      - name: training\n"
                          "        pattern: all-reduce\n"
                          "        ranks: [6, 1-2]\n"
                          "        size: 3MiB\n"
                          "        expect: [interference <= 1.5]\n"
                          "      - {name: serving, pattern: ping-pong, ranks: 2, rate: 1Gbps}\n"
                          "      - {name: backup, pattern: stream, ranks: '4,0'}\n";

Test(together, makes_two_tests_of_each_job)
{
    static const char *const names[] = {
        "ping-pong",     "mix: training alone", "mix: serving alone", "mix: backup alone",
        "mix: training", "mix: serving",        "mix: backup"};
    struct weft_plan *plan = parse(mix);
    cr_assert_eq(plan->test_count, 7);
    cr_assert_null(plan->tests[0].together.name);
    cr_assert_eq(weft_test_parts(&plan->tests[0]), 1);
    for (uint32_t i = 0; i < 7; i++)
        cr_assert_str_eq(plan->tests[i].name, names[i]);
    for (uint32_t i = 1; i < 7; i++) {
        const struct weft_test *test = &plan->tests[i];
        bool alone = i < 4;
        cr_assert_eq(test->together.alone, alone);
        cr_assert_eq(weft_test_is_together(test), !alone);
        cr_assert_eq(weft_test_parts(test), alone ? 1 : 3);
        cr_assert_eq(test->together.index, (i - 1) % 3);
        cr_assert_eq(test->together.job_count, 3);
        cr_assert_str_eq(test->together.name, "mix");
        cr_assert_eq(test->duration_ns, UINT64_C(2000000000));
        cr_assert_eq(test->iterations, 0);
        cr_assert_eq(test->warmup, 3);
        cr_assert_eq(test->mtu_bytes, 1024);
        cr_assert_str_eq(test->driver, "verbs");
    }
    cr_assert_str_eq(plan->tests[2].together.job, "serving");
    cr_assert_eq(plan->tests[2].rate_bps, UINT64_C(1000000000));
    cr_assert_eq(plan->tests[1].options.size_bytes, 3u << 20);
    cr_assert_str_eq(plan->tests[6].pattern->name, "stream");
    weft_plan_destroy(plan);
}

Test(together, a_count_takes_what_no_job_names)
{
    static const uint32_t training[] = {6, 1, 2}, serving[] = {3, 5}, backup[] = {4, 0};
    struct weft_plan *plan = parse(mix);
    for (uint32_t first = 1; first < 7; first += 3) {
        has_ranks(&plan->tests[first], training, 3);
        has_ranks(&plan->tests[first + 1], serving, 2);
        has_ranks(&plan->tests[first + 2], backup, 2);
    }
    cr_assert_eq(weft_test_ranks_needed(&plan->tests[1]), 7);
    cr_assert_eq(weft_test_ranks_needed(&plan->tests[6]), 5);
    weft_plan_destroy(plan);
}

Test(together, counts_follow_each_other)
{
    static const uint32_t one[] = {0, 1, 2}, other[] = {3, 4}, last[] = {5, 6};
    struct weft_plan *plan = parse("tests:\n"
                                   "  - together:\n"
                                   "      - {name: a, pattern: all-reduce, ranks: 3}\n"
                                   "      - {name: b, pattern: stream, ranks: 2}\n"
                                   "      - {name: c, pattern: stream, ranks: 2}\n");
    has_ranks(&plan->tests[0], one, 3);
    has_ranks(&plan->tests[4], other, 2);
    has_ranks(&plan->tests[5], last, 2);
    cr_assert_str_eq(plan->tests[5].name, "together: c");
    weft_plan_destroy(plan);
}

/* Its own first, then those of all jobs; alone it is not judged. */
Test(together, expectations_are_of_the_jobs_among_others)
{
    struct weft_plan *plan = parse(mix);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(plan->tests[i].expect_count, 0);
    cr_assert_eq(plan->tests[4].expect_count, 2);
    cr_assert_str_eq(plan->tests[4].expects[0].metric, "interference");
    cr_assert_float_eq(plan->tests[4].expects[0].value, 1.5, 1e-12);
    cr_assert_str_eq(plan->tests[4].expects[1].text, "lost == 0");
    cr_assert_eq(plan->tests[5].expect_count, 1);
    weft_plan_destroy(plan);
}

Test(together, is_left_alone_by_sweeps_of_other_tests)
{
    struct weft_error error = {0};
    struct weft_plan *plan =
        parse("tests:\n"
              "  - {pattern: all-reduce, ranks: '0,3', sweep: {size: [8, 16]}}\n"
              "  - together:\n"
              "      - {name: a, pattern: all-reduce, ranks: 3}\n"
              "      - {name: b, pattern: stream, ranks: 2}\n");
    static const uint32_t swept[] = {0, 3}, job[] = {3, 4};
    cr_assert_eq(weft_plan_expand(plan, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(plan->test_count, 6);
    has_ranks(&plan->tests[1], swept, 2);
    has_ranks(&plan->tests[5], job, 2);
    cr_assert_str_eq(plan->tests[5].together.job, "b");
    cr_assert(weft_test_is_together(&plan->tests[5]));
    weft_plan_destroy(plan);
}

Test(together, how_many_may_be_swept_but_not_which)
{
    struct weft_plan *plan = parse("tests: [{pattern: all-reduce, ranks: 0-3}]\n");
    struct weft_error error = {0};
    cr_assert_eq(weft_sweep_add(&plan->tests[0], "ranks", "2,4", &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "the test names its ranks"), "%s", error.text);
    weft_plan_destroy(plan);
}

Test(ranks, are_written_as_they_are_read)
{
    static const uint32_t ranks[] = {4, 0, 1, 2, 9, 11, 12};
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *out = open_memstream(&text, &len_bytes);
    weft_ranks_write(out, ranks, 7);
    cr_assert_eq(fclose(out), 0);
    cr_assert_str_eq(text, "4, 0-2, 9, 11-12");
    free(text);
}

Test(ranks, a_view_puts_the_chosen_in_their_order)
{
    uint32_t chosen[] = {2, 0}, rank_nics[] = {7, 8, 9};
    const struct weft_topology topology = {.rank_count = 3, .rank_nics = rank_nics};
    const struct weft_test test = {.ranks = chosen, .options = {.rank_count = 2}};
    struct weft_topology view;
    cr_assert(weft_test_view(&test, &topology, &view));
    cr_assert_eq(view.rank_count, 2);
    cr_assert_eq(view.rank_nics[0], 9);
    cr_assert_eq(view.rank_nics[1], 7);
    free(view.rank_nics);
}
