/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fabric/plan/plan.h"

static void check(const char *text, const char *metric, enum weft_relation relation, double value)
{
    struct weft_expect expect = {0};
    struct weft_error error = {0};
    cr_assert_eq(weft_expect_parse(text, &expect, &error), WEFT_OK, "%s", error.text);
    cr_assert_str_eq(expect.text, text);
    cr_assert_str_eq(expect.metric, metric);
    cr_assert_eq(expect.relation, relation, "%s", text);
    cr_assert_eq(expect.value, value, "%s: %f", text, expect.value);
    weft_expect_fini(&expect);
    cr_assert_null(expect.text);
}

Test(expect, reads_each_relation)
{
    check("lost < 5", "lost", WEFT_RELATION_LESS, 5);
    check("lost <= 5", "lost", WEFT_RELATION_LESS_EQUAL, 5);
    check("lost > 5", "lost", WEFT_RELATION_GREATER, 5);
    check("lost >= 5", "lost", WEFT_RELATION_GREATER_EQUAL, 5);
    check("lost == 0", "lost", WEFT_RELATION_EQUAL, 0);
    check("lost = 0", "lost", WEFT_RELATION_EQUAL, 0);
}

Test(expect, reads_values_in_the_unit_of_the_metric)
{
    check("completion.p99 <= 5ms", "completion.p99", WEFT_RELATION_LESS_EQUAL, 5e6);
    check("latency.p99.9<1.5us", "latency.p99.9", WEFT_RELATION_LESS, 1500);
    check("  latency.max  <  2s  ", "latency.max", WEFT_RELATION_LESS, 2e9);
    check("bandwidth.mean >= 40Gbps", "bandwidth.mean", WEFT_RELATION_GREATER_EQUAL, 40e9);
    check("bandwidth.p1 >= 40Gbps", "bandwidth.p1", WEFT_RELATION_GREATER_EQUAL, 40e9);
    check("algbw >= 10Gbps", "algbw", WEFT_RELATION_GREATER_EQUAL, 10e9);
    check("busbw > 2.5Gbps", "busbw", WEFT_RELATION_GREATER, 2.5e9);
    check("retransmitted < 10k", "retransmitted", WEFT_RELATION_LESS, 10000);
}

static void refuses(const char *text, const char *phrase)
{
    struct weft_expect expect = {.value = 42};
    struct weft_error error = {0};
    cr_assert_eq(weft_expect_parse(text, &expect, &error), WEFT_INVALID, "%s", text);
    cr_assert_eq(error.status, WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
    cr_assert_eq(expect.value, 42);
    cr_assert_null(expect.text);
}

Test(expect, refuses_the_rest)
{
    refuses("", "is not an expectation; write it like 'completion.p99 <= 5ms'");
    refuses("completion.p99", "is not an expectation");
    refuses("completion.p99 5ms", "is not an expectation");
    refuses("completion.p99 <=", "is not an expectation");
    refuses("<= 5ms", "is not an expectation");
    refuses("completion.p99 != 5ms", "is not an expectation");
    refuses("completion.p99 =< 5ms", "'< 5ms' is not a time");
    refuses("complation.p99 <= 5ms", "did you mean 'completion.p99'?");
    refuses("Lost == 0", "did you mean 'lost'?");
    refuses("completion <= 5ms", "unknown metric 'completion'");
    refuses("speed > 1Gbps", "take .min, .mean, .p1, .p50");
    refuses("completion.p99 <= 5", "it has no unit");
    refuses("completion.p99 <= 5Gbps", "the unit 'Gbps' is unknown");
    refuses("completion.p99 <= -5ms", "it is negative");
    refuses("busbw >= 10", "it has no unit");
    refuses("busbw >= 10ms", "the unit 'ms' is unknown");
    refuses("lost == 0ms", "the unit 'ms' is unknown");
    refuses("interference <= 2x", "is not a factor; write it like 1.5");
    refuses("interference <= 20%", "is not a factor");
    refuses("interference.p50 <= 2", "did you mean 'interference.p99'?");
    refuses("lost == 0 or so", "'or so' is unknown");
    char endless[4000];
    memset(endless, '<', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    refuses(endless, "up to 200 characters");
}

Test(expect, a_share_is_a_fraction_or_a_percentage)
{
    struct weft_expect expect = {0};
    cr_assert_eq(weft_expect_parse("ideal_share >= 90%", &expect, NULL), WEFT_OK);
    cr_assert_float_eq(expect.value, 0.9, 1e-12);
    weft_expect_fini(&expect);
    cr_assert_eq(weft_expect_parse("ideal_share >= 0.25", &expect, NULL), WEFT_OK);
    cr_assert_float_eq(expect.value, 0.25, 1e-12);
    weft_expect_fini(&expect);
    refuses("ideal_share >= 1.5", "is not a share");
    refuses("ideal_share >= 90%x", "is not a share");
    refuses("ideal_share >= nan", "is not a share");
}

Test(expect, takes_every_metric_that_it_lists)
{
    int count = 0;
    for (const char *const *metric = weft_expect_metrics(); *metric; metric++, count++) {
        static const char *const values[] = {"1ms", "1Gbps", "2", "5%"};
        int taken = 0;
        for (int i = 0; i < 4; i++) {
            char text[80];
            struct weft_expect expect = {0};
            (void)snprintf(text, sizeof(text), "%s <= %s", *metric, values[i]);
            taken += weft_expect_parse(text, &expect, NULL) == WEFT_OK;
            weft_expect_fini(&expect);
        }
        cr_assert_eq(taken, 1, "%s takes %d units", *metric, taken);
    }
    cr_assert_eq(count, 5 * 9 + 19);
}
