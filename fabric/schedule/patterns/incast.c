/* SPDX-License-Identifier: BSD-3-Clause */
/* Seats count from the root: it has seat 0. The senders follow, and the last seats are pairs of
 * victims, each a source and the rank that it sends to. */
#include "fabric/schedule/patterns/incast.h"

#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

static uint32_t senders_of(const struct weft_pattern_options *options)
{
    return options->rank_count - 1 - 2 * (uint32_t)options->victims;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t pairs_max = (options->rank_count - UINT64_C(2)) / 2;
    if (options->victims > pairs_max)
        return weft_error_set(
            error, WEFT_INVALID,
            "incast: %" PRIu64 " victims take two ranks each beside a root and a "
            "sender: %" PRIu64 " ranks, not %u; choose at most %" PRIu64 " victims, or more ranks",
            options->victims, 2 * options->victims + 2, options->rank_count, pairs_max);
    enum weft_status status =
        weft_pattern_check_rank(&weft_pattern_incast, options, WEFT_OPTION_ROOT, error);
    return status == WEFT_OK
               ? weft_pattern_check_flows(&weft_pattern_incast, options, senders_of(options), error)
               : status;
}

static uint32_t rank_at(const struct weft_pattern_options *options, uint32_t seat)
{
    return (uint32_t)((seat + options->root) % options->rank_count);
}

static struct weft_bulk flow_to(const struct weft_pattern_options *options, uint32_t peer_seat)
{
    return (struct weft_bulk){.peer = rank_at(options, peer_seat),
                              .queue_pairs = (uint32_t)options->queue_pairs,
                              .span = {.len_bytes = options->size_bytes},
                              .piece_bytes = options->chunk_bytes};
}

/* Is it the seat of a victim's receiver? */
static bool is_bystander(const struct weft_pattern_options *options, uint32_t seat)
{
    return seat > senders_of(options) && (seat - senders_of(options)) % 2 == 0;
}

static void build_root(const struct weft_pattern_options *options,
                       struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    uint32_t senders = senders_of(options);
    for (uint32_t seat = 1; seat < options->rank_count; seat++)
        if (!is_bystander(options, seat))
            (void)weft_add_send(builder, rank_at(options, seat), &signal, WEFT_OP_NONE);
    for (uint32_t seat = 1; seat <= senders; seat++) {
        struct weft_bulk flow = flow_to(options, seat);
        flow.span.offset_bytes = (seat - 1) * options->size_bytes;
        (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &flow, WEFT_OP_NONE);
        weft_expect_copy(builder, &flow.span, flow.peer, 0);
    }
    weft_schedule_set_buffer(builder, senders * options->size_bytes);
    weft_schedule_set_decides(builder, true);
}

static void build_sender(const struct weft_pattern_options *options, uint32_t to_seat,
                         struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    struct weft_bulk flow = flow_to(options, to_seat);
    uint32_t gone = weft_add_receive(builder, rank_at(options, 0), &signal, WEFT_OP_NONE);
    (void)weft_add_bulk(builder, WEFT_OP_SEND, &flow, gone);
    weft_schedule_set_buffer(builder, options->size_bytes);
}

static void build_bystander(const struct weft_pattern_options *options, uint32_t seat,
                            struct weft_schedule_builder *builder)
{
    struct weft_bulk flow = flow_to(options, seat - 1);
    (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &flow, WEFT_OP_NONE);
    weft_expect_copy(builder, &flow.span, flow.peer, 0);
    weft_schedule_set_buffer(builder, options->size_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    uint32_t ranks = options->rank_count;
    uint32_t seat = (uint32_t)((rank + (uint64_t)ranks - options->root) % ranks);
    if (!seat)
        build_root(options, builder);
    else if (seat <= senders_of(options))
        build_sender(options, 0, builder);
    else if (is_bystander(options, seat))
        build_bystander(options, seat, builder);
    else
        build_sender(options, seat + 1, builder);
    return WEFT_OK;
}

uint32_t weft_incast_victims(const struct weft_pattern *pattern,
                             const struct weft_pattern_options *options)
{
    return pattern == &weft_pattern_incast ? (uint32_t)options->victims : 0;
}

void weft_incast_victim(const struct weft_pattern_options *options, uint32_t index,
                        uint32_t *ret_from, uint32_t *ret_to)
{
    uint32_t seat = senders_of(options) + 1 + 2 * index;
    *ret_from = rank_at(options, seat);
    *ret_to = rank_at(options, seat + 1);
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)(senders_of(options) * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that all send to (default 0)"},
    {.option = WEFT_OPTION_VICTIMS,
     .text = "other flows at the same time, each between two more ranks (default none)"},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_incast = {
    .name = "incast",
    .summary = "all ranks send to rank 0 at once: fills the buffer of one switch port",
    .text =
        "Many senders, one receiver: a checkpoint to one store, the answers of many shards, the\n"
        "experts' results that return to one rank. It fills the buffer of the switch port that\n"
        "leads to the root (rank 0 by default), and shows what the fabric does then.\n"
        "\n"
        "Schedule: a round starts when the root sends an empty message to each of the other n - 1\n"
        "ranks. Each answers with its data, all at once, into a buffer of its own.\n"
        "With v victims, the last 2 v ranks (counted from the root) do not send to the root but\n"
        "form pairs. The root's empty message starts a flow of the same size from the first to "
        "the\n"
        "second rank of each pair. Their own ports are not congested. So what they lose, they "
        "lose\n"
        "to pauses that spread, or to links that they share with the senders.\n"
        "Completion: one round, measured on the root from its first empty message until the last\n"
        "byte of the last sender has arrived. 'victims' in result.json shows what the victims'\n"
        "flows got, median and worst, and its share of their links' rate.\n"
        "algbw = senders * size / time, which is what the root receives; busbw is the same. "
        "Ideal:\n"
        "the rate of the root's link.",
    .size_text = "bytes that each sender sends",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
