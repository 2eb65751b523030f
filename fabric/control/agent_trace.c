/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces: which are kept while the phase runs, and the telling of those that are asked for. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/agent.h"

/* So that a request and a tick are bounded. */
#define ASKED_MAX 1024u
#define OPS_A_TICK (1u << 16)

void weft_agent_trace_reset(struct weft_agent *agent)
{
    for (uint32_t i = 0; i < agent->part_count; i++) {
        free(agent->parts[i].traces.asked);
        agent->parts[i].traces = (struct weft_agent_traces){0};
    }
}

static enum weft_status check_traced(const struct weft_agent *agent, uint32_t part,
                                     struct weft_error *error)
{
    const struct weft_agent_runtime *runtime = agent->runtime;
    if (runtime->trace_count && runtime->trace_count(agent->runtime_context, part))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "traces were requested where there are none");
}

enum weft_status weft_agent_trace_keep(struct weft_agent *agent, const Weft__Keep *message,
                                       struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("keep.part", message->part, 0, agent->part_count - 1, error);
    if (!status && !agent->parts[message->part].local_count)
        return WEFT_OK;
    if (!status)
        status = check_traced(agent, message->part, error);
    if (!status)
        status = weft_wire_range("keep.iterations' count", message->n_iterations, message->n_places,
                                 message->n_places, error);
    for (size_t i = 0; i < message->n_places && !status; i++) {
        struct weft_agent_traces *traces = &agent->parts[message->part].traces;
        status =
            weft_wire_range("keep.places", message->places[i], 0, WEFT_NODE_TRACES_KEPT - 1, error);
        if (!status)
            status =
                weft_wire_range("keep.iterations", message->iterations[i], 0, INT64_MAX - 1, error);
        if (status)
            return status;
        traces->keeps[message->places[i]] = true;
        traces->iterations[message->places[i]] = message->iterations[i];
    }
    if (!status)
        weft_agent_trace_watch(agent);
    return status;
}

static void watch_part(struct weft_agent *agent, uint32_t part)
{
    struct weft_agent_traces *traces = &agent->parts[part].traces;
    for (uint32_t i = 0; i < WEFT_NODE_TRACES_KEPT; i++) {
        if (traces->keeps[i])
            traces->keeps[i] =
                !agent->runtime->trace_keep(agent->runtime_context, part, i, traces->iterations[i]);
    }
}

void weft_agent_trace_watch(struct weft_agent *agent)
{
    for (uint32_t i = 0; i < agent->part_count; i++)
        watch_part(agent, i);
}

static enum weft_status ask(struct weft_agent *agent, uint32_t part, const Weft__TracePart *message,
                            struct weft_error *error)
{
    struct weft_agent_traces *traces = &agent->parts[part].traces;
    if (!message->n_iterations || !agent->parts[part].local_count)
        return WEFT_OK;
    enum weft_status status = check_traced(agent, part, error);
    if (!status)
        status = weft_wire_range("trace_request.iterations' count", message->n_iterations, 1,
                                 ASKED_MAX, error);
    for (size_t i = 0; i < message->n_iterations && !status; i++)
        status = weft_wire_range("trace_request.iterations", message->iterations[i], 0,
                                 INT64_MAX - 1, error);
    if (status)
        return status;
    traces->asked = calloc(message->n_iterations, sizeof(*traces->asked));
    if (!traces->asked)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a request of traces");
    memcpy(traces->asked, message->iterations, message->n_iterations * sizeof(*traces->asked));
    traces->asked_count = message->n_iterations;
    return WEFT_OK;
}

enum weft_status weft_agent_trace_ask(struct weft_agent *agent, const Weft__TraceRequest *message,
                                      struct weft_error *error)
{
    enum weft_status status = weft_wire_range("trace_request.parts' count", message->n_parts,
                                              agent->part_count, agent->part_count, error);
    weft_agent_trace_reset(agent);
    for (uint32_t i = 0; i < message->n_parts && !status; i++)
        status = ask(agent, i, message->parts[i], error);
    agent->next_local = 0;
    if (!status)
        agent->state = WEFT_AGENT_TRACING;
    return status;
}

/* One rank's of one iteration. What is not there any more is left out. */
static enum weft_status tell(struct weft_agent *agent, uint64_t iteration, uint32_t local,
                             uint32_t *told_ops, struct weft_error *error)
{
    struct weft_wire_trace trace = {.rank = agent->local_ranks[local], .iteration = iteration};
    enum weft_status status = agent->runtime->trace(
        agent->runtime_context, local, iteration, &trace.ops, &trace.op_count, &trace.duration_ns);
    *told_ops += 1;
    if (status == WEFT_NOT_FOUND)
        return WEFT_OK;
    if (status)
        return weft_error_set(error, status, "no trace of rank %u: %s", trace.rank,
                              weft_status_text(status));
    *told_ops += trace.op_count;
    status = weft_wire_trace_send(&agent->wire, &trace, error);
    free(trace.ops);
    return status;
}

/* A rank's next one. False: it has told all. */
static bool next_trace(struct weft_agent *agent, uint64_t *ret_iteration)
{
    struct weft_agent_traces *traces = &agent->parts[agent->local_parts[agent->next_local]].traces;
    if (traces->next_asked == traces->asked_count) {
        traces->next_asked = 0;
        return false;
    }
    *ret_iteration = traces->asked[traces->next_asked++];
    return true;
}

void weft_agent_trace_tell(struct weft_agent *agent, uint64_t now_ns)
{
    uint32_t told_ops = 0;
    while (agent->next_local < agent->local_count && told_ops < OPS_A_TICK) {
        struct weft_error error = {0};
        uint64_t iteration = 0;
        if (!next_trace(agent, &iteration)) {
            agent->next_local++;
            continue;
        }
        enum weft_status status = tell(agent, iteration, agent->next_local, &told_ops, &error);
        if (status) {
            weft_agent_fail(agent, status, &error, now_ns);
            return;
        }
        agent->said_ns = now_ns;
    }
    if (agent->next_local < agent->local_count)
        return;
    agent->state = WEFT_AGENT_READY;
    weft_agent_say(agent, WEFT__ENVELOPE__BODY_TRACED, now_ns);
}
