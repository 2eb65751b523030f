/* SPDX-License-Identifier: BSD-3-Clause */
/* All-to-all: each rank has a part for every rank. The vector that a rank sends is cut into a part
 * a rank; behind it in the buffer is what it gets, in the order in which it comes. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/collective.h"

enum way {
    PAIRWISE = 0,
    ONE_SHOT,
};

static const char *const way_names[] = {"pairwise", "one-shot", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t part_bytes = weft_ceiling(options->size_bytes, options->rank_count);
    return weft_pattern_check_messages(
        &weft_pattern_all_to_all,
        (options->rank_count - UINT64_C(1)) * weft_pattern_chunks(options, part_bytes), error);
}

/* A rank gets as much from each as its own part has. */
static struct weft_span place_from(struct weft_collective *all, uint32_t peer)
{
    struct weft_span spans[WEFT_ARC_SPANS] = {0};
    if (!weft_arc_spans(all->options, all->rank, 1, spans))
        return (struct weft_span){0};
    struct weft_span place = {.offset_bytes = all->scratch_bytes, .len_bytes = spans[0].len_bytes};
    all->scratch_bytes += place.len_bytes;
    weft_expect_copy(all->builder, &place, peer, spans[0].offset_bytes);
    return place;
}

static struct weft_span part_for(const struct weft_collective *all, uint32_t peer)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    bool found = weft_arc_spans(all->options, peer, 1, spans);
    return found ? spans[0] : (struct weft_span){0};
}

static void build_one_shot(struct weft_collective *all)
{
    for (uint32_t distance = 1; distance < all->options->rank_count; distance++) {
        uint32_t to = weft_rank_after(all, distance), from = weft_rank_before(all, distance);
        struct weft_span sent = part_for(all, to), taken = place_from(all, from);
        weft_send_span(all, to, &sent, NULL, NULL);
        weft_receive_span(all, from, &taken, NULL);
    }
}

/* ---- rounds ---- */

/* A round that begins when the one before is done leaves the link idle for a round trip: that of
 * the last acknowledgement. So the first of several messages goes when all but the last of the
 * round before are done, each way, and the round before that; the others when the last are, too. A
 * rank's messages with another are done in their order, so that the later ones tell. */
struct round {
    struct weft_needs most, all;
};

static void note(struct round *round, uint32_t op, uint64_t chunk, uint64_t chunks)
{
    if (chunk + 1 == chunks)
        weft_needs_add(&round->all, op);
    if (chunk + 2 == chunks || chunks == 1)
        weft_needs_add(&round->most, op);
}

static void require(const struct weft_collective *all, uint32_t op, const struct weft_needs *needs)
{
    for (uint32_t i = 0; i < needs->count; i++)
        weft_schedule_require(all->builder, op, needs->ops[i]);
}

static uint64_t chunks_of(const struct weft_collective *all, const struct weft_span *span)
{
    return span->len_bytes ? weft_pattern_chunks(all->options, span->len_bytes) : 0;
}

/* `before` is the last round, and the one before that. */
static void send_round(const struct weft_collective *all, uint32_t to, const struct round before[2],
                       struct round *round)
{
    struct weft_span part = part_for(all, to);
    uint64_t chunks = chunks_of(all, &part);
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(&part, i, chunks, all->element_bytes);
        uint32_t sent = weft_add_send(all->builder, to, &chunk, WEFT_OP_NONE);
        bool early = i == 0 && chunks > 1;
        require(all, sent, early ? &before[0].most : &before[0].all);
        if (early)
            require(all, sent, &before[1].all);
        note(round, sent, i, chunks);
    }
}

static void receive_round(struct weft_collective *all, uint32_t from, struct round *round)
{
    struct weft_span place = place_from(all, from);
    uint64_t chunks = chunks_of(all, &place);
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(&place, i, chunks, all->element_bytes);
        note(round, weft_add_receive(all->builder, from, &chunk, WEFT_OP_NONE), i, chunks);
    }
}

static void build_rounds(struct weft_collective *all)
{
    struct round before[2] = {0};
    for (uint32_t distance = 1; distance < all->options->rank_count; distance++) {
        struct round round = {0};
        send_round(all, weft_rank_after(all, distance), before, &round);
        receive_round(all, weft_rank_before(all, distance), &round);
        if (!round.all.count) /* nothing for that rank, nor from the other */
            continue;
        before[1] = before[0];
        before[0] = round;
    }
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_collective all = weft_collective_of(options, rank, builder);
    if (options->algorithm == PAIRWISE)
        build_rounds(&all);
    else
        build_one_shot(&all);
    weft_schedule_set_buffer(builder, all.scratch_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_all_to_all = {
    .name = "all-to-all",
    .summary = "every rank sends a part to every other rank: experts, transposes, long sequences",
    .text =
        "Every rank has one part for each rank, and at the end has one part from each. A mixture\n"
        "of experts does this when its tokens are spread evenly; so do sequence parallelism, "
        "before\n"
        "and after attention, and the transpose of a Fourier transform. It loads every path of a\n"
        "fabric, and loads its bisection fully. For uneven parts see all-to-all-v.\n"
        "\n"
        "Schedule: out of place; part sizes differ by at most one byte, and a rank's own part "
        "stays\n"
        "where it is. The algorithms are:\n"
        "pairwise  n - 1 rounds: in round k rank r sends to r + k and receives from r - k, so "
        "each\n"
        "          rank has one sender at a time. A round starts when all but the last message of\n"
        "          the round before are done in both directions, so that links do not idle for a\n"
        "          round trip. With one message a round, it starts when that message is done.\n"
        "one-shot  all parts at once, in the same order. The fabric decides what comes first.\n"
        "Completion: the time from the start of the iteration until a rank has sent and received\n"
        "all parts; the slowest rank counts. Ideal: (n - 1) / n * size at the rate of a rank's "
        "link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes that each rank has for all ranks together, itself included",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
