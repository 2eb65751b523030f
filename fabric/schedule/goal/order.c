/* SPDX-License-Identifier: BSD-3-Clause */
/* A GOAL file of others: which send meets which receive, and an order of all ranks' operations in
 * which each comes after all that it waits for. Sends to a peer are started in that order, so one
 * that can start never stands behind one that waits for it. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/schedule/goal/any.h"

/* What is sent comes from places of its own, as far as this; then from the beginning again. */
#define SENT_BYTES_MAX (UINT64_C(64) << 20)

/* ---- pairs ---- */

struct message {
    uint32_t from, to;
    uint64_t tag;
    uint32_t op;
};

static int compare_messages(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    if (a->tag != b->tag)
        return a->tag < b->tag ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

static uint32_t gather(const struct weft_goal *goal, enum weft_op_kind kind,
                       struct message *messages)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < goal->op_count; i++) {
        const struct weft_goal_op *op = &goal->ops[i];
        bool send = op->op.kind == WEFT_OP_SEND;
        if (op->op.kind != kind || op->any_rank || op->any_tag)
            continue;
        messages[count++] = (struct message){.from = send ? op->rank : op->op.peer,
                                             .to = send ? op->op.peer : op->rank,
                                             .tag = op->tag,
                                             .op = i};
    }
    qsort(messages, count, sizeof(*messages), compare_messages);
    return count;
}

static bool same_flow(const struct message *a, const struct message *b)
{
    return a->from == b->from && a->to == b->to && a->tag == b->tag;
}

static enum weft_status fail_alone(const struct weft_goal *goal, const struct message *message,
                                   struct weft_error *error)
{
    bool send = goal->ops[message->op].op.kind == WEFT_OP_SEND;
    return weft_goal_fail(goal, message->op, error,
                          "rank %u %s rank %u with tag %" PRIu64
                          ", but rank %u has no %s left for it",
                          send ? message->from : message->to, send ? "sends to" : "receives from",
                          send ? message->to : message->from, message->tag,
                          send ? message->to : message->from, send ? "receive" : "send");
}

/* Of both lists in order. A send that no receive names is left to those that name none. */
static enum weft_status pair(struct weft_goal *goal, const struct message *sends,
                             uint32_t send_count, const struct message *receives,
                             uint32_t receive_count, struct weft_error *error)
{
    uint32_t send = 0, receive = 0;
    while (send < send_count || receive < receive_count) {
        bool both = send < send_count && receive < receive_count;
        enum weft_status status = WEFT_OK;
        if (both && same_flow(&sends[send], &receives[receive]))
            status = weft_goal_join(goal, sends[send++].op, receives[receive++].op, error);
        else if (receive < receive_count &&
                 (!both || compare_messages(&sends[send], &receives[receive]) > 0))
            return fail_alone(goal, &receives[receive], error);
        else if (goal->ranks[sends[send].to].any_count)
            send++;
        else
            return fail_alone(goal, &sends[send], error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status pair_all(struct weft_goal *goal, struct weft_error *error)
{
    struct message *sends = calloc((size_t)goal->op_count + 1, sizeof(*sends));
    struct message *receives = calloc((size_t)goal->op_count + 1, sizeof(*receives));
    enum weft_status status = WEFT_OK;
    if (!sends || !receives) {
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    } else {
        uint32_t send_count = gather(goal, WEFT_OP_SEND, sends);
        uint32_t receive_count = gather(goal, WEFT_OP_RECEIVE, receives);
        status = pair(goal, sends, send_count, receives, receive_count, error);
    }
    free(sends);
    free(receives);
    return status;
}

/* ---- the order ---- */

/* All ranks' graphs as one: successors by operation. */
struct graph {
    uint32_t *first; /* into later; one more at the end */
    uint32_t *later;
    uint32_t *missing;
    uint32_t *order;
    uint32_t ordered; /* how many are in it */
    uint32_t edge_count;
};

typedef void visit_function(struct graph *graph, uint32_t later, uint32_t earlier);

static void count_edge(struct graph *graph, uint32_t later, uint32_t earlier)
{
    graph->first[earlier + 1]++;
    graph->missing[later]++;
    graph->edge_count++;
}

static void add_edge(struct graph *graph, uint32_t later, uint32_t earlier)
{
    graph->later[graph->first[earlier]++] = later;
}

static enum weft_status visit_edges(const struct weft_goal *goal, struct graph *graph,
                                    visit_function *visit, struct weft_error *error)
{
    for (uint32_t i = 0; i < goal->rank_count; i++) {
        const struct weft_goal_rank *rank = &goal->ranks[i];
        struct weft_goal_waits waits;
        if (!rank->op_count)
            continue;
        enum weft_status status = weft_goal_resolve(goal, rank, &waits, error);
        if (status != WEFT_OK)
            return status;
        for (uint32_t op = 0; op < rank->op_count; op++)
            for (uint32_t j = 0; j < waits.count[op]; j++)
                visit(graph, rank->first_op + op,
                      rank->first_op + waits.earlier[waits.first[op] + j]);
        weft_goal_waits_fini(&waits);
    }
    for (uint32_t op = 0; op < goal->op_count; op++)
        if (goal->ops[op].op.kind == WEFT_OP_RECEIVE && goal->ops[op].partner != WEFT_GOAL_NONE)
            visit(graph, op, goal->ops[op].partner);
    return WEFT_OK;
}

/* A send that no receive names has gone, or a receive that names none waits for nothing else: what
 * it meets can go on. */
static enum weft_status meet(struct weft_goal_any *any, struct graph *graph, uint32_t op,
                             struct weft_error *error)
{
    uint32_t receive = WEFT_GOAL_NONE;
    enum weft_status status = weft_goal_any_meet(any, op, &receive, error);
    if (status == WEFT_OK && receive != WEFT_GOAL_NONE) {
        graph->missing[receive] = 0;
        graph->order[graph->ordered++] = receive;
    }
    return status;
}

/* What has something less to wait for. */
static enum weft_status release(struct weft_goal_any *any, struct graph *graph, uint32_t op,
                                struct weft_error *error)
{
    if (!graph->missing[op])
        graph->order[graph->ordered++] = op;
    else if (graph->missing[op] == 1 && weft_goal_any_waits(any, op))
        return meet(any, graph, op, error);
    return WEFT_OK;
}

static enum weft_status take_away(struct weft_goal_any *any, struct graph *graph,
                                  struct weft_error *error)
{
    const struct weft_goal *goal = any->goal;
    enum weft_status status = WEFT_OK;
    for (uint32_t op = 0; status == WEFT_OK && op < goal->op_count; op++)
        status = release(any, graph, op, error);
    for (uint32_t head = 0; status == WEFT_OK && head < graph->ordered; head++) {
        uint32_t op = graph->order[head];
        if (goal->ops[op].op.kind == WEFT_OP_SEND && goal->ops[op].partner == WEFT_GOAL_NONE)
            status = meet(any, graph, op, error);
        for (uint32_t i = graph->first[op]; status == WEFT_OK && i < graph->first[op + 1]; i++) {
            graph->missing[graph->later[i]]--;
            status = release(any, graph, graph->later[i], error);
        }
    }
    return status;
}

/* Whatever is left waits for something that is left, so going back ends up on a cycle, or at a
 * receive that gets no message. */
static enum weft_status report_cycle(const struct weft_goal_any *any, struct graph *graph,
                                     struct weft_error *error)
{
    const struct weft_goal *goal = any->goal;
    uint32_t *before = graph->order, at = 0;
    for (uint32_t op = 0; op < goal->op_count; op++)
        if (graph->missing[op] == 1 && weft_goal_any_waits(any, op))
            return weft_goal_fail(goal, op, error,
                                  "this receive gets no message: of those that no other receive of "
                                  "rank %u names, none with its rank and tag can be sent before it",
                                  goal->ops[op].rank);
    for (uint32_t op = 0; op < goal->op_count; op++) {
        if (!graph->missing[op])
            continue;
        for (uint32_t i = graph->first[op]; i < graph->first[op + 1]; i++)
            before[graph->later[i]] = op;
        at = op;
    }
    for (uint32_t i = 0; i < goal->op_count; i++)
        at = before[at];
    uint32_t second = before[at], third = before[second];
    return weft_goal_fail(goal, at, error,
                          "this can never run: rank %u, line %u, waits for rank %u, line %u, which "
                          "waits for %s rank %u, line %u%s",
                          goal->ops[at].rank, goal->ops[at].line, goal->ops[second].rank,
                          goal->ops[second].line, third == at ? "the first again," : "",
                          goal->ops[third].rank, goal->ops[third].line,
                          third == at ? "" : ", and so on, round to the first");
}

static enum weft_status place(struct weft_goal *goal, const uint32_t *order,
                              struct weft_error *error)
{
    uint64_t *next_bytes = calloc((size_t)goal->rank_count + 1, sizeof(*next_bytes));
    if (!next_bytes)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    for (uint32_t i = 0; i < goal->op_count; i++) {
        struct weft_goal_op *op = &goal->ops[order[i]];
        op->place = i;
        op->op.offset_bytes = 0;
    }
    for (uint32_t i = 0; i < goal->op_count; i++) {
        struct weft_goal_op *op = &goal->ops[order[i]];
        struct weft_goal_rank *rank = &goal->ranks[op->rank];
        if (op->op.kind != WEFT_OP_SEND)
            continue;
        uint64_t at = next_bytes[op->rank];
        if (at + op->op.len_bytes > SENT_BYTES_MAX)
            at = 0;
        op->op.offset_bytes = at;
        next_bytes[op->rank] = at + op->op.len_bytes;
        if (at + op->op.len_bytes > rank->buffer_bytes)
            rank->buffer_bytes = at + op->op.len_bytes;
    }
    free(next_bytes);
    return WEFT_OK;
}

static enum weft_status make_order(struct weft_goal *goal, struct weft_goal_any *any,
                                   struct graph *graph, struct weft_error *error)
{
    enum weft_status status = visit_edges(goal, graph, count_edge, error);
    if (status != WEFT_OK)
        return status;
    graph->later = calloc((size_t)graph->edge_count + 1, sizeof(*graph->later));
    if (!graph->later)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    for (uint32_t i = 0; i < goal->op_count; i++)
        graph->first[i + 1] += graph->first[i];
    status = visit_edges(goal, graph, add_edge, error);
    if (status != WEFT_OK)
        return status;
    /* Each now points to its end, which is the beginning of the next. */
    for (uint32_t i = goal->op_count; i > 0; i--)
        graph->first[i] = graph->first[i - 1];
    graph->first[0] = 0;
    for (uint32_t op = 0; op < goal->op_count; op++)
        graph->missing[op] += weft_goal_any_waits(any, op);
    status = take_away(any, graph, error);
    if (status != WEFT_OK)
        return status;
    if (graph->ordered < goal->op_count)
        return report_cycle(any, graph, error);
    return place(goal, graph->order, error);
}

enum weft_status weft_goal_order(struct weft_goal *goal, struct weft_error *error)
{
    size_t count = (size_t)goal->op_count + 2;
    struct weft_goal_any any = {0};
    enum weft_status status = pair_all(goal, error);
    if (status == WEFT_OK)
        status = weft_goal_any_init(&any, goal, error);
    if (status != WEFT_OK)
        return status;
    struct graph graph = {.first = calloc(count, sizeof(uint32_t)),
                          .missing = calloc(count, sizeof(uint32_t)),
                          .order = calloc(count, sizeof(uint32_t))};
    if (!graph.first || !graph.missing || !graph.order)
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    else
        status = make_order(goal, &any, &graph, error);
    weft_goal_any_fini(&any);
    free(graph.first);
    free(graph.later);
    free(graph.missing);
    free(graph.order);
    return status;
}
