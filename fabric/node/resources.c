/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node takes of its device: checked before anything is made. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "fabric/node/internal.h"
#include "fabric/schedule/describe.h"

#define BUFFER_BYTES_MAX (UINT64_C(1) << 56)

static uint32_t slot_writes_of(uint32_t depth)
{
    return depth < WEFT_NODE_SLOT_WRITES ? depth : WEFT_NODE_SLOT_WRITES;
}

/* Works that may be outstanding on a channel; at least 1, for no queue has a depth of 0. */
static uint32_t send_depth_of(const struct weft_channel *channel, uint32_t depth)
{
    uint32_t works = channel->send_count ? depth : 0;
    works += channel->receive_count ? slot_writes_of(depth) : 0;
    return works ? works : 1;
}

static uint32_t receive_depth_of(const struct weft_channel *channel, uint32_t depth)
{
    return channel->receive_count ? depth : 1;
}

static uint64_t cq_depth_of(const struct weft_node *node, uint32_t depth)
{
    uint64_t works = 1;
    for (uint32_t i = 0; i < node->channel_count; i++)
        works += (uint64_t)send_depth_of(&node->channels[i], depth) +
                 receive_depth_of(&node->channels[i], depth);
    return works;
}

static bool depth_fits(const struct weft_node *node, uint32_t depth)
{
    return depth <= node->capabilities.max_receive_depth &&
           depth + slot_writes_of(depth) <= node->capabilities.max_send_depth &&
           cq_depth_of(node, depth) <= node->capabilities.max_cq_depth;
}

static uint32_t default_depth(const struct weft_node *node)
{
    if (node->in_flight <= WEFT_NODE_DEPTH_DEFAULT)
        return WEFT_NODE_DEPTH_DEFAULT;
    return node->in_flight < WEFT_NODE_DEPTH_DEFAULT_MAX ? node->in_flight
                                                         : WEFT_NODE_DEPTH_DEFAULT_MAX;
}

/* A depth that was asked for is taken or refused; the default gives way to the device. */
static enum weft_status choose_depth(struct weft_node *node, struct weft_error *error)
{
    const struct weft_capabilities *device = &node->capabilities;
    uint32_t asked = node->options.depth;
    node->depth = asked ? asked : default_depth(node);
    while (!asked && node->depth > 1 && !depth_fits(node, node->depth))
        node->depth /= 2;
    if (node->depth <= UINT16_MAX && depth_fits(node, node->depth))
        return WEFT_OK;
    return weft_error_set(
        error, WEFT_UNSUPPORTED,
        "rank %u: a depth of %u needs %u sends and %u receives on a channel and %" PRIu64
        " completions over %u channels; the device has %u, %u and %u%s",
        weft_node_rank(node), node->depth, node->depth + slot_writes_of(node->depth), node->depth,
        cq_depth_of(node, node->depth), node->channel_count, device->max_send_depth,
        device->max_receive_depth, device->max_cq_depth,
        asked ? ": choose a smaller depth" : ": run fewer ranks");
}

static enum weft_status check_operations(const struct weft_node *node, struct weft_error *error)
{
    uint32_t needed = WEFT_BIT(WEFT_OPERATION_WRITE) | WEFT_BIT(WEFT_OPERATION_RECEIVE);
    bool write = node->options.transfer == WEFT_TRANSFER_WRITE;
    needed |= WEFT_BIT(write ? WEFT_OPERATION_WRITE_IMMEDIATE : WEFT_OPERATION_SEND);
    const struct weft_capabilities *device = &node->capabilities;
    if (!(device->transports & WEFT_BIT(WEFT_TRANSPORT_RC)))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: schedules run over reliable connections, which driver %s "
                              "does not support on this device",
                              weft_node_rank(node), node->driver->name);
    if ((device->operations & needed) != needed)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: driver %s cannot do RDMA WRITE and %s on this device%s",
                              weft_node_rank(node), node->driver->name,
                              write ? "RDMA WRITE with immediate" : "SEND",
                              write ? "; try the transfer 'send'" : "");
    if (node->channel_count > device->max_endpoints)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u has %u queue pairs to its peers and needs as many "
                              "endpoints; the device has %u: run fewer ranks, or fewer queue "
                              "pairs between two",
                              weft_node_rank(node), node->channel_count, device->max_endpoints);
    return WEFT_OK;
}

static enum weft_status check_messages(const struct weft_node *node, struct weft_error *error)
{
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        const struct weft_op *op = &node->schedule->ops[i];
        bool message = op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
        if (!message || op->len_bytes <= node->capabilities.max_message_bytes)
            continue;
        char text[WEFT_OP_TEXT];
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: %s is longer than the device's largest message, %" PRIu64
                              " B; choose a smaller chunk, or a smaller size where the pattern "
                              "has no chunks",
                              weft_node_rank(node), weft_op_describe(op, i, text),
                              node->capabilities.max_message_bytes);
    }
    return WEFT_OK;
}

enum weft_status weft_resources_check(struct weft_node *node, struct weft_error *error)
{
    node->driver->capabilities(node->options.device, &node->capabilities);
    enum weft_status status = check_operations(node, error);
    if (status == WEFT_OK)
        status = check_messages(node, error);
    if (status == WEFT_OK)
        status = choose_depth(node, error);
    if (status != WEFT_OK)
        return status;
    uint32_t ring = 1;
    while (ring < node->depth)
        ring *= 2;
    node->slots_mask = ring - 1;
    node->inline_bytes = node->capabilities.max_inline_bytes < WEFT_NODE_INLINE_BYTES
                             ? node->capabilities.max_inline_bytes
                             : WEFT_NODE_INLINE_BYTES;
    return WEFT_OK;
}

static uint64_t lane_count_of(const struct weft_node *node)
{
    return node->lane_mask + UINT64_C(1);
}

static uint64_t ring_bytes(const struct weft_node *node)
{
    return (node->slots_mask + UINT64_C(1)) * WEFT_SLOT_BYTES;
}

static enum weft_status allocate_memory(struct weft_node *node, struct weft_error *error)
{
    uint64_t page = WEFT_NODE_ALIGN_BYTES;
    if (node->schedule->buffer_bytes > BUFFER_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: a buffer of %" PRIu64 " B is more than any machine has",
                              weft_node_rank(node), node->schedule->buffer_bytes);
    node->lane_bytes = (node->schedule->buffer_bytes + page - 1) / page * page;
    uint64_t rings = UINT64_C(2) * node->channel_count * ring_bytes(node);
    node->memory_bytes = lane_count_of(node) * node->lane_bytes + rings;
    node->memory_bytes = (node->memory_bytes + page) / page * page;
    node->memory = node->options.allocate(node->options.allocate_context, node->memory_bytes,
                                          node->capabilities.numa_node);
    if (!node->memory)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "rank %u: cannot allocate %" PRIu64 " B of memory (%" PRIu64
                              " buffers of the pattern, plus control); choose %s",
                              weft_node_rank(node), node->memory_bytes, lane_count_of(node),
                              node->in_flight > WEFT_NODE_LANES_MIN
                                  ? "fewer iterations in flight, or a smaller size"
                                  : "a smaller size or fewer ranks on this host");
    assert(!((uintptr_t)node->memory % page));
    memset(node->memory, 0, node->memory_bytes); /* so that no page is missing later */
    return WEFT_OK;
}

static void place_rings(struct weft_node *node)
{
    uint8_t *at = node->memory + lane_count_of(node) * node->lane_bytes;
    for (uint32_t i = 0; i < node->channel_count; i++) {
        node->channels[i].slots = (const struct weft_slot *)(const void *)at;
        node->channels[i].staging = (struct weft_slot *)(void *)(at + ring_bytes(node));
        at += 2 * ring_bytes(node);
    }
}

static enum weft_status create_endpoints(struct weft_node *node, struct weft_error *error)
{
    for (; node->endpoint_count < node->channel_count; node->endpoint_count++) {
        struct weft_channel *channel = &node->channels[node->endpoint_count];
        struct weft_endpoint_options options = {.transport = WEFT_TRANSPORT_RC,
                                                .cq = node->cq,
                                                .send_depth = send_depth_of(channel, node->depth),
                                                .receive_depth =
                                                    receive_depth_of(channel, node->depth),
                                                .inline_bytes = node->inline_bytes,
                                                .user = node->endpoint_count};
        enum weft_status status = node->driver->endpoint_create(node->options.device, &options,
                                                                &channel->endpoint, error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status create(struct weft_node *node, struct weft_error *error)
{
    struct weft_device *device = node->options.device;
    enum weft_status status = node->driver->region_register(
        device, node->memory, node->memory_bytes, &node->region, error);
    if (status != WEFT_OK)
        return status;
    node->registered = true;
    status =
        node->driver->cq_create(device, (uint32_t)cq_depth_of(node, node->depth), &node->cq, error);
    return status == WEFT_OK ? create_endpoints(node, error) : status;
}

enum weft_status weft_resources_create(struct weft_node *node, struct weft_error *error)
{
    enum weft_status status = allocate_memory(node, error);
    if (status != WEFT_OK)
        return status;
    place_rings(node);
    status = create(node, error);
    return status == WEFT_OK ? WEFT_OK
                             : weft_error_prefix(error, "rank %u: ", weft_node_rank(node));
}

void weft_resources_destroy(struct weft_node *node)
{
    struct weft_device *device = node->options.device;
    while (node->endpoint_count > 0)
        node->driver->endpoint_destroy(device, node->channels[--node->endpoint_count].endpoint);
    if (node->cq)
        node->driver->cq_destroy(device, node->cq);
    if (node->registered)
        node->driver->region_deregister(device, &node->region);
    if (node->memory)
        node->options.release(node->options.allocate_context, node->memory, node->memory_bytes);
}
