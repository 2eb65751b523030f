/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/flows.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct weft_flow *a = left, *b = right;
    if (a->peer != b->peer)
        return a->peer < b->peer ? -1 : 1;
    return a->queue_pair < b->queue_pair ? -1 : a->queue_pair > b->queue_pair;
}

/* Of equal ones that follow each other, the first. */
static uint32_t thin(struct weft_flow *flows, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!kept || compare(&flows[kept - 1], &flows[i]) != 0)
            flows[kept++] = flows[i];
    return kept;
}

enum weft_status weft_schedule_flows(const struct weft_schedule *schedule,
                                     struct weft_flow **ret_flows, uint32_t *ret_count)
{
    struct weft_flow *flows = calloc((size_t)schedule->op_count + 1, sizeof(*flows));
    uint32_t count = 0;
    if (!flows)
        return WEFT_NO_MEMORY;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE)
            flows[count++] = (struct weft_flow){.peer = op->peer, .queue_pair = op->queue_pair};
    }
    qsort(flows, count, sizeof(*flows), compare);
    *ret_count = thin(flows, count);
    *ret_flows = flows;
    return WEFT_OK;
}

uint32_t weft_flow_find(const struct weft_flow *flows, uint32_t count, struct weft_flow flow)
{
    const struct weft_flow *found = bsearch(&flow, flows, count, sizeof(flow), compare);
    return found ? (uint32_t)(found - flows) : count;
}
