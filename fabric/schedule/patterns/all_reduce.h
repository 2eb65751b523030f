/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to do an all-reduce; within fabric/schedule only. Each is in a file of its own. */
#ifndef WEFT_SCHEDULE_ALL_REDUCE_H
#define WEFT_SCHEDULE_ALL_REDUCE_H

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"
#include "fabric/schedule/shapes/ring.h"

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

/* Where scratch space begins: behind the vector. */
static inline uint64_t weft_all_reduce_scratch(const struct weft_pattern_options *options)
{
    return weft_align(options->size_bytes, WEFT_SCRATCH_ALIGN_BYTES);
}

#endif
