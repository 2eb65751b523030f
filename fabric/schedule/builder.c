/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/check.h"
#include "fabric/schedule/schedule.h"

/* Indices are 32 bits wide, and a schedule of so many operations would not fit any machine. */
#define COUNT_MAX (UINT32_C(1) << 27)

struct edge {
    uint32_t later;
    uint32_t earlier;
};

struct weft_schedule_builder {
    uint32_t rank;
    uint32_t rank_count;
    uint64_t buffer_bytes;
    enum weft_element element;
    enum weft_reduction reduction;
    bool decides;
    struct weft_op *ops;
    struct edge *edges;
    struct weft_expectation *expectations;
    uint32_t op_count, op_room;
    uint32_t edge_count, edge_room;
    uint32_t expectation_count, expectation_room;
    enum weft_status status; /* the first failure */
    const char *failure;
};

struct weft_schedule_builder *weft_schedule_builder_create(uint32_t rank, uint32_t rank_count)
{
    struct weft_schedule_builder *builder = calloc(1, sizeof(*builder));
    if (!builder)
        return NULL;
    builder->rank = rank;
    builder->rank_count = rank_count;
    return builder;
}

void weft_schedule_builder_destroy(struct weft_schedule_builder *builder)
{
    if (!builder)
        return;
    free(builder->ops);
    free(builder->edges);
    free(builder->expectations);
    free(builder);
}

static void fail(struct weft_schedule_builder *builder, enum weft_status status, const char *text)
{
    if (builder->status != WEFT_OK)
        return;
    builder->status = status;
    builder->failure = text;
}

/* Makes room for one more; false where the builder failed, now or earlier. */
static bool grow(struct weft_schedule_builder *builder, void **items, size_t item_bytes,
                 uint32_t count, uint32_t *room)
{
    if (builder->status != WEFT_OK)
        return false;
    if (count < *room)
        return true;
    if (count >= COUNT_MAX) {
        fail(builder, WEFT_INVALID, "too many operations; choose larger chunks or fewer ranks");
        return false;
    }
    uint32_t larger = *room ? *room * 2 : 64;
    void *moved = realloc(*items, larger * item_bytes);
    if (!moved) {
        fail(builder, WEFT_NO_MEMORY, "out of memory");
        return false;
    }
    *items = moved;
    *room = larger;
    return true;
}

uint32_t weft_schedule_add(struct weft_schedule_builder *builder, const struct weft_op *op)
{
    void *items = builder->ops;
    if (!grow(builder, &items, sizeof(*builder->ops), builder->op_count, &builder->op_room))
        return WEFT_OP_NONE;
    builder->ops = items;
    struct weft_op *added = &builder->ops[builder->op_count];
    *added = *op;
    added->requires_count = 0;
    added->first_successor = 0;
    added->successor_count = 0;
    return builder->op_count++;
}

void weft_schedule_require(struct weft_schedule_builder *builder, uint32_t later, uint32_t earlier)
{
    if (later == WEFT_OP_NONE || earlier == WEFT_OP_NONE)
        return;
    if (later >= builder->op_count || earlier >= builder->op_count) {
        fail(builder, WEFT_INVALID, "a requirement names an operation that was not added");
        return;
    }
    void *items = builder->edges;
    if (!grow(builder, &items, sizeof(*builder->edges), builder->edge_count, &builder->edge_room))
        return;
    builder->edges = items;
    builder->edges[builder->edge_count++] = (struct edge){.later = later, .earlier = earlier};
}

void weft_schedule_expect(struct weft_schedule_builder *builder,
                          const struct weft_expectation *expectation)
{
    void *items = builder->expectations;
    if (!grow(builder, &items, sizeof(*builder->expectations), builder->expectation_count,
              &builder->expectation_room))
        return;
    builder->expectations = items;
    builder->expectations[builder->expectation_count++] = *expectation;
}

void weft_schedule_set_element(struct weft_schedule_builder *builder, enum weft_element element,
                               enum weft_reduction reduction)
{
    builder->element = element;
    builder->reduction = reduction;
}

void weft_schedule_set_buffer(struct weft_schedule_builder *builder, uint64_t len_bytes)
{
    builder->buffer_bytes = len_bytes;
}

void weft_schedule_set_decides(struct weft_schedule_builder *builder, bool decides)
{
    builder->decides = decides;
}

/* Sorts the edges by the earlier operation, in the order in which they were made. */
static void link_successors(struct weft_schedule *schedule, const struct edge *edges)
{
    for (uint32_t i = 0; i < schedule->successor_count; i++) {
        schedule->ops[edges[i].earlier].successor_count++;
        schedule->ops[edges[i].later].requires_count++;
    }
    uint32_t first = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        schedule->ops[i].first_successor = first;
        first += schedule->ops[i].successor_count;
        schedule->ops[i].successor_count = 0;
    }
    for (uint32_t i = 0; i < schedule->successor_count; i++) {
        struct weft_op *op = &schedule->ops[edges[i].earlier];
        schedule->successors[op->first_successor + op->successor_count++] = edges[i].later;
    }
}

static struct weft_schedule *take_over(struct weft_schedule_builder *builder)
{
    struct weft_schedule *schedule = calloc(1, sizeof(*schedule));
    uint32_t *successors = calloc((size_t)builder->edge_count + 1, sizeof(*successors));
    if (!schedule || !successors) {
        free(successors);
        free(schedule);
        return NULL;
    }
    schedule->rank = builder->rank;
    schedule->rank_count = builder->rank_count;
    schedule->op_count = builder->op_count;
    schedule->successor_count = builder->edge_count;
    schedule->expectation_count = builder->expectation_count;
    schedule->ops = builder->ops;
    schedule->successors = successors;
    schedule->expectations = builder->expectations;
    schedule->buffer_bytes = builder->buffer_bytes;
    schedule->element = builder->element;
    schedule->reduction = builder->reduction;
    schedule->decides_completion = builder->decides;
    builder->ops = NULL;
    builder->expectations = NULL;
    link_successors(schedule, builder->edges);
    return schedule;
}

enum weft_status weft_schedule_finish(struct weft_schedule_builder *builder,
                                      struct weft_schedule **ret_schedule, struct weft_error *error)
{
    if (builder->status != WEFT_OK)
        return weft_error_set(error, builder->status, "schedule of rank %u: %s", builder->rank,
                              builder->failure);
    if (builder->rank >= builder->rank_count)
        return weft_error_set(error, WEFT_INVALID, "there is no rank %u; there are %u",
                              builder->rank, builder->rank_count);
    struct weft_schedule *schedule = take_over(builder);
    fail(builder, WEFT_INVALID, "it was finished before");
    if (!schedule)
        return weft_error_set(error, WEFT_NO_MEMORY, "schedule of rank %u: out of memory",
                              builder->rank);
    enum weft_status status = weft_schedule_check(schedule, error);
    if (status != WEFT_OK) {
        weft_schedule_destroy(schedule);
        return status;
    }
    *ret_schedule = schedule;
    return WEFT_OK;
}

void weft_schedule_destroy(struct weft_schedule *schedule)
{
    if (!schedule)
        return;
    free(schedule->ops);
    free(schedule->successors);
    free(schedule->expectations);
    free(schedule);
}
