/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the agent share; within fabric/control only. */
#ifndef WEFT_CONTROL_AGENT_H
#define WEFT_CONTROL_AGENT_H

#include "fabric/control/wire.h"

#define WEFT_DURATIONS_A_BLOCK 4096u

enum weft_agent_state {
    WEFT_AGENT_IDLE = 0,   /* no test */
    WEFT_AGENT_PREPARED,   /* addresses are told */
    WEFT_AGENT_CONNECTING, /* channels come up */
    WEFT_AGENT_READY,      /* between phases */
    WEFT_AGENT_RUNNING,    /* a phase is started */
    WEFT_AGENT_VERIFYING,  /* compares what the phase left, a rank a tick */
    WEFT_AGENT_COLLECTING, /* tells results, some ranks a tick */
    WEFT_AGENT_TRACING,    /* tells traces, some a tick */
    WEFT_AGENT_FAILED,     /* told so; waits for abort or release */
    WEFT_AGENT_ENDING,     /* the test is broken: tells what was measured, then releases */
};

/* What is wanted of traces. */
struct weft_agent_traces {
    bool keeps[WEFT_NODE_TRACES_KEPT]; /* not yet kept, for the iteration has not ended here */
    uint64_t iterations[WEFT_NODE_TRACES_KEPT];
    uint64_t *asked; /* malloc'd */
    size_t asked_count, next_asked;
};

/* What runs at once with others, or alone. */
struct weft_agent_part {
    uint32_t local_count;
    bool decides, is_open_loop;
    uint32_t verify_most;                              /* iterations that VERIFY may have */
    uint64_t granted, done, done_told, durations_told; /* of the phase */
    bool last, idle;
    struct weft_agent_traces traces;
};

struct weft_agent {
    const struct weft_agent_runtime *runtime;
    void *runtime_context;
    struct weft_wire wire;
    bool attached, greeted;
    enum weft_agent_state state;
    bool held; /* prepare was called and release was not */
    uint64_t said_ns;

    /* The test. */
    uint32_t rank_limit; /* of the run's ranks: one more than the highest */
    uint32_t local_count;
    uint32_t *local_ranks, *local_parts;
    struct weft_verify_result *verified;
    bool verified_known;
    bool measured;       /* MEASURE has begun, and not all of its figures are told */
    uint32_t collected;  /* local ranks whose figures are told */
    uint32_t next_local; /* to be verified or traced */
    uint32_t part_count;
    struct weft_agent_part parts[WEFT_JOBS_MAX];

    /* The phase. */
    enum weft_phase phase;
    uint64_t progress_told_ns;
    uint64_t block[WEFT_DURATIONS_A_BLOCK];
    uint64_t intended[WEFT_DURATIONS_A_BLOCK]; /* of the block's iterations, in an open loop */
    bool waits_told;                           /* and nothing was granted since */
};

/* ---- traces (agent_trace.c) ---- */
void weft_agent_trace_reset(struct weft_agent *agent);
WEFT_CHECKED enum weft_status weft_agent_trace_keep(struct weft_agent *agent,
                                                    const Weft__Keep *message,
                                                    struct weft_error *error);
/* Those that were not kept yet. */
void weft_agent_trace_watch(struct weft_agent *agent);
WEFT_CHECKED enum weft_status weft_agent_trace_ask(struct weft_agent *agent,
                                                   const Weft__TraceRequest *message,
                                                   struct weft_error *error);
void weft_agent_trace_tell(struct weft_agent *agent, uint64_t now_ns);

/* Releases what prepare made, once, and forgets the test. */
void weft_agent_release_test(struct weft_agent *agent);
/* The same, and tells the controller so. */
void weft_agent_end(struct weft_agent *agent, uint64_t now_ns);
/* Tells the controller that the test cannot go on here; releases it, unless there are figures. */
void weft_agent_fail(struct weft_agent *agent, enum weft_status status, struct weft_error *error,
                     uint64_t now_ns);

void weft_agent_say_hello(struct weft_agent *agent, const struct weft_host_environment *environment,
                          uint64_t now_ns);
/* What is no more than its kind. */
void weft_agent_say(struct weft_agent *agent, Weft__Envelope__BodyCase body, uint64_t now_ns);
void weft_agent_say_progress(struct weft_agent *agent, bool waits, uint64_t now_ns);
/* The first `count` of the block. */
void weft_agent_say_durations(struct weft_agent *agent, uint32_t part, uint32_t count,
                              uint64_t now_ns);
/* The phase is over here. */
void weft_agent_say_done(struct weft_agent *agent, uint64_t now_ns);
void weft_agent_say_released(struct weft_agent *agent, uint64_t now_ns);
void weft_agent_say_failure(struct weft_agent *agent, const struct weft_error *why,
                            uint64_t now_ns);

#endif
