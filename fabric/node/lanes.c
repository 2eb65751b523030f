/* SPDX-License-Identifier: BSD-3-Clause */
/* What iterations under way need of memory, and where graph.c begins. */
#include <stdlib.h>

#include "fabric/node/create.h"

static bool posted_ahead(const struct weft_op *op)
{
    return op->kind == WEFT_OP_RECEIVE && !op->requires_count;
}

/* How many of each operation's requirements can be complete before the start. */
static void count_early(const struct weft_schedule *schedule, uint32_t *early)
{
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (!posted_ahead(op))
            continue;
        for (uint32_t j = 0; j < op->successor_count; j++)
            early[schedule->successors[op->first_successor + j]]++;
    }
}

static void close_gate(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    const struct weft_schedule *schedule = setup->schedule;
    uint32_t *initial = weft_writable(setup->initial);
    uint32_t *gated = weft_writable(setup->gated);
    count_early(schedule, initial);
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        bool gate = !posted_ahead(op) && initial[i] == op->requires_count;
        initial[i] = op->requires_count + (gate ? 1 : 0);
        if (gate)
            gated[setup->gated_count++] = i;
        for (uint32_t lane = 0; lane <= setup->lane_mask; lane++)
            node->worker->lanes[lane].remaining[i] = initial[i];
    }
}

/* Only what running iterations have is ever pending, so each operation is there at most once for
 * each of them. */
static bool allocate_pending(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    uint64_t reduces = 0, calcs = 0;
    uint32_t cpus = 0;
    for (uint32_t i = 0; i < setup->schedule->op_count; i++) {
        reduces += setup->schedule->ops[i].kind == WEFT_OP_REDUCE;
        calcs += setup->schedule->ops[i].kind == WEFT_OP_CALC;
        if (setup->schedule->ops[i].cpu > cpus)
            cpus = setup->schedule->ops[i].cpu;
    }
    reduces *= setup->in_flight;
    calcs *= setup->in_flight;
    uint64_t room = 1;
    while (room < reduces)
        room *= 2;
    setup->reduces_mask = (uint32_t)(room - 1);
    node->worker->reduces = calloc(room, sizeof(*node->worker->reduces));
    node->worker->calcs = calloc(calcs + 1, sizeof(*node->worker->calcs));
    node->worker->cpu_free_ns = calloc((size_t)cpus + 1, sizeof(*node->worker->cpu_free_ns));
    return node->worker->reduces && node->worker->calcs && node->worker->cpu_free_ns;
}

static bool allocate(const struct weft_node_parts *node)
{
    struct weft_node_setup *setup = node->setup;
    size_t count = (size_t)setup->schedule->op_count + 1;
    setup->initial = calloc(count, sizeof(*setup->initial));
    setup->gated = calloc(count, sizeof(*setup->gated));
    node->worker->lanes = calloc(setup->lane_mask + 1, sizeof(*node->worker->lanes));
    bool made = setup->initial && setup->gated && node->worker->lanes;
    for (uint32_t i = 0; made && i <= setup->lane_mask; i++) {
        struct weft_lane *lane = &node->worker->lanes[i];
        lane->remaining = calloc(count, sizeof(*lane->remaining));
        lane->posted_ns = calloc(count, sizeof(*lane->posted_ns));
        lane->left = setup->schedule->op_count;
        made = lane->remaining && lane->posted_ns;
    }
    return made && allocate_pending(node);
}

enum weft_status weft_lanes_create(const struct weft_node_parts *node, struct weft_error *error)
{
    if (!allocate(node))
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for %u operations",
                              weft_node_rank(node->setup), node->setup->schedule->op_count);
    close_gate(node);
    node->worker->calc_next_ns = UINT64_MAX;
    return WEFT_OK;
}

void weft_lanes_destroy(const struct weft_node_parts *node)
{
    const struct weft_node_setup *setup = node->setup;
    for (uint32_t i = 0; node->worker->lanes && i <= setup->lane_mask; i++) {
        free(node->worker->lanes[i].remaining);
        free(node->worker->lanes[i].posted_ns);
        free(node->worker->lanes[i].ready_ns);
    }
    free(node->worker->lanes);
    free(weft_writable(setup->initial));
    free(weft_writable(setup->gated));
    free(node->worker->reduces);
    free(node->worker->calcs);
    free(node->worker->cpu_free_ns);
}
