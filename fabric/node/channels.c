/* SPDX-License-Identifier: BSD-3-Clause */
/* The peers and queue pairs that a schedule names, and each one's messages in their order. */
#include <stdlib.h>

#include "fabric/node/internal.h"
#include "fabric/schedule/flows.h"

static bool is_message(const struct weft_op *op)
{
    return op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
}

static void count_messages(struct weft_node *node, const struct weft_flow *flows)
{
    for (uint32_t i = 0; i < node->channel_count; i++) {
        node->channels[i].peer = flows[i].peer;
        node->channels[i].queue_pair = flows[i].queue_pair;
    }
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        const struct weft_op *op = &node->schedule->ops[i];
        if (!is_message(op))
            continue;
        struct weft_flow flow = {.peer = op->peer, .queue_pair = op->queue_pair};
        node->op_channels[i] = weft_flow_find(flows, node->channel_count, flow);
        struct weft_channel *channel = &node->channels[node->op_channels[i]];
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
    struct weft_flow *flows = NULL;
    uint32_t count = 0;
    bool made = weft_schedule_flows(schedule, &flows, &count) == WEFT_OK && allocate(node, count);
    if (made) {
        count_messages(node, flows);
        sort_messages(node);
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
