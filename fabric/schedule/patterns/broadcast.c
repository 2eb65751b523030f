/* SPDX-License-Identifier: BSD-3-Clause */
/* Broadcast: all ranks get what the root has. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/tree.h"

static const char *const way_names[] = {"chain", "binomial", NULL};

static struct weft_tree tree_of(const struct weft_pattern_options *options)
{
    return weft_tree_of(options, options->algorithm ? WEFT_TREE_BINOMIAL : WEFT_TREE_CHAIN);
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    struct weft_tree tree = tree_of(options);
    return weft_tree_check_whole(&weft_pattern_broadcast, &tree, options, error);
}

/* The children with the largest subtrees come first: they have the longest way to go. */
static void pass_on(const struct weft_tree *tree, uint32_t place, const struct weft_span *chunk,
                    struct weft_schedule_builder *builder)
{
    uint32_t received = WEFT_OP_NONE;
    if (place)
        received = weft_add_receive(builder, weft_tree_rank(tree, weft_tree_parent(tree, place)),
                                    chunk, WEFT_OP_NONE);
    for (uint32_t child = weft_tree_child_count(tree, place); child--;)
        (void)weft_add_send(builder, weft_tree_rank(tree, weft_tree_child(tree, place, child)),
                            chunk, received);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_tree tree = tree_of(options);
    struct weft_span vector = {.len_bytes = options->size_bytes};
    uint64_t chunks = weft_pattern_chunks(options, options->size_bytes);
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(&vector, i, chunks, 1);
        if (chunk.len_bytes)
            pass_on(&tree, weft_tree_place(&tree, rank), &chunk, builder);
    }
    weft_expect_copy(builder, &vector, tree.root, 0);
    weft_schedule_set_buffer(builder, options->size_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that sends (default 0)"},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if the size would need more than 16)"},
};

const struct weft_pattern weft_pattern_broadcast = {
    .name = "broadcast",
    .summary = "all ranks get the data of one: a model's weights at the start or after an update",
    .text =
        "The data of one rank reaches all others. This is how a model's weights are distributed "
        "at\n"
        "the start, after a checkpoint was loaded, or to the ranks that serve it.\n"
        "\n"
        "Schedule: starting at 'root', in chunks that are passed on as soon as they arrive. The\n"
        "algorithms are:\n"
        "chain     each rank passes the data on to the next. With enough chunks this takes little\n"
        "          longer than one link needs for the size.\n"
        "binomial  a tree: a rank that has a chunk sends it on, first to the rank with the most\n"
        "          ranks behind it. log2 n steps, the fewest for short messages; the root sends\n"
        "          the data log2 n times.\n"
        "Completion: the time from the start of the iteration until a rank has all the data and "
        "has\n"
        "passed it on; the slowest rank counts. Ideal: size at the rate of a link, plus the "
        "latency\n"
        "of each step.\n"
        "algbw = size / time; busbw is the same.",
    .size_text = "bytes that the root has and all others get",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
