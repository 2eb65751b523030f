/* SPDX-License-Identifier: BSD-3-Clause */
/* Which iterations are traced: the slowest, which agents are told to keep as they turn up, and some
 * of the last to compare them with. What has been lost by the time it is asked for is left out. */
#include <stdlib.h>

#include "fabric/control/controller.h"

#define SLOW_PARTS 20u
/* Bounds what the controller holds: all ranks' schedules, and traces of them. */
#define OPS_MAX (UINT64_C(1) << 20)
#define TRACED_OPS_MAX (UINT64_C(1) << 22)

static bool is_traced(const struct weft_controller *controller,
                      const struct weft_controller_part *part)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (part->shares[i].local_count && !part->shares[i].trace_count)
            return false;
    }
    return true;
}

void weft_controller_trace_keep(struct weft_controller *controller, uint32_t part)
{
    struct weft_slowest *slowest = &controller->parts[part].merge.slowest;
    uint32_t places[WEFT_NODE_TRACES_KEPT];
    uint64_t iterations[WEFT_NODE_TRACES_KEPT];
    uint32_t count = 0;
    if (!is_traced(controller, &controller->parts[part]))
        return;
    for (uint32_t i = 0; i < slowest->count; i++) {
        if (slowest->places[i].told)
            continue;
        places[count] = i;
        iterations[count++] = slowest->places[i].iteration;
        slowest->places[i].told = true;
    }
    if (count)
        weft_controller_say_keep(controller, part, places, iterations, count);
}

static void reset(struct weft_controller_traces *traces)
{
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

void weft_controller_trace_reset(struct weft_controller *controller)
{
    for (uint32_t i = 0; controller->parts && i < controller->part_room; i++)
        reset(&controller->parts[i].traces);
}

/* ---- the question ---- */

static int slowest_first(const void *left, const void *right)
{
    const struct weft_slow_iteration *a = left, *b = right;
    if (a->duration_ns != b->duration_ns)
        return a->duration_ns > b->duration_ns ? -1 : 1;
    return a->iteration < b->iteration ? -1 : a->iteration > b->iteration;
}

static uint32_t choose_slow(struct weft_controller_part *part, uint64_t *iterations, uint64_t room)
{
    struct weft_slowest *slowest = &part->merge.slowest;
    uint64_t wanted = part->figures->completion_ns->count / SLOW_PARTS + 1;
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

/* Of the last iterations how many all agents still have, of those that count. */
static uint64_t count_held(const struct weft_controller *controller,
                           const struct weft_controller_part *part, uint64_t end)
{
    uint64_t held = part->merge.merged, after = part->merge.merged - end;
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_share *share = &part->shares[i];
        if (share->local_count && share->trace_count < held)
            held = share->trace_count;
    }
    held = held > after ? held - after : 0;
    return held < end - part->counted_from ? held : end - part->counted_from;
}

/* Evenly spread over what all agents still have. */
static uint32_t choose_others(const struct weft_controller *controller,
                              const struct weft_controller_part *part, uint64_t *iterations,
                              uint32_t count, uint64_t room)
{
    uint64_t all = part->counted_to ? part->counted_to : part->merge.merged;
    uint64_t held = count_held(controller, part, all);
    uint32_t slow = count;
    uint64_t wanted = held < WEFT_TRACES_OTHERS_MAX ? held : WEFT_TRACES_OTHERS_MAX;
    for (uint64_t i = 0; i < wanted && count < room; i++) {
        uint64_t iteration = all - held + i * held / wanted;
        if (!holds(iterations, slow, iteration))
            iterations[count++] = iteration;
    }
    return count;
}

/* False: there are too many operations, or no memory for them. */
static bool compile(struct weft_controller_part *part, uint64_t *ret_ops)
{
    uint32_t rank_count = part->figures->rank_count;
    struct weft_controller_traces *traces = &part->traces;
    traces->rank_count = rank_count;
    traces->schedules = calloc((size_t)rank_count + 1, sizeof(struct weft_schedule *));
    *ret_ops = 0;
    for (uint32_t rank = 0; traces->schedules && rank < rank_count; rank++) {
        struct weft_error unsaid;
        if (weft_pattern_compile(part->test.pattern, &part->test.options, rank,
                                 &traces->schedules[rank], &unsaid))
            return false;
        *ret_ops += traces->schedules[rank]->op_count;
        if (*ret_ops > OPS_MAX)
            return false;
    }
    return traces->schedules && *ret_ops;
}

static bool make_room(struct weft_controller_part *part, const uint64_t *iterations, uint32_t count,
                      uint32_t slow)
{
    uint32_t rank_count = part->figures->rank_count;
    struct weft_controller_traces *traces = &part->traces;
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

static bool choose(struct weft_controller *controller, struct weft_controller_part *part)
{
    uint64_t iterations[WEFT_TRACES_ASKED_MAX];
    uint64_t ops = 0;
    if (!part->figures->completion_ns->count || !is_traced(controller, part) ||
        !compile(part, &ops))
        return false;
    /* Half of them to compare with, where there is not room for all. */
    uint64_t room = TRACED_OPS_MAX / ops;
    uint32_t slow = choose_slow(part, iterations, room / 2);
    uint32_t count = choose_others(controller, part, iterations, slow, room);
    return make_room(part, iterations, count, slow);
}

bool weft_controller_trace_ask(struct weft_controller *controller)
{
    bool any = false;
    weft_controller_trace_reset(controller);
    if (controller->interrupted)
        return false;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        if (choose(controller, part))
            any = true;
        else
            reset(&part->traces);
    }
    if (any)
        weft_controller_say_trace_request(controller);
    return any;
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
    enum weft_status status = weft_wire_range("trace.rank", message->rank, 0,
                                              controller->options.topology->rank_count - 1, error);
    if (status)
        return status;
    uint32_t index = controller->rank_parts[message->rank];
    if (controller->rank_agents[message->rank] != agent || index == WEFT_PART_NONE)
        return weft_error_set(error, WEFT_INVALID,
                              "trace.rank is %u, which is not a rank of this agent", message->rank);
    struct weft_controller_traces *traces = &controller->parts[index].traces;
    struct weft_traced_iteration *iteration = find(traces, message->iteration);
    uint32_t place = controller->rank_places[message->rank];
    if (!iteration || iteration->ops[place])
        return weft_error_set(error, WEFT_INVALID,
                              "a trace of rank %u came that was not asked for, or twice",
                              message->rank);
    status = weft_wire_trace_read(message, traces->schedules[place]->op_count, &trace, error);
    if (status)
        return status;
    iteration->ops[place] = trace.ops;
    iteration->durations_ns[place] = trace.duration_ns;
    return WEFT_OK;
}

/* From the pattern's ranks to the run's. */
static void name_ranks(const struct weft_test *test, struct weft_attribution *attribution)
{
    for (uint32_t i = 0; i < attribution->decider_count; i++) {
        struct weft_decider *decider = &attribution->deciders[i];
        decider->rank = weft_test_rank(test, decider->rank);
        if (decider->peer != WEFT_OP_NONE)
            decider->peer = weft_test_rank(test, decider->peer);
    }
    for (uint32_t i = 0; i < attribution->chain_count; i++) {
        struct weft_chain *chain = &attribution->chains[i];
        chain->rank = weft_test_rank(test, chain->rank);
        for (uint32_t j = 0; j < chain->kept_count; j++) {
            struct weft_step *step = &chain->steps[j];
            step->rank = weft_test_rank(test, step->rank);
            if (step->peer != WEFT_OP_NONE)
                step->peer = weft_test_rank(test, step->peer);
        }
    }
}

/* NULL: out of memory, and nothing is known. */
static struct weft_rank_seat *describe_seats(const struct weft_test_result *figures)
{
    struct weft_rank_seat *seats = calloc((size_t)figures->rank_count + 1, sizeof(*seats));
    for (uint32_t i = 0; seats && i < figures->rank_count; i++) {
        const struct weft_rank_result *rank = &figures->ranks[i];
        seats[i] = (struct weft_rank_seat){
            .in_process = rank->in_process, .polled = rank->polled, .worker = WEFT_WORKER_NONE};
        if (rank->window_ns)
            seats[i].lost_share = (double)rank->preempted_ns / (double)rank->window_ns;
        /* A worker's number is its host's own: the first of its ranks stands for it. */
        for (uint32_t j = 0; rank->worker != WEFT_WORKER_NONE && j <= i; j++) {
            if (figures->ranks[j].host == rank->host && figures->ranks[j].worker == rank->worker) {
                seats[i].worker = j;
                break;
            }
        }
    }
    return seats;
}

/* Without it the test has all its other figures. */
static void attribute(struct weft_controller *controller, struct weft_controller_part *part)
{
    const struct weft_controller_traces *traces = &part->traces;
    struct weft_topology view;
    struct weft_error unsaid;
    if (!traces->iteration_count ||
        !weft_test_view(&part->test, controller->options.topology, &view))
        return;
    struct weft_rank_seat *seats = describe_seats(part->figures);
    const struct weft_attribution_input input = {
        .schedules = (const struct weft_schedule *const *)traces->schedules,
        .rank_count = part->figures->rank_count,
        .topology = &view,
        .seats = seats,
        .iterations = traces->iterations,
        .iteration_count = traces->iteration_count,
    };
    if (weft_attribute(&input, &part->figures->attribution, &unsaid))
        part->figures->attribution = NULL;
    else
        name_ranks(&part->test, part->figures->attribution);
    free(seats);
    free(view.rank_nics);
}

void weft_controller_trace_finish(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++)
        attribute(controller, &controller->parts[i]);
    weft_controller_trace_reset(controller);
}
