/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/congestion/pacer.h"

#include <assert.h>

#define BITS_PER_BYTE UINT64_C(8)
#define NS_PER_SECOND UINT64_C(1000000000)

void weft_pacer_set_rate(struct weft_pacer *pacer, uint64_t rate_bps)
{
    assert(rate_bps >= WEFT_PACER_RATE_LEAST_BPS);
    /* 8e9 << 31 is just below 2^64; rounded to the nearest. */
    uint64_t bit_second = BITS_PER_BYTE * NS_PER_SECOND << WEFT_PACER_SHIFT;
    pacer->rate_bps = rate_bps;
    pacer->byte_time = (bit_second + rate_bps / 2) / rate_bps;
    pacer->slack_ns = (pacer->byte_time * WEFT_PACER_BURST_BYTES) >> WEFT_PACER_SHIFT;
}
