/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue pairs to peers that a schedule names, and the messages of each in their order. */
#include <stdlib.h>

#include "fabric/node/internal.h"

static bool is_message(const struct weft_op *op)
{
    return op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
}

static void count_messages(struct weft_node *node, const uint64_t *flows)
{
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        const struct weft_op *op = &node->schedule->ops[i];
        if (!is_message(op))
            continue;
        node->op_channels[i] =
            weft_schedule_find_flow(flows, node->channel_count, weft_flow_of(op));
        struct weft_channel *channel = &node->channels[node->op_channels[i]];
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
static void sort_messages(struct weft_node *node)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->channel_count; i++) {
        struct weft_channel *channel = &node->channels[i];
        channel->sends = node->channel_ops + first;
        channel->receives = channel->sends + channel->send_count;
        first += channel->send_count + channel->receive_count;
        if (channel->receive_count)
            weft_bit_set(node->has_receives, i);
        channel->send_at = channel->receive_at = 0;
    }
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        const struct weft_op *op = &node->schedule->ops[i];
        if (!is_message(op))
            continue;
        struct weft_channel *channel = &node->channels[node->op_channels[i]];
        uint64_t begin = (uint64_t)(channel->sends - node->channel_ops);
        if (op->kind == WEFT_OP_SEND)
            node->channel_ops[begin + channel->send_at++] = i;
        else
            node->channel_ops[begin + channel->send_count + channel->receive_at++] = i;
    }
    for (uint32_t i = 0; i < node->channel_count; i++)
        node->channels[i].send_at = node->channels[i].receive_at = 0;
}

static void find_first(struct weft_node *node)
{
    while (node->first_channel < node->channel_count &&
           node->channels[node->first_channel].peer < node->schedule->rank)
        node->first_channel++;
    if (node->first_channel == node->channel_count)
        node->first_channel = 0;
}

static bool allocate(struct weft_node *node, uint32_t channel_count)
{
    size_t ops = (size_t)node->schedule->op_count + 1;
    node->channel_count = channel_count;
    node->word_count = channel_count / 64 + 1;
    node->channels = calloc((size_t)channel_count + 1, sizeof(*node->channels));
    node->channel_ops = calloc(ops, sizeof(*node->channel_ops));
    node->op_channels = calloc(ops, sizeof(*node->op_channels));
    node->send_ready = calloc(node->word_count, sizeof(*node->send_ready));
    node->receive_ready = calloc(node->word_count, sizeof(*node->receive_ready));
    node->has_receives = calloc(node->word_count, sizeof(*node->has_receives));
    return node->channels && node->channel_ops && node->op_channels && node->send_ready &&
           node->receive_ready && node->has_receives;
}

enum weft_status weft_channels_create(struct weft_node *node, struct weft_error *error)
{
    const struct weft_schedule *schedule = node->schedule;
    uint32_t count = 0;
    uint64_t *flows = weft_schedule_flows(schedule, &count);
    bool made = flows && allocate(node, count);
    if (made) {
        count_messages(node, flows);
        sort_messages(node);
        find_first(node);
    }
    free(flows);
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its channels",
                                 schedule->rank);
}

void weft_channels_destroy(struct weft_node *node)
{
    free(node->channels);
    free(node->channel_ops);
    free(node->op_channels);
    free(node->send_ready);
    free(node->receive_ready);
    free(node->has_receives);
}
