/* SPDX-License-Identifier: BSD-3-Clause */
/* From one iteration to the next, and the poll.
 *
 * Several may run at once. All ranks do the same things for each, messages of a channel keep their
 * order and computations take their time, so none overtakes the one before it: the oldest is the
 * first to end. */
#include "fabric/node/internal.h"

static bool measures(const struct weft_node *node)
{
    return node->phase == WEFT_PHASE_MEASURE;
}

static bool records_durations(const struct weft_node *node)
{
    return measures(node) && node->schedule->decides_completion;
}

static bool durations_full(struct weft_node *node)
{
    struct weft_durations *durations = &node->durations;
    uint64_t head = atomic_load_explicit(&durations->head, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&durations->tail, memory_order_acquire);
    return head - taken + (node->begun - node->iteration) >= WEFT_NODE_DURATIONS;
}

static void push_duration(struct weft_node *node, const struct weft_lane *lane)
{
    struct weft_durations *durations = &node->durations;
    uint64_t head = atomic_load_explicit(&durations->head, memory_order_relaxed);
    uint64_t duration_ns = node->now_ns - lane->start_ns;
    durations->values_ns[head & (WEFT_NODE_DURATIONS - 1)] = duration_ns;
    if (durations->intended_ns)
        durations->intended_ns[head & (WEFT_NODE_DURATIONS - 1)] = duration_ns + lane->late_ns;
    atomic_store_explicit(&durations->head, head + 1, memory_order_release);
}

/* The store of `done` gives the phase's state back, so it is the last thing. */
static void finish(struct weft_node *node)
{
    struct weft_lane *lane = &node->lanes[weft_node_lane_of(node, node->iteration)];
    lane->left = node->schedule->op_count;
    if (weft_node_is_full(node))
        weft_open_loop_busy(node);
    node->iteration++;
    if (measures(node)) {
        node->tally.iterations++;
        node->tally.last_end_ns = node->now_ns;
        weft_trace_finish(node, node->iteration - 1);
    }
    if (records_durations(node))
        push_duration(node, lane);
    lane->start_ns = 0;
    atomic_store_explicit(&node->done, node->iteration, memory_order_release);
}

static bool is_complete(const struct weft_node *node, uint64_t iteration)
{
    return !node->lanes[weft_node_lane_of(node, iteration)].left;
}

/* False: there is no room for what the iteration will record. */
static bool has_room(struct weft_node *node)
{
    if (!records_durations(node) || !durations_full(node))
        return true;
    if (!node->stalled)
        node->tally.stalled_iterations++;
    node->stalled = true;
    return false;
}

static bool may_begin(struct weft_node *node, uint64_t granted)
{
    if (weft_node_is_full(node))
        return false;
    if (node->begun < granted && has_room(node))
        return weft_open_loop_is_due(node);
    weft_open_loop_busy(node);
    return false;
}

static void begin(struct weft_node *node)
{
    uint32_t index = weft_node_lane_of(node, node->begun);
    struct weft_lane *lane = &node->lanes[index];
    node->stalled = false;
    node->start_ns = lane->start_ns = node->now_ns;
    if (measures(node)) {
        if (node->begun == atomic_load_explicit(&node->base, memory_order_relaxed)) {
            node->tally.first_start_ns = node->now_ns;
            weft_flows_begin(node);
        }
        weft_series_begin(node);
        weft_trace_begin(node, node->begun);
    }
    node->begun++;
    weft_open_loop_begin(node, lane);
    weft_graph_begin(node, index);
}

/* Receives of all iterations that have a lane may be posted, as far as granted. */
static void open_receives(struct weft_node *node, uint64_t granted)
{
    uint64_t limit = node->iteration + node->lane_mask + 1;
    limit = granted < limit ? granted : limit;
    if (limit <= node->open_limit)
        return;
    for (; node->open_limit < limit; node->open_limit++)
        if (measures(node))
            weft_trace_open(node, node->open_limit);
    for (uint32_t word = 0; word < node->word_count; word++)
        node->receive_ready[word] |= node->has_receives[word];
}

uint32_t weft_node_iterate(struct weft_node *node)
{
    uint32_t done = 0;
    for (; weft_node_runs(node) && is_complete(node, node->iteration); done++)
        finish(node);
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    for (; may_begin(node, granted); done++)
        begin(node);
    if (weft_node_runs(node))
        open_receives(node, granted);
    else if (!weft_open_loop_rests(node, granted))
        node->series_running = false;
    return done;
}

/* One channel a poll: a peer that is lost while nothing is outstanding makes no completion. */
static void watch(struct weft_node *node)
{
    if (!node->channel_count)
        return;
    const struct weft_channel *channel = &node->channels[node->watched];
    node->watched = node->watched + 1 == node->channel_count ? 0 : node->watched + 1;
    if (node->driver->endpoint_state(channel->endpoint, NULL) == WEFT_ENDPOINT_FAILED)
        weft_node_fail_channel(node, channel);
}

uint32_t weft_node_poll(struct weft_node *node, uint64_t now_ns)
{
    if (node->failed_here)
        return 0;
    node->now_ns = now_ns;
    uint32_t done = weft_node_complete(node);
    if (!node->failed_here)
        watch(node);
    if (node->failed_here)
        return done;
    done += weft_node_compute(node);
    done += weft_node_iterate(node);
    if (weft_node_runs(node)) {
        done += weft_node_receive(node);
        done += weft_node_send(node);
    }
    if (node->series_running)
        weft_series_sample(node);
    return done;
}
