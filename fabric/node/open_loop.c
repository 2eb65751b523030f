/* SPDX-License-Identifier: BSD-3-Clause */
/* Open loop: iterations begin when they are due. The phase that verifies is a closed loop. */
#include "fabric/node/steps.h"

static bool keeps_time(const struct weft_node *node)
{
    return node->setup.paced && node->order.phase != WEFT_PHASE_VERIFY;
}

bool weft_open_loop_is_due(struct weft_node *node)
{
    struct weft_open_loop *loop = &node->tally.open_loop;
    if (!keeps_time(node))
        return true;
    if (!loop->begun) {
        loop->begun = true;
        loop->due_ns = weft_arrivals_start(&node->worker.arrivals, node->worker.now_ns);
        loop->first_due_ns = loop->due_ns;
    }
    return node->worker.now_ns >= loop->due_ns;
}

void weft_open_loop_begin(struct weft_node *node, struct weft_lane *lane)
{
    struct weft_open_loop *loop = &node->tally.open_loop;
    /* What came ahead of its time is there at the start. */
    lane->awaits = node->setup.follows && lane->left == node->setup.schedule->op_count;
    lane->late_ns = 0;
    if (!keeps_time(node))
        return;
    lane->late_ns = node->worker.now_ns - loop->due_ns;
    loop->missed += node->worker.free_ns > loop->due_ns;
    loop->due_ns = weft_arrivals_next(&node->worker.arrivals);
}

void weft_open_loop_sent(struct weft_node *node, uint32_t lane, uint32_t op)
{
    const struct weft_lane *at = &node->worker.lanes[lane];
    if (node->setup.paced)
        weft_hist_record(node->tally.open_loop.latency_intended_ns,
                         node->worker.now_ns - at->ready_ns[op] + at->late_ns);
}
