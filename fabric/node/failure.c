/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a node. What comes first is its failure: once it is published others read it, so the
 * worker, which may find more in the same poll, writes no other. */
#include <inttypes.h>
#include <stdio.h>

#include "fabric/node/steps.h"
#include "fabric/schedule/describe.h"

static void publish(struct weft_node *node, const struct weft_error *failure)
{
    if (node->worker.failed)
        return;
    node->worker.failed = true;
    node->shared.failure = *failure;
    atomic_store_explicit(&node->shared.failed, true, memory_order_release);
}

/* The driver's own words, where it has any. */
static void append_cause(const struct weft_node *node, const struct weft_channel *channel,
                         struct weft_error *failure)
{
    struct weft_error cause = {0};
    enum weft_endpoint_state state =
        node->setup.driver->endpoint_state(channel->setup.endpoint, &cause);
    if (state != WEFT_ENDPOINT_FAILED || !cause.text[0])
        return;
    struct weft_error whole = *failure;
    (void)weft_error_set(failure, whole.status, "%.700s: %.700s", whole.text, cause.text);
}

static uint32_t peer_of(const struct weft_node *node, const struct weft_channel *channel)
{
    return weft_node_named(&node->setup, channel->setup.peer);
}

void weft_node_fail_work(struct weft_node *node, const struct weft_channel *channel,
                         const struct weft_completion *completion)
{
    char text[WEFT_OP_TEXT];
    struct weft_error failure = {0};
    uint32_t op = (uint32_t)completion->id;
    if (completion->id >> WEFT_WORK_KIND_SHIFT == WEFT_WORK_SLOTS)
        (void)snprintf(text, sizeof(text), "announcing %u receives to rank %u", op,
                       peer_of(node, channel));
    else
        (void)weft_op_describe(&node->setup.schedule->ops[op], op, text);
    (void)weft_error_set(&failure, completion->status,
                         "rank %u, peer %u: %s failed: %s (vendor error 0x%x)",
                         weft_node_rank(&node->setup), peer_of(node, channel), text,
                         weft_status_text(completion->status), completion->vendor_error);
    append_cause(node, channel, &failure);
    publish(node, &failure);
}

void weft_node_fail_channel(struct weft_node *node, const struct weft_channel *channel)
{
    struct weft_error failure = {0};
    (void)weft_error_set(&failure, WEFT_PEER_LOST, "rank %u, peer %u: the connection failed",
                         weft_node_rank(&node->setup), peer_of(node, channel));
    append_cause(node, channel, &failure);
    publish(node, &failure);
}

void weft_node_fail_message(struct weft_node *node, const struct weft_channel *channel, uint32_t op,
                            const char *what, uint64_t found)
{
    char text[WEFT_OP_TEXT];
    struct weft_error failure = {0};
    (void)weft_error_set(&failure, WEFT_IO, "rank %u, peer %u: %s: %s (%" PRIu64 ")",
                         weft_node_rank(&node->setup), peer_of(node, channel),
                         weft_op_describe(&node->setup.schedule->ops[op], op, text), what, found);
    publish(node, &failure);
}
