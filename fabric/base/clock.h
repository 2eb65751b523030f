/* SPDX-License-Identifier: BSD-3-Clause */
/* The processor's counter (invariant TSC, or the ARM generic timer) as nanoseconds. Reading the
 * system's clock is the caller's affair: calibration takes pairs of readings. */
#ifndef WEFT_BASE_CLOCK_H
#define WEFT_BASE_CLOCK_H

#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/base/wide.h"

/* One reading of both clocks: ticks before and after the system's clock was read. */
struct weft_clock_sample {
    uint64_t ticks_before;
    uint64_t ticks_after;
    uint64_t system_ns;
};

/* ns = base_ns + ((ticks - base_ticks) * multiplier) >> 32: no division. Read-only once made, so
 * threads may share it. */
struct weft_clock {
    uint64_t base_ticks;
    uint64_t base_ns;
    uint64_t multiplier; /* nanoseconds a tick, 32.32 fixed point */
};

/* From the tightest of the first samples and the tightest of the last: `count` >= 2 samples in
 * order of time, spread over at least 1 ms. WEFT_INVALID where the counter stood still or the
 * system's clock went backwards. */
WEFT_CHECKED enum weft_status weft_clock_calibrate(const struct weft_clock_sample *samples,
                                                   uint32_t count, struct weft_clock *ret_clock,
                                                   struct weft_error *error);

/* How far the clock has gone from the system's since it was calibrated, in parts per billion;
 * positive: this clock is fast. */
int64_t weft_clock_drift_ppb(const struct weft_clock *clock,
                             const struct weft_clock_sample *sample);

static inline uint64_t weft_clock_ns(const struct weft_clock *clock, uint64_t ticks)
{
    weft_u128 scaled = (weft_u128)(ticks - clock->base_ticks) * clock->multiplier;
    return clock->base_ns + (uint64_t)(scaled >> 32);
}

static inline uint64_t weft_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#else
#error "weft has a counter for x86-64 and aarch64 only"
#endif
}

static inline uint64_t weft_now(const struct weft_clock *clock)
{
    return weft_clock_ns(clock, weft_ticks());
}

#endif
