/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces of iterations, as the nodes keep them. */
#include <assert.h>
#include <stdlib.h>

#include "tools/weft/service/state.h"

uint32_t weft_runtime_trace_count(void *context, uint32_t part)
{
    const struct weft_runtime *runtime = context;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part != part)
            continue;
        uint32_t count = weft_node_trace_count(seat->node);
        least = count < least ? count : least;
    }
    return least;
}

/* In all of them, though one may have to be asked again. */
bool weft_runtime_trace_keep(void *context, uint32_t part, uint32_t place, uint64_t iteration)
{
    const struct weft_runtime *runtime = context;
    bool all = true;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part == part)
            all = weft_node_trace_keep(seat->node, place, iteration) && all;
    }
    return all;
}

enum weft_status weft_runtime_trace(void *context, uint32_t local, uint64_t iteration,
                                    struct weft_op_trace **ret_ops, uint32_t *ret_count,
                                    uint64_t *ret_duration_ns)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    const struct weft_seat *seat = &runtime->seats->seats[local];
    struct weft_op_trace *ops = calloc((size_t)seat->schedule->op_count + 1, sizeof(*ops));
    if (!ops)
        return WEFT_NO_MEMORY;
    if (!weft_node_trace(seat->node, iteration, ops, ret_duration_ns)) {
        free(ops);
        return WEFT_NOT_FOUND;
    }
    *ret_ops = ops;
    *ret_count = seat->schedule->op_count;
    return WEFT_OK;
}
