/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/patterns.h"

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t flows = options->rank_count - UINT64_C(1);
    return weft_pattern_check_messages(
        &weft_pattern_incast, weft_ceiling(options->size_bytes, options->chunk_bytes) * flows,
        error);
}

typedef uint32_t add_function(struct weft_schedule_builder *builder, uint32_t peer,
                              const struct weft_span *span, uint32_t requires);

/* The messages of one flow, at either end. */
static void add_chunks(struct weft_schedule_builder *builder,
                       const struct weft_pattern_options *options, add_function *add, uint32_t peer,
                       uint64_t offset_bytes, uint32_t requires)
{
    for (uint64_t done = 0; done < options->size_bytes; done += options->chunk_bytes) {
        uint64_t left = options->size_bytes - done;
        struct weft_span chunk = {.offset_bytes = offset_bytes + done,
                                  .len_bytes =
                                      left < options->chunk_bytes ? left : options->chunk_bytes};
        (void)add(builder, peer, &chunk, requires);
    }
}

static void build_target(const struct weft_pattern_options *options,
                         struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    for (uint32_t sender = 1; sender < options->rank_count; sender++)
        (void)weft_add_send(builder, sender, &signal, WEFT_OP_NONE);
    for (uint32_t sender = 1; sender < options->rank_count; sender++) {
        struct weft_span place = {.offset_bytes = (sender - 1) * options->size_bytes,
                                  .len_bytes = options->size_bytes};
        add_chunks(builder, options, weft_add_receive, sender, place.offset_bytes, WEFT_OP_NONE);
        weft_expect_copy(builder, &place, sender, 0);
    }
    weft_schedule_set_buffer(builder, (options->rank_count - 1) * options->size_bytes);
    weft_schedule_set_decides(builder, true);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_span signal = {0};
    if (rank == 0) {
        build_target(options, builder);
        return WEFT_OK;
    }
    uint32_t gone = weft_add_receive(builder, 0, &signal, WEFT_OP_NONE);
    add_chunks(builder, options, weft_add_send, 0, 0, gone);
    weft_schedule_set_buffer(builder, options->size_bytes);
    return WEFT_OK;
}

/* Every byte crosses the link of rank 0 once: that link's rate is the algorithm's. */
static double bus_factor(uint32_t rank_count)
{
    (void)rank_count;
    return 1;
}

static uint64_t algorithm_bytes(const struct weft_pattern_options *options)
{
    return (options->rank_count - UINT64_C(1)) * options->size_bytes;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
};

const struct weft_pattern weft_pattern_incast = {
    .name = "incast",
    .summary = "all ranks send to rank 0 at once: what fills one port's buffer",
    .text =
        "Many senders, one receiver: a checkpoint to one store, the answers of many shards, the\n"
        "experts' results that come back to one rank. It fills the buffer of the switch port\n"
        "before rank 0, and shows what the fabric does then.\n"
        "\n"
        "Schedule: a round begins when rank 0 sends a message of no bytes to each of the other\n"
        "n - 1 ranks; each answers with its bytes, all at once, to a place of its own.\n"
        "Completion: a round, as rank 0 sees it, from its first signal until the last byte of\n"
        "the last sender is there.\n"
        "algbw = (n - 1) * size / time, what rank 0 takes in; busbw is the same.",
    .size_text = "bytes that each sender sends",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    WEFT_TAKES(takes),
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
