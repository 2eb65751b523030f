/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of fabric/node share.
 *
 * Who touches what: `granted`, `done` and `failed` are the joints between the control thread and
 * the worker. While done == granted the node is idle: the worker reads none of the phase's state,
 * so that weft_node_start may write it; the store of `granted` hands it over, the store of `done`
 * hands it back. */
#ifndef WEFT_NODE_INTERNAL_H
#define WEFT_NODE_INTERNAL_H

#include <stdatomic.h>

#include "fabric/node/node.h"
#include "fabric/node/reduce.h"
#include "fabric/node/slot.h"

/* Receives of an iteration are posted while the one before runs. */
#define WEFT_NODE_LANES_MIN 2u
#define WEFT_NODE_DEPTH_DEFAULT 16u
/* With many iterations in flight the default grows with them, up to this. */
#define WEFT_NODE_DEPTH_DEFAULT_MAX 64u
/* Writes of slots on their way on one channel. Few, so that receives which are posted meanwhile
 * share the next one. */
#define WEFT_NODE_SLOT_WRITES 4u
/* Slots and messages of up to this travel in the work request where the device can. */
#define WEFT_NODE_INLINE_BYTES 128u
#define WEFT_NODE_COMPLETIONS 64u
#define WEFT_NODE_REDUCE_SLICE_BYTES (32u << 10)
/* What an operation costs beside its bytes, as bytes: bounds the operations of one poll. */
#define WEFT_NODE_REDUCE_OP_BYTES 256u
#define WEFT_NODE_DURATIONS (1u << 16)
#define WEFT_NODE_ALIGN_BYTES 4096u
#define WEFT_NODE_INTERVAL_NS UINT64_C(1000000)

/* One queue pair to a peer. The k-th message of a direction has sequence k + 1 for as long as the
 * node lives. */
struct weft_channel {
    uint32_t peer;
    uint32_t queue_pair; /* of those to the peer */
    struct weft_endpoint *endpoint;
    bool connected;

    /* to the peer */
    const uint32_t *sends; /* operations in their order */
    uint32_t send_count;
    uint32_t send_at;        /* the next to start */
    uint64_t send_iteration; /* of that one, counted as `done` is */
    uint32_t sends_outstanding;
    uint32_t send_waits;           /* what the next to start was seen to wait for */
    uint64_t sent;                 /* messages posted since creation */
    const struct weft_slot *slots; /* the peer writes them: slots of messages to it */

    /* from the peer */
    const uint32_t *receives;
    uint32_t receive_count;
    uint32_t receive_at;        /* the next to post */
    uint64_t receive_iteration; /* of that one, counted as `done` is */
    uint32_t receives_outstanding;
    uint32_t window;    /* the most of them: what both ends have room for */
    uint64_t posted;    /* receives posted since creation */
    uint64_t announced; /* of them, whose slots were written */
    uint64_t confirmed; /* of them, whose writes have completed: the staging is free */
    uint32_t slot_writes;
    struct weft_slot *staging; /* what is written from */
    uint64_t peer_slots_address;
    uint32_t peer_slots_rkey;
    uint32_t peer_slots_mask;

    /* the flow from the peer */
    bool carries_bytes;       /* not only signals */
    uint64_t posted_bytes;    /* of all receives posted since creation */
    uint64_t completed_bytes; /* of them, completed */
    uint64_t series_bytes;    /* at the start of the interval */
    uint64_t flow_bytes;      /* in the phase */
    uint64_t flow_ns;         /* in which it could run */
    uint64_t flow_end_ns;     /* when its last iteration had arrived */
};

struct weft_pending_reduce {
    uint32_t op;
    uint32_t lane;
};

struct weft_pending_calc {
    uint32_t op;
    uint32_t lane;
    uint64_t end_ns;
};

/* When iterations are due; the worker's while it runs. */
struct weft_open_loop {
    bool paced;   /* this rank, by its schedule and its options */
    bool follows; /* there is a rate, and this rank follows others */
    bool begun;   /* this phase */
    struct weft_arrivals arrivals;
    uint64_t due_ns;       /* the next iteration */
    uint64_t free_ns;      /* when the node was last seen unable to begin one */
    uint64_t first_due_ns; /* of the phase */
    uint64_t missed;
    struct weft_hist *latency_intended_ns;
};

/* What was measured since weft_node_start; the worker's while it runs. */
struct weft_tally {
    struct weft_hist *latency_ns;
    struct weft_hist *bandwidth_bps;
    uint64_t sent_messages, sent_bytes;
    uint64_t received_messages, received_bytes;
    uint64_t first_start_ns, last_end_ns;
    uint64_t stalled_iterations;
    uint64_t iterations;
};

struct weft_durations {
    uint64_t *values_ns;
    uint64_t *intended_ns; /* of the same iterations, from when they were due; closed loop: NULL */
    _Atomic uint64_t head; /* the worker's */
    _Atomic uint64_t tail; /* the control thread's */
};

/* What an operation did: when it was posted and, in the low bits, what it waited for. */
#define WEFT_TRACE_WAITS_BITS 2
struct weft_trace_record {
    uint64_t started;
    uint64_t completed_ns;
};

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

/* What an iteration that is under way has to itself. */
struct weft_lane {
    uint32_t *remaining; /* [operation]: what must complete first; set again on starting */
    uint64_t *posted_ns; /* [operation] */
    uint64_t *ready_ns;  /* [operation]: when a send became ready; open loop only */
    struct weft_trace_record *trace; /* [operation]; NULL: not now */
    uint32_t left;                   /* operations not yet complete */
    bool awaits;       /* a rank that follows: nothing of this iteration has come to it yet */
    uint64_t start_ns; /* 0 before it */
    uint64_t late_ns;  /* open loop: by how much it began late */
};

struct weft_node {
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
    uint32_t first_channel;  /* to a peer after this rank; 0 where there is none */
    uint32_t endpoint_count; /* made so far */
    struct weft_channel *channels;
    uint32_t *channel_ops; /* all channels' sends and receives */
    uint32_t *op_channels; /* which channel an operation belongs to */

    /* the graph */
    uint32_t in_flight; /* iterations that may run at once */
    uint32_t lane_mask; /* of a power of two that is not less */
    struct weft_lane *lanes;
    uint32_t *initial; /* what a lane's `remaining` is set to */
    uint32_t *gated;   /* what only the start of the iteration and receives may hold back */
    uint32_t gated_count;

    /* one bit a channel */
    uint32_t word_count;
    uint64_t *send_ready;
    uint64_t *receive_ready;
    uint64_t *has_receives;

    struct weft_pending_reduce *reduces;
    uint32_t reduces_mask;
    uint32_t reduces_head, reduces_tail;
    uint64_t reduced_bytes; /* of the first of them */
    struct weft_pending_calc *calcs;
    uint32_t calc_count;
    uint64_t calc_next_ns;
    uint64_t *cpu_free_ns; /* of each cpu of the schedule: when its last calc ends */
    struct weft_open_loop open_loop;

    /* the run */
    uint64_t now_ns;
    bool stalled;        /* the next iteration's start was counted as stalled */
    uint64_t iteration;  /* of the worker: as `done`, without the atomic */
    uint64_t begun;      /* iterations below have begun; those from `iteration` on run */
    uint64_t open_limit; /* receives of iterations below may be posted */
    uint64_t start_ns;   /* of the last that began */
    uint32_t watched;    /* the channel whose state is looked at next */

    /* bandwidth */
    bool series_running;
    uint64_t series_start_ns;
    uint64_t series_late_ns; /* beyond the whole intervals before; less than one */
    uint64_t interval_ns;
    uint64_t interval_inverse; /* 2^64 / interval_ns, rounded up */

    /* the phase: written by weft_node_start */
    _Atomic uint64_t base; /* iterations done before it */
    enum weft_phase phase;
    bool reduce;
    bool unrecorded; /* histograms stay as they are */
    struct weft_tally tally;
    struct weft_durations durations;
    struct weft_trace trace;

    _Atomic uint64_t granted;
    atomic_bool more; /* will be granted */
    _Atomic uint64_t done;
    bool failed_here; /* the worker's own copy */
    /* So many channels, from the first on, have been seen to be. */
    uint32_t connected_count, ready_count;
    atomic_bool failed;
    struct weft_error failure;

    struct weft_completion completions[WEFT_NODE_COMPLETIONS];
};

/* What a work's id says. */
enum weft_work_kind {
    WEFT_WORK_SEND = 0,
    WEFT_WORK_RECEIVE,
    WEFT_WORK_SLOTS,
};

#define WEFT_WORK_KIND_SHIFT 62
#define WEFT_WORK_LANE_SHIFT 32

/* `value` is the operation, or how many slots are written. */
static inline uint64_t weft_work_id(enum weft_work_kind kind, uint32_t lane, uint32_t value)
{
    return (uint64_t)kind << WEFT_WORK_KIND_SHIFT | (uint64_t)lane << WEFT_WORK_LANE_SHIFT | value;
}

static inline uint32_t weft_node_named(const struct weft_node *node, uint32_t rank)
{
    return node->options.ranks ? node->options.ranks[rank] : rank;
}

/* As the run calls it. */
static inline uint32_t weft_node_rank(const struct weft_node *node)
{
    return weft_node_named(node, node->schedule->rank);
}

static inline uint32_t weft_work_lane(const struct weft_node *node, uint64_t id)
{
    return (uint32_t)(id >> WEFT_WORK_LANE_SHIFT) & node->lane_mask;
}

static inline void weft_bit_set(uint64_t *words, uint32_t index)
{
    words[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline void weft_bit_clear(uint64_t *words, uint32_t index)
{
    words[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

/* Does `visit` to the channels whose bits are set; returns the sum of what it returns. First those
 * to the ranks after this one: in the order of their numbers all ranks that have something for each
 * other would begin with rank 0, while the links to the rest stand idle. A receive is announced on
 * the queue pair that sends, so these must keep to it too. */
static inline uint32_t weft_channels_visit(struct weft_node *node, const uint64_t *ready,
                                           uint32_t (*visit)(struct weft_node *node,
                                                             uint32_t channel))
{
    uint64_t before = (UINT64_C(1) << (node->first_channel % 64)) - 1;
    uint32_t first = node->first_channel / 64, done = 0;
    /* The word in which they begin comes twice. */
    for (uint32_t i = 0; i <= node->word_count; i++) {
        uint32_t word = first + i < node->word_count ? first + i : first + i - node->word_count;
        uint64_t bits = ready[word];
        if (word == first)
            bits &= i ? before : ~before;
        for (; bits; bits &= bits - 1)
            done += visit(node, word * 64 + (uint32_t)__builtin_ctzll(bits));
    }
    return done;
}

static inline uint8_t *weft_node_lane(const struct weft_node *node, uint32_t lane)
{
    return node->memory + lane * node->lane_bytes;
}

static inline uint32_t weft_node_lane_of(const struct weft_node *node, uint64_t iteration)
{
    return (uint32_t)iteration & node->lane_mask;
}

static inline bool weft_node_runs(const struct weft_node *node)
{
    return node->begun != node->iteration;
}

static inline bool weft_node_is_full(const struct weft_node *node)
{
    return node->begun - node->iteration == node->in_flight;
}

static inline uint32_t weft_channel_index(const struct weft_node *node,
                                          const struct weft_channel *channel)
{
    return (uint32_t)(channel - node->channels);
}

/* graph.c */
WEFT_CHECKED enum weft_status weft_graph_create(struct weft_node *node, struct weft_error *error);
void weft_graph_destroy(struct weft_node *node);
/* The operation is complete: what required it may be ready now. */
void weft_graph_complete(struct weft_node *node, uint32_t lane, uint32_t op);
/* The operation is started: its count is set for the lane's next iteration. */
static inline void weft_graph_started(struct weft_node *node, uint32_t lane, uint32_t op)
{
    node->lanes[lane].remaining[op] = node->initial[op];
}
/* Opens the gate of an iteration. */
void weft_graph_begin(struct weft_node *node, uint32_t lane);

/* channels.c */
WEFT_CHECKED enum weft_status weft_channels_create(struct weft_node *node,
                                                   struct weft_error *error);
void weft_channels_destroy(struct weft_node *node);

/* resources.c */
WEFT_CHECKED enum weft_status weft_resources_check(struct weft_node *node,
                                                   struct weft_error *error);
WEFT_CHECKED enum weft_status weft_resources_create(struct weft_node *node,
                                                    struct weft_error *error);
void weft_resources_destroy(struct weft_node *node);

/* send.c, receive.c: what is ready on the channels; each returns how much was done */
uint32_t weft_node_send(struct weft_node *node);
uint32_t weft_node_receive(struct weft_node *node);

/* complete.c */
uint32_t weft_node_complete(struct weft_node *node);

/* compute.c */
void weft_compute_add_reduce(struct weft_node *node, uint32_t lane, uint32_t op);
void weft_compute_add_calc(struct weft_node *node, uint32_t lane, uint32_t op);
uint32_t weft_node_compute(struct weft_node *node);

/* iterate.c */
uint32_t weft_node_iterate(struct weft_node *node);

/* open_loop.c */
WEFT_CHECKED enum weft_status weft_open_loop_create(struct weft_node *node,
                                                    struct weft_error *error);
void weft_open_loop_destroy(struct weft_node *node);
void weft_open_loop_clear(struct weft_node *node);
/* Its latencies; the rest goes on. */
void weft_open_loop_forget(struct weft_node *node);
/* May the next iteration begin, as far as its time goes? */
bool weft_open_loop_is_due(struct weft_node *node);
/* Between two iterations, until the next is due: such time is part of what is measured. */
static inline bool weft_open_loop_rests(const struct weft_node *node, uint64_t granted)
{
    return node->begun < granted && node->open_loop.begun;
}
/* The node could not have begun one until now. */
static inline void weft_open_loop_busy(struct weft_node *node)
{
    node->open_loop.free_ns = node->now_ns;
}
void weft_open_loop_begin(struct weft_node *node, struct weft_lane *lane);
/* A message for an iteration has come: the first is a following rank's start. */
static inline void weft_open_loop_came(struct weft_node *node, struct weft_lane *lane)
{
    if (!lane->awaits)
        return;
    lane->awaits = false;
    lane->start_ns = node->now_ns;
}
static inline void weft_open_loop_ready(struct weft_node *node, uint32_t lane, uint32_t op)
{
    if (node->open_loop.paced)
        node->lanes[lane].ready_ns[op] = node->now_ns;
}
void weft_open_loop_sent(struct weft_node *node, uint32_t lane, uint32_t op);
void weft_open_loop_measured(const struct weft_node *node, struct weft_open_loop_measured *ret);

/* series.c */
void weft_series_begin(struct weft_node *node);
/* An interval begins now. */
void weft_series_restart(struct weft_node *node);
void weft_series_sample(struct weft_node *node);
/* bits * 1e9 / elapsed_ns without a division; off by less than 1e-6 of it. */
uint64_t weft_series_rate(uint64_t len_bytes, uint64_t elapsed_ns);

/* trace.c */
WEFT_CHECKED enum weft_status weft_trace_create(struct weft_node *node, struct weft_error *error);
void weft_trace_destroy(struct weft_node *node);
/* Forgets all of it; the node is idle. */
void weft_trace_reset(struct weft_node *node);
/* Something of the iteration may happen from now on; MEASURE only, as what follows. */
void weft_trace_open(struct weft_node *node, uint64_t iteration);
void weft_trace_begin(struct weft_node *node, uint64_t iteration);
void weft_trace_finish(struct weft_node *node, uint64_t iteration);
static inline void weft_trace_started(struct weft_node *node, uint32_t lane, uint32_t op,
                                      uint32_t waits)
{
    struct weft_trace_record *records = node->lanes[lane].trace;
    if (records)
        __atomic_store_n(&records[op].started, node->now_ns << WEFT_TRACE_WAITS_BITS | waits,
                         __ATOMIC_RELEASE);
}
static inline void weft_trace_completed(struct weft_node *node, uint32_t lane, uint32_t op)
{
    struct weft_trace_record *records = node->lanes[lane].trace;
    if (records)
        __atomic_store_n(&records[op].completed_ns, node->now_ns, __ATOMIC_RELEASE);
}
/* flow.c: at the start of a phase; at the last message of a flow in an iteration; at the end */
void weft_flows_begin(struct weft_node *node);
void weft_flow_arrived(struct weft_node *node, struct weft_channel *channel, uint32_t lane);
void weft_flows_measured(const struct weft_node *node, struct weft_flow_spread *ret_spread);

/* failure.c: the node does no more after either */
void weft_node_fail_work(struct weft_node *node, const struct weft_channel *channel,
                         const struct weft_completion *completion);
void weft_node_fail_channel(struct weft_node *node, const struct weft_channel *channel);
void weft_node_fail_message(struct weft_node *node, const struct weft_channel *channel, uint32_t op,
                            const char *what, uint64_t found);

#endif
