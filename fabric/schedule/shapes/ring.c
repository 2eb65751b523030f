/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce in a circle, in place, in chunks, or one half of it.
 *
 * The span is cut into a segment a rank. In step s of the first half, rank r sends segment r - s
 * to its right and joins what comes from its left into segment r - s - 1; after n - 1 steps it
 * holds all of segment r + 1. In step s of the second half it passes on segment r + 1 - s and takes
 * segment r - s. Each segment is cut into chunks, and each chunk goes its way alone. Chunks of no
 * elements, where there are fewer elements than ranks, are left out at both ends. */
#include <stdlib.h>

#include "fabric/schedule/shapes/ring.h"

uint64_t weft_ring_segment_bytes(uint64_t len_bytes, uint32_t count, uint32_t element_bytes)
{
    return weft_ceiling(len_bytes / element_bytes, count) * element_bytes;
}

static uint64_t segment_bytes_of(const struct weft_ring *ring)
{
    return weft_ring_segment_bytes(ring->vector.len_bytes, ring->count, ring->element_bytes);
}

uint64_t weft_ring_scratch_bytes(const struct weft_ring *ring)
{
    return (ring->count - 1) * segment_bytes_of(ring);
}

/* Segment `segment`, which is taken modulo the ranks. */
static struct weft_span segment_at(const struct weft_ring *ring, uint32_t segment)
{
    return weft_span_part(&ring->vector, segment % ring->count, ring->count, ring->element_bytes);
}

static struct weft_span chunk_at(const struct weft_ring *ring, uint32_t segment, uint32_t chunk)
{
    struct weft_span span = segment_at(ring, segment);
    return weft_span_part(&span, chunk, ring->chunks, ring->element_bytes);
}

/* Takes a chunk into scratch space of its own, so that it may come at any time, and joins it. */
static uint32_t receive_and_reduce(const struct weft_ring *ring, uint32_t step, uint32_t chunk)
{
    uint32_t segment = ring->position + 2 * ring->count - step - 1;
    struct weft_span target = chunk_at(ring, segment, chunk);
    struct weft_span scratch = {.offset_bytes =
                                    ring->scratch_bytes + step * segment_bytes_of(ring) +
                                    target.offset_bytes - segment_at(ring, segment).offset_bytes,
                                .len_bytes = target.len_bytes};
    if (!target.len_bytes)
        return WEFT_OP_NONE;
    uint32_t received = weft_add_receive(ring->builder, ring->left, &scratch, WEFT_OP_NONE);
    uint32_t reduced = weft_add_reduce(ring->builder, &target, scratch.offset_bytes, received);
    weft_schedule_require(ring->builder, reduced, ring->requires);
    return reduced;
}

/* One chunk of every segment, all the way round. The second half takes a segment into the place
 * that the first half's send of it read: hence it requires that send. `last` and `sent` are the
 * operations of this chunk in the step before, and the sends by step. */
static void build_step(const struct weft_ring *ring, uint32_t step, uint32_t chunk, uint32_t *last,
                       uint32_t *sent)
{
    struct weft_span span = chunk_at(ring, ring->position + ring->count - step, chunk);
    *sent = span.len_bytes ? weft_add_send(ring->builder, ring->right, &span, *last) : WEFT_OP_NONE;
    *last = receive_and_reduce(ring, step, chunk);
}

static void build_gather_step(const struct weft_ring *ring, uint32_t step, uint32_t chunk,
                              uint32_t *last, uint32_t sent)
{
    struct weft_span passed = chunk_at(ring, ring->position + 1 + ring->count - step, chunk);
    struct weft_span taken = chunk_at(ring, ring->position + ring->count - step, chunk);
    if (passed.len_bytes)
        (void)weft_add_send(ring->builder, ring->right, &passed, *last);
    *last =
        taken.len_bytes ? weft_add_receive(ring->builder, ring->left, &taken, sent) : WEFT_OP_NONE;
}

/* Steps outermost: the order of operations is the order on the wire. */
static void build_first(const struct weft_ring *ring, uint32_t *last, uint32_t *sent)
{
    for (uint32_t step = 0; step < ring->count - 1; step++)
        for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
            build_step(ring, step, chunk, &last[chunk], &sent[step * ring->chunks + chunk]);
}

static void build_second(const struct weft_ring *ring, uint32_t *last, const uint32_t *sent,
                         uint32_t *ends)
{
    for (uint32_t step = 0; step < ring->count - 1; step++)
        for (uint32_t chunk = 0; chunk < ring->chunks; chunk++) {
            uint32_t at = step * ring->chunks + chunk;
            build_gather_step(ring, step, chunk, &last[chunk], sent[at]);
            ends[at] = last[chunk];
        }
}

/* `last` is of a chunk each, `sent` of a step and chunk, `ends` of all that something waits for. */
static void build(const struct weft_ring *ring, uint32_t *last, uint32_t *sent, uint32_t *ends)
{
    uint32_t begin = ring->requires;
    for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
        last[chunk] = begin;
    for (uint32_t i = 0; i < (ring->count - 1) * ring->chunks; i++)
        sent[i] = begin;
    if (ring->half != WEFT_RING_GATHER)
        build_first(ring, last, sent);
    for (uint32_t chunk = 0; chunk < ring->chunks; chunk++)
        ends[chunk] = last[chunk];
    if (ring->half != WEFT_RING_REDUCE)
        build_second(ring, last, sent, ends + ring->chunks);
}

enum weft_status weft_ring_build(const struct weft_ring *ring, uint32_t *ret_end,
                                 struct weft_error *error)
{
    size_t count = (size_t)ring->count * ring->chunks;
    uint32_t *ops = malloc(3 * count * sizeof(*ops));
    if (!ops)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a ring of %u ranks",
                              ring->count);
    uint32_t *ends = ops + 2 * count;
    for (size_t i = 0; i < 3 * count; i++)
        ops[i] = WEFT_OP_NONE;
    build(ring, ops, ops + count, ends);
    if (ret_end) {
        *ret_end = weft_add_calc(ring->builder, 0, ring->requires);
        /* What arrived last is not all that must have arrived. */
        for (size_t i = 0; i < count; i++)
            weft_schedule_require(ring->builder, *ret_end, ends[i]);
    }
    free(ops);
    return WEFT_OK;
}
