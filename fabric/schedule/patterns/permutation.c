/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"
#include "fabric/schedule/shapes/shuffle.h"

enum {
    SHIFT = 0,
    RANDOM,
    BISECTION,
};

static const char *const way_names[] = {"shift", "random", "bisection", NULL};

static enum weft_status refuse_idle(const char *option, const char *way, struct weft_error *error)
{
    return weft_error_set(
        error, WEFT_INVALID,
        "permutation: '%s' is only for the algorithm %s; leave it out or choose %s", option, way,
        way);
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    if (options->algorithm != SHIFT && options->shift)
        return refuse_idle("shift", "shift", error);
    if (options->algorithm != RANDOM && options->seed)
        return refuse_idle("pattern-seed", "random", error);
    if (options->shift >= options->rank_count)
        return weft_error_set(error, WEFT_INVALID,
                              "permutation: a shift of %" PRIu64
                              " is too large for %u ranks; choose at most %u",
                              options->shift, options->rank_count, options->rank_count - 1);
    if (options->algorithm == BISECTION && options->rank_count % 2)
        return weft_error_set(
            error, WEFT_INVALID,
            "permutation: %u ranks cannot be divided into two halves; choose %u or %u",
            options->rank_count, options->rank_count - 1, options->rank_count + 1);
    return weft_pattern_check_flows(&weft_pattern_permutation, options, 2, error);
}

/* Whom a rank sends to, and whom it hears from. At random: all ranks stand in a circle in an order
 * that is drawn, and each sends to the next, so that none sends to itself. */
static void find_partners(const struct weft_pattern_options *options, uint32_t rank, uint32_t *to,
                          uint32_t *from)
{
    uint32_t ranks = options->rank_count;
    uint32_t shift = options->shift ? (uint32_t)options->shift : 1;
    if (options->algorithm == BISECTION)
        shift = ranks / 2;
    *to = (uint32_t)(((uint64_t)rank + shift) % ranks);
    *from = (uint32_t)(((uint64_t)rank + ranks - shift) % ranks);
    if (options->algorithm != RANDOM)
        return;
    uint32_t place = weft_shuffle_place(ranks, options->seed, rank);
    *to = weft_shuffle_at(ranks, options->seed, (place + 1) % ranks);
    *from = weft_shuffle_at(ranks, options->seed, (place + ranks - 1) % ranks);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    uint32_t to = 0, from = 0;
    find_partners(options, rank, &to, &from);
    struct weft_bulk bulk = {.peer = to,
                             .queue_pairs = (uint32_t)options->queue_pairs,
                             .span = {.len_bytes = options->size_bytes},
                             .piece_bytes = options->chunk_bytes};
    (void)weft_add_bulk(builder, WEFT_OP_SEND, &bulk, WEFT_OP_NONE);
    bulk.peer = from;
    bulk.span.offset_bytes = options->size_bytes;
    (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &bulk, WEFT_OP_NONE);
    weft_expect_copy(builder, &bulk.span, from, 0);
    weft_schedule_set_buffer(builder, 2 * options->size_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)options->size_bytes;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM,
     .default_value = SHIFT,
     .words = way_names,
     .text = "who sends to whom"},
    {.option = WEFT_OPTION_SHIFT, .text = "rank r sends to r + N modulo n (shift only; default 1)"},
    {.option = WEFT_OPTION_SEED, .text = "seed of the order (random only)"},
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_permutation = {
    .name = "permutation",
    .summary = "every rank sends to one rank and receives from one: routing under full load",
    .text =
        "All host links are fully loaded in both directions, and none is overloaded. So what is\n"
        "lost, is lost inside the fabric: because ECMP puts two flows on one link, or because "
        "there\n"
        "are too few links between the switches.\n"
        "\n"
        "Schedule: rank r sends its data to one other rank, all at once. The algorithms are:\n"
        "shift      rank r sends to r + N modulo n: one step of an all-to-all, or the neighbour "
        "in\n"
        "           a ring.\n"
        "random     the ranks form a ring in an order drawn from the seed; each sends to the "
        "next.\n"
        "bisection  each rank of the lower half exchanges with the rank at the same position in "
        "the\n"
        "           upper half. This fills the middle of the fabric.\n"
        "Completion: measured on the slowest rank: all its data is acknowledged, and all the data\n"
        "for it has arrived.\n"
        "algbw = size / time, which is what a rank sends; busbw is the same. Ideal: the link's "
        "rate.",
    .size_text = "bytes that a rank sends",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
