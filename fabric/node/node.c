/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a node out of its parts, and handing each part to the thread that it belongs to. */
#include "fabric/node/node.h"

#include <assert.h>
#include <stdlib.h>

#include "fabric/node/create.h"
#include "fabric/node/keeper.h"

#define INTERVAL_NS UINT64_C(1000000)

uint32_t weft_node_lanes(uint32_t in_flight)
{
    uint32_t lanes = WEFT_NODE_LANES_MIN;
    while (lanes < in_flight)
        lanes *= 2;
    return lanes;
}

static void set_up(struct weft_node_setup *setup, const struct weft_node_options *options)
{
    setup->options = *options;
    setup->driver = options->driver;
    setup->schedule = options->schedule;
    setup->join = weft_reduce_choose(options->schedule->element, options->schedule->reduction);
    setup->element_bytes = weft_element_bytes(options->schedule->element);
    setup->element_shift = (uint32_t)__builtin_ctz(setup->element_bytes);
    setup->interval_ns = options->interval_ns ? options->interval_ns : INTERVAL_NS;
    setup->interval_inverse = UINT64_MAX / setup->interval_ns + 1;
    setup->in_flight = options->in_flight ? options->in_flight : 1;
    setup->lane_mask = weft_node_lanes(setup->in_flight) - 1;
}

static struct weft_node_parts parts_of(struct weft_node *node)
{
    return (struct weft_node_parts){.setup = weft_writable(&node->setup), .worker = &node->worker};
}

static enum weft_status build(struct weft_node *node, struct weft_error *error)
{
    const struct weft_node_parts parts = parts_of(node);
    enum weft_status status = weft_channels_create(&parts, error);
    if (status == WEFT_OK)
        status = weft_resources_check(&parts, error);
    if (status == WEFT_OK)
        status = weft_lanes_create(&parts, error);
    if (status == WEFT_OK)
        status = weft_pace_create(&parts, error);
    if (status == WEFT_OK)
        status = weft_records_create(parts.setup, error);
    if (status == WEFT_OK)
        status = weft_tally_init(&node->tally, parts.setup, error);
    if (status == WEFT_OK)
        status = weft_resources_create(&parts, error);
    return status;
}

enum weft_status weft_node_create(const struct weft_node_options *options,
                                  struct weft_node **ret_node, struct weft_error *error)
{
    assert(options->driver && options->device && options->schedule);
    assert(options->allocate && options->release);
    assert(options->transfer < WEFT_TRANSFER_COUNT);
    assert(options->in_flight <= WEFT_IN_FLIGHT_MAX);
    struct weft_node *node = calloc(1, sizeof(*node));
    if (!node)
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory",
                              options->schedule->rank);
    set_up(parts_of(node).setup, options);
    enum weft_status status = build(node, error);
    if (status != WEFT_OK) {
        weft_node_destroy(node);
        return status;
    }
    *ret_node = node;
    return WEFT_OK;
}

void weft_node_destroy(struct weft_node *node)
{
    if (!node)
        return;
    const struct weft_node_parts parts = parts_of(node);
    weft_resources_destroy(&parts);
    weft_pace_destroy(&parts);
    weft_lanes_destroy(&parts);
    weft_records_destroy(parts.setup);
    weft_channels_destroy(&parts);
    weft_tally_fini(&node->tally);
    free(node);
}

/* ---- for the control thread ---- */

const struct weft_node_setup *weft_node_setup(const struct weft_node *node)
{
    return &node->setup;
}

const struct weft_channel_setup *weft_node_channel(const struct weft_node *node, uint32_t index)
{
    assert(index < node->setup.channel_count);
    return &node->worker.channels[index].setup;
}

struct weft_node_shared *weft_node_shared(const struct weft_node *node)
{
    return weft_writable(&node->shared);
}

const struct weft_phase_options *weft_node_order(const struct weft_node *node)
{
    return &node->order;
}

/* What the worker wrote before it gave the node back is visible after this. */
static bool is_idle(const struct weft_node *node)
{
    const struct weft_node_shared *shared = &node->shared;
    return atomic_load_explicit(&shared->done, memory_order_acquire) ==
               atomic_load_explicit(&shared->granted, memory_order_relaxed) ||
           atomic_load_explicit(&shared->failed, memory_order_acquire);
}

struct weft_node_tally *weft_node_tally(struct weft_node *node)
{
    assert(is_idle(node));
    return &node->tally;
}

const struct weft_node_tally *weft_node_tallied(const struct weft_node *node)
{
    (void)is_idle(node);
    return &node->tally;
}

void weft_node_set_order(struct weft_node *node, const struct weft_phase_options *order)
{
    assert(is_idle(node));
    struct weft_phase_options *later = weft_writable(&node->order);
    *later = *order;
}

/* ---- for anyone, once it is made ---- */

uint32_t weft_node_channel_count(const struct weft_node *node)
{
    return node->setup.channel_count;
}

void weft_node_channel_address(const struct weft_node *node, uint32_t channel,
                               struct weft_channel_address *ret_address)
{
    const struct weft_node_setup *setup = &node->setup;
    const struct weft_channel_setup *at = weft_node_channel(node, channel);
    *ret_address = (struct weft_channel_address){.from_rank = weft_node_rank(setup),
                                                 .to_rank = weft_node_named(setup, at->peer),
                                                 .queue_pair = at->queue_pair,
                                                 .slots_address = (uintptr_t)at->slots,
                                                 .slots_rkey = setup->region.rkey,
                                                 .depth = setup->slots_mask + 1};
    setup->driver->endpoint_address(at->endpoint, &ret_address->endpoint);
}
