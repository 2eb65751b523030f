/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    enum weft_status status =
        weft_pattern_check_rank(&weft_pattern_outcast, options, WEFT_OPTION_ROOT, error);
    return status == WEFT_OK ? weft_pattern_check_flows(&weft_pattern_outcast, options,
                                                        options->rank_count - UINT64_C(1), error)
                             : status;
}

/* Which of the receivers a rank is. */
static uint64_t place_of(const struct weft_pattern_options *options, uint32_t rank)
{
    return rank - (rank > options->root ? UINT64_C(1) : 0);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    uint32_t root = (uint32_t)options->root;
    struct weft_bulk bulk = {.peer = root,
                             .queue_pairs = (uint32_t)options->queue_pairs,
                             .span = {.len_bytes = options->size_bytes},
                             .piece_bytes = options->chunk_bytes};
    if (rank != root) {
        (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &bulk, WEFT_OP_NONE);
        weft_expect_copy(builder, &bulk.span, root, place_of(options, rank) * options->size_bytes);
        weft_schedule_set_buffer(builder, options->size_bytes);
        return WEFT_OK;
    }
    for (uint32_t peer = 0; peer < options->rank_count; peer++) {
        if (peer == root)
            continue;
        bulk.peer = peer;
        bulk.span.offset_bytes = place_of(options, peer) * options->size_bytes;
        (void)weft_add_bulk(builder, WEFT_OP_SEND, &bulk, WEFT_OP_NONE);
    }
    weft_schedule_set_buffer(builder, (options->rank_count - 1) * options->size_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)((options->rank_count - UINT64_C(1)) * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ROOT, .text = "the rank that sends (default 0)"},
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_outcast = {
    .name = "outcast",
    .summary = "one rank sends to all others at once: how a NIC serves many flows",
    .text = "One sender, many receivers: a store that distributes shards of data or of a "
            "checkpoint at\n"
            "the start of a job, or the answers of a parameter server. This depends little on the\n"
            "fabric. It shows how evenly the sender's NIC and driver serve many queue pairs.\n"
            "\n"
            "Schedule: the root sends different data to each of the other n - 1 ranks, to all at "
            "once.\n"
            "Completion: measured on the root, from its first message until the last one is\n"
            "acknowledged.\n"
            "algbw = (n - 1) * size / time, which is what the root sends; busbw is the same. "
            "Ideal: the\n"
            "rate of the root's link.",
    .size_text = "bytes that each receiver gets",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
