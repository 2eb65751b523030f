/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node takes of its device: checked before anything is made. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "fabric/base/size.h"
#include "fabric/node/create.h"
#include "fabric/schedule/describe.h"

#define DEPTH_DEFAULT 16u
/* With many iterations in flight the default grows with them, up to this. */
#define DEPTH_DEFAULT_MAX 64u
/* Slots and messages of up to this travel in the work request where the device can. */
#define INLINE_BYTES 128u
#define ALIGN_BYTES 4096u
#define BUFFER_BYTES_MAX (UINT64_C(1) << 56)

static uint32_t slot_writes_of(uint32_t depth)
{
    return depth < WEFT_NODE_SLOT_WRITES ? depth : WEFT_NODE_SLOT_WRITES;
}

/* Works that may be outstanding on a channel; at least 1, for no queue has a depth of 0. */
static uint32_t send_depth_of(const struct weft_channel_setup *channel, uint32_t depth)
{
    uint32_t works = channel->send_count ? depth : 0;
    works += channel->receive_count ? slot_writes_of(depth) : 0;
    return works ? works : 1;
}

static uint32_t receive_depth_of(const struct weft_channel_setup *channel, uint32_t depth)
{
    return channel->receive_count ? depth : 1;
}

static uint64_t cq_depth_of(const struct weft_node_parts *node, uint32_t depth)
{
    uint64_t works = 1;
    for (uint32_t i = 0; i < node->setup->channel_count; i++)
        works += (uint64_t)send_depth_of(&node->worker->channels[i].setup, depth) +
                 receive_depth_of(&node->worker->channels[i].setup, depth);
    return works;
}

static bool depth_fits(const struct weft_node_parts *node, uint32_t depth)
{
    const struct weft_node_setup *setup = node->setup;
    return depth <= setup->capabilities.max_receive_depth &&
           depth + slot_writes_of(depth) <= setup->capabilities.max_send_depth &&
           cq_depth_of(node, depth) <= setup->capabilities.max_cq_depth;
}

static uint32_t default_depth(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    if (setup->in_flight <= DEPTH_DEFAULT)
        return DEPTH_DEFAULT;
    return setup->in_flight < DEPTH_DEFAULT_MAX ? setup->in_flight : DEPTH_DEFAULT_MAX;
}

/* A depth that was asked for is taken or refused; the default gives way to the device. */
static enum weft_status choose_depth(const struct weft_node_parts *node, struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    const struct weft_capabilities *device = &setup->capabilities;
    uint32_t asked = setup->options.depth;
    setup->depth = asked ? asked : default_depth(node);
    while (!asked && setup->depth > 1 && !depth_fits(node, setup->depth))
        setup->depth /= 2;
    if (setup->depth <= UINT16_MAX && depth_fits(node, setup->depth))
        return WEFT_OK;
    return weft_error_set(
        error, WEFT_UNSUPPORTED,
        "rank %u: a depth of %u needs %u sends and %u receives on a channel and %" PRIu64
        " completions over %u channels; the device has %u, %u and %u%s",
        weft_node_rank(setup), setup->depth, setup->depth + slot_writes_of(setup->depth),
        setup->depth, cq_depth_of(node, setup->depth), setup->channel_count, device->max_send_depth,
        device->max_receive_depth, device->max_cq_depth,
        asked ? ": choose a smaller depth" : ": run fewer ranks");
}

static enum weft_status check_operations(const struct weft_node_parts *node,
                                         struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    uint32_t needed = WEFT_BIT(WEFT_OPERATION_WRITE) | WEFT_BIT(WEFT_OPERATION_RECEIVE);
    bool write = setup->options.transfer == WEFT_TRANSFER_WRITE;
    needed |= WEFT_BIT(write ? WEFT_OPERATION_WRITE_IMMEDIATE : WEFT_OPERATION_SEND);
    const struct weft_capabilities *device = &setup->capabilities;
    if (!(device->transports & WEFT_BIT(WEFT_TRANSPORT_RC)))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: schedules run over reliable connections, which driver %s "
                              "does not support on this device",
                              weft_node_rank(setup), setup->driver->name);
    if ((device->operations & needed) != needed)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: driver %s cannot do RDMA WRITE and %s on this device%s",
                              weft_node_rank(setup), setup->driver->name,
                              write ? "RDMA WRITE with immediate" : "SEND",
                              write ? "; try the transfer 'send'" : "");
    if (setup->channel_count > device->max_endpoints)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u has %u queue pairs to its peers and needs as many "
                              "endpoints; the device has %u: run fewer ranks, or fewer queue "
                              "pairs between two",
                              weft_node_rank(setup), setup->channel_count, device->max_endpoints);
    return WEFT_OK;
}

static enum weft_status check_messages(const struct weft_node_parts *node, struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    for (uint32_t i = 0; i < setup->schedule->op_count; i++) {
        const struct weft_op *op = &setup->schedule->ops[i];
        bool message = op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
        if (!message || op->len_bytes <= setup->capabilities.max_message_bytes)
            continue;
        char text[WEFT_OP_TEXT];
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "rank %u: %s is longer than the device's largest message, %" PRIu64
                              " B; choose a smaller chunk, or a smaller size where the pattern "
                              "has no chunks",
                              weft_node_rank(setup), weft_op_describe(op, i, text),
                              setup->capabilities.max_message_bytes);
    }
    return WEFT_OK;
}

enum weft_status weft_resources_check(const struct weft_node_parts *node, struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    setup->driver->capabilities(setup->options.device, &setup->capabilities);
    enum weft_status status = check_operations(node, error);
    if (status == WEFT_OK)
        status = check_messages(node, error);
    if (status == WEFT_OK)
        status = choose_depth(node, error);
    if (status != WEFT_OK)
        return status;
    uint32_t ring = 1;
    while (ring < setup->depth)
        ring *= 2;
    setup->slots_mask = ring - 1;
    setup->inline_bytes = setup->capabilities.max_inline_bytes < INLINE_BYTES
                              ? setup->capabilities.max_inline_bytes
                              : INLINE_BYTES;
    return WEFT_OK;
}

static uint64_t lane_count_of(const struct weft_node_parts *node)
{
    return node->setup->lane_mask + UINT64_C(1);
}

static uint64_t ring_bytes(const struct weft_node_parts *node)
{
    return (node->setup->slots_mask + UINT64_C(1)) * WEFT_SLOT_BYTES;
}

static enum weft_status allocate_memory(const struct weft_node_parts *node,
                                        struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    uint64_t page = ALIGN_BYTES;
    if (setup->schedule->buffer_bytes > BUFFER_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: a buffer of %" PRIu64 " B is more than any machine has",
                              weft_node_rank(setup), setup->schedule->buffer_bytes);
    setup->lane_bytes = (setup->schedule->buffer_bytes + page - 1) / page * page;
    uint64_t rings = UINT64_C(2) * setup->channel_count * ring_bytes(node);
    setup->memory_bytes =
        weft_size_add(weft_size_times(lane_count_of(node), setup->lane_bytes), rings + page);
    if (setup->memory_bytes > BUFFER_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: %" PRIu64 " buffers of %" PRIu64
                              " B are more than any machine has; choose fewer iterations in "
                              "flight, or a smaller size",
                              weft_node_rank(setup), lane_count_of(node), setup->lane_bytes);
    setup->memory_bytes = setup->memory_bytes / page * page;
    setup->memory = setup->options.allocate(setup->options.allocate_context, setup->memory_bytes,
                                            setup->capabilities.numa_node);
    if (!setup->memory)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "rank %u: cannot allocate %" PRIu64 " B of memory (%" PRIu64
                              " buffers of the pattern, plus control); choose %s",
                              weft_node_rank(setup), setup->memory_bytes, lane_count_of(node),
                              setup->in_flight > WEFT_NODE_LANES_MIN
                                  ? "fewer iterations in flight, or a smaller size"
                                  : "a smaller size or fewer ranks on this host");
    assert(!((uintptr_t)setup->memory % page));
    memset(setup->memory, 0, setup->memory_bytes); /* so that no page is missing later */
    return WEFT_OK;
}

static void place_rings(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    uint8_t *at = setup->memory + lane_count_of(node) * setup->lane_bytes;
    for (uint32_t i = 0; i < setup->channel_count; i++) {
        struct weft_channel_setup *channel = weft_channel_making(node, i);
        channel->slots = (const struct weft_slot *)(const void *)at;
        channel->staging = (struct weft_slot *)(void *)(at + ring_bytes(node));
        at += 2 * ring_bytes(node);
    }
}

static enum weft_status create_endpoints(const struct weft_node_parts *node,
                                         struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    for (; setup->endpoint_count < setup->channel_count; setup->endpoint_count++) {
        struct weft_channel_setup *channel = weft_channel_making(node, setup->endpoint_count);
        struct weft_endpoint_options options = {.transport = WEFT_TRANSPORT_RC,
                                                .cq = setup->cq,
                                                .send_depth = send_depth_of(channel, setup->depth),
                                                .receive_depth =
                                                    receive_depth_of(channel, setup->depth),
                                                .inline_bytes = setup->inline_bytes,
                                                .user = setup->endpoint_count};
        enum weft_status status = setup->driver->endpoint_create(setup->options.device, &options,
                                                                 &channel->endpoint, error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status create(const struct weft_node_parts *node, struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    struct weft_device *device = setup->options.device;
    enum weft_status status = setup->driver->region_register(
        device, setup->memory, setup->memory_bytes, &setup->region, error);
    if (status != WEFT_OK)
        return status;
    setup->registered = true;
    status = setup->driver->cq_create(device, (uint32_t)cq_depth_of(node, setup->depth), &setup->cq,
                                      error);
    return status == WEFT_OK ? create_endpoints(node, error) : status;
}

enum weft_status weft_resources_create(const struct weft_node_parts *node, struct weft_error *error)
{
    enum weft_status status = allocate_memory(node, error);
    if (status != WEFT_OK)
        return status;
    place_rings(node);
    status = create(node, error);
    return status == WEFT_OK ? WEFT_OK
                             : weft_error_prefix(error, "rank %u: ", weft_node_rank(node->setup));
}

void weft_resources_destroy(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    struct weft_device *device = setup->options.device;
    while (setup->endpoint_count > 0)
        setup->driver->endpoint_destroy(
            device, node->worker->channels[--setup->endpoint_count].setup.endpoint);
    if (setup->cq)
        setup->driver->cq_destroy(device, setup->cq);
    if (setup->registered)
        setup->driver->region_deregister(device, &setup->region);
    if (setup->memory)
        setup->options.release(setup->options.allocate_context, setup->memory, setup->memory_bytes);
}
