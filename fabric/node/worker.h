/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the thread that polls it sees it, and the state that only this thread accesses. What
 * other threads decide is const here. Files of the control thread include keeper.h instead. */
#ifndef WEFT_NODE_WORKER_H
#define WEFT_NODE_WORKER_H

#include "fabric/node/setup.h"
#include "fabric/node/shared.h"
#include "fabric/node/tally.h"

#define WEFT_NODE_COMPLETIONS 64u
/* Outstanding writes of slots on one channel. Few, so that receives posted in the meantime share
 * the next write. */
#define WEFT_NODE_SLOT_WRITES 4u

/* The k-th message of a direction has sequence k + 1; the count never restarts. */
struct weft_channel {
    const struct weft_channel_setup setup;
    bool connected;

    /* to the peer */
    uint32_t send_at;        /* the next to start */
    uint64_t send_iteration; /* of that one, counted as `done` is */
    uint32_t sends_outstanding;
    uint32_t send_waits; /* what the next one was found to wait for */
    uint64_t sent;       /* messages posted since creation */

    /* from the peer */
    uint32_t receive_at;        /* the next to post */
    uint64_t receive_iteration; /* of that one, counted as `done` is */
    uint32_t receives_outstanding;
    uint32_t window;    /* their upper limit: what both ends have room for */
    uint64_t posted;    /* receives posted since creation */
    uint64_t announced; /* how many of them have their slots written */
    uint64_t confirmed; /* how many of these writes have completed: the staging is free */
    uint32_t slot_writes;
    uint64_t peer_slots_address;
    uint32_t peer_slots_rkey;
    uint32_t peer_slots_mask;

    /* the flow from the peer */
    uint64_t posted_bytes;    /* of all receives posted since creation */
    uint64_t completed_bytes; /* of the completed ones */
    uint64_t series_bytes;    /* at the start of the interval */
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

/* The state of one running iteration. */
struct weft_lane {
    uint32_t *remaining; /* [operation]: how many must complete first; reset when it starts */
    uint64_t *posted_ns; /* [operation] */
    uint64_t *ready_ns;  /* [operation]: when a send became ready; open loop only */
    struct weft_trace_record *trace; /* [operation]; NULL: this iteration is not traced */
    uint32_t left;                   /* operations not yet complete */
    bool awaits;       /* a rank that follows: no message of this iteration has arrived yet */
    uint64_t start_ns; /* 0 before the start */
    uint64_t late_ns;  /* open loop: how late it began */
};

struct weft_node_worker {
    struct weft_channel *channels;
    struct weft_lane *lanes;
    /* one bit for each channel */
    uint64_t *send_ready;
    uint64_t *receive_ready;

    struct weft_pending_reduce *reduces;
    uint32_t reduces_head, reduces_tail;
    uint64_t reduced_bytes; /* of the first one in the ring */
    struct weft_pending_calc *calcs;
    uint32_t calc_count;
    uint64_t calc_next_ns;
    uint64_t *cpu_free_ns; /* [cpu of the schedule]: when its last calc ends */

    /* the run */
    uint64_t now_ns;
    bool failed;        /* copy of the shared `failed` */
    bool stalled;       /* the next iteration's start was counted as stalled */
    uint64_t iteration; /* same as `done`, but not atomic */
    uint64_t begun; /* iterations below this have begun; those from `iteration` on are running */
    uint64_t open_limit; /* receives of iterations below this may be posted */
    uint64_t start_ns;   /* of the iteration that began last */
    uint32_t watched;    /* the channel whose state is checked next */
    /* How many channels, counted from the first, are known to be connected and ready. */
    uint32_t connected_count, ready_count;

    /* open loop */
    struct weft_arrivals arrivals;
    uint64_t free_ns; /* when the node was last seen unable to begin an iteration */

    /* bandwidth */
    bool series_running;
    uint64_t series_start_ns;
    uint64_t series_late_ns; /* how late this interval began; less than one interval */

    struct weft_completion completions[WEFT_NODE_COMPLETIONS];
};

/* One allocation, so that a part is found by its offset alone. */
struct weft_node {
    const struct weft_node_setup setup;
    const struct weft_phase_options order; /* of this phase; the control thread writes it */
    struct weft_node_worker worker;
    struct weft_node_tally tally;
    struct weft_node_shared shared;
};

/* What kind of work a work id stands for. */
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

static inline uint32_t weft_work_lane(const struct weft_node_setup *setup, uint64_t id)
{
    return weft_node_lane_of(setup, id >> WEFT_WORK_LANE_SHIFT);
}

/* Calls `visit` for each channel whose bit is set and returns the sum of the results. Channels to
 * higher ranks come first: if all ranks began with rank 0, the links to the other ranks would be
 * idle. A receive is announced on the queue pair that also sends, so receives must use this order
 * too. */
static inline uint32_t weft_channels_visit(struct weft_node *node, const uint64_t *ready,
                                           uint32_t (*visit)(struct weft_node *node,
                                                             uint32_t channel))
{
    uint64_t before = (UINT64_C(1) << (node->setup.first_channel % 64)) - 1;
    uint32_t words = node->setup.word_count;
    uint32_t first = node->setup.first_channel / 64, done = 0;
    /* The first word is visited twice: its upper bits first, its lower bits last. */
    for (uint32_t i = 0; i <= words; i++) {
        uint32_t word = first + i < words ? first + i : first + i - words;
        uint64_t bits = ready[word];
        if (word == first)
            bits &= i ? before : ~before;
        for (; bits; bits &= bits - 1)
            done += visit(node, word * 64 + (uint32_t)__builtin_ctzll(bits));
    }
    return done;
}

static inline bool weft_node_measures(const struct weft_node *node)
{
    return node->order.phase == WEFT_PHASE_MEASURE;
}

static inline bool weft_node_runs(const struct weft_node *node)
{
    return node->worker.begun != node->worker.iteration;
}

static inline bool weft_node_is_full(const struct weft_node *node)
{
    return node->worker.begun - node->worker.iteration == node->setup.in_flight;
}

static inline uint32_t weft_channel_index(const struct weft_node *node,
                                          const struct weft_channel *channel)
{
    return (uint32_t)(channel - node->worker.channels);
}

#endif
