/* SPDX-License-Identifier: BSD-3-Clause */
/* A log-linear histogram of 64-bit values in fixed memory.
 *
 * Values below 2048 have a bucket each. Above, each power of two is cut into 1024 buckets of equal
 * width, so a bucket's width is at most 1/1024 of its lowest value and the value reported for it
 * (its middle) is off by less than 0.05 %. Minimum, maximum, count and sum are exact. Histograms of
 * one shape add up without loss. */
#ifndef WEFT_HIST_HIST_H
#define WEFT_HIST_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/base/wide.h"

#define WEFT_HIST_SUB_BITS 10u
/* Values of 2^48 and more (3 days in ns, 281 Tbps) share the last bucket; max stays exact. */
#define WEFT_HIST_VALUE_BITS 48u
#define WEFT_HIST_BUCKETS ((WEFT_HIST_VALUE_BITS - WEFT_HIST_SUB_BITS + 1u) << WEFT_HIST_SUB_BITS)

struct weft_hist {
    uint64_t count;
    uint64_t min; /* UINT64_MAX where count is 0 */
    uint64_t max;
    weft_u128 sum;
    uint64_t buckets[WEFT_HIST_BUCKETS];
};

/* Memory of its own, freed by destroy (which takes NULL). NULL: out of memory. */
struct weft_hist *weft_hist_create(void);
void weft_hist_destroy(struct weft_hist *hist);
void weft_hist_clear(struct weft_hist *hist);

/* Which bucket holds the value. No division, no loop. */
static inline uint32_t weft_hist_index(uint64_t value)
{
    if (value >> WEFT_HIST_VALUE_BITS)
        return WEFT_HIST_BUCKETS - 1;
    if (!(value >> (WEFT_HIST_SUB_BITS + 1)))
        return (uint32_t)value;
    uint32_t exponent = 63u - (uint32_t)__builtin_clzll(value);
    uint32_t shift = exponent - WEFT_HIST_SUB_BITS;
    return (shift << WEFT_HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* As many samples of one value; at least one. */
static inline void weft_hist_record_times(struct weft_hist *hist, uint64_t value, uint64_t times)
{
    hist->buckets[weft_hist_index(value)] += times;
    hist->count += times;
    hist->sum += (weft_u128)value * times;
    if (value < hist->min)
        hist->min = value;
    if (value > hist->max)
        hist->max = value;
}

static inline void weft_hist_record(struct weft_hist *hist, uint64_t value)
{
    weft_hist_record_times(hist, value, 1);
}

/* The lowest value of a bucket, and of the next. */
uint64_t weft_hist_lowest(uint32_t index);

void weft_hist_merge(struct weft_hist *into, const struct weft_hist *from);

/* Adds every sample as many times as its value is large (within a bucket's error), so that of gaps
 * in ns a percentile becomes the gap below which that share of the time lies, not of the gaps. */
void weft_hist_merge_weighed(struct weft_hist *into, const struct weft_hist *from);

/* Percentiles are given in millionths: 500000 is p50, 999000 is p99.9. False, and the output left
 * alone, with fewer than 10 / (1 - p) samples: there is no such figure yet. The smallest value v
 * such that at least p of the samples lie in buckets up to v's; clamped to [min, max]. */
bool weft_hist_percentile(const struct weft_hist *hist, uint32_t millionths, uint64_t *ret_value);

/* The same with 1 - p = part / of, 0 < part < of, exactly: for tails thinner than a millionth. */
bool weft_hist_tail(const struct weft_hist *hist, uint64_t part, uint64_t of, uint64_t *ret_value);

/* False where there is no sample. */
bool weft_hist_mean(const struct weft_hist *hist, double *ret_mean);

#endif
