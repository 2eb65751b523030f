/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "fabric/node/steps.h"

static void complete_send(struct weft_node *node, struct weft_channel *channel, uint64_t id)
{
    uint32_t lane = weft_work_lane(&node->setup, id), op = (uint32_t)id;
    assert(channel->sends_outstanding > 0 && weft_node_runs(node));
    channel->sends_outstanding--;
    if (weft_node_measures(node)) {
        if (!node->tally.unrecorded) {
            weft_hist_record(node->tally.latency_ns,
                             node->worker.now_ns - node->worker.lanes[lane].posted_ns[op]);
            weft_open_loop_sent(node, lane, op);
        }
        node->tally.sent_messages++;
        node->tally.sent_bytes += node->setup.schedule->ops[op].len_bytes;
    }
    weft_bit_set(node->worker.send_ready, weft_channel_index(node, channel));
    weft_graph_complete(node, lane, op);
}

/* The sequence and the length of what came are the driver's word that it mixed up nothing. */
static bool is_expected(struct weft_node *node, const struct weft_channel *channel,
                        const struct weft_completion *completion)
{
    uint32_t op = (uint32_t)completion->id;
    uint32_t sequence = (uint32_t)(channel->posted - channel->receives_outstanding + 1);
    if (completion->has_immediate && completion->immediate != sequence) {
        weft_node_fail_message(node, channel, op, "a message arrived out of order",
                               completion->immediate);
        return false;
    }
    if (completion->len_bytes != node->setup.schedule->ops[op].len_bytes) {
        weft_node_fail_message(node, channel, op, "a message arrived with an unexpected length",
                               completion->len_bytes);
        return false;
    }
    return true;
}

static void complete_receive(struct weft_node *node, struct weft_channel *channel,
                             const struct weft_completion *completion)
{
    uint32_t lane = weft_work_lane(&node->setup, completion->id), op = (uint32_t)completion->id;
    assert(channel->receives_outstanding > 0);
    if (!is_expected(node, channel, completion))
        return;
    uint64_t len_bytes = node->setup.schedule->ops[op].len_bytes;
    channel->receives_outstanding--;
    channel->completed_bytes += len_bytes;
    if (weft_node_measures(node)) {
        node->tally.received_messages++;
        node->tally.received_bytes += len_bytes;
        if (op == channel->setup.receives[channel->setup.receive_count - 1])
            weft_flow_arrived(node, channel, lane);
    }
    weft_bit_set(node->worker.receive_ready, weft_channel_index(node, channel));
    weft_open_loop_came(node, &node->worker.lanes[lane]);
    weft_graph_complete(node, lane, op);
}

static void complete_slots(struct weft_node *node, struct weft_channel *channel, uint64_t id)
{
    assert(channel->slot_writes > 0);
    channel->slot_writes--;
    channel->confirmed += (uint32_t)id;
    assert(channel->confirmed <= channel->announced);
    weft_bit_set(node->worker.receive_ready, weft_channel_index(node, channel));
}

static void complete(struct weft_node *node, const struct weft_completion *completion)
{
    assert(completion->user < node->setup.channel_count);
    struct weft_channel *channel = &node->worker.channels[completion->user];
    if (completion->status != WEFT_OK) {
        weft_node_fail_work(node, channel, completion);
        return;
    }
    switch ((enum weft_work_kind)(completion->id >> WEFT_WORK_KIND_SHIFT)) {
    case WEFT_WORK_SEND:
        complete_send(node, channel, completion->id);
        break;
    case WEFT_WORK_RECEIVE:
        complete_receive(node, channel, completion);
        break;
    case WEFT_WORK_SLOTS:
        complete_slots(node, channel, completion->id);
        break;
    }
}

uint32_t weft_node_complete(struct weft_node *node)
{
    uint32_t count = node->setup.driver->cq_poll(node->setup.cq, node->worker.completions,
                                                 WEFT_NODE_COMPLETIONS);
    for (uint32_t i = 0; i < count && !node->worker.failed; i++)
        complete(node, &node->worker.completions[i]);
    return count;
}
