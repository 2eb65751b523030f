/* SPDX-License-Identifier: BSD-3-Clause */
#include "interpret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/verify.h"

/* One rank under way. */
struct actor {
    const struct weft_schedule *schedule;
    uint8_t *buffer;
    uint32_t *missing;
    bool *complete;
    uint32_t completed;
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
        enum weft_status status = pattern->compile(options, rank, &world->schedules[rank], &error);
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

/* The first operation of the kind with that peer that is not complete. */
static uint32_t next_message(const struct actor *actor, enum weft_op_kind kind, uint32_t peer)
{
    for (uint32_t i = 0; i < actor->schedule->op_count; i++) {
        const struct weft_op *op = &actor->schedule->ops[i];
        if (op->kind == kind && op->peer == peer && !actor->complete[i])
            return i;
    }
    return WEFT_OP_NONE;
}

static void finish_op(struct actor *actor, uint32_t index)
{
    const struct weft_op *op = &actor->schedule->ops[index];
    actor->complete[index] = true;
    actor->completed++;
    for (uint32_t i = 0; i < op->successor_count; i++)
        actor->missing[actor->schedule->successors[op->first_successor + i]]--;
}

/* A send meets the next receive of its flow; both are then complete. */
static bool deliver(struct machine *machine, struct actor *actor, uint32_t index)
{
    const struct weft_op *op = &actor->schedule->ops[index];
    uint32_t rank = actor->schedule->rank;
    if (next_message(actor, WEFT_OP_SEND, op->peer) != index)
        return false;
    struct actor *peer = &machine->actors[op->peer];
    uint32_t other = next_message(peer, WEFT_OP_RECEIVE, rank);
    if (other == WEFT_OP_NONE || peer->missing[other])
        return false;
    const struct weft_op *receive = &peer->schedule->ops[other];
    memcpy(peer->buffer + receive->offset_bytes, actor->buffer + op->offset_bytes, op->len_bytes);
    finish_op(actor, index);
    finish_op(peer, other);
    return true;
}

static void reduce(const struct actor *actor, const struct weft_op *op)
{
    for (uint64_t i = 0; i < op->len_bytes; i += sizeof(float)) {
        float into, from;
        memcpy(&into, actor->buffer + op->offset_bytes + i, sizeof(into));
        memcpy(&from, actor->buffer + op->source_offset_bytes + i, sizeof(from));
        into += from;
        memcpy(actor->buffer + op->offset_bytes + i, &into, sizeof(into));
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
    actor->missing = calloc(schedule->op_count + 1, sizeof(*actor->missing));
    actor->complete = calloc(schedule->op_count + 1, sizeof(*actor->complete));
    assert(actor->missing && actor->complete);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        actor->missing[i] = schedule->ops[i].requires_count;
    weft_verify_fill(buffer, schedule->buffer_bytes, schedule->rank, pass);
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
        free(machine.actors[rank].missing);
        free(machine.actors[rank].complete);
    }
    free(machine.actors);
    return done;
}
