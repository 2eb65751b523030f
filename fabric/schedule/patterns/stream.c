/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

enum {
    ONE_WAY = 0,
    BOTH_WAYS,
};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    if (options->rank_count % 2)
        return weft_error_set(
            error, WEFT_INVALID, "stream: %u ranks leave one without a partner; choose %u or %u",
            options->rank_count, options->rank_count - 1, options->rank_count + 1);
    if (options->queue_pairs > options->messages)
        return weft_error_set(error, WEFT_INVALID,
                              "stream: %" PRIu64 " messages cannot use %" PRIu64
                              " queue pairs; choose at most %" PRIu64 " queue pairs",
                              options->messages, options->queue_pairs, options->messages);
    enum weft_status status = weft_pattern_check_messages(
        &weft_pattern_stream, (options->direction == BOTH_WAYS ? 2 : 1) * options->messages, error);
    return status == WEFT_OK ? weft_pattern_check_message(&weft_pattern_stream, options, error)
                             : status;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    bool both = options->direction == BOTH_WAYS;
    bool sends = both || rank % 2 == 0, receives = both || rank % 2 == 1;
    uint64_t len_bytes = options->messages * options->size_bytes;
    struct weft_bulk bulk = {.peer = rank ^ 1,
                             .queue_pairs = (uint32_t)options->queue_pairs,
                             .span = {.len_bytes = len_bytes},
                             .piece_bytes = options->size_bytes};
    if (sends)
        (void)weft_add_bulk(builder, WEFT_OP_SEND, &bulk, WEFT_OP_NONE);
    if (receives) {
        bulk.span.offset_bytes = both ? len_bytes : 0;
        (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &bulk, WEFT_OP_NONE);
        weft_expect_copy(builder, &bulk.span, bulk.peer, 0);
    }
    weft_schedule_set_buffer(builder, (both ? 2 : 1) * len_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

/* One direction of one pair. */
static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)(options->messages * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_MESSAGES, .default_value = 16},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
    {.option = WEFT_OPTION_DIRECTION, .default_value = ONE_WAY},
};

const struct weft_pattern weft_pattern_stream = {
    .name = "stream",
    .summary = "pairs of ranks, one message after another: what a link carries",
    .text =
        "Two ranks, or several pairs at once (0 and 1, 2 and 3, ...), with many messages in "
        "flight.\n"
        "It measures the bandwidth of a link, the message rate with small messages, and how many\n"
        "queue pairs a NIC needs for either. perftest's write and send tests make this traffic.\n"
        "\n"
        "Schedule: the even rank of a pair sends its messages one after another, message k on "
        "queue\n"
        "pair k modulo the number of queue pairs. With both-ways the odd rank does the same at "
        "the\n"
        "same time. Each message has a buffer of its own. The next iteration follows without a\n"
        "pause.\n"
        "Completion: one iteration, measured on the slowest rank: its messages are acknowledged,\n"
        "and its partner's have all arrived.\n"
        "algbw = messages * size / time, in one direction of one pair; busbw is the same. Ideal:\n"
        "the link's rate minus headers.",
    .size_text = "bytes of a message, 1 B to 1 GiB",
    .default_ranks = 2,
    .min_ranks = 2,
    .in_flight = 8,
    .default_size_bytes = UINT64_C(64) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
