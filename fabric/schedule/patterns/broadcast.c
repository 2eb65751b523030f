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
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names},
    {.option = WEFT_OPTION_ROOT},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the most bytes of a message (64KiB unless told, more where that made over 16)"},
};

const struct weft_pattern weft_pattern_broadcast = {
    .name = "broadcast",
    .summary = "all ranks get what one has: a model's weights at the start, or after an update",
    .text =
        "One rank's bytes reach all others: how a model's weights are handed out at the start,\n"
        "after a checkpoint was loaded, or to the ranks that serve it.\n"
        "\n"
        "Schedule: from 'root' on, in chunks that go on as soon as they have come:\n"
        "chain     each rank passes them on to the next one. With enough chunks the whole takes\n"
        "          hardly longer than one link needs for the size.\n"
        "binomial  who has a chunk sends it on, to those first who have the most ranks to serve:\n"
        "          log2 n steps, the fewest for what is short; the root sends log2 n times.\n"
        "Completion: each rank's, from the start of the iteration until it has all bytes and has\n"
        "passed them on; an iteration's is that of the slowest rank. At best size at the rate of\n"
        "a link, and a latency for each rank or step on the way.\n"
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
