/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the thread that polls it sees it, and what that thread alone touches. To it all that
 * others decide is const. Files of the control thread do not include this: keeper.h is theirs. */
#ifndef WEFT_NODE_WORKER_H
#define WEFT_NODE_WORKER_H

#include "fabric/node/setup.h"
#include "fabric/node/shared.h"
#include "fabric/node/tally.h"

#define WEFT_NODE_COMPLETIONS 64u
/* Writes of slots on their way on one channel. Few, so that receives which are posted meanwhile
 * share the next one. */
#define WEFT_NODE_SLOT_WRITES 4u

/* The k-th message of a direction has sequence k + 1 for as long as the node lives. */
struct weft_channel {
    const struct weft_channel_setup setup;
    bool connected;

    /* to the peer */
    uint32_t send_at;        /* the next to start */
    uint64_t send_iteration; /* of that one, counted as `done` is */
    uint32_t sends_outstanding;
    uint32_t send_waits; /* what the next to start was seen to wait for */
    uint64_t sent;       /* messages posted since creation */

    /* from the peer */
    uint32_t receive_at;        /* the next to post */
    uint64_t receive_iteration; /* of that one, counted as `done` is */
    uint32_t receives_outstanding;
    uint32_t window;    /* the most of them: what both ends have room for */
    uint64_t posted;    /* receives posted since creation */
    uint64_t announced; /* of them, whose slots were written */
    uint64_t confirmed; /* of them, whose writes have completed: the staging is free */
    uint32_t slot_writes;
    uint64_t peer_slots_address;
    uint32_t peer_slots_rkey;
    uint32_t peer_slots_mask;

    /* the flow from the peer */
    uint64_t posted_bytes;    /* of all receives posted since creation */
    uint64_t completed_bytes; /* of them, completed */
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

struct weft_node_worker {
    struct weft_channel *channels;
    struct weft_lane *lanes;
    /* one bit a channel */
    uint64_t *send_ready;
    uint64_t *receive_ready;

    struct weft_pending_reduce *reduces;
    uint32_t reduces_head, reduces_tail;
    uint64_t reduced_bytes; /* of the first of them */
    struct weft_pending_calc *calcs;
    uint32_t calc_count;
    uint64_t calc_next_ns;
    uint64_t *cpu_free_ns; /* of each cpu of the schedule: when its last calc ends */

    /* the run */
    uint64_t now_ns;
    bool failed;         /* as the shared one */
    bool stalled;        /* the next iteration's start was counted as stalled */
    uint64_t iteration;  /* as `done`, without the atomic */
    uint64_t begun;      /* iterations below have begun; those from `iteration` on run */
    uint64_t open_limit; /* receives of iterations below may be posted */
    uint64_t start_ns;   /* of the last that began */
    uint32_t watched;    /* the channel whose state is looked at next */
    /* So many channels, from the first on, have been seen to be. */
    uint32_t connected_count, ready_count;

    /* open loop */
    struct weft_arrivals arrivals;
    uint64_t free_ns; /* when the node was last seen unable to begin an iteration */

    /* bandwidth */
    bool series_running;
    uint64_t series_start_ns;
    uint64_t series_late_ns; /* beyond the whole intervals before; less than one */

    struct weft_completion completions[WEFT_NODE_COMPLETIONS];
};

/* One piece, so that a part costs no more than its offset. */
struct weft_node {
    const struct weft_node_setup setup;
    const struct weft_phase_options order; /* the control thread's, of this phase */
    struct weft_node_worker worker;
    struct weft_node_tally tally;
    struct weft_node_shared shared;
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

static inline uint32_t weft_work_lane(const struct weft_node_setup *setup, uint64_t id)
{
    return weft_node_lane_of(setup, id >> WEFT_WORK_LANE_SHIFT);
}

/* Does `visit` to the channels whose bits are set; returns the sum of what it returns. First those
 * to the ranks after this one: in the order of their numbers all ranks that have something for each
 * other would begin with rank 0, while the links to the rest stand idle. A receive is announced on
 * the queue pair that sends, so these must keep to it too. */
static inline uint32_t weft_channels_visit(struct weft_node *node, const uint64_t *ready,
                                           uint32_t (*visit)(struct weft_node *node,
                                                             uint32_t channel))
{
    uint64_t before = (UINT64_C(1) << (node->setup.first_channel % 64)) - 1;
    uint32_t words = node->setup.word_count;
    uint32_t first = node->setup.first_channel / 64, done = 0;
    /* The word in which they begin comes twice. */
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
