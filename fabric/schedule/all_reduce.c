/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce: every rank ends up with the reduction of all ranks' vectors. What the ways share. */
#include "fabric/schedule/all_reduce.h"

/* Below this a message costs more than the overlap gains. */
#define DEFAULT_CHUNK_BYTES (UINT64_C(64) << 10)
#define DEFAULT_CHUNKS_MAX UINT64_C(16)

static const char *const way_names[] = {"ring", NULL};
static const struct weft_all_reduce_way *const ways[] = {&weft_all_reduce_ring};

uint64_t weft_all_reduce_chunks(const struct weft_pattern_options *options, uint64_t len_bytes)
{
    uint64_t chunks = 1;
    if (options->chunk_bytes)
        chunks = weft_ceiling(len_bytes, options->chunk_bytes);
    else
        chunks = weft_ceiling(len_bytes, DEFAULT_CHUNK_BYTES);
    if (!options->chunk_bytes && chunks > DEFAULT_CHUNKS_MAX)
        chunks = DEFAULT_CHUNKS_MAX;
    uint64_t needed = weft_ceiling(len_bytes, WEFT_MESSAGE_BYTES_MAX);
    return chunks < needed ? needed : chunks;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
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
};

const struct weft_pattern weft_pattern_all_reduce = {
    .name = "all-reduce",
    .summary =
        "every rank gets the sum of all ranks' vectors: the gradients of data-parallel training",
    .text =
        "Every rank ends up with the sum of all ranks' vectors: how data-parallel training\n"
        "joins its gradients, once an iteration.\n"
        "\n"
        "ring: in place. The vector is cut into a segment a rank (their\n"
        "lengths differ by at most one element). In n - 1 steps each rank sends a segment to\n"
        "its right and adds the one that comes from its left; in n - 1 more the sums go round.\n"
        "A segment travels in chunks, and a chunk goes on as soon as it was added. Each rank\n"
        "needs scratch space of about the vector's size beside the vector, twice.\n"
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
