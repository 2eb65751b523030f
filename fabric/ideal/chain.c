/* SPDX-License-Identifier: BSD-3-Clause */
/* All ranks' operations as one graph: when each can start at the earliest, and how much time is
 * left at least from then to the completion. */
#include <stdio.h>
#include <stdlib.h>

#include "fabric/ideal/internal.h"

#define NONE UINT32_MAX

/* A send or a receive, to be sorted so that the two of a message come to the same place. */
struct end {
    uint32_t from, to, queue_pair;
    uint32_t op; /* of all ranks' */
};

struct weft_chain {
    const struct weft_ideal_ranks *ranks;
    struct weft_loads *loads;
    uint32_t op_count, message_count;
    uint32_t *firsts; /* the first operation of each rank, and one behind the last */
    uint32_t *op_ranks;
    struct end *sends, *receives; /* by flow, in order */
    uint32_t *places;             /* of a send or receive in these */
    uint32_t *remaining;          /* what an operation still waits for */
    uint32_t *order;
    uint64_t *ready_ps, *done_ps;
    uint32_t *depths;   /* messages of the longest chain to it */
    uint64_t *out_ps;   /* of each message: its last bit has left */
    uint64_t *rest_ps;  /* from ready to the completion; NEVER: it does not wait for this */
    uint64_t *tails_ps; /* from done */
    uint32_t next;      /* message to be told */
};

static const struct weft_op *op_at(const struct weft_chain *chain, uint32_t op)
{
    uint32_t rank = chain->op_ranks[op];
    return &chain->ranks->schedules[rank]->ops[op - chain->firsts[rank]];
}

static uint32_t nic_of(const struct weft_chain *chain, uint32_t rank)
{
    return chain->loads->topology->rank_nics[rank];
}

/* ---- messages ---- */

static int by_flow(const void *left, const void *right)
{
    const struct end *a = left, *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    if (a->queue_pair != b->queue_pair)
        return a->queue_pair < b->queue_pair ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

static bool same_flow(const struct end *a, const struct end *b)
{
    return a->from == b->from && a->to == b->to && a->queue_pair == b->queue_pair;
}

static void gather(struct weft_chain *chain, uint32_t *ret_sends, uint32_t *ret_receives)
{
    uint32_t sends = 0, receives = 0;
    for (uint32_t op = 0; op < chain->op_count; op++) {
        const struct weft_op *at = op_at(chain, op);
        uint32_t rank = chain->op_ranks[op];
        if (at->kind == WEFT_OP_SEND)
            chain->sends[sends++] = (struct end){rank, at->peer, at->queue_pair, op};
        else if (at->kind == WEFT_OP_RECEIVE)
            chain->receives[receives++] = (struct end){at->peer, rank, at->queue_pair, op};
    }
    *ret_sends = sends;
    *ret_receives = receives;
}

/* False: a send or a receive is alone. */
static bool match(struct weft_chain *chain)
{
    uint32_t sends, receives;
    gather(chain, &sends, &receives);
    if (sends != receives)
        return false;
    chain->message_count = sends;
    qsort(chain->sends, sends, sizeof(*chain->sends), by_flow);
    qsort(chain->receives, sends, sizeof(*chain->receives), by_flow);
    for (uint32_t i = 0; i < sends; i++) {
        if (!same_flow(&chain->sends[i], &chain->receives[i]))
            return false;
        chain->places[chain->sends[i].op] = chain->places[chain->receives[i].op] = i;
    }
    return true;
}

/* The message before it in its flow; NONE: it is the first. */
static uint32_t previous(const struct weft_chain *chain, uint32_t message)
{
    bool follows = message && same_flow(&chain->sends[message - 1], &chain->sends[message]);
    return follows ? message - 1 : NONE;
}

static uint32_t following(const struct weft_chain *chain, uint32_t message)
{
    uint32_t next = message + 1;
    return next < chain->message_count && previous(chain, next) == message ? next : NONE;
}

static uint64_t delay_ps(const struct weft_chain *chain, uint32_t from_rank, uint32_t to_rank)
{
    return weft_loads_delay_ps(chain->loads, nic_of(chain, from_rank), nic_of(chain, to_rank));
}

/* On the narrowest layer of its way. */
static uint64_t serial_ps(const struct weft_chain *chain, const struct end *send)
{
    uint32_t from = nic_of(chain, send->from), to = nic_of(chain, send->to);
    uint64_t wire_bytes =
        weft_ideal_wire_bytes(chain->ranks->input, op_at(chain, send->op)->len_bytes);
    return weft_ideal_time_ps(wire_bytes, weft_loads_rate_bps(chain->loads, from, to));
}

/* ---- forward ---- */

static void hold(struct weft_chain *chain, uint32_t *tail, uint32_t op, uint64_t until_ps,
                 uint32_t depth)
{
    if (until_ps > chain->ready_ps[op]) {
        chain->ready_ps[op] = until_ps;
        chain->depths[op] = depth;
    }
    if (!--chain->remaining[op])
        chain->order[(*tail)++] = op;
}

static void send_op(struct weft_chain *chain, uint32_t *tail, uint32_t op)
{
    uint32_t message = chain->places[op];
    const struct end *send = &chain->sends[message];
    uint32_t before = previous(chain, message), after = following(chain, message);
    uint64_t start_ps = chain->ready_ps[op];
    uint64_t free_ps = before == NONE ? 0 : chain->out_ps[before];
    uint64_t there_ps = delay_ps(chain, send->from, send->to);
    uint32_t depth = chain->depths[op] + 1;
    chain->out_ps[message] = (start_ps > free_ps ? start_ps : free_ps) + serial_ps(chain, send);
    chain->done_ps[op] = chain->out_ps[message] + there_ps + delay_ps(chain, send->to, send->from);
    if (after != NONE)
        hold(chain, tail, chain->sends[after].op, start_ps, chain->depths[op]);
    hold(chain, tail, chain->receives[message].op, chain->out_ps[message] + there_ps, depth);
}

static void finish_op(struct weft_chain *chain, uint32_t *tail, uint32_t op)
{
    const struct weft_op *at = op_at(chain, op);
    const struct weft_schedule *schedule = chain->ranks->schedules[chain->op_ranks[op]];
    uint32_t first = chain->firsts[chain->op_ranks[op]];
    uint32_t depth = chain->depths[op];
    chain->done_ps[op] = chain->ready_ps[op];
    if (at->kind == WEFT_OP_CALC)
        chain->done_ps[op] += at->duration_ns * WEFT_IDEAL_PS_PER_NS;
    if (at->kind == WEFT_OP_SEND) {
        send_op(chain, tail, op);
        depth++;
    }
    for (uint32_t i = 0; i < at->successor_count; i++)
        hold(chain, tail, first + schedule->successors[at->first_successor + i], chain->done_ps[op],
             depth);
}

/* False: some wait for each other for ever. */
static bool go_forward(struct weft_chain *chain)
{
    uint32_t head = 0, tail = 0;
    for (uint32_t op = 0; op < chain->op_count; op++) {
        const struct weft_op *at = op_at(chain, op);
        chain->remaining[op] = at->requires_count + (at->kind == WEFT_OP_RECEIVE ? 1 : 0);
        if (at->kind == WEFT_OP_SEND && previous(chain, chain->places[op]) != NONE)
            chain->remaining[op]++;
        if (!chain->remaining[op])
            chain->order[tail++] = op;
    }
    while (head < tail)
        finish_op(chain, &tail, chain->order[head++]);
    return tail == chain->op_count;
}

/* ---- backward ---- */

/* NEVER takes no part. */
static void at_least(uint64_t *value_ps, uint64_t rest_ps, uint64_t cost_ps)
{
    if (rest_ps == WEFT_IDEAL_NEVER)
        return;
    if (*value_ps == WEFT_IDEAL_NEVER || rest_ps + cost_ps > *value_ps)
        *value_ps = rest_ps + cost_ps;
}

/* From its arrival. */
static uint64_t message_tail_ps(const struct weft_chain *chain, uint32_t message)
{
    const struct end *send = &chain->sends[message];
    uint64_t tail_ps = chain->tails_ps[chain->receives[message].op];
    at_least(&tail_ps, chain->tails_ps[send->op], delay_ps(chain, send->to, send->from));
    return tail_ps;
}

static void go_back_send(struct weft_chain *chain, uint32_t op)
{
    uint32_t message = chain->places[op], after = following(chain, message);
    const struct end *send = &chain->sends[message];
    uint64_t own_ps = serial_ps(chain, send);
    at_least(&chain->rest_ps[op], message_tail_ps(chain, message),
             own_ps + delay_ps(chain, send->from, send->to));
    if (after != NONE)
        at_least(&chain->rest_ps[op], chain->rest_ps[chain->sends[after].op], own_ps);
}

static void go_back(struct weft_chain *chain)
{
    for (uint32_t i = chain->op_count; i-- > 0;) {
        uint32_t op = chain->order[i], rank = chain->op_ranks[op];
        const struct weft_op *at = op_at(chain, op);
        const struct weft_schedule *schedule = chain->ranks->schedules[rank];
        chain->rest_ps[op] = WEFT_IDEAL_NEVER;
        chain->tails_ps[op] = chain->ranks->decides[rank] ? 0 : WEFT_IDEAL_NEVER;
        for (uint32_t j = 0; j < at->successor_count; j++)
            at_least(
                &chain->tails_ps[op],
                chain->rest_ps[chain->firsts[rank] + schedule->successors[at->first_successor + j]],
                0);
        if (at->kind == WEFT_OP_SEND)
            go_back_send(chain, op);
        else
            at_least(&chain->rest_ps[op], chain->tails_ps[op],
                     at->kind == WEFT_OP_CALC ? at->duration_ns * WEFT_IDEAL_PS_PER_NS : 0);
    }
}

/* ---- all ---- */

static bool allocate(struct weft_chain *chain)
{
    size_t ops = chain->op_count + 1u;
    chain->firsts = calloc(chain->ranks->count + 1u, sizeof(*chain->firsts));
    chain->op_ranks = calloc(ops, sizeof(*chain->op_ranks));
    chain->sends = calloc(ops, sizeof(*chain->sends));
    chain->receives = calloc(ops, sizeof(*chain->receives));
    chain->places = calloc(ops, sizeof(*chain->places));
    chain->remaining = calloc(ops, sizeof(*chain->remaining));
    chain->order = calloc(ops, sizeof(*chain->order));
    chain->ready_ps = calloc(ops, sizeof(*chain->ready_ps));
    chain->done_ps = calloc(ops, sizeof(*chain->done_ps));
    chain->depths = calloc(ops, sizeof(*chain->depths));
    chain->out_ps = calloc(ops, sizeof(*chain->out_ps));
    chain->rest_ps = calloc(ops, sizeof(*chain->rest_ps));
    chain->tails_ps = calloc(ops, sizeof(*chain->tails_ps));
    return chain->firsts && chain->op_ranks && chain->sends && chain->receives && chain->places &&
           chain->remaining && chain->order && chain->ready_ps && chain->done_ps && chain->depths &&
           chain->out_ps && chain->rest_ps && chain->tails_ps;
}

static void number_ops(struct weft_chain *chain)
{
    uint32_t next = 0;
    for (uint32_t rank = 0; rank < chain->ranks->count; rank++) {
        chain->firsts[rank] = next;
        for (uint32_t i = 0; i < chain->ranks->schedules[rank]->op_count; i++)
            chain->op_ranks[next++] = rank;
    }
    chain->firsts[chain->ranks->count] = next;
}

/* Messages there, acknowledgements back. */
static void measure(struct weft_chain *chain)
{
    for (uint32_t i = 0; i < chain->message_count; i++) {
        uint32_t from = nic_of(chain, chain->sends[i].from), to = nic_of(chain, chain->sends[i].to);
        if (previous(chain, i) != NONE)
            continue;
        (void)weft_loads_pair(chain->loads, from, to);
        (void)weft_loads_pair(chain->loads, to, from);
    }
    weft_loads_measure(chain->loads);
}

bool weft_chain_create(const struct weft_ideal_ranks *ranks, struct weft_loads *loads,
                       struct weft_chain **ret_chain)
{
    struct weft_chain *chain = calloc(1, sizeof(*chain));
    *ret_chain = NULL;
    if (!chain)
        return false;
    chain->ranks = ranks;
    chain->loads = loads;
    chain->op_count = (uint32_t)ranks->op_count;
    if (!allocate(chain)) {
        weft_chain_destroy(chain);
        return false;
    }
    number_ops(chain);
    bool matches = match(chain);
    if (matches) {
        measure(chain);
        matches = !loads->out_of_memory && go_forward(chain);
    }
    if (!matches) {
        weft_chain_destroy(chain);
        return !loads->out_of_memory;
    }
    go_back(chain);
    *ret_chain = chain;
    return true;
}

void weft_chain_destroy(struct weft_chain *chain)
{
    if (!chain)
        return;
    free(chain->firsts);
    free(chain->op_ranks);
    free(chain->sends);
    free(chain->receives);
    free(chain->places);
    free(chain->remaining);
    free(chain->order);
    free(chain->ready_ps);
    free(chain->done_ps);
    free(chain->depths);
    free(chain->out_ps);
    free(chain->rest_ps);
    free(chain->tails_ps);
    free(chain);
}

bool weft_chain_message(struct weft_chain *chain, struct weft_ideal_message *ret_message)
{
    for (; chain->next < chain->message_count; chain->next++) {
        const struct end *send = &chain->sends[chain->next];
        uint64_t tail_ps = message_tail_ps(chain, chain->next);
        uint64_t len_bytes = op_at(chain, send->op)->len_bytes;
        if (tail_ps == WEFT_IDEAL_NEVER)
            continue;
        *ret_message = (struct weft_ideal_message){
            .from_nic = nic_of(chain, send->from),
            .to_nic = nic_of(chain, send->to),
            .payload_bytes = len_bytes,
            .wire_bytes = weft_ideal_wire_bytes(chain->ranks->input, len_bytes),
            .start_ps = chain->ready_ps[send->op],
            .tail_ps = tail_ps,
            .new_flow = previous(chain, chain->next) == NONE};
        chain->next++;
        return true;
    }
    return false;
}

/* The operation of a rank that ends last. */
static uint32_t last_of(const struct weft_chain *chain, uint32_t rank)
{
    uint32_t last = NONE;
    for (uint32_t op = chain->firsts[rank]; op < chain->firsts[rank + 1]; op++) {
        if (last == NONE || chain->done_ps[op] > chain->done_ps[last])
            last = op;
    }
    return last;
}

static uint32_t depth_of(const struct weft_chain *chain, uint32_t op)
{
    return chain->depths[op] + (op_at(chain, op)->kind == WEFT_OP_SEND ? 1 : 0);
}

static void take_chain(struct weft_bound *bound, uint64_t time_ps, uint32_t depth)
{
    /* Where bytes make most of it, they say more than the chain that they are part of. */
    bool by_bytes = bound->time_ps >= time_ps / 10 * 9;
    if (time_ps <= bound->time_ps)
        return;
    bound->time_ps = time_ps;
    if (by_bytes)
        return;
    if (depth)
        (void)snprintf(bound->limit, sizeof(bound->limit), "a chain of %u message%s", depth,
                       depth == 1 ? "" : "s");
    else
        (void)snprintf(bound->limit, sizeof(bound->limit), "computation of a rank");
}

/* Where one rank alone decides, what leads from it back to it is in each of its iterations. */
static void bound_return(const struct weft_chain *chain, struct weft_bound *bound)
{
    uint32_t decider = NONE, count = 0, longest = NONE;
    for (uint32_t rank = 0; rank < chain->ranks->count; rank++) {
        decider = chain->ranks->decides[rank] ? rank : decider;
        count += chain->ranks->decides[rank];
    }
    for (uint32_t op = count == 1 ? chain->firsts[decider] : 0;
         count == 1 && op < chain->firsts[decider + 1]; op++) {
        if (chain->rest_ps[op] != WEFT_IDEAL_NEVER &&
            (longest == NONE || chain->rest_ps[op] > chain->rest_ps[longest]))
            longest = op;
    }
    if (longest == NONE)
        return;
    uint32_t last = last_of(chain, decider);
    take_chain(bound, chain->rest_ps[longest], depth_of(chain, last));
}

/* Ranks that do nothing hold up nobody. */
void weft_chain_bound(const struct weft_chain *chain, struct weft_bound *bound)
{
    uint32_t first = NONE;
    for (uint32_t rank = 0; rank < chain->ranks->count; rank++) {
        uint32_t last = last_of(chain, rank);
        if (last == NONE)
            continue;
        uint64_t done_ps = chain->done_ps[last];
        if (chain->ranks->decides[rank] && done_ps > bound->alone_ps)
            bound->alone_ps = done_ps;
        if (first == NONE || done_ps < chain->done_ps[first])
            first = last;
    }
    if (first != NONE)
        take_chain(bound, chain->done_ps[first], depth_of(chain, first));
    bound_return(chain, bound);
}
