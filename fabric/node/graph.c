/* SPDX-License-Identifier: BSD-3-Clause */
/* Which operations may start. Each lane counts, for every operation, what must still complete.
 * Receives that require nothing may be posted before their iteration starts and even complete
 * then; all else waits for the start: directly, which is counted as one more requirement, or
 * because it requires something that does. */
#include <assert.h>
#include <stdlib.h>

#include "fabric/node/internal.h"

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

static void close_gate(struct weft_node *node)
{
    const struct weft_schedule *schedule = node->schedule;
    count_early(schedule, node->initial);
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        bool gate = !posted_ahead(op) && node->initial[i] == op->requires_count;
        node->initial[i] = op->requires_count + (gate ? 1 : 0);
        if (gate)
            node->gated[node->gated_count++] = i;
        for (uint32_t lane = 0; lane <= node->lane_mask; lane++)
            node->lanes[lane].remaining[i] = node->initial[i];
    }
}

/* Only what running iterations have is ever pending, so each operation is there at most once for
 * each of them. */
static bool allocate_pending(struct weft_node *node)
{
    uint64_t reduces = 0, calcs = 0;
    uint32_t cpus = 0;
    for (uint32_t i = 0; i < node->schedule->op_count; i++) {
        reduces += node->schedule->ops[i].kind == WEFT_OP_REDUCE;
        calcs += node->schedule->ops[i].kind == WEFT_OP_CALC;
        if (node->schedule->ops[i].cpu > cpus)
            cpus = node->schedule->ops[i].cpu;
    }
    reduces *= node->in_flight;
    calcs *= node->in_flight;
    uint64_t room = 1;
    while (room < reduces)
        room *= 2;
    node->reduces_mask = (uint32_t)(room - 1);
    node->reduces = calloc(room, sizeof(*node->reduces));
    node->calcs = calloc(calcs + 1, sizeof(*node->calcs));
    node->cpu_free_ns = calloc((size_t)cpus + 1, sizeof(*node->cpu_free_ns));
    return node->reduces && node->calcs && node->cpu_free_ns;
}

static bool allocate(struct weft_node *node)
{
    size_t count = (size_t)node->schedule->op_count + 1;
    node->initial = calloc(count, sizeof(*node->initial));
    node->gated = calloc(count, sizeof(*node->gated));
    node->lanes = calloc(node->lane_mask + 1, sizeof(*node->lanes));
    bool made = node->initial && node->gated && node->lanes;
    for (uint32_t i = 0; made && i <= node->lane_mask; i++) {
        struct weft_lane *lane = &node->lanes[i];
        lane->remaining = calloc(count, sizeof(*lane->remaining));
        lane->posted_ns = calloc(count, sizeof(*lane->posted_ns));
        lane->left = node->schedule->op_count;
        made = lane->remaining && lane->posted_ns;
    }
    return made && allocate_pending(node);
}

enum weft_status weft_graph_create(struct weft_node *node, struct weft_error *error)
{
    if (!allocate(node))
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for %u operations",
                              weft_node_rank(node), node->schedule->op_count);
    close_gate(node);
    node->calc_next_ns = UINT64_MAX;
    return WEFT_OK;
}

void weft_graph_destroy(struct weft_node *node)
{
    for (uint32_t i = 0; node->lanes && i <= node->lane_mask; i++) {
        free(node->lanes[i].remaining);
        free(node->lanes[i].posted_ns);
        free(node->lanes[i].ready_ns);
    }
    free(node->lanes);
    free(node->initial);
    free(node->gated);
    free(node->reduces);
    free(node->calcs);
    free(node->cpu_free_ns);
}

static void make_ready(struct weft_node *node, uint32_t lane, uint32_t op)
{
    switch (node->schedule->ops[op].kind) {
    case WEFT_OP_SEND:
        weft_open_loop_ready(node, lane, op);
        weft_bit_set(node->send_ready, node->op_channels[op]);
        break;
    case WEFT_OP_RECEIVE:
        weft_bit_set(node->receive_ready, node->op_channels[op]);
        break;
    case WEFT_OP_REDUCE:
        weft_graph_started(node, lane, op);
        weft_compute_add_reduce(node, lane, op);
        break;
    case WEFT_OP_CALC:
        weft_graph_started(node, lane, op);
        weft_compute_add_calc(node, lane, op);
        break;
    case WEFT_OP_KIND_COUNT:
        break;
    }
}

void weft_graph_complete(struct weft_node *node, uint32_t lane, uint32_t op)
{
    uint32_t *remaining = node->lanes[lane].remaining;
    const struct weft_op *done = &node->schedule->ops[op];
    const uint32_t *successors = node->schedule->successors + done->first_successor;
    assert(node->lanes[lane].left > 0);
    node->lanes[lane].left--;
    weft_trace_completed(node, lane, op);
    for (uint32_t i = 0; i < done->successor_count; i++) {
        assert(remaining[successors[i]] > 0);
        if (!--remaining[successors[i]])
            make_ready(node, lane, successors[i]);
    }
}

void weft_graph_begin(struct weft_node *node, uint32_t lane)
{
    uint32_t *remaining = node->lanes[lane].remaining;
    for (uint32_t i = 0; i < node->gated_count; i++) {
        uint32_t op = node->gated[i];
        assert(remaining[op] > 0);
        if (!--remaining[op])
            make_ready(node, lane, op);
    }
}
