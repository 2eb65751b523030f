/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue pairs to peers that a schedule names, and the messages of each in their order. */
#include <stdlib.h>

#include "fabric/node/create.h"

static bool is_message(const struct weft_op *op)
{
    return op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
}

static void count_messages(const struct weft_node_parts *node, const uint64_t *flows)
{
    struct weft_node_setup *setup = node->setup;
    uint32_t *op_channels = weft_writable(setup->op_channels);
    for (uint32_t i = 0; i < setup->schedule->op_count; i++) {
        const struct weft_op *op = &setup->schedule->ops[i];
        if (!is_message(op))
            continue;
        op_channels[i] = weft_schedule_find_flow(flows, setup->channel_count, weft_flow_of(op));
        struct weft_channel_setup *channel = weft_channel_making(node, op_channels[i]);
        channel->peer = op->peer;
        channel->queue_pair = op->queue_pair;
        if (op->kind == WEFT_OP_SEND)
            channel->send_count++;
        else
            channel->receive_count++;
        if (op->kind == WEFT_OP_RECEIVE && op->len_bytes)
            channel->carries_bytes = true;
    }
}

/* Each channel's sends and then its receives lie in one piece of channel_ops. */
static void place_messages(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    const uint32_t *at = setup->channel_ops;
    uint64_t *has_receives = weft_writable(setup->has_receives);
    for (uint32_t i = 0; i < setup->channel_count; i++) {
        struct weft_channel_setup *channel = weft_channel_making(node, i);
        channel->sends = at;
        channel->receives = channel->sends + channel->send_count;
        at = channel->receives + channel->receive_count;
        if (channel->receive_count)
            weft_bit_set(has_receives, i);
    }
}

/* `send_at` and `receive_at` count for once what is there already. */
static void sort_messages(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    for (uint32_t i = 0; i < setup->schedule->op_count; i++) {
        const struct weft_op *op = &setup->schedule->ops[i];
        if (!is_message(op))
            continue;
        struct weft_channel *channel = &node->worker->channels[setup->op_channels[i]];
        uint32_t *sends = weft_writable(channel->setup.sends);
        uint32_t *receives = weft_writable(channel->setup.receives);
        if (op->kind == WEFT_OP_SEND)
            sends[channel->send_at++] = i;
        else
            receives[channel->receive_at++] = i;
    }
    for (uint32_t i = 0; i < setup->channel_count; i++)
        node->worker->channels[i].send_at = node->worker->channels[i].receive_at = 0;
}

static void find_first(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    while (setup->first_channel < setup->channel_count &&
           node->worker->channels[setup->first_channel].setup.peer < setup->schedule->rank)
        setup->first_channel++;
    if (setup->first_channel == setup->channel_count)
        setup->first_channel = 0;
}

static bool allocate(const struct weft_node_parts *node, uint32_t channel_count)
{
    struct weft_node_setup *setup = node->setup;
    size_t ops = (size_t)setup->schedule->op_count + 1;
    setup->channel_count = channel_count;
    setup->word_count = channel_count / 64 + 1;
    node->worker->channels = calloc((size_t)channel_count + 1, sizeof(*node->worker->channels));
    setup->channel_ops = calloc(ops, sizeof(*setup->channel_ops));
    setup->op_channels = calloc(ops, sizeof(*setup->op_channels));
    node->worker->send_ready = calloc(setup->word_count, sizeof(*node->worker->send_ready));
    node->worker->receive_ready = calloc(setup->word_count, sizeof(*node->worker->receive_ready));
    setup->has_receives = calloc(setup->word_count, sizeof(*setup->has_receives));
    return node->worker->channels && setup->channel_ops && setup->op_channels &&
           node->worker->send_ready && node->worker->receive_ready && setup->has_receives;
}

enum weft_status weft_channels_create(const struct weft_node_parts *node, struct weft_error *error)
{
    const struct weft_schedule *schedule = node->setup->schedule;
    uint32_t count = 0;
    uint64_t *flows = weft_schedule_flows(schedule, &count);
    bool made = flows && allocate(node, count);
    if (made) {
        count_messages(node, flows);
        place_messages(node);
        sort_messages(node);
        find_first(node);
    }
    free(flows);
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its channels",
                                 schedule->rank);
}

void weft_channels_destroy(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    free(node->worker->channels);
    free(weft_writable(setup->channel_ops));
    free(weft_writable(setup->op_channels));
    free(node->worker->send_ready);
    free(node->worker->receive_ready);
    free(weft_writable(setup->has_receives));
}
