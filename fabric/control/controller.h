/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the controller share; within fabric/control only. */
#ifndef WEFT_CONTROL_CONTROLLER_H
#define WEFT_CONTROL_CONTROLLER_H

#include "fabric/control/channels.h"
#include "fabric/control/lease.h"
#include "fabric/control/merge.h"
#include "fabric/control/wire.h"

/* What all agents are being waited for: in the order of a test, which comparisons rely on. What
 * each is stands in one table, weft_stages. */
enum weft_stage {
    WEFT_STAGE_GREETING = 0,
    WEFT_STAGE_PREPARING,
    WEFT_STAGE_CONNECTING,
    WEFT_STAGE_STARTING,
    WEFT_STAGE_RUNNING,
    WEFT_STAGE_COLLECTING,
    WEFT_STAGE_TRACING,
    WEFT_STAGE_RELEASING,
    WEFT_STAGE_STOPPING, /* the test is broken */
    WEFT_STAGE_FINISHED,
    WEFT_STAGE_COUNT
};

struct weft_controller;

#define WEFT_STAGE_ANSWERS 3

struct weft_stage_row {
    const char *during; /* "preparing", for errors; NULL: as the phase is called */
    /* What an agent may say that has not yet done all that the stage asks; the last one is that it
     * has. */
    Weft__Envelope__BodyCase answers[WEFT_STAGE_ANSWERS];
    bool of_all; /* asked of all agents, not only of those that take part */
    bool blocks; /* an agent may be busy where it cannot speak: devices, buffers */
    void (*next)(struct weft_controller *controller, uint64_t now_ns); /* when all have */
};

struct weft_controller_agent {
    const char *first_host; /* of those that a test uses; NULL: none */
    uint32_t host_count;
    char host[96];  /* "c", or "c and 2 more": those that are used */
    char name[128]; /* "agent 2 (host c)" */
    bool greeted, lost;
    bool takes_part; /* has ranks in this test */
    bool answered;   /* in this stage */
    uint64_t silent_ns;
    uint32_t ranks_reported; /* of this test */
    uint32_t local_count;    /* of this test */
    uint32_t plan_count;     /* the most of any test */
};

/* What an agent has of a part. */
struct weft_controller_share {
    uint32_t local_count; /* 0: nothing */
    bool decides;         /* sends durations */
    uint64_t done, taken; /* iterations of the phase, run and with their durations here */
    uint32_t trace_count; /* iterations that it has traces of */
};

/* The slowest 5 %, but not more than are kept, and others to compare them with. */
#define WEFT_TRACES_OTHERS_MAX 32u
#define WEFT_TRACES_ASKED_MAX (WEFT_NODE_TRACES_KEPT + WEFT_TRACES_OTHERS_MAX)

/* What was asked of the agents and came back. */
struct weft_controller_traces {
    uint32_t rank_count;
    struct weft_schedule **schedules; /* of all ranks */
    struct weft_traced_iteration *iterations;
    uint32_t iteration_count;
};

/* A test under way: mostly one at a time, or the jobs that run together. */
struct weft_controller_part {
    struct weft_test_result *figures;     /* the result's */
    struct weft_test test;                /* the plan's, its rank count resolved */
    struct weft_controller_share *shares; /* of each agent */
    struct weft_merge merge;
    struct weft_merge intended; /* the same iterations, from when they were due */
    struct weft_lease lease;
    struct weft_controller_traces traces;
    uint64_t warmup_worth; /* iterations a lease, as the warm-up went */
    uint64_t waited_ns;    /* since it came forward in this stage */
    /* Iterations that are counted; where jobs run together only those of the window. */
    uint64_t counted_from, counted_to;
};

/* Where jobs run together, only what all of them were there for is counted: iterations go on from
 * before the window to after it. */
enum weft_window {
    WEFT_WINDOW_WHOLE = 0, /* the whole phase is */
    WEFT_WINDOW_AWAITED,   /* not all have been seen to run */
    WEFT_WINDOW_NEAR,      /* they have, but what is still told may be from before */
    WEFT_WINDOW_OPEN,
    WEFT_WINDOW_CLOSED,
};

#define WEFT_PART_NONE UINT32_MAX
#define WEFT_AGENT_NONE UINT32_MAX

struct weft_controller {
    struct weft_controller_options options;
    struct weft_wire wire;
    struct weft_result *result;
    uint32_t test_index; /* of the first part's test */
    uint32_t part_count, part_room;
    struct weft_controller_part *parts;
    struct weft_controller_agent *agents;
    /* Of all ranks of the topology: the agent, the part and which of the part's ranks. */
    uint32_t *rank_agents, *rank_parts, *rank_places;
    struct weft_channels channels;
    struct weft_search search; /* of the test under way, where it has one */
    enum weft_window window;
    uint64_t window_ns; /* when it came to be so */

    enum weft_stage stage;
    enum weft_phase phase;
    uint64_t waited_ns; /* since anything came forward in this stage */
    uint64_t stage_began_ns, ticked_ns, grace_ns;
    bool ticked, interrupted;
};

/* ---- steps (controller_steps.c) ---- */

extern const struct weft_stage_row weft_stages[WEFT_STAGE_COUNT];

/* Ends the test in words. `status` is why; a user's mistake before anything ran is a refusal. */
void weft_controller_break(struct weft_controller *controller, enum weft_status status,
                           uint64_t now_ns, const char *format, ...) WEFT_FORMAT(4, 5);
/* An agent has done what its stage asks: where it is the last one, the next stage begins. */
void weft_controller_answered(struct weft_controller *controller, uint32_t agent, uint64_t now_ns);
/* Makes the plan's test of that index, and those that run at once with it, the ones under way. */
WEFT_CHECKED enum weft_status weft_controller_begin_parts(struct weft_controller *controller,
                                                          uint32_t test_index,
                                                          struct weft_error *error);
/* Grants more, where it is time. `waits`: virtual time stands still until then. */
void weft_controller_renew(struct weft_controller *controller, bool waits, uint64_t now_ns);
/* Iterations of a part that all its ranks have run, or that have their durations here from all. */
uint64_t weft_controller_done(const struct weft_controller *controller,
                              const struct weft_controller_part *part);
uint64_t weft_controller_taken(const struct weft_controller *controller,
                               const struct weft_controller_part *part);
bool weft_controller_any_decides(const struct weft_controller *controller,
                                 const struct weft_controller_part *part);
/* "while measuring": what is under way, for errors. */
const char *weft_controller_during(const struct weft_controller *controller);
/* Has everyone gone whom the end of a broken test waits for? Then it is the end. */
void weft_controller_settle(struct weft_controller *controller);

/* ---- messages (controller_messages.c) ---- */

WEFT_CHECKED enum weft_status weft_controller_dispatch(struct weft_controller *controller,
                                                       uint32_t agent,
                                                       const Weft__Envelope *envelope,
                                                       uint64_t now_ns, struct weft_error *error);

/* ---- traces (controller_trace.c) ---- */

/* Tells the agents which iterations to keep, of those that have ended. */
void weft_controller_trace_keep(struct weft_controller *controller, uint32_t part);
/* Asks for the traces of some iterations. False: there is nothing to ask for. */
bool weft_controller_trace_ask(struct weft_controller *controller);
WEFT_CHECKED enum weft_status weft_controller_trace_take(struct weft_controller *controller,
                                                         uint32_t agent, const Weft__Trace *message,
                                                         struct weft_error *error);
/* All is here: what it says goes into the test's result. */
void weft_controller_trace_finish(struct weft_controller *controller);
void weft_controller_trace_reset(struct weft_controller *controller);

/* ---- saying (controller_say.c) ---- */

void weft_controller_say_hello(struct weft_controller *controller, uint32_t agent);
WEFT_CHECKED enum weft_status weft_controller_say_prepare(struct weft_controller *controller,
                                                          uint32_t agent, struct weft_error *error);
WEFT_CHECKED enum weft_status weft_controller_say_connect(struct weft_controller *controller,
                                                          uint32_t agent, struct weft_error *error);
/* To all that take part. */
void weft_controller_say_start(struct weft_controller *controller);
void weft_controller_say_grant(struct weft_controller *controller, enum weft_agent_record record);
void weft_controller_say_keep(struct weft_controller *controller, uint32_t part, uint32_t *places,
                              uint64_t *iterations, uint32_t count);
/* For those iterations that each part has room made for. */
void weft_controller_say_trace_request(struct weft_controller *controller);
/* What is no more than its kind. */
void weft_controller_ask(struct weft_controller *controller, Weft__Envelope__BodyCase body);
/* To all that have greeted and are not lost. */
void weft_controller_say_abort(struct weft_controller *controller, const char *reason);
void weft_controller_say_bye(struct weft_controller *controller);

#endif
