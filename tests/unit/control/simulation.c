/* SPDX-License-Identifier: BSD-3-Clause */
#include "simulation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECOND_NS UINT64_C(1000000)
#define CONTROLLER_TICK_NS (5 * MILLISECOND_NS)

/* ---- the links ---- */

static void note(struct simulation *simulation, uint64_t value)
{
    simulation->trace = (simulation->trace ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t between(struct simulation *simulation, uint64_t low, uint64_t high)
{
    return low + weft_random_below(&simulation->random, high - low + 1);
}

/* Mostly quick, now and then late. */
static uint64_t delay_ns(struct simulation *simulation)
{
    if (weft_random_below(&simulation->random, 20) == 0)
        return between(simulation, MILLISECOND_NS, 40 * MILLISECOND_NS);
    return between(simulation, 10000, MILLISECOND_NS);
}

static void put(struct simulation *simulation, struct link *link, const uint8_t *bytes,
                size_t len_bytes)
{
    struct packet *packet = malloc(sizeof(*packet) + len_bytes);
    assert(packet);
    packet->next = NULL;
    packet->due_ns = simulation->now_ns + delay_ns(simulation);
    if (link->last && packet->due_ns < link->last->due_ns)
        packet->due_ns = link->last->due_ns;
    packet->len_bytes = len_bytes;
    memcpy(packet->bytes, bytes, len_bytes);
    if (link->last)
        link->last->next = packet;
    else
        link->first = packet;
    link->last = packet;
}

static struct packet *take_due(struct link *link, uint64_t now_ns)
{
    struct packet *packet = link->first;
    if (!packet || packet->due_ns > now_ns)
        return NULL;
    link->first = packet->next;
    if (!link->first)
        link->last = NULL;
    return packet;
}

static void drop_all(struct link *link)
{
    struct packet *packet;
    while ((packet = take_due(link, UINT64_MAX)))
        free(packet);
}

/* ---- what the state machines send ---- */

static void note_frame(struct simulation *simulation, uint32_t who, const uint8_t *frame,
                       size_t len_bytes)
{
    note(simulation, simulation->now_ns);
    note(simulation, who);
    for (size_t i = 0; i < len_bytes; i++)
        note(simulation, frame[i]);
    size_t announced =
        (size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | (size_t)frame[3];
    assert(announced + 4 == len_bytes);
}

static void controller_sends(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes)
{
    struct simulation *simulation = context;
    struct seat *seat = &simulation->seats[peer];
    note_frame(simulation, 1000 + peer, frame, len_bytes);
    if (seat->attached && !seat->silenced)
        put(simulation, &seat->to_agent, frame + 4, len_bytes - 4);
}

struct agent_output {
    struct simulation *simulation;
    uint32_t agent;
};

static struct agent_output outputs[SIMULATION_AGENTS_MAX];

static void agent_sends(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes)
{
    struct agent_output *output = context;
    struct seat *seat = &output->simulation->seats[output->agent];
    assert(peer == 0);
    note_frame(output->simulation, output->agent, frame, len_bytes);
    if (!seat->silenced)
        put(output->simulation, &seat->to_controller, frame + 4, len_bytes - 4);
}

/* ---- setting up ---- */

static char device_name[] = "loopback";

static void init_topology(struct simulation *simulation)
{
    const struct simulation_options *options = &simulation->options;
    uint32_t rank_count = options->agent_count * options->ranks_per_agent;
    for (uint32_t i = 0; i < options->agent_count; i++) {
        (void)snprintf(simulation->names[i], sizeof(simulation->names[i]), "h%u", i);
        simulation->hosts[i] = (struct weft_host){.name = simulation->names[i], .first_nic = i};
        simulation->nics[i] =
            (struct weft_nic){.name = simulation->names[i], .device = device_name, .host = i};
        simulation->host_agents[i] = i;
    }
    /* Dealt out in turn, so an agent's ranks are not in a row. */
    for (uint32_t rank = 0; rank < rank_count; rank++)
        simulation->rank_nics[rank] = rank % options->agent_count;
    simulation->topology = (struct weft_topology){
        .host_count = options->agent_count,
        .nic_count = options->agent_count,
        .rank_count = rank_count,
        .hosts = simulation->hosts,
        .nics = simulation->nics,
        .rank_nics = simulation->rank_nics,
    };
}

static void init_seats(struct simulation *simulation)
{
    const struct simulation_options *options = &simulation->options;
    for (uint32_t i = 0; i < options->agent_count; i++) {
        struct seat *seat = &simulation->seats[i];
        outputs[i] = (struct agent_output){simulation, i};
        const struct weft_control_output output = {agent_sends, &outputs[i]};
        seat->runtime = (struct fake_runtime){
            .agent = i,
            .now_ns = &simulation->now_ns,
            .period_ns = options->period_ns + between(simulation, 0, options->period_ns / 4),
            .stalled = options->stalled,
            .connect_ns = between(simulation, 0, 30 * MILLISECOND_NS),
            .decides = i % 3 != options->silent_remainder,
        };
        if (options->fault && i == options->victim) {
            seat->runtime.watched = options->moment;
            seat->runtime.fails = options->fault == FAULT_FAILURE;
        }
        enum weft_status status =
            weft_agent_create(&fake_runtime_ops, &seat->runtime, &output, &seat->agent);
        assert(!status);
        seat->tick_ns = between(simulation, 1, 50 * MILLISECOND_NS);
    }
}

static void init_controller(struct simulation *simulation)
{
    struct weft_error error = {0};
    memcpy(simulation->tests, simulation->options.tests,
           simulation->options.test_count * sizeof(simulation->tests[0]));
    simulation->plan = (struct weft_plan){.test_count = simulation->options.test_count,
                                          .tests = simulation->tests};
    const struct weft_controller_options options = {
        .plan = &simulation->plan,
        .topology = &simulation->topology,
        .host_agents = simulation->host_agents,
        .agent_count = simulation->options.agent_count,
        .seed = simulation->options.seed,
        .output = {controller_sends, simulation},
    };
    enum weft_status status = weft_controller_create(&options, &simulation->controller, &error);
    if (status)
        fprintf(stderr, "%s\n", error.text);
    assert(!status);
}

/* ---- running ---- */

static void hang_up(struct simulation *simulation, uint32_t agent, const char *why)
{
    struct seat *seat = &simulation->seats[agent];
    if (!seat->attached)
        return;
    seat->attached = false;
    seat->gone = true;
    drop_all(&seat->to_agent);
    drop_all(&seat->to_controller);
    weft_agent_detached(seat->agent);
    weft_controller_lost(simulation->controller, agent, why, simulation->now_ns);
}

static void strike(struct simulation *simulation, uint32_t agent)
{
    static const uint8_t garbage[] = {0xff, 0xff, 0xff, 0xff, 0x07};
    struct seat *seat = &simulation->seats[agent];
    if (simulation->hurt_ns || seat->runtime.reached == FAKE_NEVER)
        return;
    simulation->hurt_ns = simulation->now_ns;
    if (simulation->options.fault == FAULT_DISCONNECT)
        hang_up(simulation, agent, "connection reset");
    if (simulation->options.fault == FAULT_SILENCE) {
        seat->silenced = true;
        drop_all(&seat->to_agent);
        drop_all(&seat->to_controller);
    }
    if (simulation->options.fault == FAULT_GARBAGE)
        put(simulation, &seat->to_controller, garbage, sizeof(garbage));
    if (simulation->options.fault == FAULT_INTERRUPT)
        weft_controller_interrupt(simulation->controller, "Ctrl-C", simulation->now_ns);
}

static void serve_agent(struct simulation *simulation, uint32_t agent)
{
    struct seat *seat = &simulation->seats[agent];
    struct packet *packet;
    if (!seat->attached && !seat->gone && seat->tick_ns <= simulation->now_ns) {
        seat->attached = true;
        weft_agent_attached(seat->agent, simulation->now_ns);
    }
    while (seat->attached && (packet = take_due(&seat->to_agent, simulation->now_ns))) {
        struct weft_error error = {0};
        enum weft_status status = weft_agent_receive(seat->agent, packet->bytes, packet->len_bytes,
                                                     simulation->now_ns, &error);
        free(packet);
        if (status)
            hang_up(simulation, agent, error.text);
    }
    if (seat->attached && seat->tick_ns <= simulation->now_ns) {
        weft_agent_tick(seat->agent, simulation->now_ns);
        seat->tick_ns =
            simulation->now_ns + between(simulation, MILLISECOND_NS, 7 * MILLISECOND_NS);
    }
    strike(simulation, agent);
}

static void serve_controller(struct simulation *simulation)
{
    struct packet *packet;
    for (uint32_t i = 0; i < simulation->options.agent_count; i++) {
        while ((packet = take_due(&simulation->seats[i].to_controller, simulation->now_ns))) {
            weft_controller_receive(simulation->controller, i, packet->bytes, packet->len_bytes,
                                    simulation->now_ns);
            free(packet);
        }
    }
    if (simulation->controller_tick_ns <= simulation->now_ns) {
        weft_controller_tick(simulation->controller, simulation->now_ns);
        simulation->controller_tick_ns = simulation->now_ns + CONTROLLER_TICK_NS;
    }
}

static void sooner(uint64_t *next_ns, uint64_t due_ns)
{
    if (due_ns < *next_ns)
        *next_ns = due_ns;
}

static uint64_t next_event_ns(const struct simulation *simulation)
{
    uint64_t next_ns = simulation->controller_tick_ns;
    for (uint32_t i = 0; i < simulation->options.agent_count; i++) {
        const struct seat *seat = &simulation->seats[i];
        if (seat->tick_ns > simulation->now_ns)
            sooner(&next_ns, seat->tick_ns);
        if (seat->to_agent.first)
            sooner(&next_ns, seat->to_agent.first->due_ns);
        if (seat->to_controller.first)
            sooner(&next_ns, seat->to_controller.first->due_ns);
    }
    return next_ns > simulation->now_ns ? next_ns : simulation->now_ns + 1;
}

static bool is_finished(const struct simulation *simulation)
{
    struct weft_controller_status status;
    weft_controller_status(simulation->controller, &status);
    return status.finished;
}

static void step(struct simulation *simulation)
{
    simulation->now_ns = next_event_ns(simulation);
    /* Who is served first at one moment is a matter of chance too. */
    uint32_t first = (uint32_t)between(simulation, 0, simulation->options.agent_count - 1);
    bool controller_first = weft_random_below(&simulation->random, 2) == 0;
    if (controller_first)
        serve_controller(simulation);
    for (uint32_t i = 0; i < simulation->options.agent_count; i++)
        serve_agent(simulation, (first + i) % simulation->options.agent_count);
    if (!controller_first)
        serve_controller(simulation);
}

bool simulation_run(struct simulation *simulation, const struct simulation_options *options,
                    uint64_t limit_ns)
{
    *simulation = (struct simulation){.options = *options, .now_ns = 1, .controller_tick_ns = 1};
    weft_random_seed(&simulation->random, options->seed);
    init_topology(simulation);
    init_seats(simulation);
    init_controller(simulation);
    while (!is_finished(simulation) && simulation->now_ns < limit_ns)
        step(simulation);
    bool finished = is_finished(simulation);
    simulation->finished_ns = simulation->now_ns;
    uint64_t last_ns = simulation->now_ns + 100 * MILLISECOND_NS;
    while (simulation->now_ns < last_ns)
        step(simulation);
    for (uint32_t i = 0; i < options->agent_count; i++)
        hang_up(simulation, i, "the end");
    return finished;
}

void simulation_fini(struct simulation *simulation)
{
    for (uint32_t i = 0; i < simulation->options.agent_count; i++) {
        drop_all(&simulation->seats[i].to_agent);
        drop_all(&simulation->seats[i].to_controller);
        weft_agent_destroy(simulation->seats[i].agent);
    }
    weft_controller_destroy(simulation->controller);
}
