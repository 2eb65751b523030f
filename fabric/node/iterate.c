/* SPDX-License-Identifier: BSD-3-Clause */
/* From one iteration to the next, and the poll.
 *
 * Several may run at once. All ranks do the same things for each, messages of a channel keep their
 * order and computations take their time, so none overtakes the one before it: the oldest is the
 * first to end. */
#include "fabric/node/steps.h"

static bool records_durations(const struct weft_node *node)
{
    return weft_node_measures(node) && node->setup.schedule->decides_completion;
}

static bool durations_full(struct weft_node *node)
{
    struct weft_node_shared *shared = &node->shared;
    uint64_t head = atomic_load_explicit(&shared->durations_head, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&shared->durations_tail, memory_order_acquire);
    uint64_t under_way = node->worker.begun - node->worker.iteration;
    return head - taken + under_way >= WEFT_NODE_DURATIONS;
}

static void push_duration(struct weft_node *node, const struct weft_lane *lane)
{
    struct weft_node_shared *shared = &node->shared;
    uint64_t head = atomic_load_explicit(&shared->durations_head, memory_order_relaxed);
    uint64_t at = head & (WEFT_NODE_DURATIONS - 1);
    uint64_t duration_ns = node->worker.now_ns - lane->start_ns;
    node->setup.durations_ns[at] = duration_ns;
    if (node->setup.intended_ns)
        node->setup.intended_ns[at] = duration_ns + lane->late_ns;
    atomic_store_explicit(&shared->durations_head, head + 1, memory_order_release);
}

/* The store of `done` gives the tally back, so it is the last thing. */
static void finish(struct weft_node *node)
{
    struct weft_lane *lane =
        &node->worker.lanes[weft_node_lane_of(&node->setup, node->worker.iteration)];
    lane->left = node->setup.schedule->op_count;
    if (weft_node_is_full(node))
        weft_open_loop_busy(node);
    node->worker.iteration++;
    if (weft_node_measures(node)) {
        node->tally.iterations++;
        node->tally.last_end_ns = node->worker.now_ns;
        weft_trace_finish(node, node->worker.iteration - 1);
    }
    if (records_durations(node))
        push_duration(node, lane);
    lane->start_ns = 0;
    atomic_store_explicit(&node->shared.done, node->worker.iteration, memory_order_release);
}

static bool is_complete(const struct weft_node *node, uint64_t iteration)
{
    return !node->worker.lanes[weft_node_lane_of(&node->setup, iteration)].left;
}

/* False: there is no room for what the iteration will record. */
static bool has_room(struct weft_node *node)
{
    if (!records_durations(node) || !durations_full(node))
        return true;
    if (!node->worker.stalled)
        node->tally.stalled_iterations++;
    node->worker.stalled = true;
    return false;
}

static bool may_begin(struct weft_node *node, uint64_t granted)
{
    if (weft_node_is_full(node))
        return false;
    if (node->worker.begun < granted && has_room(node))
        return weft_open_loop_is_due(node);
    weft_open_loop_busy(node);
    return false;
}

static void begin(struct weft_node *node)
{
    uint32_t index = weft_node_lane_of(&node->setup, node->worker.begun);
    struct weft_lane *lane = &node->worker.lanes[index];
    node->worker.stalled = false;
    node->worker.start_ns = lane->start_ns = node->worker.now_ns;
    if (weft_node_measures(node)) {
        if (node->worker.begun == atomic_load_explicit(&node->shared.base, memory_order_relaxed)) {
            node->tally.first_start_ns = node->worker.now_ns;
            weft_flows_begin(node);
        }
        weft_series_begin(node);
        weft_trace_begin(node, node->worker.begun);
    }
    node->worker.begun++;
    weft_open_loop_begin(node, lane);
    weft_graph_begin(node, index);
}

/* Receives of all iterations that have a lane may be posted, as far as granted. */
static void open_receives(struct weft_node *node, uint64_t granted)
{
    uint64_t limit = node->worker.iteration + node->setup.lane_mask + 1;
    limit = granted < limit ? granted : limit;
    if (limit <= node->worker.open_limit)
        return;
    for (; node->worker.open_limit < limit; node->worker.open_limit++)
        if (weft_node_measures(node))
            weft_trace_open(node, node->worker.open_limit);
    for (uint32_t word = 0; word < node->setup.word_count; word++)
        node->worker.receive_ready[word] |= node->setup.has_receives[word];
}

uint32_t weft_node_iterate(struct weft_node *node)
{
    uint32_t done = 0;
    for (; weft_node_runs(node) && is_complete(node, node->worker.iteration); done++)
        finish(node);
    uint64_t granted = atomic_load_explicit(&node->shared.granted, memory_order_acquire);
    for (; may_begin(node, granted); done++)
        begin(node);
    if (weft_node_runs(node))
        open_receives(node, granted);
    else if (!weft_open_loop_rests(node, granted))
        node->worker.series_running = false;
    return done;
}

/* One channel a poll: a peer that is lost while nothing is outstanding makes no completion. */
static void watch(struct weft_node *node)
{
    if (!node->setup.channel_count)
        return;
    const struct weft_channel *channel = &node->worker.channels[node->worker.watched];
    node->worker.watched =
        node->worker.watched + 1 == node->setup.channel_count ? 0 : node->worker.watched + 1;
    if (node->setup.driver->endpoint_state(channel->setup.endpoint, NULL) == WEFT_ENDPOINT_FAILED)
        weft_node_fail_channel(node, channel);
}

void weft_node_record(struct weft_node *node, bool records)
{
    node->tally.unrecorded = !records;
    if (!records)
        return;
    weft_tally_forget(&node->tally);
    if (node->worker.series_running)
        weft_series_restart(node);
}

uint32_t weft_node_poll(struct weft_node *node, uint64_t now_ns)
{
    if (node->worker.failed)
        return 0;
    node->worker.now_ns = now_ns;
    uint32_t done = weft_node_complete(node);
    if (!node->worker.failed)
        watch(node);
    if (node->worker.failed)
        return done;
    done += weft_node_compute(node);
    done += weft_node_iterate(node);
    if (weft_node_runs(node)) {
        done += weft_node_receive(node);
        done += weft_node_send(node);
    }
    if (node->worker.series_running)
        weft_series_sample(node);
    return done;
}
