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

static uint64_t algorithm_bytes(const struct weft_pattern_options *options)
{
    return options->size_bytes;
}

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1.0) / rank_count;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_CALC,
     .default_value = 1000000,
     .text = "computation of the backward pass, over all buckets"},
    {.option = WEFT_OPTION_BUCKETS, .default_value = 4},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the most bytes of a message (64KiB unless told, a segment in 16 at most)"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
};

const struct weft_pattern weft_pattern_data_parallel = {
    .name = "data-parallel",
    .summary = "a backward pass whose gradients are reduced while it computes: a training step",
    .text =
        "Each rank has the whole model and a share of the batch. As the backward pass goes, the\n"
        "gradients of the layers behind it are reduced over all ranks, bucket by bucket (what\n"
        "PyTorch's DistributedDataParallel does), so that communication hides behind\n"
        "computation. What shows is what does not hide.\n"
        "\n"
        "Schedule: a rank computes for one bucket after the other, together as long as 'calc'\n"
        "says. The gradients of a bucket that is computed go through a ring all-reduce while the\n"
        "next is computed; buckets share the connections and go in their order.\n"
        "Completion: the slowest rank's step, from the start of its computation until it has all\n"
        "gradients reduced: at least calc.\n"
        "algbw = size / time and busbw = algbw * 2 (n - 1) / n, computation included. Ideal: the\n"
        "longer of calc and the all-reduce, and the last bucket's all-reduce behind.",
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
