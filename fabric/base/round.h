/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole numbers rounded up. */
#ifndef WEFT_BASE_ROUND_H
#define WEFT_BASE_ROUND_H

#include <stdint.h>

static inline uint64_t weft_ceiling(uint64_t value, uint64_t by)
{
    return (value + by - 1) / by;
}

/* The next multiple. */
static inline uint64_t weft_align(uint64_t len_bytes, uint64_t to_bytes)
{
    return weft_ceiling(len_bytes, to_bytes) * to_bytes;
}

#endif
