/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/hist/hist.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/random.h"

/* Middle of a bucket, as percentile reports it. */
static uint64_t middle(uint32_t index)
{
    uint64_t lowest = weft_hist_lowest(index);
    return lowest + (weft_hist_lowest(index + 1) - lowest - 1) / 2;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static void check_value(uint64_t value)
{
    uint32_t index = weft_hist_index(value);
    cr_assert_lt(index, WEFT_HIST_BUCKETS);
    cr_assert_leq(weft_hist_lowest(index), value, "%lu", value);
    cr_assert_gt(weft_hist_lowest(index + 1), value, "%lu", value);
    /* off by less than 0.05 %: 2000 times the error is less than the value */
    cr_assert(apart(middle(index), value) * 2000 < value || middle(index) == value, "%lu: %lu",
              value, middle(index));
}

Test(hist, is_exact_below_2048)
{
    for (uint64_t value = 0; value < 2048; value++) {
        cr_assert_eq(weft_hist_index(value), value);
        cr_assert_eq(middle((uint32_t)value), value);
    }
    cr_assert_eq(weft_hist_index(2048), weft_hist_index(2049));
}

Test(hist, errs_by_less_than_0_05_percent_over_the_whole_range)
{
    for (uint32_t bit = 0; bit < WEFT_HIST_VALUE_BITS; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        for (uint64_t around = power > 1500 ? power - 1500 : 1; around < power + 1500; around++) {
            if (around >> WEFT_HIST_VALUE_BITS == 0)
                check_value(around);
        }
    }
    struct weft_random random;
    weft_random_seed(&random, 1);
    for (int i = 0; i < 2000000; i++)
        check_value((weft_random_next(&random) >> 16) >> weft_random_below(&random, 48));
}

Test(hist, buckets_join_without_gap_or_overlap)
{
    cr_assert_eq(weft_hist_lowest(0), 0u);
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++) {
        uint64_t lowest = weft_hist_lowest(i), next = weft_hist_lowest(i + 1);
        cr_assert_lt(lowest, next);
        cr_assert_eq(weft_hist_index(lowest), i);
        cr_assert_eq(weft_hist_index(next - 1), i);
    }
    cr_assert_eq(weft_hist_lowest(WEFT_HIST_BUCKETS), UINT64_C(1) << WEFT_HIST_VALUE_BITS);
}

Test(hist, starts_empty)
{
    struct weft_hist *hist = weft_hist_create();
    uint64_t value = 42;
    double mean = 42;
    cr_assert_eq(hist->count, 0u);
    cr_assert_eq(hist->min, UINT64_MAX);
    cr_assert_eq(hist->max, 0u);
    cr_assert(!weft_hist_percentile(hist, 500000, &value));
    cr_assert(!weft_hist_percentile(hist, 1, &value));
    cr_assert(!weft_hist_mean(hist, &mean));
    cr_assert_eq(value, 42u);
    cr_assert_eq(mean, 42.0);
    weft_hist_destroy(hist);
    weft_hist_destroy(NULL);
}

/* ---- percentiles ---- */

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Nearest rank: the smallest sample such that at least p of all are at most as large. */
static uint64_t by_sorting(const uint64_t *sorted, uint64_t count, uint32_t millionths)
{
    uint64_t rank = (count * millionths + 999999) / 1000000;
    return sorted[rank - 1];
}

static const uint32_t percentiles[] = {1, 10000, 500000, 950000, 990000, 999000, 999900, 999999};

static void check_against_sorting(uint64_t *values, uint64_t count)
{
    struct weft_hist *hist = weft_hist_create();
    for (uint64_t i = 0; i < count; i++)
        weft_hist_record(hist, values[i]);
    qsort(values, count, sizeof(values[0]), compare);
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
        uint64_t found = 0;
        if (!weft_hist_percentile(hist, percentiles[i], &found)) {
            cr_assert_lt(count * (1000000 - percentiles[i]), 10000000u);
            continue;
        }
        uint64_t exact = by_sorting(values, count, percentiles[i]);
        cr_assert_leq(apart(found, exact) * 2000, exact, "p %u of %lu: %lu, not %lu",
                      percentiles[i], count, found, exact);
    }
    cr_assert_eq(hist->min, values[0]);
    cr_assert_eq(hist->max, values[count - 1]);
    weft_hist_destroy(hist);
}

Test(hist, agrees_with_sorting)
{
    struct weft_random random;
    weft_random_seed(&random, 2);
    uint64_t *values = calloc(200000, sizeof(*values));
    for (int round = 0; round < 60; round++) {
        uint64_t count = 10 + weft_random_below(&random, round % 3 ? 2000 : 199990);
        uint64_t bits = weft_random_below(&random, 40);
        for (uint64_t i = 0; i < count; i++)
            values[i] = weft_random_next(&random) >> 16 >> bits >> weft_random_below(&random, 8);
        check_against_sorting(values, count);
    }
    free(values);
}

Test(hist, agrees_with_sorting_on_equal_and_two_sided_samples)
{
    uint64_t *values = calloc(100000, sizeof(*values));
    for (uint64_t i = 0; i < 1000; i++)
        values[i] = 123456789;
    check_against_sorting(values, 1000);
    /* Exactly half on either side: p50 is the lower. */
    for (uint64_t i = 0; i < 1000; i++)
        values[i] = i < 500 ? 10 : 1000000;
    check_against_sorting(values, 1000);
    for (uint64_t i = 0; i < 100000; i++)
        values[i] = i == 99999 ? UINT64_C(1) << 47 : 1;
    check_against_sorting(values, 100000);
    free(values);
}

Test(hist, gives_a_single_value_exactly)
{
    /* Clamped to [min, max]: a bucket's middle would be off. */
    struct weft_hist *hist = weft_hist_create();
    for (int i = 0; i < 20; i++)
        weft_hist_record(hist, 1000003);
    uint64_t value = 0;
    cr_assert(weft_hist_percentile(hist, 500000, &value));
    cr_assert_eq(value, 1000003u);
    weft_hist_destroy(hist);
}

Test(hist, refuses_percentiles_of_too_few_samples)
{
    static const struct {
        uint32_t millionths;
        uint64_t needed; /* 10 / (1 - p) */
    } bounds[] = {{500000, 20}, {950000, 200}, {990000, 1000}, {999000, 10000}, {999900, 100000},
                  {1, 11},      {100000, 12},  {333333, 15},   {666667, 31}};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        struct weft_hist *hist = weft_hist_create();
        uint64_t value = 42;
        for (uint64_t count = 1; count < bounds[i].needed; count++)
            weft_hist_record(hist, 7);
        cr_assert(!weft_hist_percentile(hist, bounds[i].millionths, &value), "p %u",
                  bounds[i].millionths);
        cr_assert_eq(value, 42u);
        weft_hist_record(hist, 7);
        cr_assert(weft_hist_percentile(hist, bounds[i].millionths, &value), "p %u",
                  bounds[i].millionths);
        cr_assert_eq(value, 7u);
        weft_hist_destroy(hist);
    }
}

/* ---- extremes, sums, merging ---- */

Test(hist, bears_the_largest_values)
{
    struct weft_hist *hist = weft_hist_create();
    for (int i = 0; i < 30; i++)
        weft_hist_record(hist, UINT64_MAX - (uint64_t)i);
    weft_hist_record(hist, UINT64_C(1) << WEFT_HIST_VALUE_BITS);
    uint64_t value = 0;
    double mean = 0;
    cr_assert_eq(hist->max, UINT64_MAX);
    cr_assert_eq(hist->min, UINT64_C(1) << WEFT_HIST_VALUE_BITS);
    cr_assert_eq(hist->buckets[WEFT_HIST_BUCKETS - 1], 31u);
    cr_assert(weft_hist_percentile(hist, 500000, &value));
    cr_assert_eq(value, UINT64_MAX, "beyond the range only the maximum is known");
    cr_assert(weft_hist_mean(hist, &mean));
    cr_assert(mean > 1.78e19 && mean < 1.79e19, "the sum did not wrap: %g", mean);
    weft_hist_destroy(hist);
}

Test(hist, keeps_zeros)
{
    struct weft_hist *hist = weft_hist_create();
    for (int i = 0; i < 20; i++)
        weft_hist_record(hist, 0);
    uint64_t value = 42;
    double mean = 42;
    cr_assert(weft_hist_percentile(hist, 500000, &value));
    cr_assert_eq(value, 0u);
    cr_assert(weft_hist_mean(hist, &mean));
    cr_assert_eq(mean, 0.0);
    cr_assert_eq(hist->min, 0u);
    weft_hist_destroy(hist);
}

Test(hist, merges_as_if_recorded_into_one)
{
    struct weft_random random;
    weft_random_seed(&random, 3);
    struct weft_hist *whole = weft_hist_create(), *merged = weft_hist_create();
    for (int part = 0; part < 5; part++) {
        struct weft_hist *hist = weft_hist_create();
        for (int i = 0; i < 20000 * part; i++) {
            uint64_t value = weft_random_next(&random) >> weft_random_below(&random, 64);
            weft_hist_record(hist, value);
            weft_hist_record(whole, value);
        }
        weft_hist_merge(merged, hist); /* the first is empty */
        weft_hist_destroy(hist);
    }
    cr_assert_eq(merged->count, 200000u);
    cr_assert_eq(memcmp(merged, whole, sizeof(*whole)), 0);

    struct weft_hist *empty = weft_hist_create();
    weft_hist_merge(merged, empty);
    cr_assert_eq(memcmp(merged, whole, sizeof(*whole)), 0);
    weft_hist_clear(merged);
    cr_assert_eq(memcmp(merged, empty, sizeof(*empty)), 0);
    weft_hist_destroy(empty);
    weft_hist_destroy(merged);
    weft_hist_destroy(whole);
}

Test(hist, has_the_mean_of_all)
{
    struct weft_hist *hist = weft_hist_create();
    for (uint64_t i = 1; i <= 1000; i++)
        weft_hist_record(hist, i * 1000000007);
    double mean = 0;
    cr_assert(weft_hist_mean(hist, &mean));
    cr_assert_float_eq(mean, 500.5 * 1000000007, 1e-3);
    weft_hist_destroy(hist);
}

/* ---- weights ---- */

Test(hist, records_a_value_several_times_at_once)
{
    struct weft_hist *once = weft_hist_create();
    struct weft_hist *times = weft_hist_create();
    for (int i = 0; i < 1000; i++)
        weft_hist_record(once, 5000);
    weft_hist_record(once, 7);
    weft_hist_record_times(times, 5000, 1000);
    weft_hist_record_times(times, 7, 1);
    cr_assert_eq(memcmp(once, times, sizeof(*once)), 0);
    weft_hist_destroy(once);
    weft_hist_destroy(times);
}

/* A machine that takes the CPU away: 700 000 gaps of 14 ns and one of 4 ms. The gaps' p99.9 is
 * 14 ns, yet of the time more than a quarter lies in the one. */
Test(hist, weighs_gaps_by_their_length)
{
    const uint64_t lost_ns = 4000000;
    struct weft_hist *gaps = weft_hist_create();
    struct weft_hist *weighed = weft_hist_create();
    uint64_t value = 0;
    weft_hist_record_times(gaps, 14, 700000);
    weft_hist_record(gaps, lost_ns);
    weft_hist_merge_weighed(weighed, gaps);
    cr_assert(weft_hist_percentile(gaps, 999000, &value));
    cr_assert_eq(value, 14u);
    cr_assert(weft_hist_percentile(weighed, 999000, &value));
    cr_assert_lt(apart(value, lost_ns) * 2000, lost_ns, "%lu", value);
    cr_assert(weft_hist_percentile(weighed, 710000, &value));
    cr_assert_eq(value, 14u);
    /* The weights are the whole time, within a bucket's error. */
    cr_assert_lt(apart(weighed->count, (uint64_t)gaps->sum) * 2000, (uint64_t)gaps->sum);
    weft_hist_destroy(weighed);
    weft_hist_destroy(gaps);
}

/* One gap alone is enough: its samples are its nanoseconds. Gaps of 0 weigh nothing. */
Test(hist, weighs_one_gap_and_none)
{
    struct weft_hist *gaps = weft_hist_create();
    struct weft_hist *weighed = weft_hist_create();
    uint64_t value = 0;
    weft_hist_record_times(gaps, 0, 100000);
    weft_hist_merge_weighed(weighed, gaps);
    cr_assert_eq(weighed->count, 0u);
    cr_assert_eq(weighed->min, UINT64_MAX);
    weft_hist_record(gaps, 30000);
    weft_hist_merge_weighed(weighed, gaps);
    cr_assert(weft_hist_percentile(weighed, 1000, &value));
    cr_assert_lt(apart(value, 30000) * 2000, 30000u);
    weft_hist_destroy(weighed);
    weft_hist_destroy(gaps);
}
