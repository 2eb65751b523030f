/* SPDX-License-Identifier: BSD-3-Clause */
/* From one iteration to the next, and the poll. */
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
    return head - atomic_load_explicit(&durations->tail, memory_order_acquire) ==
           WEFT_NODE_DURATIONS;
}

static void push_duration(struct weft_node *node)
{
    struct weft_durations *durations = &node->durations;
    uint64_t head = atomic_load_explicit(&durations->head, memory_order_relaxed);
    uint64_t duration_ns = node->now_ns - node->start_ns;
    durations->values_ns[head & (WEFT_NODE_DURATIONS - 1)] = duration_ns;
    if (durations->intended_ns)
        durations->intended_ns[head & (WEFT_NODE_DURATIONS - 1)] =
            duration_ns + node->open_loop.late_ns;
    atomic_store_explicit(&durations->head, head + 1, memory_order_release);
}

/* The store of `done` gives the phase's state back, so it is the last thing. */
static void finish(struct weft_node *node)
{
    node->left[node->lane] = node->schedule->op_count;
    node->running = false;
    node->iteration++;
    if (measures(node)) {
        node->tally.iterations++;
        node->tally.last_end_ns = node->now_ns;
        weft_trace_finish(node, node->iteration - 1);
    }
    if (records_durations(node))
        push_duration(node);
    weft_open_loop_busy(node);
    atomic_store_explicit(&node->done, node->iteration, memory_order_release);
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
    if (node->running)
        return false;
    if (node->iteration < granted && has_room(node))
        return weft_open_loop_is_due(node);
    weft_open_loop_busy(node);
    return false;
}

static void begin(struct weft_node *node)
{
    node->stalled = false;
    node->running = true;
    node->start_ns = node->now_ns;
    node->lane = weft_node_lane_of(node, node->iteration);
    if (measures(node)) {
        if (!node->tally.iterations) {
            node->tally.first_start_ns = node->now_ns;
            weft_flows_begin(node);
        }
        weft_series_begin(node);
        weft_trace_begin(node);
    }
    weft_open_loop_begin(node);
    weft_graph_begin(node, node->lane);
}

/* Receives of the iteration that runs and of the next may be posted, as far as granted. */
static void open_receives(struct weft_node *node, uint64_t granted)
{
    uint64_t limit = node->iteration + WEFT_NODE_LANES;
    limit = granted < limit ? granted : limit;
    if (limit <= node->open_limit)
        return;
    node->open_limit = limit;
    for (uint32_t word = 0; word < node->word_count; word++)
        node->receive_ready[word] |= node->has_receives[word];
}

uint32_t weft_node_iterate(struct weft_node *node)
{
    uint32_t done = 0;
    if (node->running && !node->left[node->lane]) {
        finish(node);
        done++;
    }
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    if (may_begin(node, granted)) {
        begin(node);
        done++;
    }
    if (node->running)
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
    if (node->running) {
        done += weft_node_receive(node);
        done += weft_node_send(node);
    }
    if (node->series_running)
        weft_series_sample(node);
    return done;
}
