/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/clock.h"

#include <stdbool.h>

#define SPREAD_MIN_NS UINT64_C(1000000)

static uint64_t middle_ticks(const struct weft_clock_sample *sample)
{
    return sample->ticks_before + (sample->ticks_after - sample->ticks_before) / 2;
}

/* An interrupt between the two readings widens a sample; the tightest knows best when the system's
 * clock was read. */
static const struct weft_clock_sample *tightest(const struct weft_clock_sample *samples,
                                                uint32_t count)
{
    const struct weft_clock_sample *best = samples;
    for (uint32_t i = 1; i < count; i++) {
        if (samples[i].ticks_after - samples[i].ticks_before <
            best->ticks_after - best->ticks_before)
            best = &samples[i];
    }
    return best;
}

static enum weft_status check_order(const struct weft_clock_sample *samples, uint32_t count,
                                    struct weft_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        bool backwards = samples[i].ticks_after < samples[i].ticks_before ||
                         (i > 0 && samples[i].ticks_before < samples[i - 1].ticks_after);
        if (backwards)
            return weft_error_set(error, WEFT_INVALID,
                                  "the processor's counter went backwards: it cannot be a clock");
        if (i > 0 && samples[i].system_ns < samples[i - 1].system_ns)
            return weft_error_set(error, WEFT_INVALID,
                                  "the system's clock went backwards: the processor's counter "
                                  "cannot be calibrated against it");
    }
    return WEFT_OK;
}

static enum weft_status set_clock(const struct weft_clock_sample *first,
                                  const struct weft_clock_sample *last,
                                  struct weft_clock *ret_clock, struct weft_error *error)
{
    uint64_t ticks = middle_ticks(last) - middle_ticks(first);
    uint64_t time_ns = last->system_ns - first->system_ns;
    if (ticks == 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the processor's counter stands still: it cannot be a clock");
    weft_u128 multiplier = (((weft_u128)time_ns << 32) + ticks / 2) / ticks;
    if (multiplier == 0 || multiplier > UINT64_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "the processor's counter does not run with the system's clock");
    *ret_clock = (struct weft_clock){.base_ticks = middle_ticks(first),
                                     .base_ns = first->system_ns,
                                     .multiplier = (uint64_t)multiplier};
    return WEFT_OK;
}

enum weft_status weft_clock_calibrate(const struct weft_clock_sample *samples, uint32_t count,
                                      struct weft_clock *ret_clock, struct weft_error *error)
{
    if (count < 2)
        return weft_error_set(error, WEFT_INVALID, "a clock is calibrated from 2 samples or more");
    enum weft_status status = check_order(samples, count, error);
    if (status != WEFT_OK)
        return status;
    if (samples[count - 1].system_ns - samples[0].system_ns < SPREAD_MIN_NS)
        return weft_error_set(error, WEFT_INVALID,
                              "the samples of the clocks must be spread over 1 ms or more");
    uint32_t half = count / 2;
    return set_clock(tightest(samples, half), tightest(samples + half, count - half), ret_clock,
                     error);
}

int64_t weft_clock_drift_ppb(const struct weft_clock *clock, const struct weft_clock_sample *sample)
{
    uint64_t ticks = middle_ticks(sample);
    if (sample->system_ns <= clock->base_ns || ticks < clock->base_ticks)
        return 0;
    uint64_t system_ns = sample->system_ns - clock->base_ns;
    uint64_t own_ns = weft_clock_ns(clock, ticks) - clock->base_ns;
    bool fast = own_ns > system_ns;
    uint64_t apart_ns = fast ? own_ns - system_ns : system_ns - own_ns;
    weft_u128 ppb = (weft_u128)apart_ns * 1000000000u / system_ns;
    int64_t bounded = ppb > INT64_MAX ? INT64_MAX : (int64_t)ppb;
    return fast ? bounded : -bounded;
}
