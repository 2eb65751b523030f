/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0 asks, the others answer. Requests are numbered over all turns, and number p goes to worker
 * p mod (n - 1), which has had p / (n - 1) before. Request and answer lie beside each other at both
 * ends. Turns have queue pairs of their own: on one, the first turn of a job would have to follow
 * the last of the job before. */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

enum {
    SERIAL = 0,
    PARALLEL,
};

static const char *const services[] = {[SERIAL] = "serial", [PARALLEL] = "parallel", NULL};

static uint64_t degree_of(const struct weft_pattern_options *options)
{
    return options->degree ? options->degree : options->rank_count - UINT64_C(1);
}

static uint64_t requests_of(const struct weft_pattern_options *options)
{
    return options->messages * degree_of(options);
}

static uint64_t queue_pairs_of(const struct weft_pattern_options *options)
{
    uint64_t most =
        options->messages < WEFT_QUEUE_PAIRS_MAX ? options->messages : WEFT_QUEUE_PAIRS_MAX;
    return options->queue_pairs ? options->queue_pairs : most;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t workers = options->rank_count - UINT64_C(1);
    if (options->degree > workers)
        return weft_error_set(error, WEFT_INVALID,
                              "fan-out: a degree of %" PRIu64 " is too large for %" PRIu64
                              " workers; choose at most %" PRIu64,
                              options->degree, workers, workers);
    if (options->queue_pairs > options->messages)
        return weft_error_set(error, WEFT_INVALID,
                              "fan-out: %" PRIu64 " turns cannot use %" PRIu64
                              " queue pairs; choose at most %" PRIu64 " queue pairs",
                              options->messages, options->queue_pairs, options->messages);
    enum weft_status status =
        weft_pattern_check_messages(&weft_pattern_fan_out, 2 * requests_of(options), error);
    return status == WEFT_OK ? weft_pattern_check_message(&weft_pattern_fan_out, options, error)
                             : status;
}

static struct weft_span request_at(const struct weft_pattern_options *options, uint64_t index)
{
    return (struct weft_span){.offset_bytes = 2 * index * options->size_bytes,
                              .len_bytes = options->size_bytes};
}

static struct weft_span answer_at(const struct weft_pattern_options *options, uint64_t index)
{
    return (struct weft_span){.offset_bytes = (2 * index + 1) * options->size_bytes,
                              .len_bytes = options->size_bytes};
}

/* A request or an answer. Returns its operation. */
static uint32_t add_message(const struct weft_pattern_options *options,
                            struct weft_schedule_builder *builder, const struct weft_op *message,
                            uint64_t index, uint32_t requires)
{
    struct weft_op op = *message;
    op.queue_pair = (uint32_t)(index / degree_of(options) % queue_pairs_of(options));
    op.len_bytes = options->size_bytes;
    uint32_t added = weft_schedule_add(builder, &op);
    weft_schedule_require(builder, added, requires);
    return added;
}

static void build_asker(const struct weft_pattern_options *options,
                        struct weft_schedule_builder *builder)
{
    uint64_t workers = options->rank_count - UINT64_C(1), degree = degree_of(options);
    uint32_t before = WEFT_OP_NONE;
    for (uint64_t turn = 0; turn < options->messages; turn++) {
        uint32_t answered = weft_add_calc(builder, 0, WEFT_OP_NONE);
        for (uint64_t index = turn * degree; index < (turn + 1) * degree; index++) {
            struct weft_span answer = answer_at(options, index);
            uint32_t worker = 1 + (uint32_t)(index % workers);
            const struct weft_op ask = {.kind = WEFT_OP_SEND,
                                        .peer = worker,
                                        .offset_bytes = request_at(options, index).offset_bytes};
            const struct weft_op hear = {
                .kind = WEFT_OP_RECEIVE, .peer = worker, .offset_bytes = answer.offset_bytes};
            (void)add_message(options, builder, &ask, index, before);
            uint32_t received = add_message(options, builder, &hear, index, WEFT_OP_NONE);
            weft_schedule_require(builder, answered, received);
            weft_expect_copy(builder, &answer, worker,
                             answer_at(options, index / workers).offset_bytes);
        }
        before = answered;
    }
    weft_schedule_set_buffer(builder, 2 * requests_of(options) * options->size_bytes);
    weft_schedule_set_decides(builder, true);
}

static void build_worker(const struct weft_pattern_options *options, uint32_t rank,
                         struct weft_schedule_builder *builder)
{
    uint64_t workers = options->rank_count - UINT64_C(1), count = 0;
    for (uint64_t index = rank - 1; index < requests_of(options); index += workers, count++) {
        struct weft_span request = request_at(options, count);
        const struct weft_op hear = {.kind = WEFT_OP_RECEIVE, .offset_bytes = request.offset_bytes};
        const struct weft_op answer = {.kind = WEFT_OP_SEND,
                                       .offset_bytes = answer_at(options, count).offset_bytes};
        uint32_t received = add_message(options, builder, &hear, index, WEFT_OP_NONE);
        const struct weft_op compute = {.kind = WEFT_OP_CALC,
                                        .duration_ns = options->calc_ns,
                                        .cpu = options->service == SERIAL ? 1 : 0};
        uint32_t computed = weft_schedule_add(builder, &compute);
        weft_schedule_require(builder, computed, received);
        (void)add_message(options, builder, &answer, index, computed);
        weft_expect_copy(builder, &request, 0, request_at(options, index).offset_bytes);
    }
    weft_schedule_set_buffer(builder, 2 * count * options->size_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    if (rank)
        build_worker(options, rank, builder);
    else
        build_asker(options, builder);
    return WEFT_OK;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_MESSAGES,
     .default_value = 4,
     .text = "turns of a job, one after another"},
    {.option = WEFT_OPTION_DEGREE, .text = "workers that one turn asks (default all)"},
    {.option = WEFT_OPTION_CALC, .text = "computation of a worker for a request"},
    {.option = WEFT_OPTION_SERVICE,
     .default_value = SERIAL,
     .text = "how a worker computes for several requests at once",
     .words = services},
    {.option = WEFT_OPTION_QUEUE_PAIRS,
     .text = "connections to a worker; turns alternate between them (default one for each turn)"},
};

const struct weft_pattern weft_pattern_fan_out = {
    .name = "fan-out",
    .summary = "one rank asks many and waits for all answers, turn by turn: agents",
    .text =
        "An agent that calls tools or other agents, a retrieval over many shards, a search tree:\n"
        "each turn asks several workers at once and continues when the last one has answered.\n"
        "Messages are small, and the slowest of many answers decides. So the tail of the latency\n"
        "matters most.\n"
        "\n"
        "Schedule: in each turn rank 0 sends a request to 'degree' workers. They compute and "
        "answer\n"
        "with the same number of bytes. When all answers have arrived, the next turn asks the "
        "next\n"
        "workers in order. An iteration is one job. In a closed loop there is one job at a time.\n"
        "With --rate (and --arrivals poisson) jobs start when they are due, up to 64 at once\n"
        "(--in-flight changes that), and they queue at a busy worker or link. With --messages 1 a\n"
        "job is one request.\n"
        "Completion: all turns of a job, measured on rank 0. completion_intended counts from when\n"
        "the job was due.\n"
        "It has no algorithmic and no bus bandwidth. Ideal: turns * (2 hops + calc).",
    .size_text = "bytes of a request, and of an answer",
    .default_ranks = 8,
    .min_ranks = 2,
    .in_flight = 64,
    .default_size_bytes = UINT64_C(4) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .build = build,
};
