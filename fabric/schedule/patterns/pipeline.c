/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipeline parallelism. A rank holds one stage, or with interleaving several: stage s is the part
 * s / n of rank s mod n. Activations are those of the first stage and gradients those of the last,
 * passed on unchanged, so that the whole chain is verified.
 *
 * All ranks go through forward steps in one order of (microbatch, part), and through backward steps
 * in another; the algorithm says how a rank mixes the two. Between two ranks activations therefore
 * come in one order and gradients in another: where both would go the same way (two ranks,
 * interleaved) they need a queue pair each. */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

enum {
    GPIPE = 0,
    ONE_FORWARD_ONE_BACKWARD,
    INTERLEAVED,
};

static const char *const way_names[] = {"gpipe", "1f1b", "interleaved", NULL};

/* One rank while it is built. */
struct stage {
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t rank_count;
    uint32_t parts;
    uint32_t microbatches;
    uint64_t algorithm;
    uint64_t size_bytes;
    uint64_t calc_ns;
    uint32_t computed; /* the calculation before: a rank computes one thing at a time */
};

static uint32_t parts_of(const struct weft_pattern_options *options)
{
    if (options->algorithm != INTERLEAVED)
        return 1;
    return options->interleave ? (uint32_t)options->interleave : 2;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    if (options->algorithm != INTERLEAVED && options->interleave)
        return weft_error_set(error, WEFT_INVALID,
                              "pipeline: 'interleave' is only for the algorithm interleaved; leave "
                              "it out or choose interleaved");
    if (options->algorithm == INTERLEAVED && options->microbatches % options->rank_count)
        return weft_error_set(error, WEFT_INVALID,
                              "pipeline: interleaved stages need a multiple of %u microbatches, "
                              "the number of ranks, not %" PRIu64 "; choose %" PRIu64,
                              options->rank_count, options->microbatches,
                              weft_align(options->microbatches, options->rank_count));
    enum weft_status status = weft_pattern_check_messages(
        &weft_pattern_pipeline, 4 * options->microbatches * parts_of(options), error);
    return status == WEFT_OK ? weft_pattern_check_message(&weft_pattern_pipeline, options, error)
                             : status;
}

static uint64_t half_bytes(const struct stage *stage)
{
    return (uint64_t)stage->parts * stage->microbatches * stage->size_bytes;
}

/* The activation that a part computes on, and passes on. Gradients lie behind, in the same way. */
static uint64_t activation_at(const struct stage *stage, uint32_t part, uint32_t microbatch)
{
    return ((uint64_t)part * stage->microbatches + microbatch) * stage->size_bytes;
}

static uint32_t message(const struct stage *stage, enum weft_op_kind kind, uint32_t peer,
                        uint32_t queue_pair, uint64_t offset_bytes)
{
    struct weft_op op = {.kind = kind,
                         .peer = peer,
                         .queue_pair = stage->algorithm == INTERLEAVED ? queue_pair : 0,
                         .offset_bytes = offset_bytes,
                         .len_bytes = stage->size_bytes};
    return weft_schedule_add(stage->builder, &op);
}

/* Computes on what was received, once what was computed before is done. */
static void compute(struct stage *stage, uint32_t received)
{
    uint32_t computed = weft_add_calc(stage->builder, stage->calc_ns, received);
    weft_schedule_require(stage->builder, computed, stage->computed);
    stage->computed = computed;
}

static uint32_t next_of(const struct stage *stage)
{
    return (stage->rank + 1) % stage->rank_count;
}

static uint32_t previous_of(const struct stage *stage)
{
    return (stage->rank + stage->rank_count - 1) % stage->rank_count;
}

static bool is_first(const struct stage *stage, uint32_t part)
{
    return !stage->rank && !part;
}

static bool is_last(const struct stage *stage, uint32_t part)
{
    return stage->rank + 1 == stage->rank_count && part + 1 == stage->parts;
}

static void forward(struct stage *stage, uint32_t part, uint32_t microbatch)
{
    uint64_t at = activation_at(stage, part, microbatch);
    uint32_t received = WEFT_OP_NONE;
    if (!is_first(stage, part))
        received = message(stage, WEFT_OP_RECEIVE, previous_of(stage), 0, at);
    compute(stage, received);
    if (!is_last(stage, part)) {
        uint32_t sent = message(stage, WEFT_OP_SEND, next_of(stage), 0, at);
        weft_schedule_require(stage->builder, sent, stage->computed);
    }
}

static void backward(struct stage *stage, uint32_t part, uint32_t microbatch)
{
    uint64_t at = half_bytes(stage) + activation_at(stage, part, microbatch);
    uint32_t received = WEFT_OP_NONE;
    if (!is_last(stage, part))
        received = message(stage, WEFT_OP_RECEIVE, next_of(stage), 1, at);
    compute(stage, received);
    if (!is_first(stage, part)) {
        uint32_t sent = message(stage, WEFT_OP_SEND, previous_of(stage), 1, at);
        weft_schedule_require(stage->builder, sent, stage->computed);
    }
}

/* Step `step` of the order that all ranks have: as many microbatches as there are ranks through all
 * parts, then the next so many. With one part that is microbatch by microbatch. */
static void forward_step(struct stage *stage, uint32_t step)
{
    uint32_t group = stage->rank_count * stage->parts, within = step % group;
    if (stage->parts == 1)
        forward(stage, 0, step);
    else
        forward(stage, within / stage->rank_count,
                step / group * stage->rank_count + within % stage->rank_count);
}

static void backward_step(struct stage *stage, uint32_t step)
{
    uint32_t group = stage->rank_count * stage->parts, within = step % group;
    if (stage->algorithm == GPIPE)
        backward(stage, 0, stage->microbatches - 1 - step);
    else if (stage->parts == 1)
        backward(stage, 0, step);
    else
        backward(stage, stage->parts - 1 - within / stage->rank_count,
                 step / group * stage->rank_count + within % stage->rank_count);
}

/* Forward steps before the first backward step. */
static uint32_t ahead_of(const struct stage *stage)
{
    uint32_t steps = stage->microbatches * stage->parts;
    uint64_t behind = stage->rank_count - 1 - stage->rank;
    uint64_t ahead = steps;
    if (stage->algorithm == ONE_FORWARD_ONE_BACKWARD)
        ahead = behind;
    else if (stage->algorithm == INTERLEAVED)
        ahead = 2 * behind + (stage->parts - UINT64_C(1)) * stage->rank_count;
    return ahead < steps ? (uint32_t)ahead : steps;
}

static void add_steps(struct stage *stage)
{
    uint32_t steps = stage->microbatches * stage->parts, ahead = ahead_of(stage);
    for (uint32_t step = 0; step < ahead; step++)
        forward_step(stage, step);
    for (uint32_t step = ahead; step < steps; step++) {
        forward_step(stage, step);
        backward_step(stage, step - ahead);
    }
    for (uint32_t step = steps - ahead; step < steps; step++)
        backward_step(stage, step);
}

static void expect(const struct stage *stage)
{
    uint32_t last = stage->rank_count - 1;
    uint64_t part_bytes = stage->microbatches * stage->size_bytes;
    uint64_t last_bytes = half_bytes(stage) + (stage->parts - 1) * part_bytes;
    for (uint32_t part = 0; part < stage->parts; part++) {
        struct weft_span activations = {.offset_bytes = part * part_bytes, .len_bytes = part_bytes};
        struct weft_span gradients = activations;
        gradients.offset_bytes += half_bytes(stage);
        weft_expect_copy(stage->builder, &activations, 0, 0);
        weft_expect_copy(stage->builder, &gradients, last, last_bytes);
    }
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct stage stage = {.builder = builder,
                          .rank = rank,
                          .rank_count = options->rank_count,
                          .parts = parts_of(options),
                          .microbatches = (uint32_t)options->microbatches,
                          .algorithm = options->algorithm,
                          .size_bytes = options->size_bytes,
                          .calc_ns = options->calc_ns,
                          .computed = WEFT_OP_NONE};
    add_steps(&stage);
    expect(&stage);
    weft_schedule_set_buffer(builder, 2 * half_bytes(&stage));
    weft_schedule_set_decides(builder, rank == 0);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_ALGORITHM,
     .default_value = GPIPE,
     .words = way_names,
     .text = "the order in which a rank computes"},
    {.option = WEFT_OPTION_MICROBATCHES, .default_value = 8},
    {.option = WEFT_OPTION_INTERLEAVE, .text = "stages on each rank (interleaved only; default 2)"},
    {.option = WEFT_OPTION_CALC,
     .text = "computation of a stage for each microbatch and direction, such as 50us"},
};

const struct weft_pattern weft_pattern_pipeline = {
    .name = "pipeline",
    .summary = "microbatches through a chain of stages and back: pipeline-parallel training",
    .text =
        "A model is cut into stages, one on each rank. Activations go forward from stage to "
        "stage,\n"
        "and gradients come back. The latency of each hop matters, because a stage that waits is "
        "a\n"
        "bubble.\n"
        "\n"
        "Schedule: for each microbatch a stage receives an activation, computes and passes it on.\n"
        "The gradients of the last stage come back the same way. A rank computes one thing at a\n"
        "time, in the order of the algorithm:\n"
        "gpipe        all microbatches forward, then all backward, the last one first\n"
        "1f1b         first as many forward as there are stages after the rank, then one forward\n"
        "             and one backward in turn; fewer activations are kept\n"
        "interleaved  a rank has several stages, n ranks apart, and 1f1b goes round them: smaller\n"
        "             bubbles, more messages. The number of microbatches must be a multiple of n\n"
        "Completion: measured on rank 0, from its first computation until the end of its\n"
        "computation on the last gradient.\n"
        "It has no algorithmic and no bus bandwidth. Ideal of gpipe and 1f1b with m microbatches:\n"
        "2 (m + n - 1) * calc and 2 (n - 1) hops.",
    .size_text = "bytes between two stages, for each microbatch and direction",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(256) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .build = build,
};
