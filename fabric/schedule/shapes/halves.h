/* SPDX-License-Identifier: BSD-3-Clause */
/* What all-gather and reduce-scatter share, the halves of an all-reduce; within fabric/schedule
 * only. */
#ifndef WEFT_SCHEDULE_HALVES_H
#define WEFT_SCHEDULE_HALVES_H

#include "fabric/schedule/shapes/collective.h"
#include "fabric/schedule/shapes/ring.h"

/* By the option algorithm. */
enum weft_half_way {
    WEFT_HALF_RING = 0,
    WEFT_HALF_STEPS, /* at distances that are powers of two */
    WEFT_HALF_ONE_SHOT,
};

WEFT_CHECKED enum weft_status weft_half_check(const struct weft_pattern *pattern,
                                              const struct weft_pattern_options *options,
                                              struct weft_error *error);
/* The circle of all ranks in which each begins with its own part, or ends with it; its scratch
 * space begins where the collective's unused does. */
struct weft_ring weft_half_ring(const struct weft_collective *all, enum weft_ring_half half);

#endif
