/* SPDX-License-Identifier: BSD-3-Clause */
/* All-to-all: each rank has a part for every rank. The vector that a rank sends is cut into a part
 * a rank; behind it in the buffer is what it gets, in the order in which it comes. */
#include "fabric/schedule/collective.h"

enum way {
    PAIRWISE = 0,
    ONE_SHOT,
};

static const char *const way_names[] = {"pairwise", "one-shot", NULL};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t part_bytes = weft_ceiling(options->size_bytes, options->rank_count);
    return weft_pattern_check_messages(
        &weft_pattern_all_to_all,
        (options->rank_count - UINT64_C(1)) * weft_pattern_chunks(options, part_bytes), error);
}

static void send_to(const struct weft_collective *all, uint32_t peer,
                    const struct weft_needs *needs, struct weft_needs *ret_done)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    if (weft_arc_spans(all->options, peer, 1, spans))
        weft_send_span(all, peer, &spans[0], needs, ret_done);
}

/* A rank gets as much from each as its own part has. */
static void receive_from(struct weft_collective *all, uint32_t peer, struct weft_needs *ret_done)
{
    struct weft_span spans[WEFT_ARC_SPANS];
    if (!weft_arc_spans(all->options, all->rank, 1, spans))
        return;
    struct weft_span place = {.offset_bytes = all->scratch_bytes, .len_bytes = spans[0].len_bytes};
    all->scratch_bytes += place.len_bytes;
    weft_receive_span(all, peer, &place, ret_done);
    weft_expect_copy(all->builder, &place, peer, spans[0].offset_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_collective all = weft_collective_of(options, rank, builder);
    struct weft_needs before = {0};
    for (uint32_t distance = 1; distance < options->rank_count; distance++) {
        struct weft_needs done = {0};
        struct weft_needs *ret_done = options->algorithm == PAIRWISE ? &done : NULL;
        send_to(&all, weft_rank_after(&all, distance), &before, ret_done);
        receive_from(&all, weft_rank_before(&all, distance), ret_done);
        before = done.count ? done : before;
    }
    weft_schedule_set_buffer(builder, all.scratch_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM, .words = way_names},
    WEFT_TAKE_CHUNK_OF_PARTS,
};

const struct weft_pattern weft_pattern_all_to_all = {
    .name = "all-to-all",
    .summary = "every rank sends each other rank a part: experts, transposes, long sequences",
    .text =
        "Every rank has a part for each rank and ends up with one from each: what a mixture of\n"
        "experts does when its tokens are spread evenly, sequence parallelism between attention\n"
        "and the rest, a Fourier transform's transpose. It loads every path of a fabric, and its\n"
        "bisection fully. Uneven parts are all-to-all-v.\n"
        "\n"
        "Out of place; the parts differ by at most a byte, and a rank's own stays where it is:\n"
        "pairwise  n - 1 rounds: in round k rank r sends to r + k and receives from r - k, and\n"
        "          begins the next once both are done. Each rank has one sender at a time.\n"
        "one-shot  all parts at once, in the same order: what a fabric makes of it is its own.\n"
        "Completion: each rank's, from the start of the iteration until it has sent and has all\n"
        "parts; an iteration's is that of the slowest rank. At best (n - 1) / n * size at the\n"
        "rate of a rank's link.\n"
        "algbw = size / time; busbw = algbw * (n - 1) / n.",
    .size_text = "bytes that each rank has for all ranks together, itself included",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_bus_factor_of_parts,
    .algorithm_bytes = weft_algorithm_bytes_of_size,
    .check = check,
    .build = build,
};
