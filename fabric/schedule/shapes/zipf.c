/* SPDX-License-Identifier: BSD-3-Clause */
/* Shares by Zipf's law in whole numbers only: agents on machines of different kinds must find the
 * same ones, to the byte, and a floating-point power promises no such thing. */
#include <assert.h>
#include <stdlib.h>

#include "fabric/base/wide.h"
#include "fabric/schedule/shapes/shuffle.h"
#include "fabric/schedule/shapes/traffic.h"

/* Logarithms have so many digits after the point, and what is multiplied has ONE_BITS. */
#define FRACTION_BITS 24u
#define ONE_BITS 30u
#define ONE (UINT64_C(1) << ONE_BITS)
/* The most popular one's; the least is that of a rank which hardly anybody asks. */
#define WEIGHT_BITS 40u
#define SKEW_ONE 1000u

/* 2 ^ -(2 ^ -i), for i from 1 on. */
static const uint32_t roots[FRACTION_BITS] = {
    759250125u,  902905651u,  984625594u,  1028218693u, 1050733751u, 1062175491u,
    1067942999u, 1070838486u, 1072289173u, 1073015252u, 1073378477u, 1073560135u,
    1073650976u, 1073696399u, 1073719111u, 1073730468u, 1073736146u, 1073738985u,
    1073740404u, 1073741114u, 1073741469u, 1073741647u, 1073741735u, 1073741780u,
};

/* Digit by digit: squaring doubles a logarithm. */
static uint64_t binary_logarithm(uint32_t value)
{
    uint64_t whole = 0;
    while (value >> whole > 1)
        whole++;
    uint64_t rest = ((uint64_t)value << ONE_BITS) >> whole, result = whole;
    for (uint32_t i = 0; i < FRACTION_BITS; i++) {
        rest = rest * rest >> ONE_BITS;
        result = 2 * result + (rest >= 2 * ONE);
        rest = rest >= 2 * ONE ? rest / 2 : rest;
    }
    return result;
}

/* (place + 1) to the power of -skew, times 2 ^ WEIGHT_BITS; at least 1. */
static uint64_t weight_of(uint32_t place, uint64_t skew_thousandths)
{
    uint64_t exponent = binary_logarithm(place + 1) * skew_thousandths / SKEW_ONE;
    uint64_t whole = exponent >> FRACTION_BITS, result = ONE;
    for (uint32_t i = 0; i < FRACTION_BITS; i++)
        if (exponent >> (FRACTION_BITS - 1 - i) & 1)
            result = result * roots[i] >> ONE_BITS;
    result = whole < 64 ? (result << (WEIGHT_BITS - ONE_BITS)) >> whole : 0;
    return result ? result : 1;
}

uint64_t *weft_zipf_bounds(const struct weft_pattern_options *options)
{
    uint32_t ranks = options->rank_count;
    uint64_t *bounds = calloc((size_t)ranks + 1, sizeof(*bounds));
    if (!bounds)
        return NULL;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        uint32_t place = weft_shuffle_place(ranks, options->seed, rank);
        bounds[rank + 1] = bounds[rank] + weight_of(place, options->skew_thousandths);
    }
    uint64_t sum = bounds[ranks];
    assert(sum > 0);
    for (uint32_t rank = 0; rank <= ranks; rank++)
        bounds[rank] = (uint64_t)((weft_u128)options->size_bytes * bounds[rank] / sum);
    return bounds;
}
