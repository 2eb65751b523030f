/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller and agent as state machines: messages in, messages out, `now`. No sockets, no threads,
 * no files: the caller carries the bytes. The messages are weft.proto, each in a frame of its own:
 * a 4-byte big-endian length, then that many bytes.
 *
 * A test goes: PREPARE (agents compile their ranks' schedules, open devices, create nodes, answer
 * with the addresses of their channels) -> CONNECT (each agent is given the addresses that its
 * ranks need, answers when all channels are ready) -> for each of verify, warm-up, measure: START
 * (all agents ready the phase and say so: the barrier), GRANT (iterations, in leases where the test
 * is timed), DONE -> COLLECT (rank results) -> TRACE_REQUEST (what each operation of a few
 * iterations did; KEEP has said before which must not be forgotten) -> RELEASE. A failure anywhere:
 * ABORT to all, and the test is broken; agents that were measuring halt and tell what their ranks
 * have measured so far before they release. */
#ifndef WEFT_CONTROL_CONTROL_H
#define WEFT_CONTROL_CONTROL_H

#include "fabric/result/result.h"

#define WEFT_CONTROL_VERSION 4u
#define WEFT_FRAME_BYTES_MAX (64u << 20)

/* Where a state machine's messages go: a whole frame's bytes, to be copied or sent before return.
 */
struct weft_control_output {
    void (*send)(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes);
    void *context;
};

/* ---- the agent ---- */

/* What an agent's ranks of a test need to be set up. Pointers live during the call. */
struct weft_agent_test {
    /* What runs at once, rank_count set: mostly one. Several share no rank, and what a device is
     * told (driver, MTU, DSCP, pace, congestion control, faults) is the same in all. */
    const struct weft_test *parts;
    uint32_t part_count;
    uint32_t local_count;         /* ranks of this agent */
    const uint32_t *local_ranks;  /* as the run counts them, rising */
    const uint32_t *local_parts;  /* of each */
    const uint32_t *local_places; /* of each: which of its part's ranks */
    const struct weft_nic *nics;  /* one for each local rank; the same device: the same NIC */
    uint64_t seed;
    /* Over the whole plan, for what a process can reserve only once: the most ranks that any test
     * gives this agent, and the largest path MTU asked for (0: the largest there is). */
    uint32_t plan_local_count;
    uint32_t plan_mtu_bytes;
};

struct weft_agent_progress {
    uint64_t iterations_done; /* the least of the part's local ranks; none here: what was granted */
    bool idle;                /* all have run what was granted */
};

/* What is granted to each part of a phase. */
struct weft_agent_grant {
    uint64_t iterations; /* in total since the start */
    bool last;
};

/* What is recorded of messages and flows. */
enum weft_agent_record {
    WEFT_RECORD_ON = 0,
    WEFT_RECORD_ANEW,    /* what was before is forgotten */
    WEFT_RECORD_NO_MORE, /* though iterations go on */
};

/* The hands of an agent: threads, devices and nodes. All are called on the control thread and
 * return at once, but prepare and release, which may take as long as a device needs to open. */
struct weft_agent_runtime {
    enum weft_status (*environment)(void *context, struct weft_host_environment *ret);
    enum weft_status (*prepare)(void *context, const struct weft_agent_test *test,
                                struct weft_error *error);
    /* Channel addresses of the local ranks: how many there are; fills up to count. */
    uint32_t (*addresses)(void *context, struct weft_channel_address *addresses, uint32_t count);
    enum weft_status (*connect)(void *context, const struct weft_channel_address *addresses,
                                uint32_t count, struct weft_error *error);
    enum weft_status (*connected)(void *context, struct weft_error *error); /* OK, AGAIN, failed */
    /* Of all parts. */
    enum weft_status (*start)(void *context, enum weft_phase phase, struct weft_error *error);
    /* One for each part, at one instant. Before it what is recorded changes. */
    void (*grant)(void *context, const struct weft_agent_grant *grants,
                  enum weft_agent_record record);
    /* Virtual time: it stands still until more is granted, and nothing of what the ops below tell
     * changes until then. May be NULL: the clock is the machine's. */
    bool (*waits)(void *context);
    enum weft_status (*progress)(void *context, uint32_t part,
                                 struct weft_agent_progress *ret_progress,
                                 struct weft_error *error);
    /* Durations of iterations of the part's local deciding ranks: the slowest of each iteration,
     * from the next one not taken yet; up to count. */
    uint32_t (*take_durations)(void *context, uint32_t part, uint64_t *durations_ns,
                               uint32_t count);
    /* Of the same iterations as the last call of that: from when they were due. False: this is no
     * open loop. May be NULL. */
    bool (*take_intended)(void *context, uint32_t part, uint64_t *intended_ns, uint32_t count);
    bool (*decides)(void *context, uint32_t part); /* has it any deciding rank? */
    enum weft_status (*verify)(void *context, uint32_t local,
                               struct weft_verify_result *ret_result);
    /* Stops all ranks where they are, for good: after it the test is only collected and released.
     */
    void (*halt)(void *context);
    /* With all ranks idle or halted. Histograms in it are created here and become the caller's. */
    enum weft_status (*collect)(void *context, uint32_t local, struct weft_rank_result *ret_result,
                                struct weft_error *error);
    void (*release)(void *context); /* of the test; idempotent */
    /* Traces; all NULL: this runtime has none. Of how many of the last iterations of MEASURE all
     * local ranks of the part have one; 0: of none. */
    uint32_t (*trace_count)(void *context, uint32_t part);
    /* As weft_node_trace_keep, for all local ranks of the part. */
    bool (*trace_keep)(void *context, uint32_t part, uint32_t place, uint64_t iteration);
    /* *ret_ops has one for each operation of the rank and is malloc'd, the caller's.
     * WEFT_NOT_FOUND: the trace is not there. */
    enum weft_status (*trace)(void *context, uint32_t local, uint64_t iteration,
                              struct weft_op_trace **ret_ops, uint32_t *ret_count,
                              uint64_t *ret_duration_ns);
};

struct weft_agent;

WEFT_CHECKED enum weft_status weft_agent_create(const struct weft_agent_runtime *runtime,
                                                void *runtime_context,
                                                const struct weft_control_output *output,
                                                struct weft_agent **ret_agent);
void weft_agent_destroy(struct weft_agent *agent);
/* A controller has connected: says hello. One controller at a time. */
void weft_agent_attached(struct weft_agent *agent, uint64_t now_ns);
/* The controller went away: the test is released and the agent waits for the next. */
void weft_agent_detached(struct weft_agent *agent);
/* One frame's content without its length. Any bytes are safe; a bad one detaches with an error. */
WEFT_CHECKED enum weft_status weft_agent_receive(struct weft_agent *agent, const uint8_t *message,
                                                 size_t len_bytes, uint64_t now_ns,
                                                 struct weft_error *error);
/* To be called every few milliseconds: watches progress, sends what there is to say. */
void weft_agent_tick(struct weft_agent *agent, uint64_t now_ns);
/* How soon the next tick is worth its while. */
enum weft_agent_hurry {
    WEFT_AGENT_CALM = 0, /* nothing is due, or a measurement is not to be disturbed */
    WEFT_AGENT_EAGER,    /* it waits for what may be there any moment, and the run waits for it */
    WEFT_AGENT_BUSY,     /* it has work of its own left: at once */
};
enum weft_agent_hurry weft_agent_hurry(const struct weft_agent *agent);

/* ---- the controller ---- */

struct weft_controller_options {
    const struct weft_plan *plan;
    const struct weft_topology *topology;
    const struct weft_ideal *ideals; /* of each test; NULL: not computed */
    /* For each host of the topology the agent (peer number); of one that no test uses it means
     * nothing. */
    const uint32_t *host_agents;
    uint32_t agent_count;
    uint64_t silence_limit_ns; /* an agent that says nothing for so long is lost; 0: 15 s */
    uint64_t stall_limit_ns;   /* no step comes forward for so long: broken; 0: 60 s */
    uint64_t seed;
    bool virtual_time; /* the agents' clock is not the machine's; there is one agent then */
    struct weft_control_output output;
};

struct weft_controller_status {
    bool finished;
    uint32_t test;                                /* the one under way */
    const char *stage;                            /* "connecting", "verifying", "measuring" ... */
    uint64_t iterations_done, iterations_planned; /* planned 0: timed */
    uint64_t elapsed_ns, duration_ns;
};

struct weft_controller;

WEFT_CHECKED enum weft_status weft_controller_create(const struct weft_controller_options *options,
                                                     struct weft_controller **ret_controller,
                                                     struct weft_error *error);
void weft_controller_destroy(struct weft_controller *controller);
void weft_controller_lost(struct weft_controller *controller, uint32_t agent, const char *why,
                          uint64_t now_ns);
/* The agents are taken to be attached or about to be: each says hello first. A bad message makes
 * that agent lost. */
void weft_controller_receive(struct weft_controller *controller, uint32_t agent,
                             const uint8_t *message, size_t len_bytes, uint64_t now_ns);
void weft_controller_tick(struct weft_controller *controller, uint64_t now_ns);
/* Stops the test under way; what was measured is kept, the verdict is broken, unless the test was
 * to be measured until this. A timed one runs to the end of what was granted, for 2 s at most; any
 * other is halted where it is. A second interrupt does not wait for that, a third not even for the
 * agents' figures. */
void weft_controller_interrupt(struct weft_controller *controller, const char *why,
                               uint64_t now_ns);
void weft_controller_status(const struct weft_controller *controller,
                            struct weft_controller_status *ret_status);
/* The controller's own, complete once finished. Where what was asked cannot be done here and
 * nothing ran, `refused` is set in it. */
const struct weft_result *weft_controller_result(const struct weft_controller *controller);

#endif
