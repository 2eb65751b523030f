/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "fabric/control/controller.h"

/* For want of memory a message stays unsaid: the agent then does not answer, which ends the test by
 * its time limits. */
static void say(struct weft_controller *controller, uint32_t agent, const Weft__Envelope *envelope)
{
    struct weft_error unsaid;
    if (weft_wire_send(&controller->wire, agent, envelope, &unsaid))
        return;
}

static void say_to_all(struct weft_controller *controller, const Weft__Envelope *envelope)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (controller->agents[i].greeted && !controller->agents[i].lost)
            say(controller, i, envelope);
    }
}

static void say_to_parties(struct weft_controller *controller, const Weft__Envelope *envelope)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (controller->agents[i].takes_part && !controller->agents[i].lost)
            say(controller, i, envelope);
    }
}

void weft_controller_say_hello(struct weft_controller *controller, uint32_t agent)
{
    static char version[] = WEFT_VERSION;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Hello message;
    weft__hello__init(&message);
    message.protocol = WEFT_CONTROL_VERSION;
    message.weft_version = version;
    envelope.body_case = WEFT__ENVELOPE__BODY_HELLO;
    envelope.hello = &message;
    say(controller, agent, &envelope);
}

/* Every agent and test has numbers of its own (queue pairs, keys), from the one seed of the run. */
static uint64_t seed_of(const struct weft_controller *controller, uint32_t agent)
{
    return controller->options.seed + UINT64_C(0x9e3779b97f4a7c15) * (controller->test_index + 1) +
           UINT64_C(0xbf58476d1ce4e5b9) * (agent + 1);
}

static uint32_t nic_position(const struct weft_nic *const *nics, uint32_t count,
                             const struct weft_nic *nic)
{
    uint32_t position = 0;
    while (position < count && nics[position] != nic)
        position++;
    return position;
}

/* Fills the three arrays, which have room for the agent's ranks. */
static void gather_ranks(const struct weft_controller *controller, uint32_t agent,
                         struct weft_wire_prepare *prepare, uint32_t *ranks, uint32_t *rank_nics,
                         const struct weft_nic **nics)
{
    const struct weft_topology *topology = controller->options.topology;
    for (uint32_t rank = 0; rank < topology->rank_count; rank++) {
        if (controller->rank_agents[rank] != agent ||
            controller->rank_parts[rank] == WEFT_PART_NONE)
            continue;
        const struct weft_nic *nic = &topology->nics[topology->rank_nics[rank]];
        uint32_t position = nic_position(nics, prepare->nic_count, nic);
        if (position == prepare->nic_count)
            nics[prepare->nic_count++] = nic;
        ranks[prepare->local_count] = rank;
        rank_nics[prepare->local_count++] = position;
    }
}

/* What a process can reserve only once must do for tests to come. */
static void foresee(const struct weft_controller *controller, uint32_t agent,
                    struct weft_wire_prepare *prepare)
{
    const struct weft_plan *plan = controller->options.plan;
    uint32_t largest_bytes = 0;
    bool largest_there_is = false;
    for (uint32_t i = 0; i < plan->test_count; i++) {
        const struct weft_test *test = &plan->tests[i];
        largest_bytes = test->mtu_bytes > largest_bytes ? test->mtu_bytes : largest_bytes;
        largest_there_is = largest_there_is || !test->mtu_bytes;
    }
    prepare->plan_local_count = controller->agents[agent].plan_count;
    prepare->plan_mtu_bytes = largest_there_is ? 0 : largest_bytes;
}

enum weft_status weft_controller_say_prepare(struct weft_controller *controller, uint32_t agent,
                                             struct weft_error *error)
{
    uint32_t count = controller->agents[agent].local_count;
    uint32_t *ranks = calloc(count + 1u, sizeof(*ranks));
    uint32_t *rank_nics = calloc(count + 1u, sizeof(*rank_nics));
    const struct weft_nic **nics = calloc(count + 1u, sizeof(const struct weft_nic *));
    enum weft_status status = WEFT_OK;
    if (!ranks || !rank_nics || !nics) {
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u ranks", count);
    } else {
        struct weft_wire_prepare prepare = {.part_count = controller->part_count,
                                            .local_ranks = ranks,
                                            .rank_nics = rank_nics,
                                            .nics = nics,
                                            .seed = seed_of(controller, agent)};
        for (uint32_t i = 0; i < controller->part_count; i++)
            prepare.parts[i] = &controller->parts[i].test;
        gather_ranks(controller, agent, &prepare, ranks, rank_nics, nics);
        foresee(controller, agent, &prepare);
        status = weft_wire_prepare_send(&controller->wire, agent, &prepare, error);
    }
    free(nics);
    free(rank_nics);
    free(ranks);
    return status;
}

enum weft_status weft_controller_say_connect(struct weft_controller *controller, uint32_t agent,
                                             struct weft_error *error)
{
    uint32_t count = 0;
    const struct weft_channel_entry *entries =
        weft_channels_of(&controller->channels, agent, &count);
    struct weft_channel_address *addresses = calloc(count + 1u, sizeof(*addresses));
    if (!addresses)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u addresses", count);
    for (uint32_t i = 0; i < count; i++)
        addresses[i] = entries[i].address;
    enum weft_status status =
        weft_wire_connect_send(&controller->wire, agent, addresses, count, error);
    free(addresses);
    return status;
}

void weft_controller_say_start(struct weft_controller *controller)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Start message = WEFT__START__INIT;
    message.phase = (Weft__Phase)controller->phase;
    envelope.body_case = WEFT__ENVELOPE__BODY_START;
    envelope.start = &message;
    say_to_parties(controller, &envelope);
}

void weft_controller_say_grant(struct weft_controller *controller, enum weft_agent_record record)
{
    Weft__GrantPart parts[WEFT_JOBS_MAX];
    Weft__GrantPart *pointers[WEFT_JOBS_MAX];
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Grant message = WEFT__GRANT__INIT;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        weft__grant_part__init(&parts[i]);
        parts[i].iterations = controller->parts[i].lease.granted;
        parts[i].last = controller->parts[i].lease.last;
        pointers[i] = &parts[i];
    }
    message.parts = pointers;
    message.n_parts = controller->part_count;
    message.record = (Weft__Record)record;
    envelope.body_case = WEFT__ENVELOPE__BODY_GRANT;
    envelope.grant = &message;
    say_to_parties(controller, &envelope);
}

void weft_controller_say_keep(struct weft_controller *controller, uint32_t part, uint32_t *places,
                              uint64_t *iterations, uint32_t count)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Keep message = WEFT__KEEP__INIT;
    message.part = part;
    message.places = places;
    message.n_places = count;
    message.iterations = iterations;
    message.n_iterations = count;
    envelope.body_case = WEFT__ENVELOPE__BODY_KEEP;
    envelope.keep = &message;
    say_to_parties(controller, &envelope);
}

void weft_controller_say_trace_request(struct weft_controller *controller)
{
    uint64_t iterations[WEFT_JOBS_MAX][WEFT_TRACES_ASKED_MAX];
    Weft__TracePart parts[WEFT_JOBS_MAX];
    Weft__TracePart *pointers[WEFT_JOBS_MAX];
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__TraceRequest message = WEFT__TRACE_REQUEST__INIT;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        const struct weft_controller_traces *traces = &controller->parts[i].traces;
        weft__trace_part__init(&parts[i]);
        for (uint32_t j = 0; j < traces->iteration_count; j++)
            iterations[i][j] = traces->iterations[j].iteration;
        parts[i].iterations = iterations[i];
        parts[i].n_iterations = traces->iteration_count;
        pointers[i] = &parts[i];
    }
    message.parts = pointers;
    message.n_parts = controller->part_count;
    envelope.body_case = WEFT__ENVELOPE__BODY_TRACE_REQUEST;
    envelope.trace_request = &message;
    say_to_parties(controller, &envelope);
}

void weft_controller_say_abort(struct weft_controller *controller, const char *reason)
{
    char text[WEFT_BROKEN_BYTES];
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Abort message;
    weft__abort__init(&message);
    (void)snprintf(text, sizeof(text), "%s", reason);
    message.reason = text;
    envelope.body_case = WEFT__ENVELOPE__BODY_ABORT;
    envelope.abort = &message;
    say_to_all(controller, &envelope);
}

void weft_controller_ask(struct weft_controller *controller, Weft__Envelope__BodyCase body)
{
    struct weft_wire_empty out;
    say_to_parties(controller, weft_wire_empty(body, &out));
}

void weft_controller_say_bye(struct weft_controller *controller)
{
    struct weft_wire_empty out;
    say_to_all(controller, weft_wire_empty(WEFT__ENVELOPE__BODY_BYE, &out));
}
