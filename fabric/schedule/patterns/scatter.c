/* SPDX-License-Identifier: BSD-3-Clause */
/* Scatter: each rank gets its part of what the root has. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/tree.h"

static const char *const way_names[] = {"linear", "binomial", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_tree_check_parts(&weft_pattern_scatter, options, error);
}

/* What has come for the children goes on once all has come. The largest subtrees come first: they
 * have the longest way to go. */
static void hand_out(const struct weft_tree *tree, const struct weft_collective *all)
{
    uint32_t place = weft_tree_place(tree, all->rank);
    struct weft_needs held = {0};
    struct weft_span spans[WEFT_ARC_SPANS];
    uint32_t found = place ? weft_tree_spans(tree, all->options, place, place, spans) : 0;
    for (uint32_t span = 0; span < found; span++)
        weft_receive_span(all, weft_tree_rank(tree, weft_tree_parent(tree, place)), &spans[span],
                          &held);
    for (uint32_t i = weft_tree_child_count(tree, place); i--;) {
        uint32_t child = weft_tree_child(tree, place, i);
        found = weft_tree_spans(tree, all->options, place, child, spans);
        for (uint32_t span = 0; span < found; span++)
            weft_send_span(all, weft_tree_rank(tree, child), &spans[span], &held, NULL);
    }
}

/* Its own part and those that it passes on. */
static void expect(const struct weft_tree *tree, const struct weft_collective *all, uint32_t place)
{
    struct weft_span held[WEFT_ARC_SPANS], whole[WEFT_ARC_SPANS];
    uint32_t found = weft_tree_spans(tree, all->options, place, place, held);
    (void)weft_tree_spans(tree, all->options, 0, place, whole);
    for (uint32_t span = 0; span < found; span++)
        weft_expect_copy(all->builder, &held[span], tree->root, whole[span].offset_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_tree tree = weft_tree_of_parts(options);
    struct weft_collective all = weft_collective_of(options, rank, builder);
    uint32_t place = weft_tree_place(&tree, rank);
    hand_out(&tree, &all);
    expect(&tree, &all, place);
    weft_schedule_set_buffer(builder, weft_tree_held_bytes(&tree, options, place));
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that has all parts (default 0)"},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_scatter = {
    .name = "scatter",
    .summary = "one rank gives each its part: a batch, the pieces of a tensor",
    .text =
        "One rank has a vector, and each rank gets its part of it. This is how one rank "
        "distributes\n"
        "a batch, the pieces of a tensor, or a checkpoint that it has read.\n"
        "\n"
        "Schedule: from 'root'; part sizes differ by at most one byte. The algorithms are:\n"
        "linear    the root sends every rank its part, all at once.\n"
        "binomial  log2 n steps: in each, every rank that has data gives half of it away. The "
        "root\n"
        "          sends few messages, but data travels more than once.\n"
        "Completion: the time from the start of the iteration until a rank has its part and has\n"
        "passed on the parts of others; the slowest rank counts. Ideal: (n - 1) / n * size at the\n"
        "rate of the root's link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes that the root has, one part in n for each rank",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
