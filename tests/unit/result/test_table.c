/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/result/figures.h"
#include "fabric/result/repeats.h"
#include "fixture.h"
#include "json.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_init(&fixture);
}

static void teardown(void)
{
    fixture_fini(&fixture);
}

TestSuite(table, .init = setup, .fini = teardown);

static void finish(void)
{
    weft_test_result_finish(fixture.figures);
    weft_result_finish(fixture.result);
}

static json_t *root_json(void)
{
    return json_of(fixture.result);
}

/* ---- the verdict ---- */

Test(table, an_expectation_that_fails_fails_the_test)
{
    fixture_fill(&fixture);
    fixture.expects[1].value = 9e9;
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
    cr_assert_eq(fixture.result->verdict, WEFT_VERDICT_FAIL);
    json_t *root = root_json();
    is_text(root, "verdict", "fail");
    is_text(root, "tests/0/expect/1/expression", "busbw >= 1Gbps");
    is_near(root, "tests/0/expect/1/actual", 8391405135.0);
    cr_assert(json_is_false(at(root, "tests/0/expect/1/pass")));
    cr_assert(json_is_true(at(root, "tests/0/expect/0/pass")));
    cr_assert(json_is_true(at(root, "tests/0/expect/2/pass")));
    json_decref(root);
}

Test(table, a_figure_that_is_not_there_fails)
{
    static char metric[] = "completion.p99.9";
    fixture_fill(&fixture);
    fixture.expects[0].metric = metric;
    fixture.expects[0].value = 1e18;
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
    cr_assert_not(fixture.figures->expects[0].known);
    json_t *root = root_json();
    is_null(root, "tests/0/expect/0/actual");
    cr_assert(json_is_false(at(root, "tests/0/expect/0/pass")));
    json_decref(root);
}

Test(table, every_relation_is_decided_at_its_edge)
{
    const bool at_edge[WEFT_RELATION_COUNT] = {false, true, false, true, true};
    const bool below[WEFT_RELATION_COUNT] = {true, true, false, false, false};
    fixture_fill(&fixture);
    for (int i = 0; i < WEFT_RELATION_COUNT; i++) {
        fixture.expects[2].relation = (enum weft_relation)i;
        fixture.expects[2].value = 4;
        finish();
        cr_assert_eq(fixture.figures->expects[2].pass, at_edge[i], "relation %d", i);
        fixture.expects[2].value = 5;
        finish();
        cr_assert_eq(fixture.figures->expects[2].pass, below[i], "relation %d", i);
    }
}

Test(table, wrong_data_fails_whatever_else_is_expected)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[2].verified.wrong_bytes = 4;
    finish();
    cr_assert_eq(weft_test_verified(fixture.figures), 0);
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
}

Test(table, verified_only_where_every_rank_was_and_something_was_compared)
{
    fixture_fill(&fixture);
    cr_assert_eq(weft_test_verified(fixture.figures), 1);
    fixture.figures->ranks[3].verified_known = false;
    cr_assert_eq(weft_test_verified(fixture.figures), -1);
    fixture.figures->ranks[3].verified_known = true;
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++)
        fixture.figures->ranks[i].verified.compared_bytes = 0;
    cr_assert_eq(weft_test_verified(fixture.figures), -1);
}

Test(table, a_broken_test_passes_no_expectation)
{
    fixture_fill(&fixture);
    (void)snprintf(fixture.figures->broken, sizeof(fixture.figures->broken), "agent 2 was lost");
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_BROKEN);
    json_t *root = root_json();
    is_text(root, "verdict", "broken");
    is_text(root, "tests/0/broken", "agent 2 was lost");
    is_whole(root, "tests/0/completion_ns/count", 1000);
    is_null(root, "tests/0/expect/0/actual");
    cr_assert(json_is_false(at(root, "tests/0/expect/0/pass")));
    json_decref(root);
}

/* ---- the table ---- */

static void table_is(const char *golden)
{
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_str_eq(table, golden, "the table is\n%sand not\n%s", table, golden);
    free(table);
}

Test(table, table)
{
    fixture_fill(&fixture);
    finish();
    table_is("weft " WEFT_VERSION " · all-reduce, 1MiB · 4 ranks on 2 hosts · dpdk · "
             "RC, RDMA WRITE\n"
             "rank 0 on  loopback 0\n"
             "verified   every element on 4 ranks, 4 MiB compared, none wrong\n"
             "measured   1,000 iterations in 1.50 s, closed loop\n"
             "                     p50       p99     p99.9       max\n"
             "  completion     1.50 ms   1.99 ms         -   2.00 ms    1,000 iterations\n"
             "  message        59.0 us         -         -    109 us    400 messages\n"
             "  bandwidth   mean 10.5 Gbps · p50 10.5 Gbps · slowest 1 % below 10.0 Gbps    "
             "a flow in each 1 ms\n"
             "  busbw 8.39 Gbps · algbw 5.59 Gbps · lost 4 · retransmitted 6 · "
             "noise floor 201 ns\n"
             "expected   completion.p99 <= 2ms: it is 1.99 ms\n"
             "expected   busbw >= 1Gbps: it is 8.39 Gbps\n"
             "expected   lost = 4: it is 4\n");
}

/* One iteration fewer than a p99 needs, and as many. */
Test(table, table_explains_a_dash)
{
    static const char said[] =
        "\n  - : too few samples for that percentile; p99 needs 1,000 iterations\n";
    fixture_fill(&fixture);
    weft_hist_clear(fixture.figures->completion_ns);
    for (int i = 0; i < 999; i++)
        weft_hist_record(fixture.figures->completion_ns, 1500000);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, said), "%s", table);
    free(table);
    weft_hist_record(fixture.figures->completion_ns, 1500000);
    table = weft_test_table(fixture.result, 0);
    cr_assert_null(strstr(table, said), "%s", table);
    free(table);
}

Test(table, table_of_failures)
{
    struct weft_verify_result wrong = {.compared_bytes = 1u << 20,
                                       .wrong_bytes = 64,
                                       .first_wrong_offset_bytes = 4096,
                                       .expected = 12,
                                       .found = 0};
    static char metric[] = "completion.p99.9";
    fixture_fill(&fixture);
    fixture.figures->ranks[1].verified = wrong;
    fixture.expects[0].metric = metric;
    fixture.expects[1].value = 9e9;
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "verified   WRONG DATA on 1 of 4 ranks\n"
                                     "           rank 1: 64 B of 1 MiB wrong, first at byte "
                                     "4096: expected 12, found 0\n"),
                       "%s", table);
    cr_assert_not_null(strstr(table, "FAILED     completion.p99 <= 2ms: it is unknown, too few "
                                     "samples or not of this pattern\n"));
    cr_assert_not_null(strstr(table, "FAILED     busbw >= 1Gbps: it is 8.39 Gbps\n"));
    free(table);
}

Test(table, table_says_when_nothing_was_verified)
{
    fixture_fill(&fixture);
    fixture.test.verify = false;
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++)
        fixture.figures->ranks[i].verified_known = false;
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "verified   not verified: --no-verify\n"));
    free(table);
}

Test(table, table_of_a_test_that_broke_before_it_began)
{
    (void)snprintf(fixture.figures->broken, sizeof(fixture.figures->broken),
                   "host b: no device\nand no remedy");
    finish();
    table_is("weft " WEFT_VERSION " · all-reduce, 1MiB · 4 ranks on 2 hosts · dpdk · "
             "RC, RDMA WRITE\n"
             "BROKEN     host b: no device\n"
             "           and no remedy\n");
}

Test(table, table_has_no_trailing_space)
{
    fixture_fill(&fixture);
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_null(strstr(table, " \n"));
    free(table);
}

/* Two flows of 10, one of 5: (25 * 25) / (3 * 225). */
