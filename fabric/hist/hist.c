/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/hist/hist.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct weft_hist *weft_hist_create(void)
{
    struct weft_hist *hist = malloc(sizeof(*hist));
    if (hist)
        weft_hist_clear(hist);
    return hist;
}

void weft_hist_destroy(struct weft_hist *hist)
{
    free(hist);
}

/* Touches every page, so that recording faults none in. */
void weft_hist_clear(struct weft_hist *hist)
{
    memset(hist, 0, sizeof(*hist));
    hist->min = UINT64_MAX;
}

uint64_t weft_hist_lowest(uint32_t index)
{
    assert(index <= WEFT_HIST_BUCKETS);
    if (index < (2u << WEFT_HIST_SUB_BITS))
        return index;
    uint32_t shift = (index >> WEFT_HIST_SUB_BITS) - 1;
    uint64_t mantissa = index - (shift << WEFT_HIST_SUB_BITS);
    return mantissa << shift;
}

void weft_hist_merge(struct weft_hist *into, const struct weft_hist *from)
{
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->sum += from->sum;
    if (from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
}

static uint64_t middle_of(const struct weft_hist *hist, uint32_t index)
{
    uint64_t lowest = weft_hist_lowest(index);
    uint64_t width = weft_hist_lowest(index + 1) - lowest;
    uint64_t value = lowest + (width - 1) / 2;
    if (index == WEFT_HIST_BUCKETS - 1)
        value = hist->max;
    if (value < hist->min)
        return hist->min;
    return value > hist->max ? hist->max : value;
}

void weft_hist_merge_weighed(struct weft_hist *into, const struct weft_hist *from)
{
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++) {
        uint64_t value = from->buckets[i] ? middle_of(from, i) : 0;
        if (value)
            weft_hist_record_times(into, value, from->buckets[i] * value);
    }
}

bool weft_hist_tail(const struct weft_hist *hist, uint64_t part, uint64_t of, uint64_t *ret_value)
{
    assert(part > 0 && part < of);
    weft_u128 above = (weft_u128)hist->count * part;
    if (above < (weft_u128)10u * of)
        return false;
    uint64_t rank = hist->count - (uint64_t)(above / of);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (seen >= rank) {
            *ret_value = middle_of(hist, i);
            return true;
        }
    }
    assert(false); /* The buckets hold as many samples as count says. */
    return false;
}

bool weft_hist_percentile(const struct weft_hist *hist, uint32_t millionths, uint64_t *ret_value)
{
    assert(millionths > 0 && millionths < 1000000);
    return weft_hist_tail(hist, 1000000u - millionths, 1000000u, ret_value);
}

bool weft_hist_mean(const struct weft_hist *hist, double *ret_mean)
{
    if (!hist->count)
        return false;
    *ret_mean = (double)hist->sum / (double)hist->count;
    return true;
}
