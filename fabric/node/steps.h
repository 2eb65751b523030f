/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of the worker's poll, grouped by file. */
#ifndef WEFT_NODE_STEPS_H
#define WEFT_NODE_STEPS_H

#include "fabric/node/worker.h"

/* graph.c */
/* The operation is complete: operations that require it may now be ready. */
void weft_graph_complete(struct weft_node *node, uint32_t lane, uint32_t op);
/* The operation has started: resets its count for the lane's next iteration. */
static inline void weft_graph_started(struct weft_node *node, uint32_t lane, uint32_t op)
{
    node->worker.lanes[lane].remaining[op] = node->setup.initial[op];
}
/* Starts an iteration: operations that waited only for its start may become ready. */
void weft_graph_begin(struct weft_node *node, uint32_t lane);

/* complete.c, compute.c, iterate.c, send.c, receive.c: each returns how much was done */
uint32_t weft_node_complete(struct weft_node *node);
uint32_t weft_node_compute(struct weft_node *node);
uint32_t weft_node_iterate(struct weft_node *node);
uint32_t weft_node_send(struct weft_node *node);
uint32_t weft_node_receive(struct weft_node *node);

/* compute.c */
void weft_compute_add_reduce(struct weft_node *node, uint32_t lane, uint32_t op);
void weft_compute_add_calc(struct weft_node *node, uint32_t lane, uint32_t op);

/* open_loop.c */
/* Is the next iteration due? */
bool weft_open_loop_is_due(struct weft_node *node);
/* The node waits between two iterations until the next is due. This time is part of the
 * measurement. */
static inline bool weft_open_loop_rests(const struct weft_node *node, uint64_t granted)
{
    return node->worker.begun < granted && node->tally.open_loop.begun;
}
/* Until now the node could not begin an iteration. */
static inline void weft_open_loop_busy(struct weft_node *node)
{
    node->worker.free_ns = node->worker.now_ns;
}
void weft_open_loop_begin(struct weft_node *node, struct weft_lane *lane);
/* A message for an iteration has arrived. On a rank that follows, the first one starts the
 * iteration. */
static inline void weft_open_loop_came(struct weft_node *node, struct weft_lane *lane)
{
    if (!lane->awaits)
        return;
    lane->awaits = false;
    lane->start_ns = node->worker.now_ns;
}
static inline void weft_open_loop_ready(struct weft_node *node, uint32_t lane, uint32_t op)
{
    if (node->setup.paced)
        node->worker.lanes[lane].ready_ns[op] = node->worker.now_ns;
}
void weft_open_loop_sent(struct weft_node *node, uint32_t lane, uint32_t op);

/* series.c */
void weft_series_begin(struct weft_node *node);
/* Begins a new interval now. */
void weft_series_restart(struct weft_node *node);
void weft_series_sample(struct weft_node *node);
/* Returns bits * 1e9 / elapsed_ns without a division; the relative error is below 1e-6. */
uint64_t weft_series_rate(uint64_t len_bytes, uint64_t elapsed_ns);

/* trace.c */
/* Operations of the iteration may start from now on. Like the next functions, MEASURE only. */
void weft_trace_open(struct weft_node *node, uint64_t iteration);
void weft_trace_begin(struct weft_node *node, uint64_t iteration);
void weft_trace_finish(struct weft_node *node, uint64_t iteration);
static inline void weft_trace_started(struct weft_node *node, uint32_t lane, uint32_t op,
                                      uint32_t waits)
{
    struct weft_trace_record *records = node->worker.lanes[lane].trace;
    if (records)
        __atomic_store_n(&records[op].started, node->worker.now_ns << WEFT_TRACE_WAITS_BITS | waits,
                         __ATOMIC_RELEASE);
}
static inline void weft_trace_completed(struct weft_node *node, uint32_t lane, uint32_t op)
{
    struct weft_trace_record *records = node->worker.lanes[lane].trace;
    if (records)
        __atomic_store_n(&records[op].completed_ns, node->worker.now_ns, __ATOMIC_RELEASE);
}

/* flow.c: called at the start of a phase, and at the last message of a flow in an iteration */
void weft_flows_begin(struct weft_node *node);
void weft_flow_arrived(struct weft_node *node, const struct weft_channel *channel, uint32_t lane);

/* failure.c: after any of these the node does nothing more; only the first failure is kept */
void weft_node_fail_work(struct weft_node *node, const struct weft_channel *channel,
                         const struct weft_completion *completion);
void weft_node_fail_channel(struct weft_node *node, const struct weft_channel *channel);
void weft_node_fail_message(struct weft_node *node, const struct weft_channel *channel, uint32_t op,
                            const char *what, uint64_t found);

#endif
