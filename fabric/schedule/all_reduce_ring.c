/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring all-reduce, in place, in chunks.
 *
 * The vector is cut into a segment a rank. In step s of the first half, rank r sends segment r - s
 * to its right and joins what comes from its left into segment r - s - 1; after n - 1 steps it
 * holds all of segment r + 1. In step s of the second half it passes on segment r + 1 - s and takes
 * segment r - s. Each segment is cut into chunks, and each chunk goes its way alone. Chunks of no
 * elements, where there are fewer elements than ranks, are left out at both ends. */
#include <stdlib.h>

#include "fabric/schedule/all_reduce.h"

struct ring {
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t rank_count;
    uint32_t left, right;
    struct weft_span vector;
    uint32_t element_bytes;
    uint64_t segment_bytes; /* of the longest segment */
    uint64_t scratch_bytes; /* where scratch space begins */
    uint32_t chunks;        /* a segment */
};

static uint64_t segment_bytes_of(const struct weft_pattern_options *options)
{
    uint64_t elements = options->size_bytes / weft_element_of(options);
    return weft_ceiling(elements, options->rank_count) * weft_element_of(options);
}

static uint64_t chunks_of(const struct weft_pattern_options *options)
{
    return weft_all_reduce_chunks(options, segment_bytes_of(options));
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       2 * (options->rank_count - UINT64_C(1)) * chunks_of(options),
                                       error);
}

/* Segment `segment`, which is taken modulo the ranks. */
static struct weft_span segment_at(const struct ring *ring, uint32_t segment)
{
    return weft_span_part(&ring->vector, segment % ring->rank_count, ring->rank_count,
                          ring->element_bytes);
}

static struct weft_span chunk_at(const struct ring *ring, uint32_t segment, uint32_t chunk)
{
    struct weft_span span = segment_at(ring, segment);
    return weft_span_part(&span, chunk, ring->chunks, ring->element_bytes);
}

/* Takes a chunk into scratch space of its own, so that it may come at any time, and joins it. */
static uint32_t receive_and_reduce(const struct ring *ring, uint32_t step, uint32_t chunk)
{
    uint32_t segment = ring->rank + 2 * ring->rank_count - step - 1;
    struct weft_span target = chunk_at(ring, segment, chunk);
    struct weft_span scratch = {.offset_bytes = ring->scratch_bytes + step * ring->segment_bytes +
                                                target.offset_bytes -
                                                segment_at(ring, segment).offset_bytes,
                                .len_bytes = target.len_bytes};
    if (!target.len_bytes)
        return WEFT_OP_NONE;
    uint32_t received = weft_add_receive(ring->builder, ring->left, &scratch, WEFT_OP_NONE);
    return weft_add_reduce(ring->builder, &target, scratch.offset_bytes, received);
}

/* One chunk of every segment, all the way round. The second half takes a segment into the place
 * that the first half's send of it read: hence it requires that send. `last` and `sent` are the
 * operations of this chunk in the step before, and the sends by step. */
static void build_step(const struct ring *ring, uint32_t step, uint32_t chunk, uint32_t *last,
                       uint32_t *sent)
{
    struct weft_span span = chunk_at(ring, ring->rank + ring->rank_count - step, chunk);
    *sent = span.len_bytes ? weft_add_send(ring->builder, ring->right, &span, *last) : WEFT_OP_NONE;
    *last = receive_and_reduce(ring, step, chunk);
}

static void build_gather_step(const struct ring *ring, uint32_t step, uint32_t chunk,
                              uint32_t *last, uint32_t sent)
{
    struct weft_span passed = chunk_at(ring, ring->rank + 1 + ring->rank_count - step, chunk);
    struct weft_span taken = chunk_at(ring, ring->rank + ring->rank_count - step, chunk);
    if (passed.len_bytes)
        (void)weft_add_send(ring->builder, ring->right, &passed, *last);
    *last =
        taken.len_bytes ? weft_add_receive(ring->builder, ring->left, &taken, sent) : WEFT_OP_NONE;
}

/* Steps outermost: the order of operations is the order on the wire. */
static void build_ring(const struct ring *ring, uint32_t *last, uint32_t *sent)
{
    for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
        last[chunk] = WEFT_OP_NONE;
    for (uint32_t step = 0; step + 1 < ring->rank_count; step++)
        for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
            build_step(ring, step, chunk, &last[chunk], &sent[step * ring->chunks + chunk]);
    for (uint32_t step = 0; step + 1 < ring->rank_count; step++)
        for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
            build_gather_step(ring, step, chunk, &last[chunk], sent[step * ring->chunks + chunk]);
}

static struct ring ring_of(const struct weft_pattern_options *options, uint32_t rank,
                           struct weft_schedule_builder *builder)
{
    uint32_t ranks = options->rank_count;
    return (struct ring){.builder = builder,
                         .rank = rank,
                         .rank_count = ranks,
                         .left = (rank + ranks - 1) % ranks,
                         .right = (rank + 1) % ranks,
                         .vector = {.len_bytes = options->size_bytes},
                         .element_bytes = weft_element_of(options),
                         .segment_bytes = segment_bytes_of(options),
                         .scratch_bytes = weft_align(options->size_bytes, WEFT_SCRATCH_ALIGN_BYTES),
                         .chunks = (uint32_t)chunks_of(options)};
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct ring ring = ring_of(options, rank, builder);
    uint32_t steps = ring.rank_count - 1;
    uint32_t *ops = calloc((size_t)(steps + 1) * ring.chunks, sizeof(*ops));
    if (!ops)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-reduce: out of memory");
    build_ring(&ring, ops, ops + ring.chunks);
    free(ops);
    weft_schedule_set_buffer(builder, ring.scratch_bytes + steps * ring.segment_bytes);
    return WEFT_OK;
}

const struct weft_all_reduce_way weft_all_reduce_ring = {.check = check, .build = build};
