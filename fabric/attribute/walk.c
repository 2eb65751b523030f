/* SPDX-License-Identifier: BSD-3-Clause */
/* Backwards from an operation to what it waited for. Every step goes to another operation or to an
 * earlier moment of the same, so a chain ends; traces that no run can have made are held by the
 * bound on steps. */
#include "fabric/attribute/internal.h"

/* Earlier messages of a flow that are looked at for the one that made room. */
#define LOOK_BACK_MAX 256u

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint64_t positive(int64_t value_ns)
{
    return value_ns > 0 ? (uint64_t)value_ns : 0;
}

/* When the last requirement completed; with none the iteration's start. */
static int64_t ready_at(const struct weft_backward *backward, const struct weft_op_trace *ops,
                        uint32_t rank, uint32_t op, struct weft_cause *ret_cause)
{
    int64_t ready_ns = 0;
    *ret_cause = (struct weft_cause){.rank = rank};
    for (uint32_t i = backward->first_requirement[op]; i < backward->first_requirement[op + 1];
         i++) {
        uint32_t requirement = backward->requirements[i];
        if (ops[requirement].completed_ns <= ready_ns)
            continue;
        ready_ns = ops[requirement].completed_ns;
        *ret_cause = (struct weft_cause){.known = true, .rank = rank, .op = requirement};
    }
    return ready_ns;
}

/* The message before it whose completion made room for it, if that was after `than_ns`. */
static int64_t room_at(const struct weft_backward *backward, const struct weft_op_trace *ops,
                       uint32_t rank, uint32_t op, int64_t than_ns, struct weft_cause *cause)
{
    uint32_t before = backward->previous[op];
    for (uint32_t i = 0; i < LOOK_BACK_MAX && before != WEFT_OP_NONE; i++) {
        if (ops[before].completed_ns <= ops[op].started_ns) {
            if (ops[before].completed_ns <= than_ns)
                break;
            *cause = (struct weft_cause){.known = true, .rank = rank, .op = before};
            return ops[before].completed_ns;
        }
        before = backward->previous[before];
    }
    return than_ns;
}

/* Why a receive was posted no earlier. */
static void explain_receive(const struct weft_attributor *attributor,
                            const struct weft_traced_iteration *iteration, uint32_t rank,
                            uint32_t op, struct weft_cause *ret_cause)
{
    const struct weft_backward *backward = &attributor->ranks[rank];
    const struct weft_op_trace *ops = iteration->ops[rank];
    int64_t ready_ns = ready_at(backward, ops, rank, op, ret_cause);
    (void)room_at(backward, ops, rank, op, ready_ns, ret_cause);
}

static void explain_start(const struct weft_attributor *attributor,
                          const struct weft_traced_iteration *iteration, uint32_t rank, uint32_t op,
                          struct weft_reason *reason)
{
    const struct weft_backward *backward = &attributor->ranks[rank];
    const struct weft_op_trace *ops = iteration->ops[rank];
    uint32_t before = backward->previous[op];
    int64_t could_ns = ready_at(backward, ops, rank, op, &reason->next);
    if (before != WEFT_OP_NONE && ops[before].started_ns > could_ns) {
        could_ns = ops[before].started_ns;
        reason->next =
            (struct weft_cause){.known = true, .started = true, .rank = rank, .op = before};
    }
    if (ops[op].waits & WEFT_WAITED_QUEUE)
        could_ns = room_at(backward, ops, rank, op, could_ns, &reason->next);
    reason->waited_ns = positive(ops[op].started_ns - could_ns);
    reason->for_receive = reason->waited_ns && ops[op].waits & WEFT_WAITED_RECEIVE;
    if (reason->for_receive)
        explain_receive(attributor, iteration, attributor->input->schedules[rank]->ops[op].peer,
                        attributor->partners[rank][op], &reason->next);
}

/* Messages of a flow go one behind the other, so while an earlier one is on its way it is that
 * which holds this one up. Which were found complete in one turn cannot be told apart. */
static void explain_send(const struct weft_attributor *attributor,
                         const struct weft_traced_iteration *iteration, uint32_t rank, uint32_t op,
                         struct weft_reason *reason)
{
    const uint32_t *previous = attributor->ranks[rank].previous;
    const struct weft_op_trace *ops = iteration->ops[rank];
    uint32_t first = op;
    while (reason->together < LOOK_BACK_MAX && previous[first] != WEFT_OP_NONE &&
           ops[previous[first]].completed_ns >= ops[op].completed_ns) {
        first = previous[first];
        reason->together++;
    }
    uint32_t before = previous[first];
    int64_t began_ns = ops[first].started_ns;
    if (before != WEFT_OP_NONE && ops[before].completed_ns > began_ns) {
        began_ns = ops[before].completed_ns;
        reason->next = (struct weft_cause){.known = true, .rank = rank, .op = before};
    } else {
        explain_start(attributor, iteration, rank, first, reason);
    }
    reason->took_ns = positive(ops[op].completed_ns - began_ns);
}

void weft_reason_find(const struct weft_attributor *attributor,
                      const struct weft_traced_iteration *iteration, const struct weft_cause *what,
                      struct weft_reason *ret_reason)
{
    uint32_t rank = what->rank, op = what->op;
    const struct weft_op *it = &attributor->input->schedules[rank]->ops[op];
    const struct weft_op_trace *ops = iteration->ops[rank];
    *ret_reason = (struct weft_reason){.together = 1};
    if (it->kind == WEFT_OP_SEND && what->started) {
        explain_start(attributor, iteration, rank, op, ret_reason);
    } else if (it->kind == WEFT_OP_SEND) {
        explain_send(attributor, iteration, rank, op, ret_reason);
    } else if (it->kind == WEFT_OP_RECEIVE) {
        ret_reason->next = (struct weft_cause){
            .known = true, .rank = it->peer, .op = attributor->partners[rank][op]};
    } else {
        int64_t ready_ns = ready_at(&attributor->ranks[rank], ops, rank, op, &ret_reason->next);
        ret_reason->took_ns = positive(ops[op].completed_ns - later(ready_ns, 0));
    }
}

/* ---- the walk ---- */

struct walk {
    const struct weft_attributor *attributor;
    const struct weft_traced_iteration *iteration;
    uint32_t count;
    uint64_t explained_ns;
};

static uint64_t excess(uint64_t value_ns, uint64_t usual_ns)
{
    return value_ns > usual_ns ? value_ns - usual_ns : 0;
}

static struct weft_step *add(struct walk *walk, enum weft_step_kind kind, uint32_t rank,
                             uint32_t op)
{
    struct weft_step *step = &walk->attributor->steps[walk->count++];
    *step = (struct weft_step){.kind = kind, .rank = rank, .op = op, .peer = WEFT_OP_NONE};
    return step;
}

static void add_computation(struct walk *walk, enum weft_step_kind kind, uint32_t rank, uint32_t op,
                            const struct weft_reason *reason)
{
    struct weft_like like;
    weft_likes_find(walk->attributor, rank, op, &like);
    struct weft_step *step = add(walk, kind, rank, op);
    step->len_bytes = walk->attributor->input->schedules[rank]->ops[op].len_bytes;
    step->took_ns = reason->took_ns;
    step->took_excess_ns = excess(reason->took_ns, like.took_ns);
    walk->explained_ns += reason->took_ns;
}

/* A send that waited for a receive which itself waited for something is explained by that. */
static void add_send(struct walk *walk, const struct weft_cause *at,
                     const struct weft_reason *reason)
{
    const struct weft_op *op = &walk->attributor->input->schedules[at->rank]->ops[at->op];
    struct weft_like like;
    weft_likes_find(walk->attributor, at->rank, at->op, &like);
    struct weft_step *step = add(walk, WEFT_STEP_SEND, at->rank, at->op);
    step->peer = op->peer;
    step->len_bytes = op->len_bytes;
    step->took_ns = reason->took_ns;
    step->took_excess_ns = excess(reason->took_ns, reason->together * like.took_ns);
    walk->explained_ns += reason->took_ns;
    step->waited_ns = reason->waited_ns;
    if (!reason->for_receive) {
        step->waited_excess_ns = excess(reason->waited_ns, like.waited_ns);
        walk->explained_ns += reason->waited_ns;
    } else if (!reason->next.known) {
        step->waited_ns = 0;
        step = add(walk, WEFT_STEP_LATE_RECEIVE, op->peer,
                   walk->attributor->partners[at->rank][at->op]);
        step->peer = at->rank;
        step->len_bytes = op->len_bytes;
        step->waited_ns = reason->waited_ns;
        step->waited_excess_ns = excess(reason->waited_ns, like.waited_ns);
        walk->explained_ns += reason->waited_ns;
    }
}

static void add_step(struct walk *walk, const struct weft_cause *at,
                     const struct weft_reason *reason)
{
    switch (walk->attributor->input->schedules[at->rank]->ops[at->op].kind) {
    case WEFT_OP_SEND:
        add_send(walk, at, reason);
        break;
    case WEFT_OP_REDUCE:
        add_computation(walk, WEFT_STEP_REDUCE, at->rank, at->op, reason);
        break;
    case WEFT_OP_CALC:
        add_computation(walk, WEFT_STEP_CALC, at->rank, at->op, reason);
        break;
    case WEFT_OP_RECEIVE:
    case WEFT_OP_KIND_COUNT:
        break;
    }
}

static struct weft_cause last_of(const struct weft_attributor *attributor,
                                 const struct weft_traced_iteration *iteration, uint32_t rank)
{
    struct weft_cause last = {.rank = rank};
    int64_t latest_ns = INT64_MIN;
    for (uint32_t i = 0; i < attributor->input->schedules[rank]->op_count; i++) {
        if (iteration->ops[rank][i].completed_ns <= latest_ns)
            continue;
        latest_ns = iteration->ops[rank][i].completed_ns;
        last = (struct weft_cause){.known = true, .rank = rank, .op = i};
    }
    return last;
}

uint32_t weft_walk(const struct weft_attributor *attributor,
                   const struct weft_traced_iteration *iteration, uint32_t rank)
{
    struct walk walk = {.attributor = attributor, .iteration = iteration};
    struct weft_cause at = last_of(attributor, iteration, rank);
    /* A step adds two at most, and BEGIN is the last. */
    for (uint64_t turns = 0;
         at.known && turns <= 2 * attributor->op_count && walk.count + 3 <= attributor->steps_max;
         turns++) {
        struct weft_reason reason;
        weft_reason_find(attributor, iteration, &at, &reason);
        add_step(&walk, &at, &reason);
        at = reason.next;
    }
    uint64_t rest_ns = excess(iteration->durations_ns[rank], walk.explained_ns);
    if (rest_ns)
        add(&walk, WEFT_STEP_BEGIN, at.rank, WEFT_OP_NONE)->waited_ns = rest_ns;
    return walk.count;
}
