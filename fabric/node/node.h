/* SPDX-License-Identifier: BSD-3-Clause */
/* One rank's executor: runs the rank's schedule again and again on an open device.
 *
 * A channel connects the rank to one peer that its schedule names. There is one channel for each
 * queue pair: an RC endpoint and a ring of slots in registered memory at each end. A receiver posts
 * its receive and then writes a slot (sequence, address, length) into the sender's ring by RDMA
 * WRITE. A sender starts its k-th message when slot k has arrived. So the receiver is always ready
 * when a message arrives, and no buffer is written before its owner has offered it. One write can
 * carry the slots of many receives.
 *
 * Lanes: the rank has at least two copies of its buffer, and iterations use them in turn. Receives
 * that require nothing are posted as soon as their lane is free, so their slots arrive before the
 * iteration begins. Up to `in_flight` iterations run at the same time: an iteration does not wait
 * for the earlier ones to end. On a channel, all messages of an iteration go before those of the
 * next one, even if the later ones are ready first.
 *
 * The control thread creates and destroys the node; between start and idle only the worker polls
 * it. Open loop: a rank that can do something before it receives any message begins each iteration
 * when it is due by the rank's own clock. If `in_flight` iterations already run, it begins as soon
 * as one of them has ended; this does not change when the next one is due. Every other rank begins
 * an iteration when its first message arrives.
 *
 * weft_node_poll does not allocate, lock, log or divide, and makes no system call itself. */
#ifndef WEFT_NODE_NODE_H
#define WEFT_NODE_NODE_H

#include <stdatomic.h>

#include "fabric/driver.h"
#include "fabric/hist/hist.h"
#include "fabric/node/arrivals.h"
#include "fabric/schedule/op_trace.h"
#include "fabric/schedule/schedule.h"
#include "fabric/schedule/verify.h"

enum weft_transfer {
    WEFT_TRANSFER_WRITE = 0, /* RDMA WRITE with immediate into the announced buffer */
    WEFT_TRANSFER_SEND,      /* SEND into the posted receive */
    WEFT_TRANSFER_COUNT
};

#define WEFT_IN_FLIGHT_MAX 1024u

struct weft_node_options {
    const struct weft_driver *driver;
    struct weft_device *device;           /* owned by the caller; may be shared with other nodes */
    const struct weft_schedule *schedule; /* owned by the caller; must outlive the node */
    /* If the run has several schedules: the run's number for each rank of this one, used in
     * addresses and errors. Owned by the caller; must outlive the node. NULL: the schedule's own
     * numbers. */
    const uint32_t *ranks;
    enum weft_transfer transfer;
    uint32_t depth;       /* receives posted ahead on a channel; 0: the default */
    uint32_t in_flight;   /* iterations that run at the same time, equal at all ranks; 0: 1 */
    uint64_t interval_ns; /* of the bandwidth series; 0: 1 ms */
    bool trace;           /* record what each operation of the last iterations did */
    /* Open loop: iterations of warm-up and measurement begin when they are due, one for each
     * `period_bytes` at `rate_bps`. 0: closed loop, an iteration begins when an earlier one has
     * ended. */
    uint64_t rate_bps;
    uint64_t period_bytes; /* the same at all ranks; 0: what this rank sends in an iteration */
    enum weft_arrivals_kind arrivals;
    uint64_t arrivals_seed; /* the same at all ranks: all ranks run an iteration together */
    /* Allocates the buffers: page-aligned memory of that size, on the device's NUMA node. */
    void *(*allocate)(void *context, uint64_t len_bytes, int32_t numa_node);
    void (*release)(void *context, void *memory, uint64_t len_bytes);
    void *allocate_context;
};

/* What the other end of a channel must know. The controller passes it on. */
struct weft_channel_address {
    uint32_t from_rank;  /* whose endpoint this is */
    uint32_t to_rank;    /* for which peer */
    uint32_t queue_pair; /* index among the queue pairs of the two ranks */
    struct weft_endpoint_address endpoint;
    uint64_t slots_address;
    uint32_t slots_rkey;
    uint32_t depth;
};

struct weft_node;

WEFT_CHECKED enum weft_status weft_node_create(const struct weft_node_options *options,
                                               struct weft_node **ret_node,
                                               struct weft_error *error);
void weft_node_destroy(struct weft_node *node);
/* Returns how many copies of a rank's buffer this number of iterations in flight needs. */
uint32_t weft_node_lanes(uint32_t in_flight);

uint32_t weft_node_channel_count(const struct weft_node *node);
void weft_node_channel_address(const struct weft_node *node, uint32_t channel,
                               struct weft_channel_address *ret_address);
/* Gives the node a peer's address; its to_rank must be this node's rank. */
WEFT_CHECKED enum weft_status weft_node_connect(struct weft_node *node,
                                                const struct weft_channel_address *peer,
                                                struct weft_error *error);
/* WEFT_OK: all channels are ready. WEFT_AGAIN: call progress on the device, then ask again. Any
 * other status: it failed, and the error names the peer. */
WEFT_CHECKED enum weft_status weft_node_connected(const struct weft_node *node,
                                                  struct weft_error *error);

enum weft_phase {
    WEFT_PHASE_VERIFY = 0, /* filled, reduced; checked afterwards by weft_node_verify */
    WEFT_PHASE_WARMUP,
    WEFT_PHASE_MEASURE, /* recorded */
    WEFT_PHASE_COUNT
};

struct weft_phase_options {
    enum weft_phase phase;
    bool reduce; /* do the arithmetic; VERIFY always does */
};

/* Starts a phase. All nodes of a test run the same phases with the same number of iterations in
 * each. weft_node_grant counts iterations from this start; the node waits until some are granted.
 * The node must be idle: it has run all that was granted, or has not started. VERIFY fills every
 * lane here, each for a different pass, so call this before any peer may start; VERIFY has at most
 * one iteration for each lane. Control thread; the worker sees the phase with the first grant. */
void weft_node_start(struct weft_node *node, const struct weft_phase_options *options);

/* Lets the node run up to this many iterations since the start. The number may only rise. Any
 * thread. */
void weft_node_grant(struct weft_node *node, uint64_t iterations);

/* Says whether more will be granted in this phase. Call it before the grant that it describes. With
 * the machine's clock, grants must arrive in time. A virtual clock stops while fewer iterations
 * than the margin are left and more are expected: a node looks that far ahead, so a late grant
 * changes nothing. Any thread. */
static inline uint32_t weft_node_grant_margin(uint32_t in_flight)
{
    return 2 * in_flight + 2;
}
void weft_node_expect_grant(struct weft_node *node, bool more);
bool weft_node_wants_grant(const struct weft_node *node);

/* Whether MEASURE records messages and flows. False: it records nothing more, but iterations
 * continue. True: it records from now on and forgets what it recorded before. Counts and durations
 * are always kept. A phase starts with true. Only the thread that polls may call this. */
void weft_node_record(struct weft_node *node, bool records);

/* Handles completions and starts what has become ready. The caller must first call the device's
 * progress and then read `now_ns`. Returns how much was done; 0: nothing. */
uint32_t weft_node_poll(struct weft_node *node, uint64_t now_ns);

/* The time of the next event that does not come from a device: the end of a computation, or the
 * time when the next iteration is due. UINT64_MAX: there is none. Only the thread that polls may
 * call this. */
uint64_t weft_node_next_event_ns(const struct weft_node *node);

/* What the node waits for. Only the thread that polls may call this. */
enum weft_node_wait {
    WEFT_NODE_WAITS_FOR_ADDRESSES =
        0,                     /* of peers; weft_node_connect has not been called for them yet */
    WEFT_NODE_WAITS_FOR_GRANT, /* or to be destroyed, if it has failed */
    WEFT_NODE_WAITS_FOR_PEERS, /* it connects, or runs what was granted */
};
enum weft_node_wait weft_node_waits(struct weft_node *node);

/* Any thread, any time. */
uint64_t weft_node_iterations_done(const struct weft_node *node);
/* WEFT_OK while nothing is wrong. A node that has failed stays failed and does nothing more. */
enum weft_status weft_node_failure(const struct weft_node *node, struct weft_error *error);

/* Compares the lanes that VERIFY used with what they should hold. Control thread; the node must be
 * idle after VERIFY. */
void weft_node_verify(const struct weft_node *node, struct weft_verify_result *ret_result);

/* Takes durations of iterations in order, each from its start to its end on this rank. Only in
 * MEASURE, and only if this rank's schedule decides the completion. Single consumer: the control
 * thread must keep taking them. While the ring of durations is full, the node starts no iteration
 * (counted as `stalled_iterations`), so that no duration is lost. */
uint32_t weft_node_take_durations(struct weft_node *node, uint64_t *durations_ns, uint32_t count);
/* The same, and also the time from when each iteration was due to its end. In a closed loop both
 * times are equal. */
uint32_t weft_node_take_completions(struct weft_node *node, uint64_t *durations_ns,
                                    uint64_t *intended_ns, uint32_t count);

/* Traces of single iterations, MEASURE only; iterations count from its start. Control thread.
 *
 * How many of the last ones are there; 0: none are recorded, for they were not asked for or one has
 * too many operations. */
uint32_t weft_node_trace_count(const struct weft_node *node);
/* Copies an iteration into a place of its own before the ring turns over it; what was there is
 * forgotten. False: the iteration has not ended, ask again. */
#define WEFT_NODE_TRACES_KEPT 16u
bool weft_node_trace_keep(struct weft_node *node, uint32_t place, uint64_t iteration);
/* With the node idle: fills one for each operation of the schedule. False: it is not there. */
bool weft_node_trace(const struct weft_node *node, uint64_t iteration,
                     struct weft_op_trace *ret_ops, uint64_t *ret_duration_ns);

/* What congestion control lets the node's flows send: the slowest's and the fastest's rate now, and
 * the lowest that any had since it was made. */
struct weft_flow_rates {
    uint32_t flows; /* 0: no control, and the rest means nothing */
    uint64_t slowest_bps, fastest_bps, lowest_bps;
};

/* Of a rank that begins iterations when they are due. */
struct weft_open_loop_measured {
    bool paced; /* false: it does not, and the rest means nothing */
    /* A message that such a rank sent: to its completion from when it would have been ready to go,
     * had its iteration begun when it was due. */
    const struct weft_hist *latency_intended_ns;
    uint64_t missed;      /* iterations that were due while the rank could not begin them */
    uint64_t offered_ns;  /* from when the first was due to when one more would have been */
    uint64_t achieved_ns; /* the same, or, where that is later, to the end of the last */
};

/* The flows that come in, each with its goodput while it could run; see flow.c. */
struct weft_flow_spread {
    uint32_t flows; /* that brought bytes; 0: the rest means nothing */
    uint32_t worst_from;
    double worst_bps;
    double sum_bps, squares; /* of their goodputs, and of those squared */
};

/* What MEASURE counted. Valid with the node idle, or with nobody polling it any more; histograms
 * belong to the node. The time runs to the end of the last iteration that ended; 0: none did. */
struct weft_node_measured {
    const struct weft_hist *latency_ns; /* a message: post to completion at its sender */
    const struct weft_hist
        *bandwidth_bps; /* a flow's goodput in each interval, received; see series.c */
    uint64_t sent_messages, sent_bytes; /* completed; what the schedule names, slots left out */
    uint64_t received_messages, received_bytes;
    uint64_t first_start_ns, last_end_ns; /* of iterations, by this node's clock */
    uint64_t stalled_iterations;
    uint64_t iterations;
    struct weft_open_loop_measured open_loop;
    struct weft_flow_rates rates;
    struct weft_flow_spread spread;
};
void weft_node_measured(const struct weft_node *node, struct weft_node_measured *ret_measured);

#endif
