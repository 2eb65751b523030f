/* SPDX-License-Identifier: BSD-3-Clause */
/* The first ranks are servers, the others workers. Each server has a part of the vector; a part of
 * no elements is left out at both ends. */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

static uint32_t workers_of(const struct weft_pattern_options *options)
{
    return options->rank_count - (uint32_t)options->servers;
}

static struct weft_span part_of(const struct weft_pattern_options *options, uint64_t server)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    return weft_span_part(&vector, server, options->servers, weft_element_of(options));
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    if (options->servers >= options->rank_count)
        return weft_error_set(error, WEFT_INVALID,
                              "parameter-server: %" PRIu64
                              " servers of %u ranks leave no worker; choose at most %u",
                              options->servers, options->rank_count, options->rank_count - 1);
    uint64_t len_bytes = part_of(options, options->servers - 1).len_bytes;
    if (len_bytes > WEFT_MESSAGE_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "parameter-server: a server's part is one message, and %" PRIu64
                              " B are more than %" PRIu64 " B; choose more servers or a smaller "
                              "size",
                              len_bytes, WEFT_MESSAGE_BYTES_MAX);
    return WEFT_OK;
}

/* What comes back goes where the worker's own gradients were, once those have gone. */
static void build_worker(const struct weft_pattern_options *options,
                         struct weft_schedule_builder *builder)
{
    struct weft_expectation reduced = {.kind = WEFT_EXPECT_REDUCED,
                                       .rank = (uint32_t)options->servers,
                                       .rank_count = workers_of(options),
                                       .len_bytes = options->size_bytes};
    uint32_t computed = weft_add_calc(builder, options->calc_ns, WEFT_OP_NONE);
    for (uint32_t server = 0; server < options->servers; server++) {
        struct weft_span part = part_of(options, server);
        if (!part.len_bytes)
            continue;
        uint32_t sent = weft_add_send(builder, server, &part, computed);
        (void)weft_add_receive(builder, server, &part, sent);
    }
    weft_schedule_expect(builder, &reduced);
    weft_schedule_set_buffer(builder, options->size_bytes);
    weft_schedule_set_decides(builder, true);
}

/* The first worker's gradients come into place, the others' are joined one after the other. */
static void build_server(const struct weft_pattern_options *options, uint32_t rank,
                         struct weft_schedule_builder *builder)
{
    struct weft_span part = part_of(options, rank);
    struct weft_span sum = {.len_bytes = part.len_bytes};
    struct weft_expectation reduced = {.kind = WEFT_EXPECT_REDUCED,
                                       .rank = (uint32_t)options->servers,
                                       .rank_count = workers_of(options),
                                       .from_offset_bytes = part.offset_bytes,
                                       .len_bytes = part.len_bytes};
    uint64_t apart_bytes = weft_align(part.len_bytes, WEFT_SCRATCH_ALIGN_BYTES);
    uint32_t joined = WEFT_OP_NONE;
    if (!part.len_bytes)
        return;
    for (uint32_t i = 0; i < workers_of(options); i++) {
        struct weft_span place = {.offset_bytes = i * apart_bytes, .len_bytes = part.len_bytes};
        uint32_t worker = (uint32_t)options->servers + i;
        uint32_t received = weft_add_receive(builder, worker, &place, WEFT_OP_NONE);
        uint32_t before = joined;
        joined = i ? weft_add_reduce(builder, &sum, place.offset_bytes, received) : received;
        weft_schedule_require(builder, joined, before);
    }
    for (uint32_t i = 0; i < workers_of(options); i++)
        (void)weft_add_send(builder, (uint32_t)options->servers + i, &sum, joined);
    weft_schedule_expect(builder, &reduced);
    weft_schedule_set_buffer(builder, workers_of(options) * apart_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    if (rank < options->servers)
        build_server(options, rank, builder);
    else
        build_worker(options, builder);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)options->size_bytes;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_SERVERS, .default_value = 1, .text = "servers: the first N ranks"},
    {.option = WEFT_OPTION_CALC, .text = "computation of a worker's step, such as 50us"},
    {.option = WEFT_OPTION_TYPE},
    {.option = WEFT_OPTION_OPERATOR},
};

const struct weft_pattern weft_pattern_parameter_server = {
    .name = "parameter-server",
    .summary = "workers push gradients to servers and pull the result",
    .text =
        "Recommendation models and federated training keep parameters on servers. All workers "
        "push\n"
        "their gradients (an incast at each server), then pull the result (an outcast).\n"
        "\n"
        "Schedule: the first ranks are servers, each with one part of the vector; the others are\n"
        "workers. A worker computes, then sends each server its part in one message. A server "
        "that\n"
        "has received the part of every worker sums them up and sends the result to all workers.\n"
        "Completion: the step of the slowest worker, from the start of its computation until it "
        "has\n"
        "received all parts of the result.\n"
        "algbw = size / time, which is what a worker pushes and also what it pulls; no bus\n"
        "bandwidth. Ideal with s servers and w workers: 2 w * size / s at the rate of a server's\n"
        "link, plus calc.",
    .size_text = "bytes of the gradients of a worker",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(1) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
