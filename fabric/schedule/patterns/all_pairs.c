/* SPDX-License-Identifier: BSD-3-Clause */
/* Every pair of ranks, by the circle method: with an even number m of seats, seat m - 1 stands
 * still and the others turn round it. In round r seat s sits across (2 r - s) mod (m - 1), and the
 * one that would face itself has seat m - 1 across. An odd number of ranks leaves seat m - 1 empty,
 * so each rank rests for a round. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

enum {
    ONE_WAY = 0,
    BOTH_WAYS,
};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t peers = options->rank_count - UINT64_C(1);
    uint64_t flows = (options->direction == BOTH_WAYS ? 2 : 1) * peers;
    return weft_pattern_check_flows(&weft_pattern_all_pairs, options, flows, error);
}

static uint32_t seats_of(uint32_t rank_count)
{
    return rank_count + rank_count % 2;
}

/* May be the empty seat, which is no rank. */
static uint32_t partner_of(uint32_t rank, uint32_t round, uint32_t rank_count)
{
    uint32_t still = seats_of(rank_count) - 1;
    if (rank == still)
        return round;
    uint32_t across = (uint32_t)((2 * (uint64_t)round + still - rank) % still);
    return across == rank ? still : across;
}

/* Receives of later rounds are not posted ahead: their senders would start. Returns what the next
 * round requires. */
static uint32_t add_round(const struct weft_pattern_options *options, uint32_t rank,
                          uint32_t partner, struct weft_schedule_builder *builder, uint32_t before)
{
    bool both = options->direction == BOTH_WAYS;
    uint64_t place = partner + (partner < rank ? UINT64_C(1) : 0);
    struct weft_bulk bulk = {.peer = partner,
                             .queue_pairs = (uint32_t)options->queue_pairs,
                             .span = {.len_bytes = options->size_bytes},
                             .piece_bytes = options->chunk_bytes};
    struct weft_ops ops = {0};
    uint32_t after = weft_add_calc(builder, 0, before);
    if (both || rank < partner) {
        ops = weft_add_bulk(builder, WEFT_OP_SEND, &bulk, before);
        weft_require_all(builder, after, ops);
    }
    if (both || rank > partner) {
        bulk.span.offset_bytes = place * options->size_bytes;
        ops = weft_add_bulk(builder, WEFT_OP_RECEIVE, &bulk, before);
        weft_require_all(builder, after, ops);
        weft_expect_copy(builder, &bulk.span, partner, 0);
    }
    return after;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    uint32_t before = WEFT_OP_NONE;
    for (uint32_t round = 0; round + 1 < seats_of(options->rank_count); round++) {
        uint32_t partner = partner_of(rank, round, options->rank_count);
        if (partner < options->rank_count)
            before = add_round(options, rank, partner, builder, before);
    }
    weft_schedule_set_buffer(builder, options->rank_count * options->size_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

/* One-way, half of them go each way. */
static double algorithm_bytes(const struct weft_pattern_options *options)
{
    uint64_t peers = options->rank_count - UINT64_C(1);
    uint64_t len_bytes = peers * options->size_bytes;
    return options->direction == BOTH_WAYS ? (double)len_bytes : (double)len_bytes / 2;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_DIRECTION,
     .default_value = BOTH_WAYS,
     .text = "from the lower rank of a pair to the higher, or both at once"},
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_all_pairs = {
    .name = "all-pairs",
    .summary = "every pair of ranks in turn, many pairs at a time: acceptance tests",
    .text =
        "A tournament: each rank exchanges data with every other rank, one at a time. Use it to\n"
        "accept a cluster: it finds the cable, port or route that is slower than the rest.\n"
        "result.json has the figures of each rank.\n"
        "\n"
        "Schedule: n - 1 rounds of pairs that share no rank (if n is odd: n rounds, and each rank\n"
        "rests in one). A rank starts the next round when its own exchange is done. It receives\n"
        "nothing of a later round before that.\n"
        "Completion: all rounds, measured on the slowest rank.\n"
        "algbw = (n - 1) * size / time, which is what a rank sends (one-way: half of it, on\n"
        "average); busbw is the same. Ideal: the link's rate, if the fabric is not oversubscribed.",
    .size_text = "bytes that a rank sends to each other rank; it needs n times as much memory",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(64) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
