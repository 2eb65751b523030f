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
                              "all-reduce: 'ranks-per-host' belongs to the algorithm hierarchical; "
                              "leave it out, or choose that");
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

static uint64_t algorithm_bytes(const struct weft_pattern_options *options)
{
    return options->size_bytes;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the most bytes of a message (64KiB unless told, more where that made over 16 of a "
             "part of the vector)"},
    {.option = WEFT_OPTION_RANKS_PER_HOST,
     .default_value = 1,
     .text = "hierarchical: ranks in a row that share a host"},
};

const struct weft_pattern weft_pattern_all_reduce = {
    .name = "all-reduce",
    .summary =
        "every rank gets the sum of all ranks' vectors: the gradients of data-parallel training",
    .text =
        "Every rank ends up with the sum of all ranks' vectors: how data-parallel training\n"
        "joins its gradients, once an iteration.\n"
        "\n"
        "In place, in one of these ways; a part of the vector travels in chunks, and each goes on\n"
        "as soon as it can:\n"
        "ring              the vector is cut into a segment a rank. In n - 1 steps each rank "
        "sends\n"
        "                  a segment to its right and joins the one that comes from its left; in\n"
        "                  n - 1 more the sums go round. The fewest bytes, the most steps.\n"
        "both-ways         two rings, each with half of the vector and the other way round: both\n"
        "                  directions of every link are used from and to each neighbour.\n"
        "halving-doubling  partners at half the ranks' distance exchange half of the vector, then\n"
        "                  a quarter, ... and back: 2 log2 n steps. Of ranks beyond a power of "
        "two,\n"
        "                  each gives its vector to a neighbour first.\n"
        "two-trees         each half of the vector goes up a binary tree and comes back down; who\n"
        "                  has children in one tree is a leaf of the other.\n"
        "one-shot          every rank sends its whole vector to every other: one step.\n"
        "hierarchical      the ranks of a host (ranks-per-host in a row) share out the vector, "
        "each\n"
        "                  part goes round a ring of the hosts' ranks of the same place, its "
        "rail,\n"
        "                  and the ranks of a host give each other the results.\n"
        "Completion: each rank's, from the start of the iteration until it holds the whole\n"
        "sum; an iteration's is that of the slowest rank.\n"
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
