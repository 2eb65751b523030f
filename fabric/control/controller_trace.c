/* SPDX-License-Identifier: BSD-3-Clause */
/* Which iterations are traced: the slowest, which agents are told to keep as they turn up, and some
 * of the last to compare them with. What has been lost by the time it is asked for is left out. */
#include <stdlib.h>

#include "fabric/control/controller.h"

/* The slowest 5 %, but not more than are kept. */
#define SLOW_PARTS 20u
#define OTHERS_MAX 32u
/* Bounds what the controller holds: all ranks' schedules, and traces of them. */
#define OPS_MAX (UINT64_C(1) << 20)
#define TRACED_OPS_MAX (UINT64_C(1) << 22)

static bool is_traced(const struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_agent *agent = &controller->agents[i];
        if (agent->takes_part && !agent->trace_count)
            return false;
    }
    return true;
}

void weft_controller_trace_keep(struct weft_controller *controller)
{
    struct weft_slowest *slowest = &controller->merge.slowest;
    uint32_t places[WEFT_NODE_TRACES_KEPT];
    uint64_t iterations[WEFT_NODE_TRACES_KEPT];
    uint32_t count = 0;
    if (!is_traced(controller))
        return;
    for (uint32_t i = 0; i < slowest->count; i++) {
        if (slowest->places[i].told)
            continue;
        places[count] = i;
        iterations[count++] = slowest->places[i].iteration;
        slowest->places[i].told = true;
    }
    if (count)
        weft_controller_say_keep(controller, places, iterations, count);
}

void weft_controller_trace_reset(struct weft_controller *controller)
{
    struct weft_controller_traces *traces = &controller->traces;
    uint32_t rank_count = traces->rank_count;
    for (uint32_t i = 0; i < traces->iteration_count; i++) {
        struct weft_traced_iteration *iteration = &traces->iterations[i];
        for (uint32_t rank = 0; iteration->ops && rank < rank_count; rank++)
            free(iteration->ops[rank]);
        free(iteration->ops);
        free(iteration->durations_ns);
    }
    for (uint32_t rank = 0; traces->schedules && rank < rank_count; rank++)
        weft_schedule_destroy(traces->schedules[rank]);
    free(traces->schedules);
    free(traces->iterations);
    *traces = (struct weft_controller_traces){0};
}

/* ---- the question ---- */

static int slowest_first(const void *left, const void *right)
{
    const struct weft_slow_iteration *a = left, *b = right;
    if (a->duration_ns != b->duration_ns)
        return a->duration_ns > b->duration_ns ? -1 : 1;
    return a->iteration < b->iteration ? -1 : a->iteration > b->iteration;
}

static uint32_t choose_slow(struct weft_controller *controller, uint64_t *iterations, uint64_t room)
{
    struct weft_slowest *slowest = &controller->merge.slowest;
    uint64_t wanted = controller->merge.merged / SLOW_PARTS + 1;
    wanted = wanted < slowest->count ? wanted : slowest->count;
    wanted = wanted < room ? wanted : room;
    qsort(slowest->places, slowest->count, sizeof(slowest->places[0]), slowest_first);
    for (uint32_t i = 0; i < wanted; i++)
        iterations[i] = slowest->places[i].iteration;
    return (uint32_t)wanted;
}

static bool holds(const uint64_t *iterations, uint32_t count, uint64_t iteration)
{
    for (uint32_t i = 0; i < count; i++) {
        if (iterations[i] == iteration)
            return true;
    }
    return false;
}

/* Evenly spread over what all agents still have. */
static uint32_t choose_others(const struct weft_controller *controller, uint64_t *iterations,
                              uint32_t count, uint64_t room)
{
    uint64_t all = controller->merge.merged, held = all;
    uint32_t slow = count;
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_agent *agent = &controller->agents[i];
        if (agent->takes_part && agent->trace_count < held)
            held = agent->trace_count;
    }
    uint64_t wanted = held < OTHERS_MAX ? held : OTHERS_MAX;
    for (uint64_t i = 0; i < wanted && count < room; i++) {
        uint64_t iteration = all - held + i * held / wanted;
        if (!holds(iterations, slow, iteration))
            iterations[count++] = iteration;
    }
    return count;
}

/* False: there are too many operations, or no memory for them. */
static bool compile(struct weft_controller *controller, uint64_t *ret_ops)
{
    uint32_t rank_count = controller->figures->rank_count;
    struct weft_controller_traces *traces = &controller->traces;
    traces->rank_count = rank_count;
    traces->schedules = calloc((size_t)rank_count + 1, sizeof(struct weft_schedule *));
    *ret_ops = 0;
    for (uint32_t rank = 0; traces->schedules && rank < rank_count; rank++) {
        struct weft_error unsaid;
        if (weft_pattern_compile(controller->test.pattern, &controller->test.options, rank,
                                 &traces->schedules[rank], &unsaid))
            return false;
        *ret_ops += traces->schedules[rank]->op_count;
        if (*ret_ops > OPS_MAX)
            return false;
    }
    return traces->schedules && *ret_ops;
}

static bool make_room(struct weft_controller *controller, const uint64_t *iterations,
                      uint32_t count, uint32_t slow)
{
    uint32_t rank_count = controller->figures->rank_count;
    struct weft_controller_traces *traces = &controller->traces;
    traces->iterations = calloc((size_t)count + 1, sizeof(*traces->iterations));
    for (uint32_t i = 0; traces->iterations && i < count; i++) {
        struct weft_traced_iteration *iteration = &traces->iterations[i];
        traces->iteration_count++;
        iteration->iteration = iterations[i];
        iteration->slow = i < slow;
        iteration->ops = calloc((size_t)rank_count + 1, sizeof(struct weft_op_trace *));
        iteration->durations_ns = calloc((size_t)rank_count + 1, sizeof(uint64_t));
        if (!iteration->ops || !iteration->durations_ns)
            return false;
    }
    return traces->iterations != NULL;
}

bool weft_controller_trace_ask(struct weft_controller *controller)
{
    uint64_t iterations[WEFT_NODE_TRACES_KEPT + OTHERS_MAX];
    uint64_t ops = 0;
    weft_controller_trace_reset(controller);
    if (controller->interrupted || !controller->merge.merged || !is_traced(controller) ||
        !compile(controller, &ops))
        return false;
    /* Half of them to compare with, where there is not room for all. */
    uint64_t room = TRACED_OPS_MAX / ops;
    uint32_t slow = choose_slow(controller, iterations, room / 2);
    uint32_t count = choose_others(controller, iterations, slow, room);
    if (!make_room(controller, iterations, count, slow))
        return false;
    weft_controller_say_trace_request(controller, iterations, count);
    return true;
}

/* ---- the answers ---- */

static struct weft_traced_iteration *find(const struct weft_controller_traces *traces,
                                          uint64_t iteration)
{
    for (uint32_t i = 0; i < traces->iteration_count; i++) {
        if (traces->iterations[i].iteration == iteration)
            return &traces->iterations[i];
    }
    return NULL;
}

enum weft_status weft_controller_trace_take(struct weft_controller *controller, uint32_t agent,
                                            const Weft__Trace *message, struct weft_error *error)
{
    struct weft_wire_trace trace;
    enum weft_status status =
        weft_wire_range("trace.rank", message->rank, 0, controller->figures->rank_count - 1, error);
    if (status)
        return status;
    if (controller->rank_agents[message->rank] != agent)
        return weft_error_set(error, WEFT_INVALID, "trace.rank is %u, no rank of this agent",
                              message->rank);
    struct weft_traced_iteration *iteration = find(&controller->traces, message->iteration);
    if (!iteration || iteration->ops[message->rank])
        return weft_error_set(error, WEFT_INVALID,
                              "a trace of rank %u came that was not asked for, or twice",
                              message->rank);
    status = weft_wire_trace_read(message, controller->traces.schedules[message->rank]->op_count,
                                  &trace, error);
    if (status)
        return status;
    iteration->ops[trace.rank] = trace.ops;
    iteration->durations_ns[trace.rank] = trace.duration_ns;
    return WEFT_OK;
}

void weft_controller_trace_finish(struct weft_controller *controller)
{
    const struct weft_controller_traces *traces = &controller->traces;
    const struct weft_attribution_input input = {
        .schedules = (const struct weft_schedule *const *)traces->schedules,
        .rank_count = controller->figures->rank_count,
        .topology = controller->options.topology,
        .iterations = traces->iterations,
        .iteration_count = traces->iteration_count,
    };
    struct weft_error unsaid;
    /* Without it the test has all its other figures. */
    if (weft_attribute(&input, &controller->figures->attribution, &unsaid))
        controller->figures->attribution = NULL;
    weft_controller_trace_reset(controller);
}
