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
    free(agent->traces.asked);
    agent->traces = (struct weft_agent_traces){0};
}

static enum weft_status check_traced(const struct weft_agent *agent, struct weft_error *error)
{
    if (agent->runtime->trace_count && agent->runtime->trace_count(agent->runtime_context))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "traces are wanted where there are none");
}

enum weft_status weft_agent_trace_keep(struct weft_agent *agent, const Weft__Keep *message,
                                       struct weft_error *error)
{
    enum weft_status status = check_traced(agent, error);
    if (!status)
        status = weft_wire_range("keep.iterations' count", message->n_iterations, message->n_places,
                                 message->n_places, error);
    for (size_t i = 0; i < message->n_places && !status; i++) {
        status =
            weft_wire_range("keep.places", message->places[i], 0, WEFT_NODE_TRACES_KEPT - 1, error);
        if (!status)
            status =
                weft_wire_range("keep.iterations", message->iterations[i], 0, INT64_MAX - 1, error);
        if (status)
            return status;
        agent->traces.keeps[message->places[i]] = true;
        agent->traces.iterations[message->places[i]] = message->iterations[i];
    }
    if (!status)
        weft_agent_trace_watch(agent);
    return status;
}

void weft_agent_trace_watch(struct weft_agent *agent)
{
    struct weft_agent_traces *traces = &agent->traces;
    for (uint32_t i = 0; i < WEFT_NODE_TRACES_KEPT; i++) {
        if (traces->keeps[i])
            traces->keeps[i] =
                !agent->runtime->trace_keep(agent->runtime_context, i, traces->iterations[i]);
    }
}

enum weft_status weft_agent_trace_ask(struct weft_agent *agent, const Weft__TraceRequest *message,
                                      struct weft_error *error)
{
    enum weft_status status = check_traced(agent, error);
    if (!status)
        status = weft_wire_range("trace_request.iterations' count", message->n_iterations, 1,
                                 ASKED_MAX, error);
    for (size_t i = 0; i < message->n_iterations && !status; i++)
        status = weft_wire_range("trace_request.iterations", message->iterations[i], 0,
                                 INT64_MAX - 1, error);
    if (status)
        return status;
    weft_agent_trace_reset(agent);
    agent->traces.asked = calloc(message->n_iterations, sizeof(*agent->traces.asked));
    if (!agent->traces.asked)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a request of traces");
    memcpy(agent->traces.asked, message->iterations,
           message->n_iterations * sizeof(*agent->traces.asked));
    agent->traces.asked_count = message->n_iterations;
    agent->next_local = 0;
    agent->state = WEFT_AGENT_TRACING;
    return WEFT_OK;
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

void weft_agent_trace_tell(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_agent_traces *traces = &agent->traces;
    uint32_t told_ops = 0;
    while (traces->next_asked < traces->asked_count && told_ops < OPS_A_TICK) {
        struct weft_error error = {0};
        enum weft_status status =
            tell(agent, traces->asked[traces->next_asked], agent->next_local, &told_ops, &error);
        if (status) {
            weft_agent_fail(agent, status, &error, now_ns);
            return;
        }
        agent->said_ns = now_ns;
        if (++agent->next_local < agent->local_count)
            continue;
        agent->next_local = 0;
        traces->next_asked++;
    }
    if (traces->next_asked == traces->asked_count)
        weft_agent_say_traced(agent, now_ns);
}
