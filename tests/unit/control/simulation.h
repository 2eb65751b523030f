/* SPDX-License-Identifier: BSD-3-Clause */
/* A controller, its agents and the links between them in virtual time. All chance comes from one
 * seed: delays, when each is called, when it is hurt. */
#ifndef WEFT_TESTS_CONTROL_SIMULATION_H
#define WEFT_TESTS_CONTROL_SIMULATION_H

#include "fabric/base/random.h"
#include "fake_runtime.h"

#define SIMULATION_AGENTS_MAX 20u
#define SIMULATION_TESTS_MAX 4u

/* What befalls an agent at its moment. */
enum fault {
    FAULT_NONE = 0,
    FAULT_DISCONNECT, /* both ends are told */
    FAULT_SILENCE,    /* nothing comes or goes any more, and no end is told */
    FAULT_FAILURE,    /* the op fails */
    FAULT_GARBAGE,    /* it sends bytes that are no message */
    FAULT_INTERRUPT,  /* the user presses Ctrl-C */
    FAULT_COUNT
};

struct simulation_options {
    uint64_t seed;
    uint32_t agent_count, ranks_per_agent;
    uint64_t period_ns;
    const struct weft_test *tests;
    uint32_t test_count;
    enum fault fault;
    enum fake_moment moment;
    uint32_t victim;
    uint32_t stalled; /* parts, as the fake runtime has it */
    /* Agents whose number has this remainder by 3 decide no completion. */
    uint32_t silent_remainder;
};

struct packet {
    struct packet *next;
    uint64_t due_ns;
    size_t len_bytes;
    uint8_t bytes[];
};

/* One direction: in order, each after a delay of its own. */
struct link {
    struct packet *first, *last;
};

struct seat {
    struct fake_runtime runtime;
    struct weft_agent *agent;
    struct link to_agent, to_controller;
    uint64_t tick_ns; /* next */
    bool attached, gone, silenced;
};

struct simulation {
    struct simulation_options options;
    struct weft_random random;
    uint64_t now_ns, controller_tick_ns;
    struct weft_controller *controller;
    struct seat seats[SIMULATION_AGENTS_MAX];
    uint64_t trace; /* of all that was sent, and when */
    uint64_t hurt_ns, finished_ns;
    struct weft_host hosts[SIMULATION_AGENTS_MAX];
    struct weft_nic nics[SIMULATION_AGENTS_MAX];
    char names[SIMULATION_AGENTS_MAX][16];
    uint32_t host_agents[SIMULATION_AGENTS_MAX];
    uint32_t rank_nics[SIMULATION_AGENTS_MAX * 64];
    struct weft_topology topology;
    struct weft_test tests[SIMULATION_TESTS_MAX];
    struct weft_plan plan;
};

/* Runs until the controller is finished, then lets the agents hear the last words and hangs up.
 * False: it was not finished by `limit_ns`. The result stays until fini. */
bool simulation_run(struct simulation *simulation, const struct simulation_options *options,
                    uint64_t limit_ns);
void simulation_fini(struct simulation *simulation);

#endif
