/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "fabric/schedule/patterns/all_reduce.h"
#include "fabric/schedule/patterns/patterns.h"

static struct weft_span bucket_at(const struct weft_pattern_options *options, uint64_t bucket)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    return weft_span_part(&vector, bucket, options->buckets, weft_element_of(options));
}

/* Into how many messages a rank's segment of a bucket is cut; the last bucket is the longest. */
static uint64_t chunks_of(const struct weft_pattern_options *options)
{
    uint64_t len_bytes = bucket_at(options, options->buckets - 1).len_bytes;
    return weft_pattern_chunks(
        options, weft_ring_segment_bytes(len_bytes, options->rank_count, weft_element_of(options)));
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t elements = options->size_bytes / weft_element_of(options);
    if (options->buckets > elements)
        return weft_error_set(error, WEFT_INVALID,
                              "data-parallel: %" PRIu64 " elements leave some of %" PRIu64
                              " buckets empty; choose at most %" PRIu64 " buckets",
                              elements, options->buckets, elements);
    uint64_t messages = 2 * (options->rank_count - UINT64_C(1)) * chunks_of(options);
    return weft_pattern_check_messages(&weft_pattern_data_parallel, messages * options->buckets,
                                       error);
}

/* Its scratch space is behind the vector and that of the buckets before. */
static struct weft_ring ring_of(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule_builder *builder, uint64_t bucket)
{
    uint32_t ranks = options->rank_count;
    return (struct weft_ring){.builder = builder,
                              .position = rank,
                              .count = ranks,
                              .left = (rank + ranks - 1) % ranks,
                              .right = (rank + 1) % ranks,
                              .vector = bucket_at(options, bucket),
                              .element_bytes = weft_element_of(options),
                              .chunks = (uint32_t)chunks_of(options)};
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    uint64_t at = weft_align(options->size_bytes, WEFT_SCRATCH_ALIGN_BYTES);
    uint64_t calc_ns = options->calc_ns / options->buckets;
    uint64_t rest_ns = options->calc_ns % options->buckets;
    uint32_t computed = WEFT_OP_NONE;
    for (uint64_t bucket = 0; bucket < options->buckets; bucket++) {
        struct weft_ring ring = ring_of(options, rank, builder, bucket);
        computed = weft_add_calc(builder, calc_ns + (bucket < rest_ns ? 1 : 0), computed);
        ring.requires = computed;
        ring.scratch_bytes = at;
        at += weft_ring_scratch_bytes(&ring);
        enum weft_status status = weft_ring_build(&ring, NULL, error);
        if (status != WEFT_OK)
            return status;
    }
    weft_expect_reduced(builder, &vector, 0);
    weft_schedule_set_buffer(builder, at);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)options->size_bytes;
}

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1.0) / rank_count;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_CALC,
     .default_value = 1000000,
     .text = "computation of the backward pass, all buckets together"},
    {.option = WEFT_OPTION_BUCKETS, .default_value = 4},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if a segment would need more than 16)"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
};

const struct weft_pattern weft_pattern_data_parallel = {
    .name = "data-parallel",
    .summary = "a backward pass whose gradients are reduced while it computes: a training step",
    .text =
        "Each rank has the whole model and a share of the batch. While the backward pass "
        "continues,\n"
        "the gradients that it has finished are summed over all ranks, bucket by bucket, as\n"
        "PyTorch's DistributedDataParallel does. So communication hides behind computation. The\n"
        "figures show what could not be hidden.\n"
        "\n"
        "Schedule: a rank computes one bucket after the other; together they take 'calc'. While "
        "the\n"
        "next bucket is computed, the gradients of the finished one go through a ring all-reduce.\n"
        "Buckets share the connections and keep their order.\n"
        "Completion: the step of the slowest rank, from the start of its computation until it has\n"
        "all reduced gradients: at least calc.\n"
        "algbw = size / time and busbw = algbw * 2 (n - 1) / n, computation included. Ideal: the\n"
        "longer of calc and the all-reduce, plus the all-reduce of the last bucket.",
    .size_text = "bytes of the gradients on each rank",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = bus_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
