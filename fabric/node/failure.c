/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a node: written once by the worker, read by anyone afterwards. */
#include <inttypes.h>
#include <stdio.h>

#include "fabric/node/internal.h"
#include "fabric/schedule/describe.h"

static void publish(struct weft_node *node)
{
    node->failed_here = true;
    atomic_store_explicit(&node->failed, true, memory_order_release);
}

/* The driver's own words, where it has any. */
static void append_cause(struct weft_node *node, const struct weft_channel *channel)
{
    struct weft_error cause = {0};
    enum weft_endpoint_state state = node->driver->endpoint_state(channel->endpoint, &cause);
    if (state != WEFT_ENDPOINT_FAILED || !cause.text[0])
        return;
    struct weft_error whole = node->failure;
    (void)weft_error_set(&node->failure, whole.status, "%.700s: %.700s", whole.text, cause.text);
}

void weft_node_fail_work(struct weft_node *node, const struct weft_channel *channel,
                         const struct weft_completion *completion)
{
    char text[WEFT_OP_TEXT];
    uint32_t op = (uint32_t)completion->id;
    if (completion->id >> WEFT_WORK_KIND_SHIFT == WEFT_WORK_SLOTS)
        (void)snprintf(text, sizeof(text), "announcing %u receives to rank %u", op,
                       weft_node_named(node, channel->peer));
    else
        (void)weft_op_describe(&node->schedule->ops[op], op, text);
    (void)weft_error_set(&node->failure, completion->status,
                         "rank %u, peer %u: %s failed: %s (vendor error 0x%x)",
                         weft_node_rank(node), weft_node_named(node, channel->peer), text,
                         weft_status_text(completion->status), completion->vendor_error);
    append_cause(node, channel);
    publish(node);
}

void weft_node_fail_channel(struct weft_node *node, const struct weft_channel *channel)
{
    (void)weft_error_set(&node->failure, WEFT_PEER_LOST, "rank %u, peer %u: the connection failed",
                         weft_node_rank(node), weft_node_named(node, channel->peer));
    append_cause(node, channel);
    publish(node);
}

void weft_node_fail_message(struct weft_node *node, const struct weft_channel *channel, uint32_t op,
                            const char *what, uint64_t found)
{
    char text[WEFT_OP_TEXT];
    (void)weft_error_set(&node->failure, WEFT_IO, "rank %u, peer %u: %s: %s (%" PRIu64 ")",
                         weft_node_rank(node), weft_node_named(node, channel->peer),
                         weft_op_describe(&node->schedule->ops[op], op, text), what, found);
    publish(node);
}

enum weft_status weft_node_failure(const struct weft_node *node, struct weft_error *error)
{
    if (!atomic_load_explicit(&node->failed, memory_order_acquire))
        return WEFT_OK;
    if (error)
        *error = node->failure;
    return node->failure.status;
}
