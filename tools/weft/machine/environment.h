/* SPDX-License-Identifier: BSD-3-Clause */
/* What this machine is, and how well it can measure. */
#ifndef WEFT_TOOLS_ENVIRONMENT_H
#define WEFT_TOOLS_ENVIRONMENT_H

#include "fabric/base/clock.h"
#include "fabric/result/result.h"

/* Reads the counter and CLOCK_MONOTONIC_RAW over about 20 ms. */
WEFT_CHECKED enum weft_status weft_environment_calibrate(struct weft_clock *ret_clock,
                                                         struct weft_error *error);

/* The drift between the clock and CLOCK_MONOTONIC_RAW so far, in parts per billion. */
int64_t weft_environment_drift_ppb(const struct weft_clock *clock);

/* What to add to the clock's time to get UTC, in nanoseconds since 1970, as of now. */
uint64_t weft_environment_utc_offset_ns(const struct weft_clock *clock);

/* Host, CPU, kernel, version and the cost of reading the clock. */
void weft_environment_describe(const struct weft_clock *clock, struct weft_host_environment *ret);

/* Measures the noise floor and the record cost on the calling thread, which should be a worker.
 * Takes about 10 ms. The noise floor is the gap between two turns such that shorter gaps make up
 * 99.9 % of the time (not 99.9 % of the gaps: one gap of milliseconds would be lost among a million
 * gaps of nanoseconds). If called for several workers, keeps the highest value of each. */
void weft_environment_measure_noise(const struct weft_clock *clock,
                                    struct weft_host_environment *ret);

#endif
