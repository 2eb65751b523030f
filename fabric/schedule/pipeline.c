/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipeline parallelism in GPipe's order: all microbatches forward through the stages, then all
 * backward. Activations are those of stage 0 and gradients those of the last stage, passed on
 * unchanged, so that the whole chain is verified. */
#include "fabric/schedule/patterns.h"

/* One stage while it is built. */
struct stage {
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t last_rank;
    uint32_t microbatches;
    uint64_t size_bytes;
    uint64_t calc_ns;
    uint32_t computed; /* the calculation before: a stage computes one thing at a time */
};

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_message(&weft_pattern_pipeline, options, error);
}

static uint64_t activation_at(const struct stage *stage, uint32_t microbatch)
{
    return microbatch * stage->size_bytes;
}

static uint64_t gradient_at(const struct stage *stage, uint32_t microbatch)
{
    return (stage->microbatches + (uint64_t)microbatch) * stage->size_bytes;
}

static uint32_t message(const struct stage *stage, enum weft_op_kind kind, uint32_t peer,
                        uint64_t offset_bytes)
{
    struct weft_op op = {
        .kind = kind, .peer = peer, .offset_bytes = offset_bytes, .len_bytes = stage->size_bytes};
    return weft_schedule_add(stage->builder, &op);
}

/* Computes on what was received, once what was computed before is done. */
static void compute(struct stage *stage, uint32_t received)
{
    struct weft_op op = {.kind = WEFT_OP_CALC, .duration_ns = stage->calc_ns};
    uint32_t computed = weft_schedule_add(stage->builder, &op);
    weft_schedule_require(stage->builder, computed, received);
    weft_schedule_require(stage->builder, computed, stage->computed);
    stage->computed = computed;
}

static void forward(struct stage *stage, uint32_t microbatch)
{
    uint64_t at = activation_at(stage, microbatch);
    uint32_t received = WEFT_OP_NONE;
    if (stage->rank > 0)
        received = message(stage, WEFT_OP_RECEIVE, stage->rank - 1, at);
    compute(stage, received);
    if (stage->rank < stage->last_rank) {
        uint32_t sent = message(stage, WEFT_OP_SEND, stage->rank + 1, at);
        weft_schedule_require(stage->builder, sent, stage->computed);
    }
}

static void backward(struct stage *stage, uint32_t microbatch)
{
    uint64_t at = gradient_at(stage, microbatch);
    uint32_t received = WEFT_OP_NONE;
    if (stage->rank < stage->last_rank)
        received = message(stage, WEFT_OP_RECEIVE, stage->rank + 1, at);
    compute(stage, received);
    if (stage->rank > 0) {
        uint32_t sent = message(stage, WEFT_OP_SEND, stage->rank - 1, at);
        weft_schedule_require(stage->builder, sent, stage->computed);
    }
}

static void expect(const struct stage *stage)
{
    uint64_t half_bytes = stage->microbatches * stage->size_bytes;
    struct weft_expectation activations = {.kind = WEFT_EXPECT_COPY, .len_bytes = half_bytes};
    struct weft_expectation gradients = {.kind = WEFT_EXPECT_COPY,
                                         .rank = stage->last_rank,
                                         .offset_bytes = half_bytes,
                                         .from_offset_bytes = half_bytes,
                                         .len_bytes = half_bytes};
    weft_schedule_expect(stage->builder, &activations);
    weft_schedule_expect(stage->builder, &gradients);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct stage stage = {.builder = builder,
                          .rank = rank,
                          .last_rank = options->rank_count - 1,
                          .microbatches = (uint32_t)options->microbatches,
                          .size_bytes = options->size_bytes,
                          .calc_ns = options->calc_ns,
                          .computed = WEFT_OP_NONE};
    for (uint32_t microbatch = 0; microbatch < stage.microbatches; microbatch++)
        forward(&stage, microbatch);
    for (uint32_t microbatch = stage.microbatches; microbatch-- > 0;)
        backward(&stage, microbatch);
    expect(&stage);
    weft_schedule_set_buffer(builder, UINT64_C(2) * stage.microbatches * stage.size_bytes);
    weft_schedule_set_decides(builder, rank == 0);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_MICROBATCHES, .default_value = 8},
    {.option = WEFT_OPTION_CALC,
     .text = "computation of a stage, a microbatch and direction, such as 50us"},
};

const struct weft_pattern weft_pattern_pipeline = {
    .name = "pipeline",
    .summary = "microbatches through a chain of stages and back: pipeline-parallel training",
    .text = "A model cut into stages, one a rank: activations go forward from stage to stage, and\n"
            "gradients come back. What counts is the latency of each hop, for a stage that waits\n"
            "is a bubble.\n"
            "\n"
            "Schedule: GPipe's order. Microbatch by microbatch a stage receives an activation,\n"
            "computes and passes it on; when all went forward, the gradients of the last stage\n"
            "come back the same way, the last microbatch first. A stage computes one thing at a\n"
            "time.\n"
            "Completion: as rank 0 sees it, from its first computation until it has computed on\n"
            "the last gradient.\n"
            "It has no algorithmic and no bus bandwidth.",
    .size_text = "bytes between two stages, a microbatch and direction",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(256) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .build = build,
};
