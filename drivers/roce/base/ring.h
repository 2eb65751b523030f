/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEFT_ROCE_RING_H
#define WEFT_ROCE_RING_H

#include <stdint.h>

/* The power of two that holds `depth` (up to 2^31), so that an index needs only a mask. */
static inline uint32_t weft_ring_size(uint32_t depth)
{
    uint32_t size = 1;
    while (size < depth)
        size <<= 1;
    return size;
}

#endif
