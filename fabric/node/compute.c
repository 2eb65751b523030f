/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank does besides sending: reductions, in slices so that a poll stays short, and
 * computations that only take time. */
#include <assert.h>

#include "fabric/node/steps.h"

#define REDUCE_SLICE_BYTES (32u << 10)
/* What an operation costs beside its bytes, as bytes: bounds the operations of one poll. */
#define REDUCE_OP_BYTES 256u

void weft_compute_add_reduce(struct weft_node *node, uint32_t lane, uint32_t op)
{
    assert(node->worker.reduces_head - node->worker.reduces_tail <= node->setup.reduces_mask);
    node->worker.reduces[node->worker.reduces_head++ & node->setup.reduces_mask] =
        (struct weft_pending_reduce){.op = op, .lane = lane};
}

void weft_compute_add_calc(struct weft_node *node, uint32_t lane, uint32_t op)
{
    const struct weft_op *calc = &node->setup.schedule->ops[op];
    uint64_t end_ns = node->worker.now_ns + calc->duration_ns;
    if (calc->cpu) {
        uint64_t *free_ns = &node->worker.cpu_free_ns[calc->cpu - 1];
        if (*free_ns > node->worker.now_ns)
            end_ns = *free_ns + calc->duration_ns;
        *free_ns = end_ns;
    }
    node->worker.calcs[node->worker.calc_count++] =
        (struct weft_pending_calc){.op = op, .lane = lane, .end_ns = end_ns};
    if (end_ns < node->worker.calc_next_ns)
        node->worker.calc_next_ns = end_ns;
}

/* Adds up to `len_bytes` more of the operation. Returns whether it is complete. */
static bool add_slice(struct weft_node *node, const struct weft_pending_reduce *reduce,
                      uint64_t len_bytes)
{
    const struct weft_op *op = &node->setup.schedule->ops[reduce->op];
    uint64_t left_bytes = op->len_bytes - node->worker.reduced_bytes;
    if (!node->order.reduce)
        len_bytes = left_bytes;
    len_bytes = len_bytes < left_bytes ? len_bytes : left_bytes;
    if (node->order.reduce) {
        uint8_t *lane = weft_node_lane(&node->setup, reduce->lane) + node->worker.reduced_bytes;
        node->setup.join(lane + op->offset_bytes, lane + op->source_offset_bytes,
                         len_bytes >> node->setup.element_shift);
    }
    node->worker.reduced_bytes += len_bytes;
    return node->worker.reduced_bytes == op->len_bytes;
}

static uint32_t run_reduces(struct weft_node *node)
{
    uint32_t done = 0;
    uint64_t budget_bytes = REDUCE_SLICE_BYTES;
    while (node->worker.reduces_tail != node->worker.reduces_head) {
        struct weft_pending_reduce reduce =
            node->worker.reduces[node->worker.reduces_tail & node->setup.reduces_mask];
        uint64_t before_bytes = node->worker.reduced_bytes;
        bool complete = add_slice(node, &reduce, budget_bytes);
        uint64_t spent_bytes = node->order.reduce ? node->worker.reduced_bytes - before_bytes : 0;
        spent_bytes += REDUCE_OP_BYTES;
        done++;
        if (complete) {
            node->worker.reduces_tail++;
            node->worker.reduced_bytes = 0;
            weft_graph_complete(node, reduce.lane, reduce.op);
        }
        if (spent_bytes >= budget_bytes)
            break;
        /* the slice ends at a whole element */
        budget_bytes -= spent_bytes;
        budget_bytes &= ~(uint64_t)(node->setup.element_bytes - 1);
    }
    return done;
}

/* Those that end now; what they make ready ends in a later poll, be it the next. */
static uint32_t end_calcs(struct weft_node *node)
{
    if (node->worker.now_ns < node->worker.calc_next_ns)
        return 0;
    uint32_t done = 0, count = node->worker.calc_count;
    node->worker.calc_next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count;) {
        struct weft_pending_calc calc = node->worker.calcs[i];
        if (calc.end_ns > node->worker.now_ns) {
            if (calc.end_ns < node->worker.calc_next_ns)
                node->worker.calc_next_ns = calc.end_ns;
            i++;
            continue;
        }
        /* The last takes its place: first the old ones, so that `count` bounds the loop. */
        node->worker.calcs[i] = node->worker.calcs[--count];
        node->worker.calcs[count] = node->worker.calcs[--node->worker.calc_count];
        weft_graph_complete(node, calc.lane, calc.op);
        done++;
    }
    return done;
}

uint32_t weft_node_compute(struct weft_node *node)
{
    return run_reduces(node) + end_calcs(node);
}
