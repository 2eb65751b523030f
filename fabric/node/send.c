/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages to peers: each starts when it is the next of its channel, its requirements are complete
 * and its slot has come. */
#include "fabric/node/steps.h"

static struct weft_work make_work(const struct weft_node *node, uint32_t lane, uint32_t index,
                                  const struct weft_slot *slot)
{
    const struct weft_op *op = &node->setup.schedule->ops[index];
    bool write = node->setup.options.transfer == WEFT_TRANSFER_WRITE;
    return (struct weft_work){
        .id = weft_work_id(WEFT_WORK_SEND, lane, index),
        .memory = weft_node_lane(&node->setup, lane) + op->offset_bytes,
        .lkey = node->setup.region.lkey,
        .len_bytes = (uint32_t)op->len_bytes,
        .operation = write ? WEFT_OPERATION_WRITE_IMMEDIATE : WEFT_OPERATION_SEND,
        .immediate = write ? (uint32_t)slot->sequence : 0,
        .remote_address = write ? slot->address : 0,
        .rkey = write ? weft_slot_rkey(slot) : 0,
        .inlined = op->len_bytes && op->len_bytes <= node->setup.inline_bytes};
}

/* Starts the next message of the channel. False: not now. */
static bool start_next(struct weft_node *node, struct weft_channel *channel)
{
    uint32_t index = channel->setup.sends[channel->send_at];
    uint32_t lane = weft_node_lane_of(&node->setup, channel->send_iteration);
    const struct weft_slot *place = &channel->setup.slots[channel->sent & node->setup.slots_mask];
    struct weft_slot slot;
    if (!weft_slot_read(place, channel->sent + 1, &slot)) {
        channel->send_waits |= WEFT_WAITED_RECEIVE;
        return false;
    }
    if (weft_slot_len(&slot) != node->setup.schedule->ops[index].len_bytes) {
        weft_node_fail_message(node, channel, index, "the peer expects a message of another length",
                               weft_slot_len(&slot));
        return false;
    }
    struct weft_work work = make_work(node, lane, index, &slot);
    if (!node->setup.driver->post_send(channel->setup.endpoint, &work, 1)) {
        channel->send_waits |= WEFT_WAITED_QUEUE;
        return false;
    }
    weft_graph_started(node, lane, index);
    weft_trace_started(node, lane, index, channel->send_waits);
    channel->send_waits = 0;
    node->worker.lanes[lane].posted_ns[index] = node->worker.now_ns;
    channel->sent++;
    channel->sends_outstanding++;
    if (++channel->send_at == channel->setup.send_count) {
        channel->send_at = 0;
        channel->send_iteration++;
    }
    return true;
}

/* An iteration that has not begun has nothing to send that is ready. */
static bool next_is_ready(const struct weft_node *node, const struct weft_channel *channel)
{
    uint32_t lane = weft_node_lane_of(&node->setup, channel->send_iteration);
    return !node->worker.lanes[lane].remaining[channel->setup.sends[channel->send_at]];
}

/* The channel stays ready while it waits for a slot or for room in the queue: nothing but memory
 * says that they have come. */
static uint32_t send_channel(struct weft_node *node, uint32_t index)
{
    struct weft_channel *channel = &node->worker.channels[index];
    uint32_t done = 0;
    while (channel->sends_outstanding < node->setup.depth && next_is_ready(node, channel)) {
        if (!start_next(node, channel))
            return done;
        done++;
    }
    if (channel->sends_outstanding == node->setup.depth)
        channel->send_waits |= WEFT_WAITED_QUEUE;
    /* Set again by a completion, or when the next becomes ready. */
    weft_bit_clear(node->worker.send_ready, index);
    return done;
}

uint32_t weft_node_send(struct weft_node *node)
{
    return weft_channels_visit(node, node->worker.send_ready, send_channel);
}
