/* SPDX-License-Identifier: BSD-3-Clause */
#include "interpret.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/verify.h"

struct lane;

/* One rank under way. */
struct actor {
    const struct weft_schedule *schedule;
    uint8_t *buffer;
    uint32_t *missing;
    bool *complete;
    uint32_t completed;
    uint32_t flow_count;
    uint64_t *flows;
    struct lane *lanes; /* of each flow: sends, receives */
};

struct machine {
    struct actor *actors;
    uint32_t count;
    uint64_t random;
};

void world_init(struct world *world, const struct weft_pattern *pattern,
                const struct weft_pattern_options *options)
{
    world->rank_count = options->rank_count;
    world->schedules = calloc(options->rank_count, sizeof(struct weft_schedule *));
    world->buffers = calloc(options->rank_count, sizeof(uint8_t *));
    assert(world->schedules && world->buffers);
    for (uint32_t rank = 0; rank < options->rank_count; rank++) {
        struct weft_error error = {0};
        enum weft_status status =
            weft_pattern_compile(pattern, options, rank, &world->schedules[rank], &error);
        if (status != WEFT_OK)
            fprintf(stderr, "%s\n", error.text);
        assert(status == WEFT_OK);
        world->buffers[rank] = malloc(world->schedules[rank]->buffer_bytes + 1);
        assert(world->buffers[rank]);
    }
}

void world_fini(struct world *world)
{
    for (uint32_t rank = 0; rank < world->rank_count; rank++) {
        weft_schedule_destroy(world->schedules[rank]);
        free(world->buffers[rank]);
    }
    free(world->schedules);
    free(world->buffers);
}

static bool coin(struct machine *machine)
{
    machine->random =
        machine->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return machine->random >> 63;
}

/* The messages of one kind on one flow, in their order. */
struct lane {
    uint32_t *ops;
    uint32_t count;
    uint32_t done;
};

static struct lane *lane_of(const struct actor *actor, enum weft_op_kind kind, uint64_t flow)
{
    uint32_t at = weft_schedule_find_flow(actor->flows, actor->flow_count, flow);
    if (at == actor->flow_count || actor->flows[at] != flow)
        return NULL;
    return &actor->lanes[2 * at + (kind == WEFT_OP_RECEIVE)];
}

static void make_lanes(struct actor *actor)
{
    const struct weft_schedule *schedule = actor->schedule;
    actor->flows = weft_schedule_flows(schedule, &actor->flow_count);
    actor->lanes = calloc(2 * (size_t)actor->flow_count + 1, sizeof(*actor->lanes));
    assert(actor->flows && actor->lanes);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < schedule->op_count; i++) {
            const struct weft_op *op = &schedule->ops[i];
            if (op->kind != WEFT_OP_SEND && op->kind != WEFT_OP_RECEIVE)
                continue;
            struct lane *lane = lane_of(actor, op->kind, weft_flow_of(op));
            if (pass)
                lane->ops[lane->done++] = i;
            else
                lane->count++;
        }
        for (uint32_t i = 0; i < 2 * actor->flow_count; i++) {
            struct lane *lane = &actor->lanes[i];
            lane->done = 0;
            if (!pass)
                lane->ops = calloc((size_t)lane->count + 1, sizeof(*lane->ops));
            assert(lane->ops);
        }
    }
}

/* The first operation of the kind on that flow that is not complete. */
static uint32_t next_message(const struct actor *actor, enum weft_op_kind kind, uint64_t flow)
{
    const struct lane *lane = lane_of(actor, kind, flow);
    return lane && lane->done < lane->count ? lane->ops[lane->done] : WEFT_OP_NONE;
}

static void finish_op(struct actor *actor, uint32_t index)
{
    const struct weft_op *op = &actor->schedule->ops[index];
    actor->complete[index] = true;
    actor->completed++;
    if (op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE)
        lane_of(actor, op->kind, weft_flow_of(op))->done++;
    for (uint32_t i = 0; i < op->successor_count; i++)
        actor->missing[actor->schedule->successors[op->first_successor + i]]--;
}

/* A send meets the next receive of its flow; both are then complete. */
static bool deliver(struct machine *machine, struct actor *actor, uint32_t index)
{
    const struct weft_op *op = &actor->schedule->ops[index];
    uint32_t rank = actor->schedule->rank;
    if (next_message(actor, WEFT_OP_SEND, weft_flow_of(op)) != index)
        return false;
    struct actor *peer = &machine->actors[op->peer];
    uint32_t other = next_message(peer, WEFT_OP_RECEIVE, (uint64_t)rank << 32 | op->queue_pair);
    if (other == WEFT_OP_NONE || peer->missing[other])
        return false;
    const struct weft_op *receive = &peer->schedule->ops[other];
    memcpy(peer->buffer + receive->offset_bytes, actor->buffer + op->offset_bytes, op->len_bytes);
    finish_op(actor, index);
    finish_op(peer, other);
    return true;
}

/* Through double, where every sum that is promised is exact. */
static double element_at(enum weft_element element, const uint8_t *at)
{
    int32_t whole;
    memcpy(&whole, at, weft_element_bytes(element));
    return element == WEFT_ELEMENT_INT32 ? whole : (double)weft_element_read(element, at);
}

static void reduce(const struct actor *actor, const struct weft_op *op)
{
    enum weft_element element = actor->schedule->element;
    for (uint64_t i = 0; i < op->len_bytes; i += weft_element_bytes(element)) {
        uint8_t *into = actor->buffer + op->offset_bytes + i;
        double a = element_at(element, into);
        double b = element_at(element, actor->buffer + op->source_offset_bytes + i);
        double joined = a + b;
        if (actor->schedule->reduction == WEFT_REDUCTION_MAX)
            joined = a > b ? a : b;
        weft_element_write(element, (uint32_t)joined, into);
    }
}

static bool step(struct machine *machine, struct actor *actor, uint32_t index)
{
    const struct weft_op *op = &actor->schedule->ops[index];
    if (actor->complete[index] || actor->missing[index] || op->kind == WEFT_OP_RECEIVE)
        return false;
    if (op->kind == WEFT_OP_SEND)
        return deliver(machine, actor, index);
    if (op->kind == WEFT_OP_REDUCE)
        reduce(actor, op);
    finish_op(actor, index);
    return true;
}

static bool turn(struct machine *machine, bool all)
{
    bool moved = false;
    for (uint32_t rank = 0; rank < machine->count; rank++) {
        struct actor *actor = &machine->actors[rank];
        for (uint32_t i = 0; i < actor->schedule->op_count; i++)
            if (all || coin(machine))
                moved |= step(machine, actor, i);
    }
    return moved;
}

static bool is_done(const struct machine *machine)
{
    for (uint32_t rank = 0; rank < machine->count; rank++)
        if (machine->actors[rank].completed < machine->actors[rank].schedule->op_count)
            return false;
    return true;
}

static void actor_init(struct actor *actor, const struct weft_schedule *schedule, uint8_t *buffer,
                       uint32_t pass)
{
    actor->schedule = schedule;
    actor->buffer = buffer;
    make_lanes(actor);
    actor->missing = calloc(schedule->op_count + 1, sizeof(*actor->missing));
    actor->complete = calloc(schedule->op_count + 1, sizeof(*actor->complete));
    assert(actor->missing && actor->complete);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        actor->missing[i] = schedule->ops[i].requires_count;
    weft_verify_fill(schedule, buffer, pass);
}

bool world_run(struct world *world, uint32_t pass, uint64_t seed)
{
    struct machine machine = {.count = world->rank_count, .random = seed};
    machine.actors = calloc(world->rank_count, sizeof(*machine.actors));
    assert(machine.actors);
    for (uint32_t rank = 0; rank < world->rank_count; rank++)
        actor_init(&machine.actors[rank], world->schedules[rank], world->buffers[rank], pass);
    while (turn(&machine, false) || turn(&machine, true))
        continue;
    bool done = is_done(&machine);
    for (uint32_t rank = 0; rank < world->rank_count; rank++) {
        for (uint32_t i = 0; i < 2 * machine.actors[rank].flow_count; i++)
            free(machine.actors[rank].lanes[i].ops);
        free(machine.actors[rank].lanes);
        free(machine.actors[rank].flows);
        free(machine.actors[rank].missing);
        free(machine.actors[rank].complete);
    }
    free(machine.actors);
    return done;
}
