/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fabric/schedule/schedule.h"

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Messages mostly follow each other on one queue pair, so few are sorted. */
uint64_t *weft_schedule_flows(const struct weft_schedule *schedule, uint32_t *ret_count)
{
    uint64_t *flows = calloc((size_t)schedule->op_count + 1, sizeof(*flows));
    uint32_t gathered = 0, count = 0;
    for (uint32_t i = 0; flows && i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND && op->kind != WEFT_OP_RECEIVE)
            continue;
        if (!gathered || flows[gathered - 1] != weft_flow_of(op))
            flows[gathered++] = weft_flow_of(op);
    }
    if (!flows)
        return NULL;
    qsort(flows, gathered, sizeof(*flows), compare);
    for (uint32_t i = 0; i < gathered; i++)
        if (!count || flows[count - 1] != flows[i])
            flows[count++] = flows[i];
    *ret_count = count;
    return flows;
}

uint32_t weft_schedule_find_flow(const uint64_t *flows, uint32_t count, uint64_t flow)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (flows[middle] < flow)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
