/* SPDX-License-Identifier: BSD-3-Clause */
/* A GOAL file of others: which send meets which receive, and an order of all ranks' operations in
 * which each comes after all that it waits for. Sends to a peer are started in that order, so one
 * that can start never stands behind one that waits for it. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/schedule/goal_parts.h"

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
        if (op->op.kind != kind)
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
                          "rank %u %s rank %u with tag %" PRIu64 ", and rank %u has no %s left for "
                          "it",
                          send ? message->from : message->to, send ? "sends to" : "receives from",
                          send ? message->to : message->from, message->tag,
                          send ? message->to : message->from, send ? "receive" : "send");
}

static enum weft_status pair(struct weft_goal *goal, const struct message *sends,
                             uint32_t send_count, const struct message *receives,
                             uint32_t receive_count, struct weft_error *error)
{
    for (uint32_t i = 0; i < send_count || i < receive_count; i++) {
        if (i == receive_count || (i < send_count && !same_flow(&sends[i], &receives[i]))) {
            bool send_first = i == receive_count || compare_messages(&sends[i], &receives[i]) < 0;
            return fail_alone(goal, send_first ? &sends[i] : &receives[i], error);
        }
        if (i == send_count)
            return fail_alone(goal, &receives[i], error);
        struct weft_goal_op *send = &goal->ops[sends[i].op], *receive = &goal->ops[receives[i].op];
        if (send->op.len_bytes != receive->op.len_bytes)
            return weft_goal_fail(
                goal, receives[i].op, error,
                "rank %u receives %" PRIu64 " B here, and what it meets, line %u, "
                "sends %" PRIu64 " B",
                receive->rank, receive->op.len_bytes, send->line, send->op.len_bytes);
        send->partner = receives[i].op;
        receive->partner = sends[i].op;
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
        if (goal->ops[op].op.kind == WEFT_OP_RECEIVE)
            visit(graph, op, goal->ops[op].partner);
    return WEFT_OK;
}

static uint32_t take_away(const struct weft_goal *goal, struct graph *graph)
{
    uint32_t head = 0, tail = 0;
    for (uint32_t op = 0; op < goal->op_count; op++)
        if (!graph->missing[op])
            graph->order[tail++] = op;
    while (head < tail) {
        uint32_t op = graph->order[head++];
        for (uint32_t i = graph->first[op]; i < graph->first[op + 1]; i++)
            if (!--graph->missing[graph->later[i]])
                graph->order[tail++] = graph->later[i];
    }
    return tail;
}

/* Whatever is left waits for something that is left, so going back ends up on a cycle. */
static enum weft_status report_cycle(const struct weft_goal *goal, struct graph *graph,
                                     struct weft_error *error)
{
    uint32_t *before = graph->order, at = 0;
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

static enum weft_status make_order(struct weft_goal *goal, struct graph *graph,
                                   struct weft_error *error)
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
    if (take_away(goal, graph) < goal->op_count)
        return report_cycle(goal, graph, error);
    return place(goal, graph->order, error);
}

enum weft_status weft_goal_order(struct weft_goal *goal, struct weft_error *error)
{
    size_t count = (size_t)goal->op_count + 2;
    enum weft_status status = pair_all(goal, error);
    if (status != WEFT_OK)
        return status;
    struct graph graph = {.first = calloc(count, sizeof(uint32_t)),
                          .missing = calloc(count, sizeof(uint32_t)),
                          .order = calloc(count, sizeof(uint32_t))};
    if (!graph.first || !graph.missing || !graph.order)
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    else
        status = make_order(goal, &graph, error);
    free(graph.first);
    free(graph.later);
    free(graph.missing);
    free(graph.order);
    return status;
}
