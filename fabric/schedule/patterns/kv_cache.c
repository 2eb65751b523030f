/* SPDX-License-Identifier: BSD-3-Clause */
/* The lower half of the ranks (and the middle one) prefill, the upper half decode: prefill rank i
 * sends to decode rank p + i mod d. */
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

static uint32_t prefills_of(const struct weft_pattern_options *options)
{
    return (options->rank_count + 1) / 2;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    /* A decode rank hears from two at most. */
    return weft_pattern_check_flows(&weft_pattern_kv_cache, options, 2 * options->layers, error);
}

static struct weft_bulk layer_at(const struct weft_pattern_options *options, uint32_t peer,
                                 uint64_t first_bytes, uint64_t layer)
{
    return (struct weft_bulk){.peer = peer,
                              .queue_pairs = (uint32_t)options->queue_pairs,
                              .span = {.offset_bytes = first_bytes + layer * options->size_bytes,
                                       .len_bytes = options->size_bytes},
                              .piece_bytes = options->chunk_bytes};
}

static void build_prefill(const struct weft_pattern_options *options, uint32_t rank,
                          struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    uint32_t prefills = prefills_of(options), computed = WEFT_OP_NONE;
    uint32_t decode = prefills + rank % (options->rank_count - prefills);
    for (uint64_t layer = 0; layer < options->layers; layer++) {
        struct weft_bulk cache = layer_at(options, decode, 0, layer);
        computed = weft_add_calc(builder, options->calc_ns, computed);
        (void)weft_add_bulk(builder, WEFT_OP_SEND, &cache, computed);
    }
    (void)weft_add_receive(builder, decode, &signal, WEFT_OP_NONE);
    weft_schedule_set_buffer(builder, options->layers * options->size_bytes);
    weft_schedule_set_decides(builder, true);
}

/* All of one prompt's cache, and then the signal that it is there. */
static void add_prompt(const struct weft_pattern_options *options, uint32_t prefill,
                       uint64_t first_bytes, struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    struct weft_span all = {.offset_bytes = first_bytes,
                            .len_bytes = options->layers * options->size_bytes};
    uint32_t whole = weft_add_calc(builder, 0, WEFT_OP_NONE);
    for (uint64_t layer = 0; layer < options->layers; layer++) {
        struct weft_bulk cache = layer_at(options, prefill, first_bytes, layer);
        struct weft_ops ops = weft_add_bulk(builder, WEFT_OP_RECEIVE, &cache, WEFT_OP_NONE);
        weft_require_all(builder, whole, ops);
    }
    (void)weft_add_send(builder, prefill, &signal, whole);
    weft_expect_copy(builder, &all, prefill, 0);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    uint32_t prefills = prefills_of(options), decodes = options->rank_count - prefills;
    uint64_t at = 0;
    if (rank < prefills) {
        build_prefill(options, rank, builder);
        return WEFT_OK;
    }
    for (uint32_t prefill = rank - prefills; prefill < prefills; prefill += decodes) {
        add_prompt(options, prefill, at, builder);
        at += options->layers * options->size_bytes;
    }
    weft_schedule_set_buffer(builder, at);
    return WEFT_OK;
}

/* What one prefill rank sends. */
static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)(options->layers * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_LAYERS, .default_value = 16},
    {.option = WEFT_OPTION_CALC, .text = "computation of one layer of prefill, such as 50us"},
    {.option = WEFT_OPTION_CHUNK,
     .default_value = UINT64_C(64) << 10,
     .text = "the largest message: a page of the cache"},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_kv_cache = {
    .name = "kv-cache",
    .summary = "prefill ranks send the cache of a prompt to decode ranks, layer by layer",
    .text =
        "Inference with prefill and decoding on separate machines. The decode rank needs the keys\n"
        "and values that prefill computed before it can make the second token. So the transfer is\n"
        "part of the wait for that token.\n"
        "\n"
        "Schedule: of n ranks the first (n + 1) / 2 do prefill and the others decode. Each "
        "prefill\n"
        "rank has one decode rank (if n is odd, the last prefill rank shares the first decode\n"
        "rank). A prefill rank computes layer by layer, and sends the cache of each layer in "
        "pages\n"
        "as soon as it is computed. A decode rank that has all of a prompt answers with an empty\n"
        "message.\n"
        "Completion: one prompt, measured on the slowest prefill rank from the start of its\n"
        "computation until that answer arrives.\n"
        "algbw = layers * size / time, which is what a prefill rank sends, computation included; "
        "no\n"
        "bus bandwidth. Ideal: the longer of layers * calc and the transfer at the link's rate,\n"
        "plus the transfer of the last layer, plus two hops.",
    .size_text = "bytes of the keys and values of one layer of a prompt",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(256) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
