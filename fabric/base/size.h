/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes that come from a file or a peer: sums and products that cannot wrap. What does not fit into
 * 64 bits is WEFT_SIZE_HUGE, which every bound refuses, and stays so in what is computed of it. */
#ifndef WEFT_BASE_SIZE_H
#define WEFT_BASE_SIZE_H

#include <stdint.h>

#define WEFT_SIZE_HUGE UINT64_MAX

static inline uint64_t weft_size_add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? WEFT_SIZE_HUGE : sum;
}

static inline uint64_t weft_size_times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? WEFT_SIZE_HUGE : product;
}

#endif
