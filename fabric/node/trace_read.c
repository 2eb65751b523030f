/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's side of traces (trace.c): reads while the worker writes. */
#include <assert.h>

#include "fabric/node/keeper.h"

void weft_trace_reset(const struct weft_node_setup *setup)
{
    const struct weft_trace *trace = &setup->trace;
    uint32_t count = trace->ring_count ? trace->ring_count + WEFT_NODE_TRACES_KEPT : 0;
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&trace->slots[i].stamp, 0, memory_order_relaxed);
}

/* False: the ring holds another iteration, or does by now. */
static bool copy_slot(const struct weft_node *node, const struct weft_trace_slot *from,
                      uint64_t iteration, struct weft_trace_slot *into)
{
    if (atomic_load_explicit(&from->stamp, memory_order_acquire) != iteration + 1)
        return false;
    into->start_ns = __atomic_load_n(&from->start_ns, __ATOMIC_ACQUIRE);
    into->end_ns = __atomic_load_n(&from->end_ns, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < weft_node_setup(node)->schedule->op_count; i++) {
        into->records[i].started = __atomic_load_n(&from->records[i].started, __ATOMIC_ACQUIRE);
        into->records[i].completed_ns =
            __atomic_load_n(&from->records[i].completed_ns, __ATOMIC_ACQUIRE);
    }
    return atomic_load_explicit(&from->stamp, memory_order_relaxed) == iteration + 1;
}

static uint64_t base_of(const struct weft_node *node)
{
    return atomic_load_explicit(&weft_node_shared(node)->base, memory_order_relaxed);
}

uint32_t weft_node_trace_count(const struct weft_node *node)
{
    const struct weft_node_setup *setup = weft_node_setup(node);
    return setup->trace.ring_count ? setup->trace.ring_count - (setup->lane_mask + 1) : 0;
}

bool weft_node_trace_keep(struct weft_node *node, uint32_t place, uint64_t iteration)
{
    assert(place < WEFT_NODE_TRACES_KEPT);
    if (!weft_node_setup(node)->trace.ring_count)
        return true;
    if (weft_node_iterations_done(node) <= iteration)
        return false;
    uint64_t number = base_of(node) + iteration;
    struct weft_trace_slot *kept =
        &weft_node_setup(node)->trace.slots[weft_node_setup(node)->trace.ring_count + place];
    bool whole = copy_slot(node, weft_trace_slot_of(weft_node_setup(node), number), number, kept);
    atomic_store_explicit(&kept->stamp, whole ? number + 1 : 0, memory_order_relaxed);
    return true;
}

static const struct weft_trace_slot *find(const struct weft_node *node, uint64_t number)
{
    const struct weft_trace_slot *slot = weft_trace_slot_of(weft_node_setup(node), number);
    if (atomic_load_explicit(&slot->stamp, memory_order_acquire) == number + 1)
        return slot;
    for (uint32_t i = 0; i < WEFT_NODE_TRACES_KEPT; i++) {
        slot = &weft_node_setup(node)->trace.slots[weft_node_setup(node)->trace.ring_count + i];
        if (atomic_load_explicit(&slot->stamp, memory_order_relaxed) == number + 1)
            return slot;
    }
    return NULL;
}

bool weft_node_trace(const struct weft_node *node, uint64_t iteration,
                     struct weft_op_trace *ret_ops, uint64_t *ret_duration_ns)
{
    const struct weft_trace_slot *slot =
        weft_node_setup(node)->trace.ring_count ? find(node, base_of(node) + iteration) : NULL;
    if (!slot)
        return false;
    for (uint32_t i = 0; i < weft_node_setup(node)->schedule->op_count; i++) {
        const struct weft_trace_record *record = &slot->records[i];
        enum weft_op_kind kind = weft_node_setup(node)->schedule->ops[i].kind;
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
