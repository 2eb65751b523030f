/* SPDX-License-Identifier: BSD-3-Clause */
/* `requires` waits for the end of an operation; `irequires` for its start, which is when all that
 * it waits for has ended. So the second becomes several of the first. */
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/goal/parts.h"

/* Edges by the later operation, and an order in which each comes after what it has edges to. */
struct sorted {
    uint32_t *first; /* into edges; one more at the end */
    uint32_t *edges; /* indices into the goal's */
    uint32_t *order;
    uint32_t ordered; /* how many are in it; the rest are on a cycle or behind one */
};

static void sort_edges(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                       struct sorted *sorted)
{
    for (uint32_t i = 0; i < rank->edge_count; i++)
        sorted->first[goal->edges[rank->first_edge + i].later - rank->first_op + 1]++;
    for (uint32_t i = 0; i < rank->op_count; i++)
        sorted->first[i + 1] += sorted->first[i];
    uint32_t *at = sorted->order; /* free until the order is made */
    memcpy(at, sorted->first, rank->op_count * sizeof(*at));
    for (uint32_t i = 0; i < rank->edge_count; i++)
        sorted->edges[at[goal->edges[rank->first_edge + i].later - rank->first_op]++] =
            rank->first_edge + i;
}

/* Depth first, without recursion: `state` is 0 for what was not seen, and else 1 + how many of its
 * edges were followed; `stack` holds the way. What waits for itself is left out of the order. */
static bool make_order(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                       struct sorted *sorted)
{
    uint32_t *state = calloc((size_t)rank->op_count + 1, sizeof(*state));
    uint32_t *stack = calloc((size_t)rank->op_count + 1, sizeof(*stack));
    bool made = state && stack;
    for (uint32_t root = 0; made && root < rank->op_count; root++) {
        uint32_t depth = 0;
        if (!state[root]) {
            state[root] = 1;
            stack[depth++] = root;
        }
        while (depth) {
            uint32_t op = stack[depth - 1], edge = sorted->first[op] + state[op] - 1;
            if (edge == sorted->first[op + 1]) {
                sorted->order[sorted->ordered++] = op;
                depth--;
                continue;
            }
            state[op]++;
            uint32_t earlier = goal->edges[sorted->edges[edge]].earlier - rank->first_op;
            if (!state[earlier]) {
                state[earlier] = 1;
                stack[depth++] = earlier;
            }
        }
    }
    free(state);
    free(stack);
    return made;
}

static bool append(struct weft_goal_waits *waits, uint32_t earlier)
{
    if (waits->earlier_count == WEFT_GOAL_EDGES_MAX)
        return false;
    if (waits->earlier_count == waits->earlier_room) {
        uint32_t larger = waits->earlier_room ? 2 * waits->earlier_room : 64;
        uint32_t *moved = realloc(waits->earlier, larger * sizeof(*moved));
        if (!moved)
            return false;
        waits->earlier = moved;
        waits->earlier_room = larger;
    }
    waits->earlier[waits->earlier_count++] = earlier;
    return true;
}

static bool collect(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                    const struct sorted *sorted, uint32_t op, struct weft_goal_waits *waits)
{
    bool made = true;
    waits->first[op] = waits->earlier_count;
    for (uint32_t i = sorted->first[op]; made && i < sorted->first[op + 1]; i++) {
        const struct weft_goal_edge *edge = &goal->edges[sorted->edges[i]];
        uint32_t earlier = edge->earlier - rank->first_op;
        if (!edge->start)
            made = append(waits, earlier);
        for (uint32_t j = 0; made && edge->start && j < waits->count[earlier]; j++)
            made = append(waits, waits->earlier[waits->first[earlier] + j]);
    }
    waits->count[op] = waits->earlier_count - waits->first[op];
    return made;
}

static bool has_start(const struct weft_goal *goal, const struct weft_goal_rank *rank)
{
    for (uint32_t i = 0; i < rank->edge_count; i++)
        if (goal->edges[rank->first_edge + i].start)
            return true;
    return false;
}

/* Without `irequires` any order will do; with it, on a cycle there is none. */
static enum weft_status collect_all(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                                    struct sorted *sorted, struct weft_goal_waits *waits,
                                    struct weft_error *error)
{
    sort_edges(goal, rank, sorted);
    if (!make_order(goal, rank, sorted))
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    if (has_start(goal, rank)) {
        uint32_t *place = calloc((size_t)rank->op_count + 1, sizeof(*place));
        if (!place)
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
        uint32_t bad = WEFT_GOAL_NONE;
        for (uint32_t i = 0; i < rank->op_count; i++)
            place[sorted->order[i]] = i;
        for (uint32_t i = 0; i < rank->edge_count; i++) {
            const struct weft_goal_edge *edge = &goal->edges[rank->first_edge + i];
            if (place[edge->later - rank->first_op] <= place[edge->earlier - rank->first_op])
                bad = edge->later;
        }
        free(place);
        if (bad != WEFT_GOAL_NONE)
            return weft_goal_fail(goal, bad, error,
                                  "rank %u can never finish: this operation waits for itself, "
                                  "directly or through others",
                                  goal->ops[bad].rank);
    }
    for (uint32_t i = 0; i < rank->op_count; i++)
        if (!collect(goal, rank, sorted, sorted->order[i], waits))
            return weft_error_set(error, WEFT_INVALID,
                                  "%s: what its operations wait for, with each irequires written "
                                  "out, is more than %u; use a part of it",
                                  goal->source->name, WEFT_GOAL_EDGES_MAX);
    return WEFT_OK;
}

enum weft_status weft_goal_resolve(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                                   struct weft_goal_waits *ret_waits, struct weft_error *error)
{
    size_t ops = (size_t)rank->op_count + 2;
    struct sorted sorted = {
        .first = calloc(ops, sizeof(uint32_t)),
        .edges = calloc((size_t)rank->edge_count + 1, sizeof(uint32_t)),
        .order = calloc(ops, sizeof(uint32_t)),
    };
    struct weft_goal_waits waits = {.first = calloc(ops, sizeof(uint32_t)),
                                    .count = calloc(ops, sizeof(uint32_t))};
    enum weft_status status = WEFT_OK;
    if (!sorted.first || !sorted.edges || !sorted.order || !waits.first || !waits.count)
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
    else
        status = collect_all(goal, rank, &sorted, &waits, error);
    free(sorted.first);
    free(sorted.edges);
    free(sorted.order);
    if (status == WEFT_OK)
        *ret_waits = waits;
    else
        weft_goal_waits_fini(&waits);
    return status;
}

void weft_goal_waits_fini(struct weft_goal_waits *waits)
{
    free(waits->first);
    free(waits->count);
    free(waits->earlier);
    *waits = (struct weft_goal_waits){0};
}
