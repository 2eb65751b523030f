/* SPDX-License-Identifier: BSD-3-Clause */
/* One rank's executor: runs its schedule, iteration after iteration, on an opened device.
 *
 * A channel joins the rank with one peer that its schedule names, once for each queue pair: an RC
 * endpoint and, beside it, a ring of slots in registered memory at either end. A receiver posts its
 * receive and then writes a slot (sequence, address, length) into the sender's ring by RDMA WRITE;
 * a sender starts its k-th message when slot k has come. So a message never meets a receiver that
 * is not ready, and no buffer is written before its owner gave it away. Slots of many receives go
 * in one write.
 *
 * Lanes: the rank has several copies of its buffer, two at least, and iterations take turns on
 * them. Receives that require nothing are posted as soon as their lane is free, so slots travel
 * ahead of their iteration. As many iterations as `in_flight` says run at once: each begins without
 * regard to the end of those before. On a channel the messages of an iteration follow those of the
 * one before, be they ready or not.
 *
 * Created and destroyed by the control thread; between start and idle the worker alone polls it.
 * Open loop: a rank that has something to do before anything has come to it begins each iteration
 * when it is due by its own clock, or, where as many are in flight as may be, as soon as one of
 * them has ended; when the next is due does not change by that. All others follow what comes to
 * them.
 *
 * poll allocates, locks, logs and divides nothing and makes no system call of its own. */
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
    struct weft_device *device;           /* the caller's; may be shared with other nodes */
    const struct weft_schedule *schedule; /* the caller's; outlives the node */
    /* What the schedule's ranks are called in the run, in addresses and errors, where it is one of
     * several; the caller's, outlives the node. NULL: as the schedule calls them. */
    const uint32_t *ranks;
    enum weft_transfer transfer;
    uint32_t depth;       /* receives posted ahead on a channel; 0: a default */
    uint32_t in_flight;   /* iterations that run at once, the same at all ranks; 0: 1 */
    uint64_t interval_ns; /* of the bandwidth series; 0: 1 ms */
    bool trace;           /* record what each operation of the last iterations did */
    /* Open loop: iterations of warm-up and measurement begin when they are due, one for each
     * `period_bytes` at `rate_bps`. 0: closed loop, each begins when the one before has ended. */
    uint64_t rate_bps;
    uint64_t period_bytes; /* the same at all ranks; 0: what this rank sends in an iteration */
    enum weft_arrivals_kind arrivals;
    uint64_t arrivals_seed; /* the same at all ranks: an iteration is one step of them all */
    /* Memory for the buffers, NUMA-local to the device: size in, page-aligned memory out. */
    void *(*allocate)(void *context, uint64_t len_bytes, int32_t numa_node);
    void (*release)(void *context, void *memory, uint64_t len_bytes);
    void *allocate_context;
};

/* What the other end of a channel must know. Travels through the controller. */
struct weft_channel_address {
    uint32_t from_rank;  /* whose endpoint this is */
    uint32_t to_rank;    /* for which peer */
    uint32_t queue_pair; /* which of those between the two */
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
/* The copies of a rank's buffer that so many iterations in flight take. */
uint32_t weft_node_lanes(uint32_t in_flight);

uint32_t weft_node_channel_count(const struct weft_node *node);
void weft_node_channel_address(const struct weft_node *node, uint32_t channel,
                               struct weft_channel_address *ret_address);
/* Gives the node the address whose to_rank is this node's rank. */
WEFT_CHECKED enum weft_status weft_node_connect(struct weft_node *node,
                                                const struct weft_channel_address *peer,
                                                struct weft_error *error);
/* WEFT_OK: all channels are ready. WEFT_AGAIN: call progress on the device, then ask again. Else it
 * failed, and the error names the peer. */
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

/* All nodes of a test have the same phases and the same iterations in each. Iterations are granted
 * (weft_node_grant) in total since this start; with none granted the node waits. The node must be
 * idle: it has run all that was granted, or has not started. For VERIFY all lanes are filled here,
 * each with a pass of its own, so it must be called before any peer may start; it has at most as
 * many iterations as there are lanes. Control thread; takes effect for the worker by the grant. */
void weft_node_start(struct weft_node *node, const struct weft_phase_options *options);

/* Up to this many iterations may run since start; rises only. Any thread. */
void weft_node_grant(struct weft_node *node, uint64_t iterations);

/* Will more be granted in this phase? It is granted in time where the clock is the machine's; a
 * virtual clock waits for it as long as fewer than the margin are left, so that how late a grant
 * comes changes nothing: a node looks so far ahead. Before the grant that it is said of. Any
 * thread. */
static inline uint32_t weft_node_grant_margin(uint32_t in_flight)
{
    return 2 * in_flight + 2;
}
void weft_node_expect_grant(struct weft_node *node, bool more);
bool weft_node_wants_grant(const struct weft_node *node);

/* What MEASURE records of messages and flows: false: nothing more, though iterations go on; true:
 * from here on, and what was before is forgotten. Counts and durations are kept all the time. It
 * begins true. Of the thread that polls. */
void weft_node_record(struct weft_node *node, bool records);

/* Takes completions, starts what has become ready. The caller has called the device's progress and
 * read `now_ns` after it. Returns how much it did; 0 is idle. */
uint32_t weft_node_poll(struct weft_node *node, uint64_t now_ns);

/* What the node's clock must reach before its poll has something to do that no device brings: the
 * end of a computation, the next iteration's time. UINT64_MAX: nothing. Of the thread that polls.
 */
uint64_t weft_node_next_event_ns(const struct weft_node *node);

/* What the node waits for. Of the thread that polls. */
enum weft_node_wait {
    WEFT_NODE_WAITS_FOR_ADDRESSES = 0, /* of peers that weft_node_connect has not yet given */
    WEFT_NODE_WAITS_FOR_GRANT,         /* or for its end: it may have failed */
    WEFT_NODE_WAITS_FOR_PEERS,         /* connects, or runs what was granted */
};
enum weft_node_wait weft_node_waits(struct weft_node *node);

/* Any thread, any time. */
uint64_t weft_node_iterations_done(const struct weft_node *node);
/* WEFT_OK while nothing is wrong. Once it fails it stays failed and does no more. */
enum weft_status weft_node_failure(const struct weft_node *node, struct weft_error *error);

/* Control thread, with the node idle after VERIFY: compares the lanes that were run. */
void weft_node_verify(const struct weft_node *node, struct weft_verify_result *ret_result);

/* The durations of iterations, each from its start to its end on this rank, in order, MEASURE only
 * and only where the schedule decides the completion. Single consumer: the control thread must keep
 * taking them; a node whose ring of these is full starts no iteration until there is room (counted
 * as `stalled_iterations`), so that none is lost. */
uint32_t weft_node_take_durations(struct weft_node *node, uint64_t *durations_ns, uint32_t count);
/* The same, and beside it the time from when each iteration was due, to its end; in a closed loop
 * they are the same. */
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
