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

static enum weft_node_wait connecting(struct weft_node *node)
{
    bool all = true;
    for (uint32_t i = 0; i < node->channel_count; i++) {
        if (!node->channels[i].connected)
            return WEFT_NODE_WAITS_FOR_ADDRESSES;
        all = all && node->driver->endpoint_state(node->channels[i].endpoint, NULL) !=
                         WEFT_ENDPOINT_CONNECTING;
    }
    node->all_ready = all;
    return all ? WEFT_NODE_WAITS_FOR_GRANT : WEFT_NODE_WAITS_FOR_PEERS;
}

enum weft_node_wait weft_node_waits(struct weft_node *node)
{
    if (node->failed_here)
        return WEFT_NODE_WAITS_FOR_GRANT;
    if (!node->all_ready) {
        enum weft_node_wait wait = connecting(node);
        if (!node->all_ready)
            return wait;
    }
    uint64_t granted = atomic_load_explicit(&node->granted, memory_order_acquire);
    return node->iteration < granted ? WEFT_NODE_WAITS_FOR_PEERS : WEFT_NODE_WAITS_FOR_GRANT;
}
