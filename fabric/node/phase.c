/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's side of a run. */
#include <assert.h>

#include "fabric/node/internal.h"

static uint64_t done_of(const struct weft_node *node)
{
    return atomic_load_explicit(&node->done, memory_order_acquire);
}

static void clear_tally(struct weft_tally *tally)
{
    struct weft_hist *latency_ns = tally->latency_ns;
    struct weft_hist *bandwidth_bps = tally->bandwidth_bps;
    weft_hist_clear(latency_ns);
    weft_hist_clear(bandwidth_bps);
    *tally = (struct weft_tally){.latency_ns = latency_ns, .bandwidth_bps = bandwidth_bps};
}

/* An iteration of VERIFY has a lane to itself. */
static uint8_t *lane_of_pass(const struct weft_node *node, uint32_t pass)
{
    uint64_t base = atomic_load_explicit(&node->base, memory_order_relaxed);
    return weft_node_lane(node, weft_node_lane_of(node, base + pass));
}

void weft_node_start(struct weft_node *node, const struct weft_phase_options *options)
{
    assert(options->phase < WEFT_PHASE_COUNT);
    if (atomic_load_explicit(&node->failed, memory_order_acquire))
        return;
    uint64_t done = done_of(node);
    assert(done == atomic_load_explicit(&node->granted, memory_order_relaxed));
    atomic_store_explicit(&node->base, done, memory_order_relaxed);
    node->phase = options->phase;
    node->reduce = options->reduce || options->phase == WEFT_PHASE_VERIFY;
    clear_tally(&node->tally);
    node->unrecorded = false;
    atomic_store_explicit(&node->more, false, memory_order_relaxed);
    weft_trace_reset(node);
    weft_open_loop_clear(node);
    atomic_store_explicit(&node->durations.tail,
                          atomic_load_explicit(&node->durations.head, memory_order_acquire),
                          memory_order_release);
    for (uint32_t pass = 0; options->phase == WEFT_PHASE_VERIFY && pass <= node->lane_mask; pass++)
        weft_verify_fill(node->schedule, lane_of_pass(node, pass), pass);
}

void weft_node_grant(struct weft_node *node, uint64_t iterations)
{
    uint64_t base = atomic_load_explicit(&node->base, memory_order_relaxed);
    assert(iterations <= UINT64_MAX / 2);
    assert(base + iterations >= atomic_load_explicit(&node->granted, memory_order_relaxed));
    /* A lane is filled once, and a second sum over it would not be the one expected. */
    assert(node->phase != WEFT_PHASE_VERIFY || iterations <= node->lane_mask + 1);
    atomic_store_explicit(&node->granted, base + iterations, memory_order_release);
}

void weft_node_expect_grant(struct weft_node *node, bool more)
{
    atomic_store_explicit(&node->more, more, memory_order_relaxed);
}

bool weft_node_wants_grant(const struct weft_node *node)
{
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    return atomic_load_explicit(&node->more, memory_order_relaxed) &&
           granted - done_of(node) < weft_node_grant_margin(node->in_flight);
}

void weft_node_record(struct weft_node *node, bool records)
{
    node->unrecorded = !records;
    if (!records)
        return;
    weft_hist_clear(node->tally.latency_ns);
    weft_hist_clear(node->tally.bandwidth_bps);
    weft_open_loop_forget(node);
    if (node->series_running)
        weft_series_restart(node);
}

uint64_t weft_node_iterations_done(const struct weft_node *node)
{
    return done_of(node) - atomic_load_explicit(&node->base, memory_order_relaxed);
}

void weft_node_verify(const struct weft_node *node, struct weft_verify_result *ret_result)
{
    assert(node->phase == WEFT_PHASE_VERIFY);
    *ret_result = (struct weft_verify_result){0};
    uint64_t iterations = weft_node_iterations_done(node);
    for (uint32_t pass = 0; pass < iterations; pass++)
        weft_verify_check(node->schedule, lane_of_pass(node, pass), pass, ret_result);
}

uint32_t weft_node_take_completions(struct weft_node *node, uint64_t *durations_ns,
                                    uint64_t *intended_ns, uint32_t count)
{
    struct weft_durations *durations = &node->durations;
    uint64_t tail = atomic_load_explicit(&durations->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&durations->head, memory_order_acquire);
    uint32_t taken = 0;
    for (; taken < count && tail != head; taken++, tail++) {
        uint64_t at = tail & (WEFT_NODE_DURATIONS - 1);
        durations_ns[taken] = durations->values_ns[at];
        if (intended_ns)
            intended_ns[taken] =
                durations->intended_ns ? durations->intended_ns[at] : durations->values_ns[at];
    }
    atomic_store_explicit(&durations->tail, tail, memory_order_release);
    return taken;
}

uint32_t weft_node_take_durations(struct weft_node *node, uint64_t *durations_ns, uint32_t count)
{
    return weft_node_take_completions(node, durations_ns, NULL, count);
}

static uint64_t read_word(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Of the flows that this rank sends. The worker goes on while they are read. */
static void collect_rates(const struct weft_node *node, struct weft_flow_rates *rates)
{
    *rates = (struct weft_flow_rates){.slowest_bps = UINT64_MAX, .lowest_bps = UINT64_MAX};
    for (uint32_t i = 0; i < node->channel_count; i++) {
        const struct weft_channel *channel = &node->channels[i];
        const struct weft_endpoint_counters *counters =
            node->driver->endpoint_counters(channel->endpoint);
        uint64_t rate_bps = read_word(&counters->rate_bps);
        uint64_t least_bps = read_word(&counters->least_rate_bps);
        if (!rate_bps || !channel->send_count)
            continue;
        rates->flows++;
        if (rate_bps < rates->slowest_bps)
            rates->slowest_bps = rate_bps;
        if (rate_bps > rates->fastest_bps)
            rates->fastest_bps = rate_bps;
        if (least_bps < rates->lowest_bps)
            rates->lowest_bps = least_bps;
    }
    if (!rates->flows)
        *rates = (struct weft_flow_rates){0};
}

void weft_node_measured(const struct weft_node *node, struct weft_node_measured *ret_measured)
{
    (void)done_of(node); /* what the worker wrote before it is visible now */
    const struct weft_tally *tally = &node->tally;
    *ret_measured = (struct weft_node_measured){.latency_ns = tally->latency_ns,
                                                .bandwidth_bps = tally->bandwidth_bps,
                                                .sent_messages = tally->sent_messages,
                                                .sent_bytes = tally->sent_bytes,
                                                .received_messages = tally->received_messages,
                                                .received_bytes = tally->received_bytes,
                                                .first_start_ns = tally->first_start_ns,
                                                .last_end_ns = tally->last_end_ns,
                                                .stalled_iterations = tally->stalled_iterations,
                                                .iterations = tally->iterations};
    weft_open_loop_measured(node, &ret_measured->open_loop);
    collect_rates(node, &ret_measured->rates);
    weft_flows_measured(node, &ret_measured->spread);
}
