/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/node/node.h"

#include <assert.h>
#include <stdlib.h>

#include "fabric/node/internal.h"

static enum weft_status allocate_records(struct weft_node *node, struct weft_error *error)
{
    node->tally.latency_ns = weft_hist_create();
    node->tally.bandwidth_bps = weft_hist_create();
    node->durations.values_ns = calloc(WEFT_NODE_DURATIONS, sizeof(uint64_t));
    if (node->tally.latency_ns && node->tally.bandwidth_bps && node->durations.values_ns)
        return WEFT_OK;
    return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its histograms",
                          weft_node_rank(node));
}

static enum weft_status build(struct weft_node *node, struct weft_error *error)
{
    enum weft_status status = weft_channels_create(node, error);
    if (status == WEFT_OK)
        status = weft_resources_check(node, error);
    if (status == WEFT_OK)
        status = weft_graph_create(node, error);
    if (status == WEFT_OK)
        status = allocate_records(node, error);
    if (status == WEFT_OK)
        status = weft_trace_create(node, error);
    if (status == WEFT_OK)
        status = weft_open_loop_create(node, error);
    if (status == WEFT_OK)
        status = weft_resources_create(node, error);
    return status;
}

uint32_t weft_node_lanes(uint32_t in_flight)
{
    uint32_t lanes = WEFT_NODE_LANES_MIN;
    while (lanes < in_flight)
        lanes *= 2;
    return lanes;
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
    node->options = *options;
    node->driver = options->driver;
    node->schedule = options->schedule;
    node->join = weft_reduce_choose(options->schedule->element, options->schedule->reduction);
    node->element_bytes = weft_element_bytes(options->schedule->element);
    node->element_shift = (uint32_t)__builtin_ctz(node->element_bytes);
    node->interval_ns = options->interval_ns ? options->interval_ns : WEFT_NODE_INTERVAL_NS;
    node->interval_inverse = UINT64_MAX / node->interval_ns + 1;
    node->in_flight = options->in_flight ? options->in_flight : 1;
    node->lane_mask = weft_node_lanes(node->in_flight) - 1;
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
    weft_resources_destroy(node);
    weft_open_loop_destroy(node);
    weft_graph_destroy(node);
    weft_trace_destroy(node);
    weft_channels_destroy(node);
    weft_hist_destroy(node->tally.latency_ns);
    weft_hist_destroy(node->tally.bandwidth_bps);
    free(node->durations.values_ns);
    free(node);
}
