/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/node/arrivals.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define ONE (UINT64_C(1) << 32)
#define TABLE_BITS 12u
#define TABLE_COUNT (1u << TABLE_BITS)
/* Draws of the last part in a row: one in 2^48 is cut off. */
#define TAILS_MAX 4u

bool weft_arrivals_gap(uint64_t len_bytes, uint64_t rate_bps, uint64_t *ret_gap)
{
    assert(len_bytes && rate_bps && len_bytes < UINT64_C(1) << 56);
    weft_u128 bits_ns = (weft_u128)len_bytes * 8u * 1000000000u;
    if (bits_ns / rate_bps >= WEFT_ARRIVALS_GAP_MAX_NS)
        return false;
    uint64_t whole_ns = (uint64_t)(bits_ns / rate_bps);
    weft_u128 rest = bits_ns % rate_bps;
    *ret_gap = whole_ns << 32 | (uint64_t)((rest << 32) / rate_bps);
    if (!*ret_gap)
        *ret_gap = 1;
    return true;
}

/* The integral of -ln from 0 to `share`. */
static double below(double share)
{
    return share > 0 ? share - share * log(share) : 0;
}

/* The exponential distribution in parts of equal probability, each by its mean, so that the mean of
 * all is exactly 1. The last part is without an end: there it begins anew, having no memory. */
static void fill(uint64_t *table)
{
    for (uint32_t i = 0; i + 1 < TABLE_COUNT; i++) {
        double high = 1.0 - (double)i / TABLE_COUNT;
        double low = 1.0 - (double)(i + 1) / TABLE_COUNT;
        table[i] = (uint64_t)llround((below(high) - below(low)) * TABLE_COUNT * (double)ONE);
    }
    table[TABLE_COUNT - 1] = (uint64_t)llround(log((double)TABLE_COUNT) * (double)ONE);
}

enum weft_status weft_arrivals_init(struct weft_arrivals *arrivals, enum weft_arrivals_kind kind,
                                    uint64_t gap, uint64_t seed, struct weft_error *error)
{
    assert(gap && kind < WEFT_ARRIVALS_KIND_COUNT);
    *arrivals = (struct weft_arrivals){.gap = gap, .seed = seed};
    if (kind == WEFT_ARRIVALS_CONSTANT)
        return WEFT_OK;
    arrivals->table = calloc(TABLE_COUNT, sizeof(*arrivals->table));
    if (!arrivals->table)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the arrivals");
    fill(arrivals->table);
    return WEFT_OK;
}

void weft_arrivals_fini(struct weft_arrivals *arrivals)
{
    free(arrivals->table);
    arrivals->table = NULL;
}

/* Of mean 1. */
static uint64_t draw(struct weft_arrivals *arrivals)
{
    uint64_t sum = 0;
    uint64_t bits = weft_random_next(&arrivals->random);
    for (uint32_t i = 0; i < TAILS_MAX; i++, bits >>= TABLE_BITS) {
        uint32_t part = (uint32_t)bits & (TABLE_COUNT - 1);
        sum += arrivals->table[part];
        if (part < TABLE_COUNT - 1)
            break;
    }
    return sum;
}

uint64_t weft_arrivals_next(struct weft_arrivals *arrivals)
{
    weft_u128 gap = arrivals->gap;
    if (arrivals->table)
        gap = gap * draw(arrivals) >> 32;
    arrivals->at += gap;
    return arrivals->epoch_ns + (uint64_t)(arrivals->at >> 32);
}

uint64_t weft_arrivals_start(struct weft_arrivals *arrivals, uint64_t epoch_ns)
{
    weft_random_seed(&arrivals->random, arrivals->seed);
    arrivals->epoch_ns = epoch_ns;
    arrivals->at = 0;
    return arrivals->table ? weft_arrivals_next(arrivals) : epoch_ns;
}
