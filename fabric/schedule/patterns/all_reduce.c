/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce: every rank ends up with the reduction of all ranks' vectors. What the ways share. */
#include "fabric/schedule/patterns/all_reduce.h"
#include "fabric/schedule/patterns/patterns.h"

static const char *const way_names[] = {
    "ring", "both-ways", "halving-doubling", "two-trees", "one-shot", "hierarchical", NULL,
};
static const struct weft_all_reduce_way *const ways[] = {
    &weft_all_reduce_ring,  &weft_all_reduce_both_ways, &weft_all_reduce_halving,
    &weft_all_reduce_trees, &weft_all_reduce_one_shot,  &weft_all_reduce_hosts,
};

/* One rank on each host is a ring, unless hosts were what was asked for. */
static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    bool hosts = ways[options->algorithm] == &weft_all_reduce_hosts;
    if (options->ranks_per_host > 1 && !hosts)
        return weft_error_set(error, WEFT_INVALID,
                              "all-reduce: 'ranks-per-host' is only for the algorithm "
                              "hierarchical; leave it out, or choose that");
    return ways[options->algorithm]->check(options, error);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    weft_expect_reduced(builder, &vector, 0);
    weft_schedule_set_decides(builder, true);
    return ways[options->algorithm]->build(options, rank, builder, error);
}

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1.0) / rank_count;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)options->size_bytes;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names, .text = "how it is done"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if a part would need more than 16)"},
    {.option = WEFT_OPTION_RANKS_PER_HOST,
     .default_value = 1,
     .text = "consecutive ranks that share a host (hierarchical only)"},
};

const struct weft_pattern weft_pattern_all_reduce = {
    .name = "all-reduce",
    .summary =
        "every rank gets the sum of all ranks' vectors: the gradients of data-parallel training",
    .text =
        "Every rank ends up with the sum of all ranks' vectors. Data-parallel training sums its\n"
        "gradients this way, once an iteration.\n"
        "\n"
        "Schedule: in place. Data travels in chunks, and each chunk is passed on as soon as\n"
        "possible. The algorithms are:\n"
        "ring              the vector is cut into n segments. In n - 1 steps each rank sends a\n"
        "                  segment to its right neighbour and adds the one from its left. In n - "
        "1\n"
        "                  more steps the sums go round the ring. Fewest bytes, most steps.\n"
        "both-ways         two rings in opposite directions, each with half of the vector. They "
        "use\n"
        "                  both directions of every link.\n"
        "halving-doubling  partners at half the ranks' distance exchange half of the vector, then\n"
        "                  a quarter, and so on, and back: 2 log2 n steps. If n is not a power of\n"
        "                  two, each extra rank first gives its vector to a neighbour.\n"
        "two-trees         each half of the vector goes up a binary tree and back down. A rank "
        "that\n"
        "                  has children in one tree is a leaf of the other.\n"
        "one-shot          every rank sends its whole vector to every other rank: one step.\n"
        "hierarchical      the ranks of a host (ranks-per-host consecutive ranks) first sum the\n"
        "                  vector among them, one part each. Each part goes round a ring of the\n"
        "                  ranks with the same position on their hosts (a rail). Then the ranks "
        "of\n"
        "                  a host give each other the results.\n"
        "Completion: the time from the start of the iteration until a rank holds the whole sum;\n"
        "the slowest rank counts.\n"
        "algbw = size / time; busbw = algbw * 2 (n - 1) / n.",
    .size_text = "bytes of the vector on each rank",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
