/* SPDX-License-Identifier: BSD-3-Clause */
/* A node's fixed part: written while the node is created (create.h), const for every thread
 * afterwards. It points to some things that change: only the buffers and the trace's slots. */
#ifndef WEFT_NODE_SETUP_H
#define WEFT_NODE_SETUP_H

#include <stdatomic.h>

#include "fabric/node/node.h"
#include "fabric/node/reduce.h"
#include "fabric/node/slot.h"

/* Two, because receives of an iteration are posted while the previous one runs. */
#define WEFT_NODE_LANES_MIN 2u
/* Size of the ring of durations that wait for the control thread. */
#define WEFT_NODE_DURATIONS (1u << 16)

/* A channel's fixed part. A channel is one queue pair to a peer. */
struct weft_channel_setup {
    uint32_t peer;
    uint32_t queue_pair; /* index among the queue pairs to the peer */
    struct weft_endpoint *endpoint;
    const uint32_t *sends; /* operations in their order */
    uint32_t send_count;
    uint32_t receive_count;
    const uint32_t *receives;
    const struct weft_slot *slots; /* the peer writes here: slots for messages to the peer */
    struct weft_slot *staging;     /* source of the writes into the peer's slots */
    bool carries_bytes;            /* the peer sends payload, not only signals */
};

/* One operation's times. The low bits of `started` say what it waited for. */
#define WEFT_TRACE_WAITS_BITS 2
struct weft_trace_record {
    uint64_t started;
    uint64_t completed_ns;
};

/* The worker owns the slots of the ring; the control thread owns the slots of kept iterations. */
struct weft_trace_slot {
    _Atomic uint64_t stamp; /* iteration + 1 once its trace is complete; else 0 */
    uint64_t start_ns, end_ns;
    struct weft_trace_record *records;
};

struct weft_trace {
    uint32_t ring_count;           /* a power of two; 0: nothing is traced */
    struct weft_trace_slot *slots; /* the ring, then the kept iterations */
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
    uint32_t slots_mask; /* for indexes into this node's rings of slots and staging */
    uint32_t inline_bytes;
    struct weft_cq *cq;
    uint32_t channel_count;
    uint32_t first_channel;       /* to a peer with a higher rank; 0 if there is none */
    uint32_t endpoint_count;      /* made so far */
    const uint32_t *channel_ops;  /* all channels' sends and receives */
    const uint32_t *op_channels;  /* which channel an operation belongs to */
    uint32_t word_count;          /* words in a bitmap with one bit for each channel */
    const uint64_t *has_receives; /* such a bitmap */

    /* the graph */
    uint32_t in_flight;      /* iterations that may run at the same time */
    uint32_t lane_mask;      /* lane count - 1; the count is a power of two, at least in_flight */
    const uint32_t *initial; /* what a lane's `remaining` is set to */
    const uint32_t
        *gated; /* operations that wait only for the iteration's start and for receives */
    uint32_t gated_count;
    uint32_t reduces_mask; /* for indexes into the ring of pending reductions */

    bool paced;   /* open loop: begins iterations when they are due */
    bool follows; /* open loop: starts when messages of paced ranks arrive */

    /* Rings that the worker fills and the control thread empties: durations from each iteration's
     * start, and from when it was due (closed loop: NULL). */
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

/* This node's rank as the run numbers it. */
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
