/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "fabric/schedule/patterns.h"

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    enum weft_status status = weft_pattern_check_common(&weft_pattern_ping_pong, options, 2,
                                                        &(struct weft_pattern_takes){0}, error);
    if (status != WEFT_OK)
        return status;
    if (options->size_bytes > WEFT_MESSAGE_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "ping-pong: the size is that of one message and has at most %" PRIu64
                              " B, not %" PRIu64 " B",
                              WEFT_MESSAGE_BYTES_MAX, options->size_bytes);
    return WEFT_OK;
}

/* Rank 0 sends from the end of its buffer and takes the answer at its start. */
static void build_first(struct weft_schedule_builder *builder, uint64_t size_bytes)
{
    uint64_t sent_from_bytes = weft_pattern_align(size_bytes, WEFT_ELEMENT_BYTES);
    struct weft_op send = {
        .kind = WEFT_OP_SEND, .peer = 1, .offset_bytes = sent_from_bytes, .len_bytes = size_bytes};
    struct weft_op receive = {.kind = WEFT_OP_RECEIVE, .peer = 1, .len_bytes = size_bytes};
    struct weft_expectation answer = {
        .kind = WEFT_EXPECT_COPY, .from_offset_bytes = sent_from_bytes, .len_bytes = size_bytes};
    (void)weft_schedule_add(builder, &send);
    (void)weft_schedule_add(builder, &receive);
    weft_schedule_expect(builder, &answer);
    weft_schedule_set_buffer(builder, sent_from_bytes + size_bytes);
    weft_schedule_set_decides(builder, true);
}

/* Rank 1 answers with the bytes that it received. */
static void build_second(struct weft_schedule_builder *builder, uint64_t size_bytes)
{
    struct weft_op receive = {.kind = WEFT_OP_RECEIVE, .len_bytes = size_bytes};
    struct weft_op send = {.kind = WEFT_OP_SEND, .len_bytes = size_bytes};
    struct weft_expectation question = {.kind = WEFT_EXPECT_COPY,
                                        .from_offset_bytes =
                                            weft_pattern_align(size_bytes, WEFT_ELEMENT_BYTES),
                                        .len_bytes = size_bytes};
    uint32_t received = weft_schedule_add(builder, &receive);
    uint32_t sent = weft_schedule_add(builder, &send);
    weft_schedule_require(builder, sent, received);
    weft_schedule_expect(builder, &question);
    weft_schedule_set_buffer(builder, size_bytes);
}

static enum weft_status compile(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule **ret_schedule, struct weft_error *error)
{
    enum weft_status status;
    struct weft_schedule_builder *builder =
        weft_pattern_begin(&weft_pattern_ping_pong, options, rank, &status, error);
    if (!builder)
        return status;
    if (rank == 0)
        build_first(builder, options->size_bytes);
    else
        build_second(builder, options->size_bytes);
    return weft_pattern_end(builder, ret_schedule, error);
}

const struct weft_pattern weft_pattern_ping_pong = {
    .name = "ping-pong",
    .summary = "two ranks send one message to and fro: the round trip",
    .text = "Two ranks and one message between them: the time that a parameter server's answer, a\n"
            "key-value cache lookup or any small exchange cannot beat.\n"
            "\n"
            "Schedule: rank 0 sends one message, rank 1 sends the same bytes back once it has\n"
            "them all.\n"
            "Options: size, the bytes of the message (1 B to 1 GiB).\n"
            "Completion: the round trip, as rank 0 sees it, from its send until the answer is\n"
            "there and its own send is acknowledged.\n"
            "It has no algorithmic and no bus bandwidth.",
    .default_ranks = 2,
    .min_ranks = 2,
    .default_size_bytes = 8,
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .compile = compile,
};
