/* SPDX-License-Identifier: BSD-3-Clause */
/* Which operations may start. Each lane counts, for every operation, what must still complete.
 * Receives that require nothing may be posted before their iteration starts and even complete
 * then; all else waits for the start: directly, which is counted as one more requirement, or
 * because it requires something that does. */
#include <assert.h>

#include "fabric/node/steps.h"

static void make_ready(struct weft_node *node, uint32_t lane, uint32_t op)
{
    switch (node->setup.schedule->ops[op].kind) {
    case WEFT_OP_SEND:
        weft_open_loop_ready(node, lane, op);
        weft_bit_set(node->worker.send_ready, node->setup.op_channels[op]);
        break;
    case WEFT_OP_RECEIVE:
        weft_bit_set(node->worker.receive_ready, node->setup.op_channels[op]);
        break;
    case WEFT_OP_REDUCE:
        weft_graph_started(node, lane, op);
        weft_compute_add_reduce(node, lane, op);
        break;
    case WEFT_OP_CALC:
        weft_graph_started(node, lane, op);
        weft_compute_add_calc(node, lane, op);
        break;
    case WEFT_OP_KIND_COUNT:
        break;
    }
}

void weft_graph_complete(struct weft_node *node, uint32_t lane, uint32_t op)
{
    uint32_t *remaining = node->worker.lanes[lane].remaining;
    const struct weft_op *done = &node->setup.schedule->ops[op];
    const uint32_t *successors = node->setup.schedule->successors + done->first_successor;
    assert(node->worker.lanes[lane].left > 0);
    node->worker.lanes[lane].left--;
    weft_trace_completed(node, lane, op);
    for (uint32_t i = 0; i < done->successor_count; i++) {
        assert(remaining[successors[i]] > 0);
        if (!--remaining[successors[i]])
            make_ready(node, lane, successors[i]);
    }
}

void weft_graph_begin(struct weft_node *node, uint32_t lane)
{
    uint32_t *remaining = node->worker.lanes[lane].remaining;
    for (uint32_t i = 0; i < node->setup.gated_count; i++) {
        uint32_t op = node->setup.gated[i];
        assert(remaining[op] > 0);
        if (!--remaining[op])
            make_ready(node, lane, op);
    }
}
