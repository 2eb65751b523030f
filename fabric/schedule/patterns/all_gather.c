/* SPDX-License-Identifier: BSD-3-Clause */
/* All-gather: each rank has its part of a vector, and all end up with the whole. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/halves.h"

static const char *const way_names[] = {"ring", "doubling", "one-shot", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_half_check(&weft_pattern_all_gather, options, error);
}

static enum weft_status build_ring(const struct weft_collective *all, struct weft_error *error)
{
    const struct weft_ring ring = weft_half_ring(all, WEFT_RING_GATHER);
    return weft_ring_build(&ring, NULL, error);
}

/* Bruck et al., 1997, without the rotation at the end, for parts lie in their places: at distance d
 * each has the parts of d ranks from itself on, and doubles them. */
static void build_doubling(const struct weft_collective *all)
{
    uint32_t ranks = all->options->rank_count;
    struct weft_needs held = {0};
    for (uint32_t distance = 1; distance < ranks; distance *= 2) {
        uint32_t count = distance < ranks - distance ? distance : ranks - distance;
        uint32_t source = weft_rank_after(all, distance);
        struct weft_span spans[WEFT_ARC_SPANS];
        uint32_t found = weft_arc_spans(all->options, all->rank, count, spans);
        for (uint32_t i = 0; i < found; i++)
            weft_send_span(all, weft_rank_before(all, distance), &spans[i], &held, NULL);
        found = weft_arc_spans(all->options, source, count, spans);
        for (uint32_t i = 0; i < found; i++)
            weft_receive_span(all, source, &spans[i], &held);
    }
}

static void build_one_shot(const struct weft_collective *all)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    uint32_t ranks = all->options->rank_count;
    if (weft_arc_spans(all->options, all->rank, 1, spans))
        for (uint32_t distance = 1; distance < ranks; distance++)
            weft_send_span(all, weft_rank_after(all, distance), &spans[0], NULL, NULL);
    for (uint32_t distance = 1; distance < ranks; distance++)
        if (weft_arc_spans(all->options, weft_rank_before(all, distance), 1, spans))
            weft_receive_span(all, weft_rank_before(all, distance), &spans[0], NULL);
}

static void expect(const struct weft_collective *all)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    for (uint32_t rank = 0; rank < all->options->rank_count; rank++)
        if (weft_arc_spans(all->options, rank, 1, spans))
            weft_expect_copy(all->builder, &spans[0], rank, spans[0].offset_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_collective all = weft_collective_of(options, rank, builder);
    weft_schedule_set_buffer(builder, options->size_bytes);
    weft_schedule_set_decides(builder, true);
    expect(&all);
    if (options->algorithm == WEFT_HALF_RING)
        return build_ring(&all, error);
    if (options->algorithm == WEFT_HALF_STEPS)
        build_doubling(&all);
    else
        build_one_shot(&all);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_all_gather = {
    .name = "all-gather",
    .summary = "every rank gets every rank's part: the weights of sharded training",
    .text =
        "Every rank has one part of a vector. At the end every rank has the whole vector. "
        "Training\n"
        "with sharded weights (FSDP, ZeRO) fetches a layer this way before it computes. It is "
        "also\n"
        "the second half of an all-reduce.\n"
        "\n"
        "Schedule: in place; part sizes differ by at most one byte. The algorithms are:\n"
        "ring      n - 1 steps: each rank passes on to its right neighbour what came from its "
        "left,\n"
        "          in chunks that are passed on as soon as they arrive. Only neighbours talk.\n"
        "doubling  log2 n steps, at distance 1, 2, 4, ...: each rank sends all it has to the rank\n"
        "          at that distance before it. Works for any number of ranks (Bruck).\n"
        "one-shot  every rank sends its part to every other rank, all at once.\n"
        "Completion: the time from the start of the iteration until a rank holds the whole "
        "vector;\n"
        "the slowest rank counts. Ideal: (n - 1) / n * size at the rate of a rank's link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes of the whole vector; each rank has one part in n",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
