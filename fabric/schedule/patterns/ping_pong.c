/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_message(&weft_pattern_ping_pong, options, error);
}

/* Rank 0 sends from the end of its buffer and takes the answer at its start; rank 1 answers with
 * the bytes that it received. */
static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_span front = {.len_bytes = options->size_bytes};
    struct weft_span back = {.offset_bytes = options->size_bytes, .len_bytes = options->size_bytes};
    if (rank == 0) {
        (void)weft_add_send(builder, 1, &back, WEFT_OP_NONE);
        (void)weft_add_receive(builder, 1, &front, WEFT_OP_NONE);
        weft_schedule_set_buffer(builder, 2 * options->size_bytes);
    } else {
        uint32_t received = weft_add_receive(builder, 0, &front, WEFT_OP_NONE);
        (void)weft_add_send(builder, 0, &front, received);
        weft_schedule_set_buffer(builder, options->size_bytes);
    }
    weft_expect_copy(builder, &front, 0, back.offset_bytes);
    weft_schedule_set_decides(builder, rank == 0);
    return WEFT_OK;
}

const struct weft_pattern weft_pattern_ping_pong = {
    .name = "ping-pong",
    .summary = "two ranks send one message back and forth: the round trip",
    .text =
        "Two ranks and one message between them. No small exchange, such as the answer of a\n"
        "parameter server or a lookup in a key-value cache, can be faster than this.\n"
        "\n"
        "Schedule: rank 0 sends one message. When rank 1 has all of it, it sends the same bytes\n"
        "back.\n"
        "Completion: the round trip, measured on rank 0 from its send until the answer has "
        "arrived\n"
        "and its own send is acknowledged.\n"
        "It has no algorithmic and no bus bandwidth.",
    .size_text = "bytes of the message, 1 B to 1 GiB",
    .default_ranks = 2,
    .min_ranks = 2,
    .max_ranks = 2,
    .default_size_bytes = 8,
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .build = build,
};
