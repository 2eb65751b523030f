/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring all-reduce of a float32 vector, in place, in chunks.
 *
 * The vector is cut into a segment a rank. In step s of the first half, rank r sends segment r - s
 * to its right and adds what comes from its left to segment r - s - 1; after n - 1 steps it holds
 * the whole sum of segment r + 1. In step s of the second half it passes on segment r + 1 - s and
 * takes segment r - s. Each segment is cut into chunks, and each chunk goes its way alone. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/schedule/patterns.h"

/* Below this a message costs more than the overlap gains. */
#define DEFAULT_CHUNK_BYTES (UINT64_C(64) << 10)
#define DEFAULT_CHUNKS_MAX UINT64_C(16)
/* What is added is kept off the cache lines of the vector. */
#define SCRATCH_ALIGN_BYTES UINT64_C(64)

struct ring {
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t rank_count;
    uint32_t left, right;
    uint64_t elements;         /* of the vector */
    uint64_t segment_elements; /* of the longest segment */
    uint64_t scratch_bytes;    /* where scratch space begins */
    uint32_t chunks;           /* a segment */
};

struct span {
    uint64_t offset_bytes;
    uint64_t len_bytes;
};

static uint64_t ceiling(uint64_t value, uint64_t by)
{
    return (value + by - 1) / by;
}

static uint64_t chunks_of(const struct weft_pattern_options *options)
{
    uint64_t elements = options->size_bytes / WEFT_ELEMENT_BYTES;
    uint64_t segment_bytes = ceiling(elements, options->rank_count) * WEFT_ELEMENT_BYTES;
    if (options->chunk_bytes)
        return ceiling(segment_bytes, options->chunk_bytes);
    uint64_t chunks = ceiling(segment_bytes, DEFAULT_CHUNK_BYTES);
    if (chunks > DEFAULT_CHUNKS_MAX)
        chunks = DEFAULT_CHUNKS_MAX;
    uint64_t needed = ceiling(segment_bytes, WEFT_MESSAGE_BYTES_MAX);
    return chunks < needed ? needed : chunks;
}

static enum weft_status check_size(const struct weft_pattern_options *options,
                                   struct weft_error *error)
{
    uint64_t at_least = options->rank_count * WEFT_ELEMENT_BYTES;
    uint64_t nearest = weft_pattern_align(options->size_bytes, WEFT_ELEMENT_BYTES);
    if (options->size_bytes < at_least)
        return weft_error_set(
            error, WEFT_INVALID,
            "all-reduce over %u ranks needs an element of 4 B for each: a size of "
            "at least %" PRIu64 " B, not %" PRIu64 " B",
            options->rank_count, at_least, options->size_bytes);
    if (nearest != options->size_bytes)
        return weft_error_set(error, WEFT_INVALID,
                              "all-reduce adds float32 elements of 4 B: %" PRIu64
                              " B is not a multiple of 4; choose %" PRIu64 " B",
                              options->size_bytes, nearest);
    return WEFT_OK;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    static const struct weft_pattern_takes takes = {.chunk = true};
    enum weft_status status = weft_pattern_check_common(&weft_pattern_all_reduce, options,
                                                        WEFT_PATTERN_RANKS_MAX, &takes, error);
    if (status == WEFT_OK)
        status = check_size(options, error);
    if (status != WEFT_OK)
        return status;
    if (options->chunk_bytes % WEFT_ELEMENT_BYTES)
        return weft_error_set(error, WEFT_INVALID,
                              "all-reduce: a chunk of %" PRIu64
                              " B is not a multiple of 4 B, an element; choose %" PRIu64 " B",
                              options->chunk_bytes,
                              weft_pattern_align(options->chunk_bytes, WEFT_ELEMENT_BYTES));
    uint64_t messages = 2 * (options->rank_count - UINT64_C(1)) * chunks_of(options);
    if (messages > WEFT_PATTERN_MESSAGES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "all-reduce: chunks of %" PRIu64 " B make %" PRIu64
                              " messages a rank and iteration, more than %" PRIu64
                              "; choose larger chunks",
                              options->chunk_bytes, messages, WEFT_PATTERN_MESSAGES_MAX);
    return WEFT_OK;
}

/* Chunk `chunk` of segment `segment`, which is taken modulo the ranks. */
static struct span chunk_at(const struct ring *ring, uint32_t segment, uint32_t chunk)
{
    segment %= ring->rank_count;
    uint64_t begin = ring->elements * segment / ring->rank_count;
    uint64_t end = ring->elements * (segment + 1) / ring->rank_count;
    uint64_t first = begin + (end - begin) * chunk / ring->chunks;
    uint64_t last = begin + (end - begin) * (chunk + 1) / ring->chunks;
    return (struct span){.offset_bytes = first * WEFT_ELEMENT_BYTES,
                         .len_bytes = (last - first) * WEFT_ELEMENT_BYTES};
}

static uint32_t send(const struct ring *ring, const struct span *span, uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_SEND,
                         .peer = ring->right,
                         .offset_bytes = span->offset_bytes,
                         .len_bytes = span->len_bytes};
    uint32_t sent = weft_schedule_add(ring->builder, &op);
    weft_schedule_require(ring->builder, sent, requires);
    return sent;
}

static uint32_t receive(const struct ring *ring, const struct span *span, uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_RECEIVE,
                         .peer = ring->left,
                         .offset_bytes = span->offset_bytes,
                         .len_bytes = span->len_bytes};
    uint32_t received = weft_schedule_add(ring->builder, &op);
    weft_schedule_require(ring->builder, received, requires);
    return received;
}

/* Takes a chunk into scratch space of its own, so that it may come at any time, and adds it. */
static uint32_t receive_and_add(const struct ring *ring, uint32_t step, uint32_t chunk)
{
    struct span target = chunk_at(ring, ring->rank + 2 * ring->rank_count - step - 1, chunk);
    struct span begin = chunk_at(ring, ring->rank + 2 * ring->rank_count - step - 1, 0);
    uint64_t step_bytes = step * ring->segment_elements * WEFT_ELEMENT_BYTES;
    struct span scratch = {.offset_bytes = ring->scratch_bytes + step_bytes + target.offset_bytes -
                                           begin.offset_bytes,
                           .len_bytes = target.len_bytes};
    uint32_t received = receive(ring, &scratch, WEFT_OP_NONE);
    struct weft_op op = {.kind = WEFT_OP_REDUCE,
                         .offset_bytes = target.offset_bytes,
                         .source_offset_bytes = scratch.offset_bytes,
                         .len_bytes = target.len_bytes};
    uint32_t added = weft_schedule_add(ring->builder, &op);
    weft_schedule_require(ring->builder, added, received);
    return added;
}

/* One chunk of every segment, all the way round. The second half takes a segment into the place
 * that the first half's send of it read: hence it requires that send. `last` and `sent` are the
 * operations of this chunk in the step before, and the sends by step. */
static void build_step(const struct ring *ring, uint32_t step, uint32_t chunk, uint32_t *last,
                       uint32_t *sent)
{
    struct span span = chunk_at(ring, ring->rank + ring->rank_count - step, chunk);
    *sent = send(ring, &span, *last);
    *last = receive_and_add(ring, step, chunk);
}

static void build_gather_step(const struct ring *ring, uint32_t step, uint32_t chunk,
                              uint32_t *last, uint32_t sent)
{
    struct span passed = chunk_at(ring, ring->rank + 1 + ring->rank_count - step, chunk);
    struct span taken = chunk_at(ring, ring->rank + ring->rank_count - step, chunk);
    (void)send(ring, &passed, *last);
    *last = receive(ring, &taken, sent);
}

/* Steps outermost: the order of operations is the order on the wire. */
static void build(const struct ring *ring, uint32_t *last, uint32_t *sent)
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
    uint64_t elements = options->size_bytes / WEFT_ELEMENT_BYTES;
    return (struct ring){.builder = builder,
                         .rank = rank,
                         .rank_count = ranks,
                         .left = (rank + ranks - 1) % ranks,
                         .right = (rank + 1) % ranks,
                         .elements = elements,
                         .segment_elements = ceiling(elements, ranks),
                         .scratch_bytes =
                             weft_pattern_align(options->size_bytes, SCRATCH_ALIGN_BYTES),
                         .chunks = (uint32_t)chunks_of(options)};
}

static enum weft_status compile(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule **ret_schedule, struct weft_error *error)
{
    enum weft_status status;
    struct weft_schedule_builder *builder =
        weft_pattern_begin(&weft_pattern_all_reduce, options, rank, &status, error);
    if (!builder)
        return status;
    struct ring ring = ring_of(options, rank, builder);
    uint32_t steps = ring.rank_count - 1;
    uint32_t *ops = calloc((size_t)(steps + 1) * ring.chunks, sizeof(*ops));
    if (!ops) {
        weft_schedule_builder_destroy(builder);
        return weft_error_set(error, WEFT_NO_MEMORY, "all-reduce: out of memory");
    }
    build(&ring, ops, ops + ring.chunks);
    free(ops);
    struct weft_expectation sum = {.kind = WEFT_EXPECT_SUM, .len_bytes = options->size_bytes};
    weft_schedule_expect(builder, &sum);
    weft_schedule_set_buffer(builder, ring.scratch_bytes +
                                          steps * ring.segment_elements * WEFT_ELEMENT_BYTES);
    weft_schedule_set_decides(builder, true);
    return weft_pattern_end(builder, ret_schedule, error);
}

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1.0) / rank_count;
}

static uint64_t algorithm_bytes(const struct weft_pattern_options *options)
{
    return options->size_bytes;
}

const struct weft_pattern weft_pattern_all_reduce = {
    .name = "all-reduce",
    .summary = "ring all-reduce of float32, in chunks: the gradients of data-parallel training",
    .text =
        "Every rank ends up with the sum of all ranks' vectors: how data-parallel training\n"
        "joins its gradients, once an iteration.\n"
        "\n"
        "Schedule: a ring, float32, in place. The vector is cut into a segment a rank (their\n"
        "lengths differ by at most one element). In n - 1 steps each rank sends a segment to\n"
        "its right and adds the one that comes from its left; in n - 1 more the sums go round.\n"
        "A segment travels in chunks, and a chunk goes on as soon as it was added. Each rank\n"
        "needs scratch space of about the vector's size beside the vector, twice.\n"
        "Options: size, the bytes of the vector on each rank, a multiple of 4 and at least\n"
        "4 a rank; chunk, the most bytes of a message, a multiple of 4 (64 KiB unless told,\n"
        "larger where a segment would be more than 16 chunks).\n"
        "Completion: each rank's, from the start of the iteration until it holds the whole\n"
        "sum; an iteration's is that of the slowest rank.\n"
        "algbw = size / time; busbw = algbw * 2 (n - 1) / n.",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .compile = compile,
};
