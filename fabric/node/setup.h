/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node is: filled while it is created (create.h), and const to every thread afterwards. Of
 * what it points to, only the buffers and the trace's slots change. */
#ifndef WEFT_NODE_SETUP_H
#define WEFT_NODE_SETUP_H

#include <stdatomic.h>

#include "fabric/node/node.h"
#include "fabric/node/reduce.h"
#include "fabric/node/slot.h"

/* Receives of an iteration are posted while the one before runs. */
#define WEFT_NODE_LANES_MIN 2u
/* Completions of iterations that wait for the control thread. */
#define WEFT_NODE_DURATIONS (1u << 16)

/* What a channel is: one queue pair to a peer. */
struct weft_channel_setup {
    uint32_t peer;
    uint32_t queue_pair; /* of those to the peer */
    struct weft_endpoint *endpoint;
    const uint32_t *sends; /* operations in their order */
    uint32_t send_count;
    uint32_t receive_count;
    const uint32_t *receives;
    const struct weft_slot *slots; /* the peer writes them: slots of messages to it */
    struct weft_slot *staging;     /* what is written from into the peer's */
    bool carries_bytes;            /* from the peer: not only signals */
};

/* What an operation did: when it was posted and, in the low bits, what it waited for. */
#define WEFT_TRACE_WAITS_BITS 2
struct weft_trace_record {
    uint64_t started;
    uint64_t completed_ns;
};

/* The worker's, except those that are kept: they are the control thread's. */
struct weft_trace_slot {
    _Atomic uint64_t stamp; /* 0, or the iteration + 1 that it holds whole */
    uint64_t start_ns, end_ns;
    struct weft_trace_record *records;
};

struct weft_trace {
    uint32_t ring_count;           /* 0: nothing is traced; else a power of two */
    struct weft_trace_slot *slots; /* the ring, then those that are kept */
    struct weft_trace_record *records;
};

struct weft_node_setup {
    struct weft_node_options options;
    struct weft_capabilities capabilities;
    const struct weft_driver *driver;
    const struct weft_schedule *schedule;
    weft_reduce_function *join;
    uint32_t element_bytes;
    uint32_t element_shift; /* element_bytes is 1 << it */

    /* memory: the lanes, then each channel's slots and staging */
    uint8_t *memory;
    uint64_t memory_bytes;
    uint64_t lane_bytes;
    struct weft_region region;
    bool registered;

    uint32_t depth;
    uint32_t slots_mask; /* of this node's rings of slots and staging */
    uint32_t inline_bytes;
    struct weft_cq *cq;
    uint32_t channel_count;
    uint32_t first_channel;       /* to a peer after this rank; 0 where there is none */
    uint32_t endpoint_count;      /* made so far */
    const uint32_t *channel_ops;  /* all channels' sends and receives */
    const uint32_t *op_channels;  /* which channel an operation belongs to */
    uint32_t word_count;          /* of one bit a channel */
    const uint64_t *has_receives; /* such bits */

    /* the graph */
    uint32_t in_flight;      /* iterations that may run at once */
    uint32_t lane_mask;      /* of a power of two that is not less */
    const uint32_t *initial; /* what a lane's `remaining` is set to */
    const uint32_t *gated;   /* what only the start of the iteration and receives may hold back */
    uint32_t gated_count;
    uint32_t reduces_mask; /* of the ring of pending reductions */

    bool paced;   /* open loop: begins iterations when they are due */
    bool follows; /* open loop: follows ranks that do */

    /* Durations, and from when the same iterations were due (closed loop: NULL): rings that the
     * worker fills and the control thread empties. */
    uint64_t *durations_ns;
    uint64_t *intended_ns;
    uint64_t interval_ns;
    uint64_t interval_inverse; /* 2^64 / interval_ns, rounded up */
    struct weft_trace trace;
};

static inline uint32_t weft_node_named(const struct weft_node_setup *setup, uint32_t rank)
{
    return setup->options.ranks ? setup->options.ranks[rank] : rank;
}

/* As the run calls it. */
static inline uint32_t weft_node_rank(const struct weft_node_setup *setup)
{
    return weft_node_named(setup, setup->schedule->rank);
}

static inline uint8_t *weft_node_lane(const struct weft_node_setup *setup, uint32_t lane)
{
    return setup->memory + lane * setup->lane_bytes;
}

static inline uint32_t weft_node_lane_of(const struct weft_node_setup *setup, uint64_t iteration)
{
    return (uint32_t)iteration & setup->lane_mask;
}

static inline struct weft_trace_slot *weft_trace_slot_of(const struct weft_node_setup *setup,
                                                         uint64_t iteration)
{
    return &setup->trace.slots[iteration & (setup->trace.ring_count - 1)];
}

static inline void weft_bit_set(uint64_t *words, uint32_t index)
{
    words[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline void weft_bit_clear(uint64_t *words, uint32_t index)
{
    words[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

#endif
