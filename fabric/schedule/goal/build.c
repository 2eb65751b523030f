/* SPDX-License-Identifier: BSD-3-Clause */
/* From what a GOAL file says to the schedule of one rank. */
#include <stdlib.h>

#include "fabric/schedule/goal/parts.h"

/* ---- weft's own: as it stands ---- */

static void build_own(const struct weft_goal *goal, const struct weft_goal_rank *rank,
                      const struct weft_goal_waits *waits, struct weft_schedule_builder *builder)
{
    for (uint32_t i = 0; i < rank->op_count; i++)
        (void)weft_schedule_add(builder, &goal->ops[rank->first_op + i].op);
    for (uint32_t i = 0; i < rank->op_count; i++)
        for (uint32_t j = 0; j < waits->count[i]; j++)
            weft_schedule_require(builder, i, waits->earlier[waits->first[i] + j]);
    for (uint32_t i = 0; i < rank->expectation_count; i++)
        weft_schedule_expect(builder, &goal->expectations[rank->first_expectation + i]);
    weft_schedule_set_element(builder, goal->element, goal->reduction);
    weft_schedule_set_buffer(builder, rank->buffer_bytes);
    weft_schedule_set_decides(builder, rank->decides);
}

/* ---- that of others ---- */

struct foreign {
    const struct weft_goal *goal;
    const struct weft_goal_rank *rank;
    const struct weft_goal_waits *waits;
    struct weft_schedule_builder *builder;
    uint32_t *ends; /* of each operation: what stands for its end */
};

struct sort_key {
    uint32_t place;
    uint32_t op; /* from the rank's first on */
};

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    return a->place < b->place ? -1 : a->place > b->place;
}

static const struct weft_goal_op *op_at(const struct foreign *foreign, uint32_t op)
{
    return &foreign->goal->ops[foreign->rank->first_op + op];
}

static void require_waits(const struct foreign *foreign, uint32_t op, uint32_t later)
{
    const struct weft_goal_waits *waits = foreign->waits;
    for (uint32_t i = 0; i < waits->count[op]; i++)
        weft_schedule_require(foreign->builder, later,
                              foreign->ends[waits->earlier[waits->first[op] + i]]);
}

/* In the order in which they are sent; each in memory of its own and posted ahead. */
static uint64_t add_receives(struct foreign *foreign, const struct sort_key *keys, uint32_t count,
                             uint64_t offset_bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_goal_op *op = op_at(foreign, keys[i].op);
        struct weft_op receive = op->op;
        receive.offset_bytes = offset_bytes;
        foreign->ends[keys[i].op] = weft_schedule_add(foreign->builder, &receive);
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                        .rank = op->op.peer,
                                        .offset_bytes = offset_bytes,
                                        .from_offset_bytes =
                                            foreign->goal->ops[op->partner].op.offset_bytes,
                                        .len_bytes = op->op.len_bytes};
        if (op->op.len_bytes)
            weft_schedule_expect(foreign->builder, &copy);
        offset_bytes += op->op.len_bytes;
    }
    return offset_bytes;
}

/* In an order in which each comes after what it waits for. A receive that waits for something ends
 * with it: what follows it waits for a calculation that takes no time, and that for both. */
static void add_others(struct foreign *foreign, const struct sort_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t op = keys[i].op;
        struct weft_op added = op_at(foreign, op)->op;
        if (added.kind == WEFT_OP_RECEIVE) {
            if (!foreign->waits->count[op])
                continue;
            added = (struct weft_op){.kind = WEFT_OP_CALC};
        }
        uint32_t later = weft_schedule_add(foreign->builder, &added);
        require_waits(foreign, op, later);
        weft_schedule_require(foreign->builder, later, foreign->ends[op]);
        foreign->ends[op] = later;
    }
}

static void build_foreign(struct foreign *foreign, struct sort_key *receives,
                          struct sort_key *others)
{
    uint32_t receive_count = 0, count = foreign->rank->op_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_goal_op *op = op_at(foreign, i);
        foreign->ends[i] = WEFT_OP_NONE;
        others[i] = (struct sort_key){.place = op->place, .op = i};
        if (op->op.kind == WEFT_OP_RECEIVE)
            receives[receive_count++] =
                (struct sort_key){.place = foreign->goal->ops[op->partner].place, .op = i};
    }
    qsort(receives, receive_count, sizeof(*receives), compare_keys);
    qsort(others, count, sizeof(*others), compare_keys);
    uint64_t end_bytes =
        add_receives(foreign, receives, receive_count, foreign->rank->buffer_bytes);
    add_others(foreign, others, count);
    weft_schedule_set_element(foreign->builder, WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM);
    weft_schedule_set_buffer(foreign->builder, end_bytes);
    weft_schedule_set_decides(foreign->builder, true);
}

static enum weft_status build_foreign_rank(const struct weft_goal *goal,
                                           const struct weft_goal_rank *rank,
                                           const struct weft_goal_waits *waits,
                                           struct weft_schedule_builder *builder,
                                           struct weft_error *error)
{
    size_t count = (size_t)rank->op_count + 1;
    struct sort_key *receives = calloc(count, sizeof(*receives));
    struct sort_key *others = calloc(count, sizeof(*others));
    struct foreign foreign = {.goal = goal,
                              .rank = rank,
                              .waits = waits,
                              .builder = builder,
                              .ends = calloc(count, sizeof(uint32_t))};
    bool made = receives && others && foreign.ends;
    if (made)
        build_foreign(&foreign, receives, others);
    free(receives);
    free(others);
    free(foreign.ends);
    return made ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a schedule");
}

enum weft_status weft_goal_build(const struct weft_goal *goal, uint32_t rank,
                                 struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_goal_waits waits;
    if (rank >= goal->rank_count)
        return weft_error_set(error, WEFT_INVALID, "%s has no rank %u; it has %u ranks",
                              goal->source->name, rank, goal->rank_count);
    enum weft_status status = weft_goal_resolve(goal, &goal->ranks[rank], &waits, error);
    if (status != WEFT_OK)
        return status;
    if (goal->own)
        build_own(goal, &goal->ranks[rank], &waits, builder);
    else
        status = build_foreign_rank(goal, &goal->ranks[rank], &waits, builder, error);
    weft_goal_waits_fini(&waits);
    return status;
}
