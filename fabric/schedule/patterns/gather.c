/* SPDX-License-Identifier: BSD-3-Clause */
/* Gather: the root gets a part from every rank. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/tree.h"

static const char *const way_names[] = {"linear", "binomial", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_tree_check_parts(&weft_pattern_gather, options, error);
}

/* What a rank sends goes once all of its children's has come. */
static void collect(const struct weft_tree *tree, const struct weft_collective *all)
{
    uint32_t place = weft_tree_place(tree, all->rank);
    uint32_t children = weft_tree_child_count(tree, place);
    struct weft_needs held = {0};
    struct weft_span spans[WEFT_ARC_SPANS];
    for (uint32_t i = 0; i < children; i++) {
        uint32_t child = weft_tree_child(tree, place, i);
        uint32_t found = weft_tree_spans(tree, all->options, place, child, spans);
        for (uint32_t span = 0; span < found; span++)
            weft_receive_span(all, weft_tree_rank(tree, child), &spans[span], place ? &held : NULL);
    }
    if (!place)
        return;
    uint32_t found = weft_tree_spans(tree, all->options, place, place, spans);
    for (uint32_t span = 0; span < found; span++)
        weft_send_span(all, weft_tree_rank(tree, weft_tree_parent(tree, place)), &spans[span],
                       &held, NULL);
}

/* Each rank's own part is the first thing in its buffer; the root's lies in its place. */
static void expect(const struct weft_collective *all)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    for (uint32_t rank = 0; rank < all->options->rank_count; rank++)
        if (weft_arc_spans(all->options, rank, 1, spans))
            weft_expect_copy(all->builder, &spans[0], rank,
                             rank == all->rank ? spans[0].offset_bytes : 0);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_tree tree = weft_tree_of_parts(options);
    struct weft_collective all = weft_collective_of(options, rank, builder);
    uint32_t place = weft_tree_place(&tree, rank);
    collect(&tree, &all);
    if (!place)
        expect(&all);
    weft_schedule_set_buffer(builder, weft_tree_held_bytes(&tree, options, place));
    weft_schedule_set_decides(builder, !place);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that gets all parts (default 0)"},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_gather = {
    .name = "gather",
    .summary = "one rank gets a part from each: results, metrics, a checkpoint on one rank",
    .text =
        "Every rank sends its part of a vector to one rank. This is how results, metrics or the\n"
        "pieces of a checkpoint are collected.\n"
        "\n"
        "Schedule: towards 'root'; part sizes differ by at most one byte. The algorithms are:\n"
        "linear    every rank sends its part to the root at once: an incast.\n"
        "binomial  log2 n steps: in each, half of the remaining ranks give all they have to the\n"
        "          other half. The root receives few messages, but data travels more than once.\n"
        "Completion: measured on the root, from the start of its iteration until it holds all\n"
        "parts. Ideal: (n - 1) / n * size at the rate of the root's link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes that the root ends up with, one part in n from each rank",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
