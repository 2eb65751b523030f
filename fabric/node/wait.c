/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node waits for: who runs it in virtual time must know when time may go on. */
#include "fabric/node/internal.h"

static bool waits_for_its_time(const struct weft_node *node)
{
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    return node->begun < granted && !weft_node_is_full(node) && node->open_loop.begun;
}

uint64_t weft_node_next_event_ns(const struct weft_node *node)
{
    if (node->failed_here)
        return UINT64_MAX;
    if (waits_for_its_time(node) && node->open_loop.due_ns < node->calc_next_ns)
        return node->open_loop.due_ns;
    return node->calc_next_ns;
}

/* This is asked at every instant: those of the first channels that are connected, and then those
 * that are ready, stay so and are not looked at again. */
static enum weft_node_wait connecting(struct weft_node *node)
{
    while (node->connected_count < node->channel_count) {
        if (!node->channels[node->connected_count].connected)
            return WEFT_NODE_WAITS_FOR_ADDRESSES;
        node->connected_count++;
    }
    while (node->ready_count < node->channel_count) {
        const struct weft_channel *channel = &node->channels[node->ready_count];
        if (node->driver->endpoint_state(channel->endpoint, NULL) == WEFT_ENDPOINT_CONNECTING)
            return WEFT_NODE_WAITS_FOR_PEERS;
        node->ready_count++;
    }
    return WEFT_NODE_WAITS_FOR_GRANT;
}

enum weft_node_wait weft_node_waits(struct weft_node *node)
{
    if (node->failed_here)
        return WEFT_NODE_WAITS_FOR_GRANT;
    if (node->ready_count < node->channel_count) {
        enum weft_node_wait wait = connecting(node);
        if (node->ready_count < node->channel_count)
            return wait;
    }
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    return node->iteration < granted ? WEFT_NODE_WAITS_FOR_PEERS : WEFT_NODE_WAITS_FOR_GRANT;
}
