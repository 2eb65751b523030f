/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/random.h"

#define TRANSFER_NS 10000
#define ACK_NS 1000
#define SLOT_NS 1000
#define REDUCE_NS 2000

/* One iteration in a time that no rank knows. */
struct world {
    const struct model *model;
    const struct model_options *options;
    uint32_t **partners;
    struct weft_random random;
    bool slow;
    int64_t start_ns[MODEL_RANKS_MAX];
    struct weft_op_trace *ops[MODEL_RANKS_MAX]; /* in that time, not the rank's */
    double *costs[MODEL_RANKS_MAX];
};

static double chance(struct world *world)
{
    return (double)(weft_random_next(&world->random) >> 11) / 9007199254740992.0;
}

static bool hits(const struct world *world)
{
    return world->slow || !world->options->fault.slow_only;
}

static double cost_of(struct world *world, uint32_t rank, const struct weft_op *op)
{
    const struct model_fault *fault = &world->options->fault;
    if (op->kind == WEFT_OP_REDUCE)
        return REDUCE_NS + (fault->reducer == rank && hits(world) ? (double)fault->reduce_ns : 0);
    double cost_ns = TRANSFER_NS * (1 + world->options->jitter * chance(world));
    /* What a lost packet does. */
    if (chance(world) < world->options->losses)
        cost_ns += TRANSFER_NS * 20 * chance(world);
    bool bad = (fault->from == rank && fault->to == op->peer) || fault->nic == rank ||
               fault->nic == op->peer;
    return bad && hits(world) ? cost_ns * fault->transfer_factor : cost_ns;
}

static int64_t ready_at(const struct world *world, uint32_t rank, uint32_t op)
{
    const struct weft_schedule *schedule = world->model->schedules[rank];
    int64_t ready_ns = world->start_ns[rank];
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        for (uint32_t j = 0; j < schedule->ops[i].successor_count; j++) {
            if (schedule->successors[schedule->ops[i].first_successor + j] == op &&
                world->ops[rank][i].completed_ns > ready_ns)
                ready_ns = world->ops[rank][i].completed_ns;
        }
    }
    return ready_ns;
}

static void settle_send(struct world *world, uint32_t rank, uint32_t op, int64_t ready_ns)
{
    const struct weft_op *what = &world->model->schedules[rank]->ops[op];
    const struct model_fault *fault = &world->options->fault;
    struct weft_op_trace *send = &world->ops[rank][op];
    struct weft_op_trace *receive = &world->ops[what->peer][world->partners[rank][op]];
    int64_t slot_ns = receive->started_ns + SLOT_NS;
    if (fault->idler == rank && hits(world))
        ready_ns += (int64_t)fault->idle_ns;
    for (uint32_t i = 0; i < op; i++) {
        if (world->model->schedules[rank]->ops[i].kind == WEFT_OP_SEND &&
            world->model->schedules[rank]->ops[i].peer == what->peer &&
            world->ops[rank][i].started_ns > ready_ns)
            ready_ns = world->ops[rank][i].started_ns;
    }
    int64_t free_ns = ready_ns;
    for (uint32_t i = 0; i < op; i++) {
        if (world->model->schedules[rank]->ops[i].kind == WEFT_OP_SEND &&
            world->model->schedules[rank]->ops[i].peer == what->peer &&
            world->ops[rank][i].completed_ns - ACK_NS > free_ns)
            free_ns = world->ops[rank][i].completed_ns - ACK_NS;
    }
    send->waits = slot_ns > ready_ns ? WEFT_WAITED_RECEIVE : 0;
    send->started_ns = slot_ns > ready_ns ? slot_ns : ready_ns;
    free_ns = free_ns > send->started_ns ? free_ns : send->started_ns;
    receive->completed_ns = free_ns + (int64_t)world->costs[rank][op];
    send->completed_ns = receive->completed_ns + ACK_NS;
}

static void settle(struct world *world, uint32_t rank, uint32_t op)
{
    const struct weft_schedule *schedule = world->model->schedules[rank];
    const struct model_fault *fault = &world->options->fault;
    int64_t ready_ns = ready_at(world, rank, op);
    switch (schedule->ops[op].kind) {
    case WEFT_OP_SEND:
        settle_send(world, rank, op, ready_ns);
        break;
    case WEFT_OP_RECEIVE:
        if (!schedule->ops[op].requires_count)
            ready_ns -= 20000; /* while the iteration before still ran */
        if (fault->shy == rank && hits(world))
            ready_ns += (int64_t)fault->shy_ns;
        world->ops[rank][op].started_ns = ready_ns;
        break;
    case WEFT_OP_REDUCE:
    case WEFT_OP_CALC:
        world->ops[rank][op].completed_ns = ready_ns + (int64_t)world->costs[rank][op];
        break;
    case WEFT_OP_KIND_COUNT:
        break;
    }
}

/* Times only rise, and nothing waits for what comes after it: so they settle. */
static void run_world(struct world *world)
{
    uint64_t sum = 0, before = 1;
    while (sum != before) {
        before = sum;
        sum = 0;
        for (uint32_t rank = 0; rank < world->model->rank_count; rank++) {
            for (uint32_t i = 0; i < world->model->schedules[rank]->op_count; i++)
                settle(world, rank, i);
        }
        for (uint32_t rank = 0; rank < world->model->rank_count; rank++) {
            for (uint32_t i = 0; i < world->model->schedules[rank]->op_count; i++)
                sum = sum * 31 + (uint64_t)world->ops[rank][i].completed_ns +
                      (uint64_t)world->ops[rank][i].started_ns * 7;
        }
    }
}

static void write_down(const struct world *world, struct weft_traced_iteration *iteration)
{
    for (uint32_t rank = 0; rank < world->model->rank_count; rank++) {
        int64_t end_ns = 0;
        iteration->ops[rank] = world->ops[rank];
        for (uint32_t i = 0; i < world->model->schedules[rank]->op_count; i++) {
            iteration->ops[rank][i].started_ns -= world->start_ns[rank];
            iteration->ops[rank][i].completed_ns -= world->start_ns[rank];
            if (iteration->ops[rank][i].completed_ns > end_ns)
                end_ns = iteration->ops[rank][i].completed_ns;
        }
        iteration->durations_ns[rank] = (uint64_t)end_ns;
    }
}

static void trace(struct model *model, const struct model_options *options, uint32_t **partners,
                  uint32_t index)
{
    struct weft_traced_iteration *iteration = &model->iterations[index];
    struct world world = {.model = model, .options = options, .partners = partners};
    weft_random_seed(&world.random, options->seed * 1000 + index);
    world.slow = iteration->slow = index < options->slow;
    iteration->iteration = 1000 + index;
    iteration->ops = calloc(model->rank_count, sizeof(struct weft_op_trace *));
    iteration->durations_ns = calloc(model->rank_count, sizeof(uint64_t));
    for (uint32_t rank = 0; rank < model->rank_count; rank++) {
        const struct weft_schedule *schedule = model->schedules[rank];
        world.start_ns[rank] = 1000000000 + (int64_t)(chance(&world) * 2000);
        world.ops[rank] = calloc(schedule->op_count + 1u, sizeof(struct weft_op_trace));
        world.costs[rank] = calloc(schedule->op_count + 1u, sizeof(double));
        for (uint32_t i = 0; i < schedule->op_count; i++) {
            world.costs[rank][i] = cost_of(&world, rank, &schedule->ops[i]);
            world.ops[rank][i].completed_ns = world.start_ns[rank];
            world.ops[rank][i].started_ns = world.start_ns[rank];
        }
    }
    run_world(&world);
    write_down(&world, iteration);
    for (uint32_t rank = 0; rank < model->rank_count; rank++)
        free(world.costs[rank]);
}

static void compile(struct model *model, const struct model_options *options)
{
    struct weft_error error = {0};
    const struct weft_pattern *pattern = weft_pattern_find(options->pattern, &error);
    cr_assert_not_null(pattern);
    struct weft_pattern_options given = {.rank_count = options->rank_count,
                                         .size_bytes = options->size_bytes};
    model->rank_count = options->rank_count;
    for (uint32_t rank = 0; rank < model->rank_count; rank++)
        cr_assert_eq(weft_pattern_compile(pattern, &given, rank, &model->schedules[rank], &error),
                     WEFT_OK, "%s", error.text);
    if (options->topology) {
        const struct weft_source source = {
            .name = "model", .text = options->topology, .len_bytes = strlen(options->topology)};
        cr_assert_eq(weft_topology_parse(&source, &model->topology, &error), WEFT_OK, "%s",
                     error.text);
    } else {
        cr_assert_eq(weft_topology_loopback(options->rank_count, &model->topology, &error),
                     WEFT_OK);
    }
}

void model_run(struct model *model, const struct model_options *options)
{
    struct weft_error error = {0};
    uint32_t **partners = NULL;
    *model = (struct model){0};
    compile(model, options);
    const struct weft_schedule *const *schedules =
        (const struct weft_schedule *const *)model->schedules;
    cr_assert_eq(weft_schedules_pair(schedules, model->rank_count, &partners, &error), WEFT_OK);
    model->iteration_count = options->slow + options->other;
    model->iterations = calloc(model->iteration_count, sizeof(*model->iterations));
    for (uint32_t i = 0; i < model->iteration_count; i++)
        trace(model, options, partners, i);
    weft_schedules_pair_free(partners, model->rank_count);
    const struct weft_attribution_input input = {.schedules = schedules,
                                                 .rank_count = model->rank_count,
                                                 .topology = model->topology,
                                                 .seats = options->seats,
                                                 .iterations = model->iterations,
                                                 .iteration_count = model->iteration_count};
    cr_assert_eq(weft_attribute(&input, &model->attribution, &error), WEFT_OK, "%s", error.text);
}

void model_fini(struct model *model)
{
    for (uint32_t i = 0; i < model->iteration_count; i++) {
        for (uint32_t rank = 0; rank < model->rank_count; rank++)
            free(model->iterations[i].ops[rank]);
        free(model->iterations[i].ops);
        free(model->iterations[i].durations_ns);
    }
    for (uint32_t rank = 0; rank < model->rank_count; rank++)
        weft_schedule_destroy(model->schedules[rank]);
    free(model->iterations);
    weft_topology_destroy(model->topology);
    weft_attribution_destroy(model->attribution);
}

const struct weft_decider *model_decider(const struct model *model)
{
    const struct weft_decider *found = NULL;
    for (uint32_t i = 0; i < model->attribution->decider_count; i++) {
        const struct weft_decider *decider = &model->attribution->deciders[i];
        if (!decider->stands_out)
            continue;
        cr_assert_null(found, "two stand out: rank %u -> %d and rank %u -> %d",
                       found ? found->rank : 0, found ? (int)found->peer : 0, decider->rank,
                       (int)decider->peer);
        found = decider;
    }
    return found;
}

const struct weft_suspect *model_suspect(const struct model *model)
{
    const struct weft_attribution *attribution = model->attribution;
    bool named = attribution->suspect_count && attribution->suspect.stands_out;
    return named ? &attribution->suspect : NULL;
}
