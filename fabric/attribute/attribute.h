/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of iterations went: from the traces of all ranks the chain of operations that
 * decided each, and who is on these chains with more than the like takes.
 *
 * A chain is walked backwards from the last operation of the slowest rank. A computation goes on at
 * the requirement that completed last; a receive at the peer's send that it met; a send at what let
 * it start: its requirement, an earlier message, or the peer's receive. Every time is a difference
 * on one rank's clock; no two ranks' clocks meet.
 *
 * A chain always consists of something. What decides is what took longer than the median of like
 * operations (kind, length, distance and place in its rank's order) of all ranks, so a link that is
 * always slow is found as one that is slow now and then.
 *
 * To decide is no fault: somebody is always the last. Who stands out must be slower than the like
 * by a material part, beyond what others that share a rank or a worker with it explain, alone, and
 * in so many blocks of iterations as chance does not do. */
#ifndef WEFT_ATTRIBUTE_ATTRIBUTE_H
#define WEFT_ATTRIBUTE_ATTRIBUTE_H

#include "fabric/schedule/op_trace.h"
#include "fabric/schedule/schedule.h"
#include "fabric/topology/topology.h"

struct weft_traced_iteration {
    uint64_t iteration;
    bool slow; /* one of the slowest; else one of the others */
    /* For each rank its operations' and how long the rank took. A rank may be NULL: then the
     * iteration tells nothing. */
    struct weft_op_trace **ops;
    uint64_t *durations_ns;
};

enum weft_step_kind {
    WEFT_STEP_SEND = 0,     /* waited: until it started; took: from there, or from the completion of
                               the message before it, to its own */
    WEFT_STEP_REDUCE,       /* took: from its last requirement */
    WEFT_STEP_CALC,         /* the same */
    WEFT_STEP_LATE_RECEIVE, /* waited: the peer's send, for this rank's receive */
    WEFT_STEP_BEGIN,        /* waited: what the chain leaves; this rank began so much later */
    WEFT_STEP_KIND_COUNT
};

struct weft_step {
    enum weft_step_kind kind;
    uint32_t rank;
    uint32_t op;   /* WEFT_OP_NONE: BEGIN */
    uint32_t peer; /* WEFT_OP_NONE: none */
    uint64_t len_bytes;
    uint64_t waited_ns, took_ns;
    uint64_t waited_excess_ns, took_excess_ns; /* over the median of the like */
};

#define WEFT_CHAIN_STEPS_MAX 256u

/* Its last steps, the last first. */
struct weft_chain {
    uint64_t iteration;
    uint64_t duration_ns;
    uint32_t rank;       /* whose end is the iteration's */
    uint32_t step_count; /* of all of it */
    uint32_t kept_count;
    struct weft_step *steps;
};

/* Who decided how many iterations. */
struct weft_decider {
    uint32_t rank; /* or the sender's */
    uint32_t peer; /* WEFT_OP_NONE: the rank itself, and no transfer */
    uint32_t slow, other;
    uint64_t excess_ns; /* in all of them */
    bool stands_out;
};

/* A NIC's link of the topology; where the NIC has none, the NIC. */
struct weft_suspect {
    uint32_t index;
    bool is_nic;
    bool polled;       /* by software: it may as well be the CPU that does */
    uint32_t edges;    /* that it was told by */
    double slowness;   /* how many times as long as the like its transfers take */
    double confidence; /* 1 less what chance would do, of all that was looked at */
    bool stands_out;
};

#define WEFT_CHAINS_MAX 5u
#define WEFT_DECIDERS_MAX 32u

struct weft_attribution {
    uint32_t slow_traced, other_traced; /* iterations */
    uint32_t chain_count;               /* of the slowest, the slowest first */
    struct weft_chain chains[WEFT_CHAINS_MAX];
    uint32_t decider_count; /* those that decide most often first */
    struct weft_decider deciders[WEFT_DECIDERS_MAX];
    bool in_process;        /* no message left the process: no NIC or link can be at fault */
    uint32_t suspect_count; /* 0: none could be looked at; else 1, the slowest */
    struct weft_suspect suspect;
};

#define WEFT_WORKER_NONE UINT32_MAX

/* What a rank runs on: what else than its NIC may be slow. */
struct weft_rank_seat {
    bool in_process;   /* its NIC is a port of a switch in this process */
    bool polled;       /* software moves its packets */
    uint32_t worker;   /* ranks with the same number share one; NONE: time is virtual */
    double lost_share; /* of the measured time its worker was without a CPU */
};

struct weft_attribution_input {
    const struct weft_schedule *const *schedules; /* of all ranks; they match */
    uint32_t rank_count;
    const struct weft_topology *topology;
    const struct weft_rank_seat *seats; /* of all ranks; NULL: nothing is known */
    const struct weft_traced_iteration *iterations;
    uint32_t iteration_count;
};

WEFT_CHECKED enum weft_status weft_attribute(const struct weft_attribution_input *input,
                                             struct weft_attribution **ret_attribution,
                                             struct weft_error *error);
void weft_attribution_destroy(struct weft_attribution *attribution);

#endif
