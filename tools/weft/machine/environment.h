/* SPDX-License-Identifier: BSD-3-Clause */
/* What this machine is, and how well it can measure. */
#ifndef WEFT_TOOLS_ENVIRONMENT_H
#define WEFT_TOOLS_ENVIRONMENT_H

#include "fabric/base/clock.h"
#include "fabric/result/result.h"

/* Reads the counter and CLOCK_MONOTONIC_RAW over about 20 ms. */
WEFT_CHECKED enum weft_status weft_environment_calibrate(struct weft_clock *ret_clock,
                                                         struct weft_error *error);

/* Parts per billion between the clock and CLOCK_MONOTONIC_RAW by now. */
int64_t weft_environment_drift_ppb(const struct weft_clock *clock);

/* What makes UTC, in nanoseconds since 1970, of the clock's time by now. */
uint64_t weft_environment_utc_offset_ns(const struct weft_clock *clock);

/* Host, CPU, kernel, version and the cost of reading the clock. */
void weft_environment_describe(const struct weft_clock *clock, struct weft_host_environment *ret);

/* Noise floor and record cost, on the thread that calls it, which should be a worker: about 10 ms.
 * The noise floor is the gap between two turns below which 99.9 % of the time lies: of the time and
 * not of the gaps, for one gap of milliseconds is lost among a million of nanoseconds. Called for
 * several workers, the highest of each stays. */
void weft_environment_measure_noise(const struct weft_clock *clock,
                                    struct weft_host_environment *ret);

#endif
