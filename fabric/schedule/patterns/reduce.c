/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduce: the root gets the reduction of all ranks' vectors. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/tree.h"

static const char *const way_names[] = {"binomial", "chain", NULL};

static struct weft_tree tree_of(const struct weft_pattern_options *options)
{
    return weft_tree_of(options, options->algorithm ? WEFT_TREE_CHAIN : WEFT_TREE_BINOMIAL);
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    struct weft_tree tree = tree_of(options);
    return weft_tree_check_whole(&weft_pattern_reduce, &tree, options, error);
}

/* One chunk: what the children send is joined, the nearest first, and what that makes goes up. */
static void join(const struct weft_tree *tree, const struct weft_collective *all,
                 const struct weft_span *chunk)
{
    uint32_t place = weft_tree_place(tree, all->rank), joined = WEFT_OP_NONE;
    uint32_t children = weft_tree_child_count(tree, place);
    for (uint32_t child = 0; child < children; child++) {
        struct weft_span scratch = {.offset_bytes = (child + UINT64_C(1)) * all->scratch_bytes +
                                                    chunk->offset_bytes,
                                    .len_bytes = chunk->len_bytes};
        uint32_t peer = weft_tree_rank(tree, weft_tree_child(tree, place, child));
        uint32_t received = weft_add_receive(all->builder, peer, &scratch, WEFT_OP_NONE);
        uint32_t next = weft_add_reduce(all->builder, chunk, scratch.offset_bytes, received);
        weft_schedule_require(all->builder, next, joined);
        joined = next;
    }
    if (place)
        (void)weft_add_send(all->builder, weft_tree_rank(tree, weft_tree_parent(tree, place)),
                            chunk, joined);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_tree tree = tree_of(options);
    struct weft_collective all = weft_collective_of(options, rank, builder);
    struct weft_span vector = {.len_bytes = options->size_bytes};
    uint64_t chunks = weft_pattern_chunks(options, options->size_bytes);
    uint64_t children = weft_tree_child_count(&tree, weft_tree_place(&tree, rank));
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(&vector, i, chunks, all.element_bytes);
        if (chunk.len_bytes)
            join(&tree, &all, &chunk);
    }
    if (rank == tree.root)
        weft_expect_reduced(builder, &vector, 0);
    weft_schedule_set_buffer(builder, (1 + children) * all.scratch_bytes);
    weft_schedule_set_decides(builder, rank == tree.root);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that gets the sum (default 0)"},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if the size would need more than 16)"},
};

const struct weft_pattern weft_pattern_reduce = {
    .name = "reduce",
    .summary = "one rank gets the sum of all ranks' vectors: losses, statistics, one owner's part",
    .text =
        "One rank ends up with the sum of all ranks' vectors. This is how losses and statistics "
        "are\n"
        "summed, and gradients if each piece of them has one owner (the first stages of ZeRO).\n"
        "\n"
        "Schedule: towards 'root', in chunks that are sent on as soon as they are summed. The\n"
        "algorithms are:\n"
        "binomial  log2 n steps: in each, half of the remaining ranks give their sums to the "
        "other\n"
        "          half. The root receives log2 n vectors.\n"
        "chain     the sum passes along a row of all ranks. With enough chunks this takes little\n"
        "          longer than one link needs for the size.\n"
        "Completion: measured on the root, from the start of its iteration until it holds the "
        "whole\n"
        "sum. Ideal: size at the rate of a link, plus the latency of each step.\n"
        "algbw = size / time; busbw is the same.",
    .size_text = "bytes of the vector on each rank",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
