/* SPDX-License-Identifier: BSD-3-Clause */
/* When each operation started and completed, for the last iterations of MEASURE.
 *
 * The worker writes, the control thread reads while it does. A slot has a stamp: 0 while it is
 * written, the iteration's number plus one once that is whole. A reader copies and looks at the
 * stamp again: what has been overwritten meanwhile is not taken. As many slots are open at a time
 * as there are lanes, for receives may be posted and complete before their iteration begins. */
#include "fabric/node/steps.h"

/* Stores of a slot's content release and loads of it acquire: the former stay behind the stamp that
 * takes the slot away, the latter before the second look at it. */

void weft_trace_open(struct weft_node *node, uint64_t iteration)
{
    struct weft_lane *lane = &node->worker.lanes[weft_node_lane_of(&node->setup, iteration)];
    if (!node->setup.trace.ring_count || lane->trace)
        return;
    struct weft_trace_slot *slot = weft_trace_slot_of(&node->setup, iteration);
    atomic_store_explicit(&slot->stamp, 0, memory_order_relaxed);
    lane->trace = slot->records;
}

void weft_trace_begin(struct weft_node *node, uint64_t iteration)
{
    if (!node->setup.trace.ring_count)
        return;
    weft_trace_open(node, iteration);
    __atomic_store_n(&weft_trace_slot_of(&node->setup, iteration)->start_ns, node->worker.start_ns,
                     __ATOMIC_RELEASE);
}

void weft_trace_finish(struct weft_node *node, uint64_t iteration)
{
    if (!node->setup.trace.ring_count)
        return;
    struct weft_trace_slot *slot = weft_trace_slot_of(&node->setup, iteration);
    __atomic_store_n(&slot->end_ns, node->worker.now_ns, __ATOMIC_RELEASE);
    atomic_store_explicit(&slot->stamp, iteration + 1, memory_order_release);
    node->worker.lanes[weft_node_lane_of(&node->setup, iteration)].trace = NULL;
}
