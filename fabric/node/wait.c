/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node waits for: who runs it in virtual time must know when time may go on. */
#include "fabric/node/steps.h"

static bool waits_for_its_time(const struct weft_node *node)
{
    uint64_t granted = atomic_load_explicit(&node->shared.granted, memory_order_acquire);
    return node->worker.begun < granted && !weft_node_is_full(node) && node->tally.open_loop.begun;
}

uint64_t weft_node_next_event_ns(const struct weft_node *node)
{
    if (node->worker.failed)
        return UINT64_MAX;
    if (waits_for_its_time(node) && node->tally.open_loop.due_ns < node->worker.calc_next_ns)
        return node->tally.open_loop.due_ns;
    return node->worker.calc_next_ns;
}

/* This is asked at every instant: those of the first channels that are connected, and then those
 * that are ready, stay so and are not looked at again. */
static enum weft_node_wait connecting(struct weft_node *node)
{
    while (node->worker.connected_count < node->setup.channel_count) {
        if (!node->worker.channels[node->worker.connected_count].connected)
            return WEFT_NODE_WAITS_FOR_ADDRESSES;
        node->worker.connected_count++;
    }
    while (node->worker.ready_count < node->setup.channel_count) {
        const struct weft_channel *channel = &node->worker.channels[node->worker.ready_count];
        if (node->setup.driver->endpoint_state(channel->setup.endpoint, NULL) ==
            WEFT_ENDPOINT_CONNECTING)
            return WEFT_NODE_WAITS_FOR_PEERS;
        node->worker.ready_count++;
    }
    return WEFT_NODE_WAITS_FOR_GRANT;
}

enum weft_node_wait weft_node_waits(struct weft_node *node)
{
    if (node->worker.failed)
        return WEFT_NODE_WAITS_FOR_GRANT;
    if (node->worker.ready_count < node->setup.channel_count) {
        enum weft_node_wait wait = connecting(node);
        if (node->worker.ready_count < node->setup.channel_count)
            return wait;
    }
    uint64_t granted = atomic_load_explicit(&node->shared.granted, memory_order_acquire);
    return node->worker.iteration < granted ? WEFT_NODE_WAITS_FOR_PEERS : WEFT_NODE_WAITS_FOR_GRANT;
}
