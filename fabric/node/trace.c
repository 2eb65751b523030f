/* SPDX-License-Identifier: BSD-3-Clause */
/* When each operation started and completed, for the last iterations of MEASURE.
 *
 * The worker writes, the control thread reads while it does. A slot has a stamp: 0 while it is
 * written, the iteration's number plus one once that is whole. A reader copies and looks at the
 * stamp again: what has been overwritten meanwhile is not taken. As many slots are open at a time
 * as there are lanes, for receives may be posted and complete before their iteration begins. */
#include <assert.h>
#include <stdlib.h>

#include "fabric/node/internal.h"

/* What the ring of a rank takes at most, and what all of it does with the kept ones. */
#define RING_BYTES ((size_t)8 << 20)
#define TRACE_BYTES ((size_t)64 << 20)
#define RING_MAX 8192u

enum weft_status weft_trace_create(struct weft_node *node, struct weft_error *error)
{
    struct weft_trace *trace = &node->trace;
    uint32_t op_count = node->schedule->op_count;
    size_t slot_bytes = ((size_t)op_count + 1) * sizeof(struct weft_trace_record);
    /* As many as are open at least are whole while they are read. */
    uint32_t ring = 2 * (node->lane_mask + 1);
    if (!node->options.trace || slot_bytes * (ring + WEFT_NODE_TRACES_KEPT) > TRACE_BYTES)
        return WEFT_OK;
    while (ring < RING_MAX && slot_bytes * ring * 2 <= RING_BYTES)
        ring *= 2;
    trace->slots = calloc(ring + WEFT_NODE_TRACES_KEPT, sizeof(*trace->slots));
    trace->records = calloc(ring + WEFT_NODE_TRACES_KEPT, slot_bytes);
    if (!trace->slots || !trace->records)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "rank %u: out of memory for the trace of %u operations; 'trace: "
                              "false' in the plan turns it off",
                              weft_node_rank(node), op_count);
    for (uint32_t i = 0; i < ring + WEFT_NODE_TRACES_KEPT; i++)
        trace->slots[i].records = trace->records + i * ((size_t)op_count + 1);
    trace->ring_count = ring;
    return WEFT_OK;
}

void weft_trace_destroy(struct weft_node *node)
{
    free(node->trace.slots);
    free(node->trace.records);
}

void weft_trace_reset(struct weft_node *node)
{
    struct weft_trace *trace = &node->trace;
    uint32_t count = trace->ring_count ? trace->ring_count + WEFT_NODE_TRACES_KEPT : 0;
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&trace->slots[i].stamp, 0, memory_order_relaxed);
    for (uint32_t lane = 0; lane <= node->lane_mask; lane++)
        node->lanes[lane].trace = NULL;
}

/* Stores of a slot's content release and loads of it acquire: the former stay behind the stamp that
 * takes the slot away, the latter before the second look at it. */

/* ---- the worker ---- */

static struct weft_trace_slot *slot_of(const struct weft_node *node, uint64_t iteration)
{
    return &node->trace.slots[iteration & (node->trace.ring_count - 1)];
}

void weft_trace_open(struct weft_node *node, uint64_t iteration)
{
    struct weft_lane *lane = &node->lanes[weft_node_lane_of(node, iteration)];
    if (!node->trace.ring_count || lane->trace)
        return;
    struct weft_trace_slot *slot = slot_of(node, iteration);
    atomic_store_explicit(&slot->stamp, 0, memory_order_relaxed);
    lane->trace = slot->records;
}

void weft_trace_begin(struct weft_node *node, uint64_t iteration)
{
    if (!node->trace.ring_count)
        return;
    weft_trace_open(node, iteration);
    __atomic_store_n(&slot_of(node, iteration)->start_ns, node->start_ns, __ATOMIC_RELEASE);
}

void weft_trace_finish(struct weft_node *node, uint64_t iteration)
{
    if (!node->trace.ring_count)
        return;
    struct weft_trace_slot *slot = slot_of(node, iteration);
    __atomic_store_n(&slot->end_ns, node->now_ns, __ATOMIC_RELEASE);
    atomic_store_explicit(&slot->stamp, iteration + 1, memory_order_release);
    node->lanes[weft_node_lane_of(node, iteration)].trace = NULL;
}

/* ---- the control thread ---- */

/* False: the ring holds another iteration, or does by now. */
static bool copy_slot(const struct weft_node *node, const struct weft_trace_slot *from,
                      uint64_t iteration, struct weft_trace_slot *into)
{
    if (atomic_load_explicit(&from->stamp, memory_order_acquire) != iteration + 1)
        return false;
    into->start_ns = __atomic_load_n(&from->start_ns, __ATOMIC_ACQUIRE);
    into->end_ns = __atomic_load_n(&from->end_ns, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        into->records[i].started = __atomic_load_n(&from->records[i].started, __ATOMIC_ACQUIRE);
        into->records[i].completed_ns =
            __atomic_load_n(&from->records[i].completed_ns, __ATOMIC_ACQUIRE);
    }
    return atomic_load_explicit(&from->stamp, memory_order_relaxed) == iteration + 1;
}

static uint64_t base_of(const struct weft_node *node)
{
    return atomic_load_explicit(&node->base, memory_order_relaxed);
}

uint32_t weft_node_trace_count(const struct weft_node *node)
{
    return node->trace.ring_count ? node->trace.ring_count - (node->lane_mask + 1) : 0;
}

bool weft_node_trace_keep(struct weft_node *node, uint32_t place, uint64_t iteration)
{
    assert(place < WEFT_NODE_TRACES_KEPT);
    if (!node->trace.ring_count)
        return true;
    if (weft_node_iterations_done(node) <= iteration)
        return false;
    uint64_t number = base_of(node) + iteration;
    struct weft_trace_slot *kept = &node->trace.slots[node->trace.ring_count + place];
    bool whole = copy_slot(node, slot_of(node, number), number, kept);
    atomic_store_explicit(&kept->stamp, whole ? number + 1 : 0, memory_order_relaxed);
    return true;
}

static const struct weft_trace_slot *find(const struct weft_node *node, uint64_t number)
{
    const struct weft_trace_slot *slot = slot_of(node, number);
    if (atomic_load_explicit(&slot->stamp, memory_order_acquire) == number + 1)
        return slot;
    for (uint32_t i = 0; i < WEFT_NODE_TRACES_KEPT; i++) {
        slot = &node->trace.slots[node->trace.ring_count + i];
        if (atomic_load_explicit(&slot->stamp, memory_order_relaxed) == number + 1)
            return slot;
    }
    return NULL;
}

bool weft_node_trace(const struct weft_node *node, uint64_t iteration,
                     struct weft_op_trace *ret_ops, uint64_t *ret_duration_ns)
{
    const struct weft_trace_slot *slot =
        node->trace.ring_count ? find(node, base_of(node) + iteration) : NULL;
    if (!slot)
        return false;
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        const struct weft_trace_record *record = &slot->records[i];
        enum weft_op_kind kind = node->schedule->ops[i].kind;
        bool started = kind == WEFT_OP_SEND || kind == WEFT_OP_RECEIVE;
        ret_ops[i] = (struct weft_op_trace){
            .started_ns = started ? (int64_t)(record->started >> WEFT_TRACE_WAITS_BITS) -
                                        (int64_t)slot->start_ns
                                  : 0,
            .completed_ns = (int64_t)(record->completed_ns - slot->start_ns),
            .waits = kind == WEFT_OP_SEND ? (uint32_t)record->started & WEFT_WAITED_ALL : 0,
        };
    }
    *ret_duration_ns = slot->end_ns - slot->start_ns;
    return true;
}
