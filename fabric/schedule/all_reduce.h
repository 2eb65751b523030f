/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to do an all-reduce; within fabric/schedule only. Each is in a file of its own. */
#ifndef WEFT_SCHEDULE_ALL_REDUCE_H
#define WEFT_SCHEDULE_ALL_REDUCE_H

#include "fabric/schedule/patterns.h"

/* The vector lies at the start of the buffer. Adds the operations of one rank and sets the buffer;
 * what it must hold is the same in all ways. */
struct weft_all_reduce_way {
    enum weft_status (*check)(const struct weft_pattern_options *options, struct weft_error *error);
    enum weft_status (*build)(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error);
};

extern const struct weft_all_reduce_way weft_all_reduce_ring;
extern const struct weft_all_reduce_way weft_all_reduce_both_ways;
extern const struct weft_all_reduce_way weft_all_reduce_halving;
extern const struct weft_all_reduce_way weft_all_reduce_trees;
extern const struct weft_all_reduce_way weft_all_reduce_one_shot;
extern const struct weft_all_reduce_way weft_all_reduce_hosts;

/* Into how many messages a part of the vector is cut: of at most the chunk that was asked for; else
 * of 64 KiB or, where those were more than 16, larger ones. At least 1. */
uint64_t weft_all_reduce_chunks(const struct weft_pattern_options *options, uint64_t len_bytes);

/* Where scratch space begins: behind the vector. */
uint64_t weft_all_reduce_scratch(const struct weft_pattern_options *options);

/* ---- ring.c: some ranks, in a circle, reduce a span that each of them has ---- */

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
};

/* How long the longest of the segments is that a span is cut into. */
uint64_t weft_ring_segment_bytes(uint64_t len_bytes, uint32_t count, uint32_t element_bytes);
/* How much scratch space is used. */
uint64_t weft_ring_scratch_bytes(const struct weft_ring *ring);
/* `ret_end`: what is complete once the whole span is reduced; NULL: nobody asks. */
WEFT_CHECKED enum weft_status weft_ring_build(const struct weft_ring *ring, uint32_t *ret_end,
                                              struct weft_error *error);

#endif
