/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast each incoming flow went while it could: all flows of an iteration have its whole length
 * to arrive in, so their bytes over the window would always be alike. A flow's time in an iteration
 * goes to its last message from the start of the iteration, or from when its iteration before had
 * arrived, whichever is later; of a flow that arrives ahead of its own iteration, from the start of
 * the last that began. */
#include "fabric/node/internal.h"

#define BITS_PER_BYTE_NS 8e9

void weft_flows_begin(struct weft_node *node)
{
    for (uint32_t i = 0; i < node->channel_count; i++) {
        struct weft_channel *channel = &node->channels[i];
        channel->flow_end_ns = node->now_ns;
        channel->flow_ns = channel->flow_bytes = 0;
    }
}

void weft_flow_arrived(struct weft_node *node, struct weft_channel *channel, uint32_t lane)
{
    uint64_t start_ns = node->lanes[lane].start_ns;
    start_ns = start_ns ? start_ns : node->start_ns;
    uint64_t begin_ns = start_ns > channel->flow_end_ns ? start_ns : channel->flow_end_ns;
    channel->flow_ns += node->now_ns - begin_ns;
    channel->flow_end_ns = node->now_ns;
}

void weft_flows_measured(const struct weft_node *node, struct weft_flow_spread *ret_spread)
{
    *ret_spread = (struct weft_flow_spread){0};
    for (uint32_t i = 0; i < node->channel_count; i++) {
        const struct weft_channel *channel = &node->channels[i];
        if (!channel->flow_bytes || !channel->flow_ns)
            continue;
        double rate_bps = (double)channel->flow_bytes * BITS_PER_BYTE_NS / (double)channel->flow_ns;
        if (!ret_spread->flows || rate_bps < ret_spread->worst_bps) {
            ret_spread->worst_bps = rate_bps;
            ret_spread->worst_from = weft_node_named(node, channel->peer);
        }
        ret_spread->flows++;
        ret_spread->sum_bps += rate_bps;
        ret_spread->squares += rate_bps * rate_bps;
    }
}
