/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast each incoming flow went while it could: all flows of an iteration have its whole length
 * to arrive in, so their bytes over the window would always be alike. A flow's time in an iteration
 * goes to its last message from the start of the iteration, or from when its iteration before had
 * arrived, whichever is later; of a flow that arrives ahead of its own iteration, from the start of
 * the last that began. */
#include "fabric/node/steps.h"

void weft_flows_begin(struct weft_node *node)
{
    for (uint32_t i = 0; i < node->setup.channel_count; i++)
        node->tally.flows[i] = (struct weft_flow){
            .from_bytes = node->worker.channels[i].completed_bytes, .end_ns = node->worker.now_ns};
}

void weft_flow_arrived(struct weft_node *node, const struct weft_channel *channel, uint32_t lane)
{
    struct weft_flow *flow = &node->tally.flows[weft_channel_index(node, channel)];
    uint64_t start_ns = node->worker.lanes[lane].start_ns;
    start_ns = start_ns ? start_ns : node->worker.start_ns;
    uint64_t begin_ns = start_ns > flow->end_ns ? start_ns : flow->end_ns;
    flow->bytes = channel->completed_bytes - flow->from_bytes;
    flow->ns += node->worker.now_ns - begin_ns;
    flow->end_ns = node->worker.now_ns;
}
