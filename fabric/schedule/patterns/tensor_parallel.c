/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/patterns/all_reduce.h"
#include "fabric/schedule/patterns/patterns.h"

#define REDUCTIONS_A_LAYER 2u

static uint64_t chunks_of(const struct weft_pattern_options *options)
{
    return weft_pattern_chunks(options,
                               weft_ring_segment_bytes(options->size_bytes, options->rank_count,
                                                       weft_element_of(options)));
}

static struct weft_ring ring_at(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule_builder *builder, uint64_t index)
{
    uint32_t ranks = options->rank_count;
    return (struct weft_ring){
        .builder = builder,
        .position = rank,
        .count = ranks,
        .left = (rank + ranks - 1) % ranks,
        .right = (rank + 1) % ranks,
        .vector = {.offset_bytes = index * options->size_bytes, .len_bytes = options->size_bytes},
        .element_bytes = weft_element_of(options),
        .chunks = (uint32_t)chunks_of(options)};
}

static uint64_t rings_of(const struct weft_pattern_options *options)
{
    return REDUCTIONS_A_LAYER * options->layers;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t messages = 2 * (options->rank_count - UINT64_C(1)) * chunks_of(options);
    return weft_pattern_check_messages(&weft_pattern_tensor_parallel, messages * rings_of(options),
                                       error);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span all = {.len_bytes = rings_of(options) * options->size_bytes};
    uint64_t at = weft_align(all.len_bytes, WEFT_SCRATCH_ALIGN_BYTES);
    uint32_t done = WEFT_OP_NONE;
    for (uint64_t index = 0; index < rings_of(options); index++) {
        struct weft_ring ring = ring_at(options, rank, builder, index);
        ring.requires = weft_add_calc(builder, options->calc_ns, done);
        ring.scratch_bytes = at;
        at += weft_ring_scratch_bytes(&ring);
        enum weft_status status = weft_ring_build(&ring, &done, error);
        if (status != WEFT_OK)
            return status;
    }
    weft_expect_reduced(builder, &all, 0);
    weft_schedule_set_buffer(builder, at);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)(rings_of(options) * options->size_bytes);
}

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1.0) / rank_count;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_LAYERS, .default_value = 4},
    {.option = WEFT_OPTION_CALC, .text = "computation before each all-reduce, such as 50us"},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if a segment would need more than 16)"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
};

const struct weft_pattern weft_pattern_tensor_parallel = {
    .name = "tensor-parallel",
    .summary = "layers with an all-reduce after each half: nothing hides its latency",
    .text =
        "Each layer of the model is divided among all ranks. Its two halves, attention and\n"
        "feed-forward, each end with an all-reduce of the activations (Megatron-LM), and nothing\n"
        "continues before it is done. So its latency adds to the latency of each token.\n"
        "\n"
        "Schedule: a forward pass. Each layer does this twice: compute, then a ring all-reduce.\n"
        "Each step waits for the one before. Every all-reduce has a vector of its own, so each "
        "one\n"
        "can be verified.\n"
        "Completion: the pass of the slowest rank.\n"
        "algbw = 2 * layers * size / time and busbw = algbw * 2 (n - 1) / n, computation\n"
        "included. Ideal: 2 * layers * (calc + 2 (n - 1) hops of size / n).",
    .size_text = "bytes of the activations of one all-reduce; a rank keeps 4 * layers of them",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(64) << 10,
    WEFT_TAKES(takes),
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
