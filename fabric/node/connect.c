/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "fabric/node/internal.h"

uint32_t weft_node_channel_count(const struct weft_node *node)
{
    return node->channel_count;
}

void weft_node_channel_address(const struct weft_node *node, uint32_t channel,
                               struct weft_channel_address *ret_address)
{
    assert(channel < node->channel_count);
    const struct weft_channel *at = &node->channels[channel];
    *ret_address = (struct weft_channel_address){.from_rank = weft_node_rank(node),
                                                 .to_rank = weft_node_named(node, at->peer),
                                                 .queue_pair = at->queue_pair,
                                                 .slots_address = (uintptr_t)at->slots,
                                                 .slots_rkey = node->region.rkey,
                                                 .depth = node->slots_mask + 1};
    node->driver->endpoint_address(at->endpoint, &ret_address->endpoint);
}

/* Channels are in the order of peers and queue pairs. */
static struct weft_channel *find_channel(struct weft_node *node, uint32_t peer, uint32_t queue_pair)
{
    uint32_t low = 0, high = node->channel_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct weft_channel *channel = &node->channels[middle];
        if (channel->peer < peer || (channel->peer == peer && channel->queue_pair < queue_pair))
            low = middle + 1;
        else
            high = middle;
    }
    struct weft_channel *found = &node->channels[low];
    bool is_it = low < node->channel_count && found->peer == peer;
    return is_it && found->queue_pair == queue_pair ? found : NULL;
}

/* As the schedule calls it, from what the run does; WEFT_OP_NONE: it is none of the schedule's. */
static uint32_t unnamed(const struct weft_node *node, uint32_t named)
{
    if (!node->options.ranks)
        return named;
    for (uint32_t rank = 0; rank < node->schedule->rank_count; rank++) {
        if (node->options.ranks[rank] == named)
            return rank;
    }
    return WEFT_OP_NONE;
}

/* What a peer says comes from another process, so it is doubted. */
static enum weft_status check_address(const struct weft_node *node,
                                      const struct weft_channel *channel,
                                      const struct weft_channel_address *peer,
                                      struct weft_error *error)
{
    uint32_t rank = weft_node_rank(node);
    if (peer->to_rank != rank || !channel)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u was given the address of rank %u for rank %u, queue pair "
                              "%u, which its schedule does not connect it to",
                              rank, peer->from_rank, peer->to_rank, peer->queue_pair);
    if (channel->connected)
        return weft_error_set(error, WEFT_EXISTS,
                              "rank %u is connected to rank %u on queue pair %u already", rank,
                              peer->from_rank, peer->queue_pair);
    if (!peer->depth || peer->depth & (peer->depth - 1))
        return weft_error_set(
            error, WEFT_INVALID,
            "rank %u: rank %u has a ring of %u slots, which is not a power of two", rank,
            peer->from_rank, peer->depth);
    return WEFT_OK;
}

enum weft_status weft_node_connect(struct weft_node *node, const struct weft_channel_address *peer,
                                   struct weft_error *error)
{
    struct weft_channel *channel =
        find_channel(node, unnamed(node, peer->from_rank), peer->queue_pair);
    enum weft_status status = check_address(node, channel, peer, error);
    if (status != WEFT_OK)
        return status;
    channel->peer_slots_address = peer->slots_address;
    channel->peer_slots_rkey = peer->slots_rkey;
    channel->peer_slots_mask = peer->depth - 1;
    channel->window = peer->depth < node->depth ? peer->depth : node->depth;
    status = node->driver->endpoint_connect(channel->endpoint, &peer->endpoint, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "rank %u to rank %u: ", weft_node_rank(node),
                                 peer->from_rank);
    channel->connected = true;
    return WEFT_OK;
}

enum weft_status weft_node_connected(const struct weft_node *node, struct weft_error *error)
{
    bool all = true;
    for (uint32_t i = 0; i < node->channel_count; i++) {
        const struct weft_channel *channel = &node->channels[i];
        enum weft_endpoint_state state = node->driver->endpoint_state(channel->endpoint, error);
        if (state == WEFT_ENDPOINT_FAILED) {
            (void)weft_error_prefix(error, "rank %u cannot reach rank %u: ", weft_node_rank(node),
                                    weft_node_named(node, channel->peer));
            return error && error->status != WEFT_OK ? error->status : WEFT_PEER_LOST;
        }
        all = all && state == WEFT_ENDPOINT_READY;
    }
    return all ? WEFT_OK : WEFT_AGAIN;
}
