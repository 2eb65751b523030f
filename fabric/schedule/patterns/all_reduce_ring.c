/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring all-reduce: one circle of all ranks, or two, of which each goes the other way round with
 * half of the vector. */
#include "fabric/schedule/patterns/all_reduce.h"

static uint64_t chunks_of(const struct weft_pattern_options *options, uint64_t len_bytes)
{
    return weft_pattern_chunks(
        options, weft_ring_segment_bytes(len_bytes, options->rank_count, weft_element_of(options)));
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t steps = 2 * (options->rank_count - UINT64_C(1));
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       steps * chunks_of(options, options->size_bytes), error);
}

static enum weft_status check_both(const struct weft_pattern_options *options,
                                   struct weft_error *error)
{
    uint64_t steps = 4 * (options->rank_count - UINT64_C(1));
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       steps * chunks_of(options, options->size_bytes), error);
}

/* `back`: the other way round, which is as if ranks were counted from the end. */
static struct weft_ring ring_of(const struct weft_pattern_options *options, uint32_t rank,
                                const struct weft_span *span, bool back)
{
    uint32_t ranks = options->rank_count;
    uint32_t before = (rank + ranks - 1) % ranks, after = (rank + 1) % ranks;
    return (struct weft_ring){.position = back ? ranks - 1 - rank : rank,
                              .count = ranks,
                              .left = back ? after : before,
                              .right = back ? before : after,
                              .vector = *span,
                              .element_bytes = weft_element_of(options),
                              .scratch_bytes = weft_all_reduce_scratch(options),
                              .chunks = (uint32_t)chunks_of(options, span->len_bytes),
                              .requires = WEFT_OP_NONE};
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    struct weft_ring ring = ring_of(options, rank, &vector, false);
    ring.builder = builder;
    weft_schedule_set_buffer(builder, ring.scratch_bytes + weft_ring_scratch_bytes(&ring));
    return weft_ring_build(&ring, NULL, error);
}

static enum weft_status build_both(const struct weft_pattern_options *options, uint32_t rank,
                                   struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    enum weft_status status = WEFT_OK;
    uint64_t scratch_bytes = weft_all_reduce_scratch(options);
    for (uint32_t half = 0; half < 2 && status == WEFT_OK; half++) {
        struct weft_span span = weft_span_part(&vector, half, 2, weft_element_of(options));
        struct weft_ring ring = ring_of(options, rank, &span, half == 1);
        ring.builder = builder;
        ring.scratch_bytes = scratch_bytes;
        scratch_bytes =
            weft_align(scratch_bytes + weft_ring_scratch_bytes(&ring), WEFT_SCRATCH_ALIGN_BYTES);
        status = weft_ring_build(&ring, NULL, error);
    }
    weft_schedule_set_buffer(builder, scratch_bytes);
    return status;
}

const struct weft_all_reduce_way weft_all_reduce_ring = {.check = check, .build = build};
const struct weft_all_reduce_way weft_all_reduce_both_ways = {.check = check_both,
                                                              .build = build_both};
