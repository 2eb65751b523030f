/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/shapes/halves.h"

static uint64_t chunks_of(const struct weft_pattern_options *options)
{
    return weft_pattern_chunks(options,
                               weft_ring_segment_bytes(options->size_bytes, options->rank_count,
                                                       weft_element_of(options)));
}

enum weft_status weft_half_check(const struct weft_pattern *pattern,
                                 const struct weft_pattern_options *options,
                                 struct weft_error *error)
{
    uint64_t messages = (options->rank_count - UINT64_C(1)) * chunks_of(options);
    if (options->algorithm == WEFT_HALF_STEPS)
        messages = weft_span_messages(options, WEFT_ARC_SPANS * 32, options->size_bytes);
    return weft_pattern_check_messages(pattern, messages, error);
}

/* A ring's first half ends with the part of the rank's position + 1, and its second begins so. */
struct weft_ring weft_half_ring(const struct weft_collective *all, enum weft_ring_half half)
{
    return (struct weft_ring){
        .builder = all->builder,
        .position = weft_rank_before(all, 1),
        .count = all->options->rank_count,
        .left = weft_rank_before(all, 1),
        .right = weft_rank_after(all, 1),
        .vector = {.len_bytes = all->options->size_bytes},
        .element_bytes = all->element_bytes,
        .scratch_bytes = all->scratch_bytes,
        .chunks = (uint32_t)chunks_of(all->options),
        .requires = WEFT_OP_NONE,
        .half = half,
    };
}
