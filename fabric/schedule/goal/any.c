/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/goal/any.h"

#include <stdlib.h>

static bool is_any(const struct weft_goal_op *op)
{
    return op->any_rank || op->any_tag;
}

static uint32_t first_any(const struct weft_goal *goal, uint32_t rank)
{
    uint32_t op = goal->ranks[rank].first_op;
    while (!is_any(&goal->ops[op]))
        op++;
    return op;
}

/* Each rank must have as many messages that no receive names as it has receives that name none. */
static enum weft_status count(const struct weft_goal *goal, struct weft_error *error)
{
    uint32_t *messages = calloc((size_t)goal->rank_count + 1, sizeof(*messages)), all = 0;
    if (!messages)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    for (uint32_t i = 0; i < goal->op_count; i++) {
        const struct weft_goal_op *op = &goal->ops[i];
        if (op->op.kind == WEFT_OP_SEND && op->partner == WEFT_GOAL_NONE)
            messages[op->op.peer]++;
    }
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < goal->rank_count; i++) {
        uint32_t wanted = goal->ranks[i].any_count;
        all += wanted;
        if (messages[i] != wanted)
            status = weft_goal_fail(
                goal, first_any(goal, i), error,
                "rank %u has %u receives from any rank or with any tag (-1), of which this is the "
                "first, but there are %u messages to it that no other receive names",
                i, wanted, messages[i]);
        else if (all > WEFT_GOAL_ANY_MAX)
            status = weft_goal_fail(goal, first_any(goal, i), error,
                                    "the file has more than %u receives from any rank or with any "
                                    "tag (-1), this one among them; name rank and tag",
                                    WEFT_GOAL_ANY_MAX);
    }
    free(messages);
    return status;
}

enum weft_status weft_goal_any_init(struct weft_goal_any *any, struct weft_goal *goal,
                                    struct weft_error *error)
{
    *any = (struct weft_goal_any){.goal = goal};
    enum weft_status status = count(goal, error);
    if (status != WEFT_OK)
        return status;
    any->next = calloc((size_t)goal->op_count + 1, sizeof(*any->next));
    any->lines = calloc(2 * (size_t)goal->rank_count, sizeof(*any->lines));
    if (!any->next || !any->lines) {
        weft_goal_any_fini(any);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    }
    for (size_t i = 0; i < 2 * (size_t)goal->rank_count; i++)
        any->lines[i] = (struct weft_goal_line){WEFT_GOAL_NONE, WEFT_GOAL_NONE};
    return WEFT_OK;
}

void weft_goal_any_fini(struct weft_goal_any *any)
{
    free(any->next);
    free(any->lines);
    *any = (struct weft_goal_any){0};
}

bool weft_goal_any_waits(const struct weft_goal_any *any, uint32_t op)
{
    return is_any(&any->goal->ops[op]) && any->goal->ops[op].partner == WEFT_GOAL_NONE;
}

static bool fits(const struct weft_goal_op *send, const struct weft_goal_op *receive)
{
    return (receive->any_rank || receive->op.peer == send->rank) &&
           (receive->any_tag || receive->tag == send->tag);
}

static struct weft_goal_line *line_of(const struct weft_goal_any *any, uint32_t rank, bool receives)
{
    return &any->lines[2 * (size_t)rank + receives];
}

static void stand_in_line(struct weft_goal_any *any, struct weft_goal_line *line, uint32_t op)
{
    any->next[op] = WEFT_GOAL_NONE;
    if (line->first == WEFT_GOAL_NONE)
        line->first = op;
    else
        any->next[line->last] = op;
    line->last = op;
}

static void leave_line(struct weft_goal_any *any, struct weft_goal_line *line, uint32_t before,
                       uint32_t op)
{
    if (before == WEFT_GOAL_NONE)
        line->first = any->next[op];
    else
        any->next[before] = any->next[op];
    if (line->last == op)
        line->last = before;
}

enum weft_status weft_goal_any_meet(struct weft_goal_any *any, uint32_t op, uint32_t *ret_receive,
                                    struct weft_error *error)
{
    const struct weft_goal_op *ops = any->goal->ops;
    bool send = ops[op].op.kind == WEFT_OP_SEND;
    uint32_t rank = send ? ops[op].op.peer : ops[op].rank, before = WEFT_GOAL_NONE;
    struct weft_goal_line *line = line_of(any, rank, send);
    for (uint32_t at = line->first; at != WEFT_GOAL_NONE; before = at, at = any->next[at]) {
        if (!fits(&ops[send ? op : at], &ops[send ? at : op]))
            continue;
        leave_line(any, line, before, at);
        *ret_receive = send ? at : op;
        return weft_goal_join(any->goal, send ? op : at, *ret_receive, error);
    }
    *ret_receive = WEFT_GOAL_NONE;
    stand_in_line(any, line_of(any, rank, !send), op);
    return WEFT_OK;
}
