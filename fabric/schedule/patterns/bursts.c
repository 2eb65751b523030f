/* SPDX-License-Identifier: BSD-3-Clause */
/* Each burst waits for a calculation that starts with the round and lasts until the burst is due,
 * so that no burst makes a later one late. */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/bulk.h"

#define ROUND_NS_MAX UINT64_C(3600000000000)

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t last = options->bursts - 1;
    if (options->period_ns && last > ROUND_NS_MAX / options->period_ns)
        return weft_error_set(error, WEFT_INVALID,
                              "bursts: %" PRIu64 " bursts with %" PRIu64 " ns from one to the next "
                              "last longer than an hour; choose fewer, or a shorter period",
                              options->bursts, options->period_ns);
    enum weft_status status =
        weft_pattern_check_rank(&weft_pattern_bursts, options, WEFT_OPTION_ROOT, error);
    uint64_t flows = (options->rank_count - UINT64_C(1)) * options->bursts;
    return status == WEFT_OK ? weft_pattern_check_flows(&weft_pattern_bursts, options, flows, error)
                             : status;
}

static struct weft_bulk flow_with(const struct weft_pattern_options *options, uint32_t peer)
{
    return (struct weft_bulk){.peer = peer,
                              .queue_pairs = (uint32_t)options->queue_pairs,
                              .span = {.len_bytes = options->size_bytes},
                              .piece_bytes = options->chunk_bytes};
}

static void build_root(const struct weft_pattern_options *options,
                       struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    uint64_t at = 0, from = options->bursts * options->size_bytes;
    uint32_t root = (uint32_t)options->root;
    for (uint32_t peer = 0; peer < options->rank_count; peer++)
        if (peer != root)
            (void)weft_add_send(builder, peer, &signal, WEFT_OP_NONE);
    for (uint32_t peer = 0; peer < options->rank_count; peer++) {
        if (peer == root)
            continue;
        struct weft_span all = {.offset_bytes = at, .len_bytes = from};
        struct weft_bulk flow = flow_with(options, peer);
        for (uint64_t burst = 0; burst < options->bursts; burst++, at += options->size_bytes) {
            flow.span.offset_bytes = at;
            (void)weft_add_bulk(builder, WEFT_OP_RECEIVE, &flow, WEFT_OP_NONE);
        }
        weft_expect_copy(builder, &all, peer, 0);
    }
    weft_schedule_set_buffer(builder, at);
    weft_schedule_set_decides(builder, true);
}

static void build_sender(const struct weft_pattern_options *options,
                         struct weft_schedule_builder *builder)
{
    struct weft_span signal = {0};
    uint32_t gone = weft_add_receive(builder, (uint32_t)options->root, &signal, WEFT_OP_NONE);
    struct weft_bulk flow = flow_with(options, (uint32_t)options->root);
    for (uint64_t burst = 0; burst < options->bursts; burst++) {
        uint32_t due = weft_add_calc(builder, burst * options->period_ns, gone);
        flow.span.offset_bytes = burst * options->size_bytes;
        (void)weft_add_bulk(builder, WEFT_OP_SEND, &flow, due);
    }
    weft_schedule_set_buffer(builder, options->bursts * options->size_bytes);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    if (rank == options->root)
        build_root(options, builder);
    else
        build_sender(options, builder);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)((options->rank_count - UINT64_C(1)) * options->bursts * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_BURSTS, .default_value = 8},
    {.option = WEFT_OPTION_PERIOD, .default_value = 100000},
    {.option = WEFT_OPTION_ROOT, .text = "the rank that all send to (default 0)"},
    {.option = WEFT_OPTION_CHUNK, .default_value = UINT64_C(1) << 20},
    {.option = WEFT_OPTION_QUEUE_PAIRS, .default_value = 1},
};

const struct weft_pattern weft_pattern_bursts = {
    .name = "bursts",
    .summary = "all ranks send to one in bursts with pauses between them",
    .text =
        "Jobs compute, and then all send at once: the average load is low, but buffers fill up.\n"
        "Between bursts queues drain, congestion control raises its rates again, and a link may "
        "go\n"
        "to sleep. The first packets of each burst show the effect. With two ranks this is one "
        "flow\n"
        "that goes on and off.\n"
        "\n"
        "Schedule: a round starts when the root sends an empty message to each other rank. A rank\n"
        "that has received it sends a burst, then one more each period, each to a buffer of its\n"
        "own. A late burst does not delay the bursts after it. If a burst takes longer than the\n"
        "period, there is no pause.\n"
        "Completion: one round, measured on the root from its first empty message until the last\n"
        "byte of the last burst has arrived: at least (bursts - 1) * period. The message latency\n"
        "shows how long a burst took.\n"
        "algbw = (n - 1) * bursts * size / time, which is an average that includes the pauses; no\n"
        "bus bandwidth.",
    .size_text = "bytes of one burst of one sender",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(64) << 10,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
