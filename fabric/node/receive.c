/* SPDX-License-Identifier: BSD-3-Clause */
/* Receives are posted in their order as far as the window and the grant allow, and then announced
 * to the sender: many slots in one write. */
#include "fabric/node/steps.h"

static bool next_is_ready(const struct weft_node *node, const struct weft_channel *channel)
{
    if (channel->receive_iteration >= node->worker.open_limit)
        return false;
    uint32_t lane = weft_node_lane_of(&node->setup, channel->receive_iteration);
    return !node->worker.lanes[lane].remaining[channel->setup.receives[channel->receive_at]];
}

/* A place of the staging is free again once the write from it is complete, which is later than that
 * its slot was used: the device may read it until then. */
static bool has_room(const struct weft_node *node, const struct weft_channel *channel)
{
    return channel->receives_outstanding < channel->window &&
           channel->posted - channel->confirmed <= node->setup.slots_mask;
}

static bool post_next(struct weft_node *node, struct weft_channel *channel)
{
    uint32_t index = channel->setup.receives[channel->receive_at];
    uint32_t lane = weft_node_lane_of(&node->setup, channel->receive_iteration);
    const struct weft_op *op = &node->setup.schedule->ops[index];
    uint8_t *memory = weft_node_lane(&node->setup, lane) + op->offset_bytes;
    bool write = node->setup.options.transfer == WEFT_TRANSFER_WRITE;
    struct weft_work work = {.id = weft_work_id(WEFT_WORK_RECEIVE, lane, index),
                             .memory = write ? NULL : memory,
                             .lkey = write ? 0 : node->setup.region.lkey,
                             .len_bytes = write ? 0 : (uint32_t)op->len_bytes,
                             .operation = WEFT_OPERATION_RECEIVE};
    if (!node->setup.driver->post_receive(channel->setup.endpoint, &work, 1))
        return false;
    channel->setup.staging[channel->posted & node->setup.slots_mask] = weft_slot_make(
        (uintptr_t)memory, (uint32_t)op->len_bytes, node->setup.region.rkey, channel->posted + 1);
    weft_graph_started(node, lane, index);
    weft_trace_started(node, lane, index, 0);
    channel->posted++;
    channel->posted_bytes += op->len_bytes;
    channel->receives_outstanding++;
    if (++channel->receive_at == channel->setup.receive_count) {
        channel->receive_at = 0;
        channel->receive_iteration++;
    }
    return true;
}

/* How many slots lie in one piece at both ends. */
static uint32_t writable(const struct weft_node *node, const struct weft_channel *channel)
{
    uint64_t count = channel->posted - channel->announced;
    uint64_t here = node->setup.slots_mask + 1 - (channel->announced & node->setup.slots_mask);
    uint64_t there = channel->peer_slots_mask + 1 - (channel->announced & channel->peer_slots_mask);
    count = here < count ? here : count;
    return (uint32_t)(there < count ? there : count);
}

/* At most two writes: the ring may turn in between. */
static uint32_t announce(struct weft_node *node, struct weft_channel *channel)
{
    uint32_t done = 0;
    while (channel->announced != channel->posted && channel->slot_writes < WEFT_NODE_SLOT_WRITES &&
           channel->slot_writes < node->setup.depth) {
        uint32_t count = writable(node, channel);
        uint64_t place = channel->announced & channel->peer_slots_mask;
        struct weft_work work = {
            .id = weft_work_id(WEFT_WORK_SLOTS, 0, count),
            .memory = &channel->setup.staging[channel->announced & node->setup.slots_mask],
            .lkey = node->setup.region.lkey,
            .len_bytes = count * WEFT_SLOT_BYTES,
            .operation = WEFT_OPERATION_WRITE,
            .remote_address = channel->peer_slots_address + place * WEFT_SLOT_BYTES,
            .rkey = channel->peer_slots_rkey,
            .inlined = count * WEFT_SLOT_BYTES <= node->setup.inline_bytes};
        if (!node->setup.driver->post_send(channel->setup.endpoint, &work, 1))
            break;
        channel->announced += count;
        channel->slot_writes++;
        done++;
    }
    return done;
}

static uint32_t receive_channel(struct weft_node *node, uint32_t index)
{
    struct weft_channel *channel = &node->worker.channels[index];
    uint32_t done = 0;
    bool full = false;
    while (!full && has_room(node, channel) && next_is_ready(node, channel)) {
        full = !post_next(node, channel);
        done += !full;
    }
    done += announce(node, channel);
    /* Set again by a completion, by an operation that becomes ready, or by the next iteration. A
     * queue without room tells nobody when it has some. */
    bool waits_for_queue = channel->announced != channel->posted &&
                           channel->slot_writes < WEFT_NODE_SLOT_WRITES &&
                           channel->slot_writes < node->setup.depth;
    if (!full && !waits_for_queue)
        weft_bit_clear(node->worker.receive_ready, index);
    return done;
}

uint32_t weft_node_receive(struct weft_node *node)
{
    return weft_channels_visit(node, node->worker.receive_ready, receive_channel);
}
