/* SPDX-License-Identifier: BSD-3-Clause */
/* Some ranks, in a circle, reduce a span that each of them has; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_RING_H
#define WEFT_SCHEDULE_RING_H

#include "fabric/schedule/shapes/parts.h"

/* After the first half the rank at position p holds all of segment p + 1, and with that the second
 * begins. */
enum weft_ring_half {
    WEFT_RING_BOTH = 0,
    WEFT_RING_REDUCE,
    WEFT_RING_GATHER,
};

struct weft_ring {
    struct weft_schedule_builder *builder;
    uint32_t position; /* in the circle */
    uint32_t count;    /* of ranks in it; one alone has nothing to do */
    uint32_t left, right;
    struct weft_span vector;
    uint32_t element_bytes;
    uint64_t scratch_bytes; /* where its scratch space begins */
    uint32_t chunks;        /* that each segment is cut into */
    uint32_t requires;      /* before the span is whole; or WEFT_OP_NONE */
    enum weft_ring_half half;
};

/* How long the longest of the segments is that a span is cut into. */
uint64_t weft_ring_segment_bytes(uint64_t len_bytes, uint32_t count, uint32_t element_bytes);
/* How much scratch space is used. */
uint64_t weft_ring_scratch_bytes(const struct weft_ring *ring);
/* `ret_end`: what is complete once the whole span is reduced; NULL: nobody asks. */
WEFT_CHECKED enum weft_status weft_ring_build(const struct weft_ring *ring, uint32_t *ret_end,
                                              struct weft_error *error);

#endif
