/* SPDX-License-Identifier: BSD-3-Clause */
/* Open loop: which ranks begin iterations when they are due, and how often that is. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/base/units.h"
#include "fabric/node/create.h"

/* Has it anything to do before anything has come to it? */
static bool initiates(const struct weft_schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (!schedule->ops[i].requires_count && schedule->ops[i].kind != WEFT_OP_RECEIVE)
            return true;
    }
    return false;
}

static uint64_t period_bytes_of(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    uint64_t len_bytes = setup->options.period_bytes;
    for (uint32_t i = 0; !setup->options.period_bytes && i < setup->schedule->op_count; i++) {
        if (setup->schedule->ops[i].kind == WEFT_OP_SEND)
            len_bytes += setup->schedule->ops[i].len_bytes;
    }
    return len_bytes;
}

static enum weft_status create_arrivals(const struct weft_node_parts *node,
                                        struct weft_error *error)
{
    const struct weft_node_setup *setup = node->setup;
    uint64_t len_bytes = period_bytes_of(node);
    uint64_t gap = 0;
    char rate[WEFT_UNITS_TEXT];
    if (!len_bytes)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: a rate counts payload, and an iteration has none",
                              weft_node_rank(setup));
    if (!weft_arrivals_gap(len_bytes, setup->options.rate_bps, &gap))
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: at %s an iteration of %" PRIu64
                              " B is due every 4 s or less often: choose a higher rate",
                              weft_node_rank(setup),
                              weft_format_rate(setup->options.rate_bps, rate), len_bytes);
    return weft_arrivals_init(&node->worker->arrivals, setup->options.arrivals, gap,
                              setup->options.arrivals_seed, error);
}

enum weft_status weft_pace_create(const struct weft_node_parts *node, struct weft_error *error)
{
    struct weft_node_setup *setup = node->setup;
    if (!setup->options.rate_bps)
        return WEFT_OK;
    setup->paced = initiates(setup->schedule);
    setup->follows = !setup->paced;
    if (setup->follows)
        return WEFT_OK;
    bool made = true;
    for (uint32_t i = 0; i <= setup->lane_mask; i++) {
        struct weft_lane *lane = &node->worker->lanes[i];
        lane->ready_ns = calloc((size_t)setup->schedule->op_count + 1, sizeof(*lane->ready_ns));
        made = made && lane->ready_ns;
    }
    if (!made)
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for %u operations",
                              weft_node_rank(setup), setup->schedule->op_count);
    return create_arrivals(node, error);
}

void weft_pace_destroy(const struct weft_node_parts *node)
{
    weft_arrivals_fini(&node->worker->arrivals);
}
