/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduce-scatter: each rank ends up with its part of the reduction of all ranks' vectors. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/halves.h"

static const char *const way_names[] = {"ring", "halving", "one-shot", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_half_check(&weft_pattern_reduce_scatter, options, error);
}

static enum weft_status build_ring(struct weft_collective *all, struct weft_error *error)
{
    const struct weft_ring ring = weft_half_ring(all, WEFT_RING_REDUCE);
    all->scratch_bytes += weft_ring_scratch_bytes(&ring);
    return weft_ring_build(&ring, NULL, error);
}

/* The doubling all-gather backwards: there each part reaches every rank once, along a tree; here
 * the sums come down that tree. At distance d a rank gives away what is not of the d ranks from
 * itself on. */
static void build_halving(struct weft_collective *all)
{
    uint32_t ranks = all->options->rank_count, distance = 1;
    struct weft_needs joined = {0};
    while (distance < ranks - distance)
        distance *= 2;
    for (; distance; distance /= 2) {
        uint32_t count = distance < ranks - distance ? distance : ranks - distance;
        uint32_t target = weft_rank_after(all, distance);
        struct weft_needs before = joined;
        struct weft_span spans[WEFT_ARC_SPANS];
        uint32_t found = weft_arc_spans(all->options, target, count, spans);
        for (uint32_t i = 0; i < found; i++)
            weft_send_span(all, target, &spans[i], &before, NULL);
        found = weft_arc_spans(all->options, all->rank, count, spans);
        for (uint32_t i = 0; i < found; i++)
            weft_receive_and_join(all, weft_rank_before(all, distance), &spans[i], &before,
                                  &joined);
    }
}

/* What comes is joined chunk by chunk, one rank's after another's. */
static void join_all(struct weft_collective *all, const struct weft_span *part)
{
    uint64_t chunks = weft_pattern_chunks(all->options, part->len_bytes);
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(part, i, chunks, all->element_bytes);
        uint32_t joined = WEFT_OP_NONE;
        for (uint32_t distance = 1; chunk.len_bytes && distance < all->options->rank_count;
             distance++) {
            struct weft_span scratch = {.offset_bytes = all->scratch_bytes,
                                        .len_bytes = chunk.len_bytes};
            all->scratch_bytes += chunk.len_bytes;
            uint32_t received = weft_add_receive(all->builder, weft_rank_before(all, distance),
                                                 &scratch, WEFT_OP_NONE);
            uint32_t before = joined;
            joined = weft_add_reduce(all->builder, &chunk, scratch.offset_bytes, received);
            weft_schedule_require(all->builder, joined, before);
        }
    }
}

static void build_one_shot(struct weft_collective *all)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    for (uint32_t distance = 1; distance < all->options->rank_count; distance++)
        if (weft_arc_spans(all->options, weft_rank_after(all, distance), 1, spans))
            weft_send_span(all, weft_rank_after(all, distance), &spans[0], NULL, NULL);
    if (weft_arc_spans(all->options, all->rank, 1, spans))
        join_all(all, &spans[0]);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    struct weft_collective all = weft_collective_of(options, rank, builder);
    struct weft_span spans[WEFT_ARC_SPANS];
    if (weft_arc_spans(options, rank, 1, spans))
        weft_expect_reduced(builder, &spans[0], spans[0].offset_bytes);
    if (options->algorithm == WEFT_HALF_RING)
        status = build_ring(&all, error);
    else if (options->algorithm == WEFT_HALF_STEPS)
        build_halving(&all);
    else
        build_one_shot(&all);
    weft_schedule_set_buffer(builder, all.scratch_bytes);
    weft_schedule_set_decides(builder, true);
    return status;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_reduce_scatter = {
    .name = "reduce-scatter",
    .summary = "every rank gets its part of the sum of all vectors: sharded training's gradients",
    .text =
        "Every rank has a vector. At the end each rank has one part in n of the sum of all "
        "vectors.\n"
        "Training with sharded weights (FSDP, ZeRO) sums its gradients this way. It is also the\n"
        "first half of an all-reduce.\n"
        "\n"
        "Schedule: in place; part sizes differ by at most one element. The algorithms are:\n"
        "ring      n - 1 steps: each part goes once round the ring, and each rank adds its own to\n"
        "          it, in chunks that are sent on as soon as they are summed. Only neighbours "
        "talk.\n"
        "halving   log2 n steps: from the largest distance that is a power of two down to 1, each\n"
        "          rank gives away the sums whose owners are nearer to its partner. Works for any\n"
        "          number of ranks.\n"
        "one-shot  every rank sends each other rank its part, all at once.\n"
        "Completion: the time from the start of the iteration until a rank's part is complete; "
        "the\n"
        "slowest rank counts. Ideal: (n - 1) / n * size at the rate of a rank's link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes of the vector on each rank; a rank keeps one part in n",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
