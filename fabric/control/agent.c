/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/agent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum weft_status weft_agent_create(const struct weft_agent_runtime *runtime, void *runtime_context,
                                   const struct weft_control_output *output,
                                   struct weft_agent **ret_agent)
{
    struct weft_agent *agent = calloc(1, sizeof(*agent));
    if (!agent)
        return WEFT_NO_MEMORY;
    agent->runtime = runtime;
    agent->runtime_context = runtime_context;
    agent->wire.output = *output;
    *ret_agent = agent;
    return WEFT_OK;
}

void weft_agent_release_test(struct weft_agent *agent)
{
    if (agent->held)
        agent->runtime->release(agent->runtime_context);
    agent->held = false;
    free(agent->local_ranks);
    free(agent->local_parts);
    free(agent->verified);
    weft_agent_trace_reset(agent);
    agent->local_ranks = NULL;
    agent->local_parts = NULL;
    agent->verified = NULL;
    agent->measured = false;
    agent->state = WEFT_AGENT_IDLE;
}

void weft_agent_end(struct weft_agent *agent, uint64_t now_ns)
{
    weft_agent_release_test(agent);
    weft_agent_say_released(agent, now_ns);
}

void weft_agent_destroy(struct weft_agent *agent)
{
    if (!agent)
        return;
    weft_agent_release_test(agent);
    weft_wire_fini(&agent->wire);
    free(agent);
}

/* ---- coming and going ---- */

void weft_agent_attached(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_host_environment environment = {0};
    assert(!agent->attached && agent->state == WEFT_AGENT_IDLE);
    agent->attached = true;
    agent->greeted = false;
    enum weft_status status = agent->runtime->environment(agent->runtime_context, &environment);
    if (status) {
        struct weft_error error = {0};
        (void)weft_error_set(&error, status, "cannot describe this host: %s",
                             weft_status_text(status));
        weft_agent_say_failure(agent, &error, now_ns);
        agent->state = WEFT_AGENT_FAILED;
        return;
    }
    weft_agent_say_hello(agent, &environment, now_ns);
}

void weft_agent_detached(struct weft_agent *agent)
{
    weft_agent_release_test(agent);
    agent->attached = false;
}

/* The controller tells the others. A failed op that forgot to say why must not look like success.
 * What was measured until then is kept for the abort that follows. */
void weft_agent_fail(struct weft_agent *agent, enum weft_status status, struct weft_error *error,
                     uint64_t now_ns)
{
    if (!error->text[0])
        (void)weft_error_set(error, status, "%s", weft_status_text(status));
    error->status = status;
    weft_agent_say_failure(agent, error, now_ns);
    if (!agent->measured)
        weft_agent_release_test(agent);
    agent->state = WEFT_AGENT_FAILED;
}

/* ---- what the controller says ---- */

static enum weft_status on_hello(struct weft_agent *agent, const Weft__Hello *message,
                                 struct weft_error *error)
{
    char version[64] = "of an unknown version";
    struct weft_error unclean;
    if (weft_wire_copy("hello.weft_version", message->weft_version, version, sizeof(version),
                       &unclean))
        (void)snprintf(version, sizeof(version), "of an unknown version");
    if (message->protocol != WEFT_CONTROL_VERSION)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "the controller (weft %s) speaks protocol %u, this agent (weft %s) "
                              "protocol %u: install one version on both",
                              version, message->protocol, WEFT_VERSION, WEFT_CONTROL_VERSION);
    agent->greeted = true;
    return WEFT_OK;
}

/* What the agent keeps of the test; the message goes. */
static bool keep_test(struct weft_agent *agent, const struct weft_agent_test *request)
{
    agent->part_count = request->part_count;
    agent->rank_limit = 0;
    for (uint32_t i = 0; i < request->part_count; i++) {
        uint32_t needed = weft_test_ranks_needed(&request->parts[i]);
        agent->rank_limit = needed > agent->rank_limit ? needed : agent->rank_limit;
        agent->parts[i] = (struct weft_agent_part){
            .verify_most = weft_node_lanes(weft_test_in_flight(&request->parts[i]))};
    }
    for (uint32_t i = 0; i < request->local_count; i++)
        agent->parts[request->local_parts[i]].local_count++;
    agent->local_count = request->local_count;
    agent->local_ranks = calloc(request->local_count, sizeof(*agent->local_ranks));
    agent->local_parts = calloc(request->local_count, sizeof(*agent->local_parts));
    agent->verified = calloc(request->local_count, sizeof(*agent->verified));
    agent->verified_known = false;
    if (!agent->local_ranks || !agent->local_parts || !agent->verified)
        return false;
    memcpy(agent->local_ranks, request->local_ranks,
           request->local_count * sizeof(*agent->local_ranks));
    memcpy(agent->local_parts, request->local_parts,
           request->local_count * sizeof(*agent->local_parts));
    return true;
}

static enum weft_status tell_prepared(struct weft_agent *agent, struct weft_error *error)
{
    uint32_t count = agent->runtime->addresses(agent->runtime_context, NULL, 0);
    struct weft_channel_address *addresses = calloc(count + 1u, sizeof(*addresses));
    if (!addresses)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u channel addresses",
                              count);
    uint32_t filled = agent->runtime->addresses(agent->runtime_context, addresses, count);
    assert(filled == count);
    struct weft_wire_prepared_part parts[WEFT_JOBS_MAX];
    const struct weft_agent_runtime *runtime = agent->runtime;
    for (uint32_t i = 0; i < agent->part_count; i++) {
        parts[i].decides = runtime->decides(agent->runtime_context, i);
        parts[i].trace_count =
            runtime->trace_count ? runtime->trace_count(agent->runtime_context, i) : 0;
        agent->parts[i].decides = parts[i].decides;
    }
    enum weft_status status =
        weft_wire_prepared_send(&agent->wire, parts, agent->part_count, addresses, count, error);
    free(addresses);
    return status;
}

/* A request that cannot be met is no protocol error: the agent stays and says why. */
static void on_prepare(struct weft_agent *agent, const Weft__Prepare *message, uint64_t now_ns)
{
    struct weft_wire_prepared prepared;
    struct weft_error error = {0};
    enum weft_status status = weft_wire_prepare_read(message, &prepared, &error);
    if (!status) {
        if (!keep_test(agent, &prepared.request)) {
            status = weft_error_set(&error, WEFT_NO_MEMORY, "out of memory for %u ranks",
                                    prepared.request.local_count);
        } else {
            agent->held = true;
            status = agent->runtime->prepare(agent->runtime_context, &prepared.request, &error);
        }
        weft_wire_prepared_fini(&prepared);
    }
    if (!status)
        status = tell_prepared(agent, &error);
    if (status) {
        weft_agent_fail(agent, status, &error, now_ns);
        return;
    }
    agent->said_ns = now_ns;
    agent->state = WEFT_AGENT_PREPARED;
}

static int by_rank(const void *a, const void *b)
{
    uint32_t rank = *(const uint32_t *)a;
    uint32_t other = *(const uint32_t *)b;
    return rank < other ? -1 : rank > other;
}

/* They stand in rising order. */
static bool is_local(const struct weft_agent *agent, uint32_t rank)
{
    return bsearch(&rank, agent->local_ranks, agent->local_count, sizeof(rank), by_rank) != NULL;
}

static enum weft_status check_local(const struct weft_agent *agent,
                                    const struct weft_channel_address *addresses, size_t count,
                                    struct weft_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_local(agent, addresses[i].to_rank))
            return weft_error_set(
                error, WEFT_INVALID,
                "connect.addresses[%zu].to_rank is %u, which is not a rank of this agent", i,
                addresses[i].to_rank);
    }
    return WEFT_OK;
}

static enum weft_status on_connect(struct weft_agent *agent, const Weft__Connect *message,
                                   uint64_t now_ns, struct weft_error *error)
{
    struct weft_channel_address *addresses = NULL;
    enum weft_status status =
        weft_wire_addresses_read("connect.addresses", message->addresses, message->n_addresses,
                                 agent->rank_limit, &addresses, error);
    if (!status)
        status = check_local(agent, addresses, message->n_addresses, error);
    if (status) {
        free(addresses);
        return status;
    }
    struct weft_error why = {0};
    status = agent->runtime->connect(agent->runtime_context, addresses,
                                     (uint32_t)message->n_addresses, &why);
    free(addresses);
    if (status)
        weft_agent_fail(agent, status, &why, now_ns);
    else
        agent->state = WEFT_AGENT_CONNECTING;
    return WEFT_OK;
}

static enum weft_status on_start(struct weft_agent *agent, const Weft__Start *message,
                                 uint64_t now_ns, struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("start.phase", (uint64_t)message->phase, 0, WEFT_PHASE_COUNT - 1, error);
    if (status)
        return status;
    struct weft_error why = {0};
    enum weft_phase phase = (enum weft_phase)message->phase;
    status = agent->runtime->start(agent->runtime_context, phase, &why);
    if (status) {
        weft_agent_fail(agent, status, &why, now_ns);
        return WEFT_OK;
    }
    agent->phase = phase;
    agent->measured = phase == WEFT_PHASE_MEASURE;
    agent->collected = 0;
    agent->waits_told = false;
    for (uint32_t i = 0; i < agent->part_count; i++) {
        struct weft_agent_part *part = &agent->parts[i];
        part->granted = part->done = part->done_told = part->durations_told = 0;
        part->last = part->idle = false;
    }
    agent->state = WEFT_AGENT_RUNNING;
    weft_agent_say(agent, WEFT__ENVELOPE__BODY_STARTED, now_ns);
    return WEFT_OK;
}

/* In VERIFY each iteration has a copy of the buffer to itself. */
static enum weft_status check_grant(const struct weft_agent *agent,
                                    const struct weft_agent_part *part,
                                    const Weft__GrantPart *message, struct weft_error *error)
{
    uint64_t most = agent->phase == WEFT_PHASE_VERIFY ? part->verify_most : INT64_MAX;
    enum weft_status status =
        weft_wire_range("grant.iterations", message->iterations, part->granted, most, error);
    if (!status && part->last && (message->iterations > part->granted || !message->last))
        return weft_error_set(error, WEFT_INVALID, "a grant after the last one");
    return status;
}

static enum weft_status on_grant(struct weft_agent *agent, const Weft__Grant *message,
                                 struct weft_error *error)
{
    struct weft_agent_grant grants[WEFT_JOBS_MAX];
    enum weft_status status = weft_wire_range("grant.parts' count", message->n_parts,
                                              agent->part_count, agent->part_count, error);
    if (!status)
        status = weft_wire_range("grant.record", (uint64_t)message->record, 0, WEFT_RECORD_NO_MORE,
                                 error);
    for (size_t i = 0; i < message->n_parts && !status; i++)
        status = check_grant(agent, &agent->parts[i], message->parts[i], error);
    if (status)
        return status;
    for (uint32_t i = 0; i < agent->part_count; i++) {
        struct weft_agent_part *part = &agent->parts[i];
        part->granted = message->parts[i]->iterations;
        part->last = message->parts[i]->last;
        grants[i] = (struct weft_agent_grant){part->granted, part->last};
    }
    agent->waits_told = false;
    agent->runtime->grant(agent->runtime_context, grants, (enum weft_agent_record)message->record);
    return WEFT_OK;
}

static void on_abort(struct weft_agent *agent, uint64_t now_ns)
{
    if (!agent->measured || agent->state == WEFT_AGENT_ENDING) {
        weft_agent_end(agent, now_ns);
        return;
    }
    agent->runtime->halt(agent->runtime_context);
    agent->state = WEFT_AGENT_ENDING;
}

static enum weft_status unexpected(const struct weft_agent *agent, const Weft__Envelope *envelope,
                                   struct weft_error *error)
{
    static const char *const states[] = {
        [WEFT_AGENT_IDLE] = "there is no test",
        [WEFT_AGENT_PREPARED] = "addresses were due",
        [WEFT_AGENT_CONNECTING] = "channels come up",
        [WEFT_AGENT_READY] = "no phase runs",
        [WEFT_AGENT_RUNNING] = "a phase runs",
        [WEFT_AGENT_VERIFYING] = "data is compared",
        [WEFT_AGENT_COLLECTING] = "results are told",
        [WEFT_AGENT_TRACING] = "traces are told",
        [WEFT_AGENT_FAILED] = "the test has failed here",
        [WEFT_AGENT_ENDING] = "a broken test ends",
    };
    return weft_error_set(error, WEFT_INVALID, "the message '%s' came while %s",
                          weft_wire_name(envelope->body_case),
                          agent->greeted ? states[agent->state] : "hello was due");
}

/* What belongs to a test, in its order. */
static enum weft_status on_step(struct weft_agent *agent, const Weft__Envelope *envelope,
                                uint64_t now_ns, struct weft_error *error)
{
    bool idle = agent->state == WEFT_AGENT_IDLE;
    bool ready = agent->state == WEFT_AGENT_READY;
    Weft__Envelope__BodyCase body = envelope->body_case;
    if (idle && body == WEFT__ENVELOPE__BODY_PREPARE) {
        on_prepare(agent, envelope->prepare, now_ns);
        return WEFT_OK;
    }
    if (agent->state == WEFT_AGENT_PREPARED && body == WEFT__ENVELOPE__BODY_CONNECT)
        return on_connect(agent, envelope->connect, now_ns, error);
    if (ready && body == WEFT__ENVELOPE__BODY_START)
        return on_start(agent, envelope->start, now_ns, error);
    if (agent->state == WEFT_AGENT_RUNNING && body == WEFT__ENVELOPE__BODY_GRANT)
        return on_grant(agent, envelope->grant, error);
    if (ready && agent->measured && body == WEFT__ENVELOPE__BODY_COLLECT) {
        agent->state = WEFT_AGENT_COLLECTING;
        return WEFT_OK;
    }
    if ((ready || agent->state == WEFT_AGENT_RUNNING) && body == WEFT__ENVELOPE__BODY_KEEP)
        return weft_agent_trace_keep(agent, envelope->keep, error);
    if (ready && body == WEFT__ENVELOPE__BODY_TRACE_REQUEST)
        return weft_agent_trace_ask(agent, envelope->trace_request, error);
    /* What the controller said before it knew of the failure. */
    if (agent->state == WEFT_AGENT_FAILED)
        return WEFT_OK;
    return unexpected(agent, envelope, error);
}

static enum weft_status dispatch(struct weft_agent *agent, const Weft__Envelope *envelope,
                                 uint64_t now_ns, struct weft_error *error)
{
    Weft__Envelope__BodyCase body = envelope->body_case;
    if (body == WEFT__ENVELOPE__BODY_HELLO && !agent->greeted)
        return on_hello(agent, envelope->hello, error);
    if (body == WEFT__ENVELOPE__BODY_ABORT) {
        on_abort(agent, now_ns);
        return WEFT_OK;
    }
    if (body == WEFT__ENVELOPE__BODY_BYE) {
        weft_agent_release_test(agent);
        return WEFT_OK;
    }
    if (!agent->greeted)
        return unexpected(agent, envelope, error);
    if (body == WEFT__ENVELOPE__BODY_RELEASE &&
        (agent->state == WEFT_AGENT_READY || agent->state == WEFT_AGENT_FAILED)) {
        weft_agent_end(agent, now_ns);
        return WEFT_OK;
    }
    return on_step(agent, envelope, now_ns, error);
}

enum weft_status weft_agent_receive(struct weft_agent *agent, const uint8_t *message,
                                    size_t len_bytes, uint64_t now_ns, struct weft_error *error)
{
    Weft__Envelope *envelope = NULL;
    struct weft_error why = {0};
    if (!agent->attached)
        return weft_error_set(error, WEFT_INVALID, "a message came without a controller");
    enum weft_status status = weft_wire_open(message, len_bytes, &envelope, &why);
    if (!status)
        status = dispatch(agent, envelope, now_ns, &why);
    weft_wire_close(envelope);
    if (!status)
        return WEFT_OK;
    (void)weft_error_prefix(&why, "a bad message from the controller: ");
    weft_agent_say_failure(agent, &why, now_ns);
    weft_agent_detached(agent);
    if (error)
        *error = why;
    return status;
}
