/* SPDX-License-Identifier: BSD-3-Clause */
/* Joining peers: on the worker between two of its turns, for endpoints are its own. */
#include "fabric/node/steps.h"

/* Channels are in the order of peers and queue pairs. */
static struct weft_channel *find_channel(struct weft_node *node, uint32_t peer, uint32_t queue_pair)
{
    uint32_t low = 0, high = node->setup.channel_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct weft_channel *channel = &node->worker.channels[middle];
        if (channel->setup.peer < peer ||
            (channel->setup.peer == peer && channel->setup.queue_pair < queue_pair))
            low = middle + 1;
        else
            high = middle;
    }
    struct weft_channel *found = &node->worker.channels[low];
    bool is_it = low < node->setup.channel_count && found->setup.peer == peer;
    return is_it && found->setup.queue_pair == queue_pair ? found : NULL;
}

/* As the schedule calls it, from what the run does; WEFT_OP_NONE: it is none of the schedule's. */
static uint32_t unnamed(const struct weft_node *node, uint32_t named)
{
    if (!node->setup.options.ranks)
        return named;
    for (uint32_t rank = 0; rank < node->setup.schedule->rank_count; rank++) {
        if (node->setup.options.ranks[rank] == named)
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
    uint32_t rank = weft_node_rank(&node->setup);
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
    channel->window = peer->depth < node->setup.depth ? peer->depth : node->setup.depth;
    status = node->setup.driver->endpoint_connect(channel->setup.endpoint, &peer->endpoint, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "rank %u to rank %u: ", weft_node_rank(&node->setup),
                                 peer->from_rank);
    channel->connected = true;
    return WEFT_OK;
}

enum weft_status weft_node_connected(const struct weft_node *node, struct weft_error *error)
{
    bool all = true;
    for (uint32_t i = 0; i < node->setup.channel_count; i++) {
        const struct weft_channel *channel = &node->worker.channels[i];
        enum weft_endpoint_state state =
            node->setup.driver->endpoint_state(channel->setup.endpoint, error);
        if (state == WEFT_ENDPOINT_FAILED) {
            (void)weft_error_prefix(error,
                                    "rank %u cannot reach rank %u: ", weft_node_rank(&node->setup),
                                    weft_node_named(&node->setup, channel->setup.peer));
            return error && error->status != WEFT_OK ? error->status : WEFT_PEER_LOST;
        }
        all = all && state == WEFT_ENDPOINT_READY;
    }
    return all ? WEFT_OK : WEFT_AGAIN;
}
