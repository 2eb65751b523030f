/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "fabric/schedule/patterns.h"

#define DEFAULT_CHUNK_BYTES (UINT64_C(1) << 20)

static uint64_t chunk_of(const struct weft_pattern_options *options)
{
    uint64_t chunk_bytes = options->chunk_bytes ? options->chunk_bytes : DEFAULT_CHUNK_BYTES;
    return chunk_bytes < options->size_bytes ? chunk_bytes : options->size_bytes;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    static const struct weft_pattern_takes takes = {.chunk = true};
    enum weft_status status = weft_pattern_check_common(&weft_pattern_incast, options,
                                                        WEFT_PATTERN_RANKS_MAX, &takes, error);
    if (status != WEFT_OK)
        return status;
    uint64_t chunk_bytes = chunk_of(options);
    uint64_t messages =
        (options->size_bytes + chunk_bytes - 1) / chunk_bytes * (options->rank_count - UINT64_C(1));
    if (messages > WEFT_PATTERN_MESSAGES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "incast: chunks of %" PRIu64 " B make %" PRIu64
                              " messages a round, more than %" PRIu64 "; choose larger chunks",
                              chunk_bytes, messages, WEFT_PATTERN_MESSAGES_MAX);
    return WEFT_OK;
}

/* Where sender `rank` writes. */
static uint64_t place_of(const struct weft_pattern_options *options, uint32_t rank)
{
    return (rank - 1) * weft_pattern_align(options->size_bytes, WEFT_ELEMENT_BYTES);
}

/* The messages of one flow, at either end. */
static void add_chunks(struct weft_schedule_builder *builder,
                       const struct weft_pattern_options *options, const struct weft_op *like,
                       uint32_t requires)
{
    uint64_t chunk_bytes = chunk_of(options);
    for (uint64_t done = 0; done < options->size_bytes; done += chunk_bytes) {
        uint64_t left = options->size_bytes - done;
        struct weft_op op = *like;
        op.offset_bytes += done;
        op.len_bytes = left < chunk_bytes ? left : chunk_bytes;
        weft_schedule_require(builder, weft_schedule_add(builder, &op), requires);
    }
}

static void build_target(struct weft_schedule_builder *builder,
                         const struct weft_pattern_options *options)
{
    for (uint32_t sender = 1; sender < options->rank_count; sender++) {
        struct weft_op go = {.kind = WEFT_OP_SEND, .peer = sender};
        (void)weft_schedule_add(builder, &go);
    }
    for (uint32_t sender = 1; sender < options->rank_count; sender++) {
        struct weft_op like = {
            .kind = WEFT_OP_RECEIVE, .peer = sender, .offset_bytes = place_of(options, sender)};
        add_chunks(builder, options, &like, WEFT_OP_NONE);
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                        .rank = sender,
                                        .offset_bytes = like.offset_bytes,
                                        .len_bytes = options->size_bytes};
        weft_schedule_expect(builder, &copy);
    }
    weft_schedule_set_buffer(builder, place_of(options, options->rank_count));
    weft_schedule_set_decides(builder, true);
}

static void build_sender(struct weft_schedule_builder *builder,
                         const struct weft_pattern_options *options)
{
    struct weft_op go = {.kind = WEFT_OP_RECEIVE};
    struct weft_op like = {.kind = WEFT_OP_SEND};
    uint32_t gone = weft_schedule_add(builder, &go);
    add_chunks(builder, options, &like, gone);
    weft_schedule_set_buffer(builder, options->size_bytes);
}

static enum weft_status compile(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule **ret_schedule, struct weft_error *error)
{
    enum weft_status status;
    struct weft_schedule_builder *builder =
        weft_pattern_begin(&weft_pattern_incast, options, rank, &status, error);
    if (!builder)
        return status;
    if (rank == 0)
        build_target(builder, options);
    else
        build_sender(builder, options);
    return weft_pattern_end(builder, ret_schedule, error);
}

/* Every byte crosses the link of rank 0 once: that link's rate is the algorithm's. */
static double bus_factor(uint32_t rank_count)
{
    (void)rank_count;
    return 1;
}

static uint64_t algorithm_bytes(const struct weft_pattern_options *options)
{
    return (options->rank_count - UINT64_C(1)) * options->size_bytes;
}

const struct weft_pattern weft_pattern_incast = {
    .name = "incast",
    .summary = "all ranks send to rank 0 at once: what fills one port's buffer",
    .text =
        "Many senders, one receiver: a checkpoint to one store, the answers of many shards, the\n"
        "experts' results that come back to one rank. It fills the buffer of the switch port\n"
        "before rank 0, and shows what the fabric does then.\n"
        "\n"
        "Schedule: a round begins when rank 0 sends a message of no bytes to each of the other\n"
        "n - 1 ranks; each answers with its bytes, all at once, to a place of its own.\n"
        "Options: size, the bytes that each sender sends; chunk, the most bytes of a message\n"
        "(1 MiB unless told).\n"
        "Completion: a round, as rank 0 sees it, from its first signal until the last byte of\n"
        "the last sender is there.\n"
        "algbw = (n - 1) * size / time, what rank 0 takes in; busbw is the same.",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .compile = compile,
};
