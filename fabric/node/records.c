/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node records iterations in: the rings of their durations and of their traces. */
#include <stdlib.h>

#include "fabric/node/create.h"

/* What the ring of a rank takes at most, and what all of it does with the kept ones. */
#define RING_BYTES ((size_t)8 << 20)
#define TRACE_BYTES ((size_t)64 << 20)
#define RING_MAX 8192u

static enum weft_status create_trace(struct weft_node_setup *setup, struct weft_error *error)
{
    struct weft_trace *trace = &setup->trace;
    uint32_t op_count = setup->schedule->op_count;
    size_t slot_bytes = ((size_t)op_count + 1) * sizeof(struct weft_trace_record);
    /* As many as are open at least are whole while they are read. */
    uint32_t ring = 2 * (setup->lane_mask + 1);
    if (!setup->options.trace || slot_bytes * (ring + WEFT_NODE_TRACES_KEPT) > TRACE_BYTES)
        return WEFT_OK;
    while (ring < RING_MAX && slot_bytes * ring * 2 <= RING_BYTES)
        ring *= 2;
    trace->slots = calloc(ring + WEFT_NODE_TRACES_KEPT, sizeof(*trace->slots));
    trace->records = calloc(ring + WEFT_NODE_TRACES_KEPT, slot_bytes);
    if (!trace->slots || !trace->records)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "rank %u: out of memory for the trace of %u operations; 'trace: "
                              "false' in the plan turns it off",
                              weft_node_rank(setup), op_count);
    for (uint32_t i = 0; i < ring + WEFT_NODE_TRACES_KEPT; i++)
        trace->slots[i].records = trace->records + i * ((size_t)op_count + 1);
    trace->ring_count = ring;
    return WEFT_OK;
}

enum weft_status weft_records_create(struct weft_node_setup *setup, struct weft_error *error)
{
    setup->durations_ns = calloc(WEFT_NODE_DURATIONS, sizeof(uint64_t));
    if (setup->paced)
        setup->intended_ns = calloc(WEFT_NODE_DURATIONS, sizeof(uint64_t));
    if (!setup->durations_ns || (setup->paced && !setup->intended_ns))
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its durations",
                              weft_node_rank(setup));
    return create_trace(setup, error);
}

void weft_records_destroy(const struct weft_node_setup *setup)
{
    free(setup->durations_ns);
    free(setup->intended_ns);
    free(setup->trace.slots);
    free(setup->trace.records);
}
