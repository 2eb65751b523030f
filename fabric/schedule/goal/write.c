/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/describe.h"
#include "fabric/schedule/goal/goal.h"

#define LINE_BYTES 256

WEFT_FORMAT(2, 3)
static void put(const struct weft_goal_sink *sink, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    sink->put(sink->context, line, strlen(line));
}

void weft_goal_write_head(const struct weft_goal_sink *sink, const struct weft_schedule *schedule)
{
    put(sink, "num_ranks %u\n", schedule->rank_count);
    put(sink, "//@ weft 1\n");
    put(sink, "//@ elements %s %s\n", weft_element_names[schedule->element],
        weft_reduction_names[schedule->reduction]);
}

/* Offsets of 0 and the first queue pair go without saying. */
static void put_place(const struct weft_goal_sink *sink, const struct weft_op *op)
{
    if (!op->offset_bytes && !op->queue_pair)
        return;
    put(sink, "//@ at %" PRIu64, op->offset_bytes);
    if (op->queue_pair)
        put(sink, " qp %u", op->queue_pair);
    put(sink, "\n");
}

static void put_op(const struct weft_goal_sink *sink, const struct weft_op *op, uint32_t index)
{
    put(sink, "l%u: ", index);
    switch (op->kind) {
    case WEFT_OP_SEND:
    case WEFT_OP_RECEIVE:
        put(sink, "%s %" PRIu64 "b %s %u tag %u\n", op->kind == WEFT_OP_SEND ? "send" : "recv",
            op->len_bytes, op->kind == WEFT_OP_SEND ? "to" : "from", op->peer, op->tag);
        put_place(sink, op);
        break;
    case WEFT_OP_REDUCE:
        put(sink, "calc 0\n//@ reduce %" PRIu64 "b at %" PRIu64 " from %" PRIu64 "\n",
            op->len_bytes, op->offset_bytes, op->source_offset_bytes);
        break;
    case WEFT_OP_CALC:
    case WEFT_OP_KIND_COUNT:
        put(sink, "calc %" PRIu64, op->duration_ns);
        if (op->cpu)
            put(sink, " cpu %u", op->cpu - 1);
        put(sink, "\n");
        break;
    }
}

static void put_expectation(const struct weft_goal_sink *sink,
                            const struct weft_expectation *expectation)
{
    static const char *const kinds[WEFT_EXPECT_COUNT] = {"copy", "reduced", "arrival"};
    put(sink, "//@ expect %s %" PRIu64 "b at %" PRIu64, kinds[expectation->kind],
        expectation->len_bytes, expectation->offset_bytes);
    if (expectation->kind == WEFT_EXPECT_COPY)
        put(sink, " rank %u", expectation->rank);
    if (expectation->kind != WEFT_EXPECT_ARRIVAL)
        put(sink, " from %" PRIu64, expectation->from_offset_bytes);
    if (expectation->kind == WEFT_EXPECT_REDUCED && expectation->rank_count)
        put(sink, " ranks %u count %u stride %u", expectation->rank, expectation->rank_count,
            expectation->rank_stride ? expectation->rank_stride : 1);
    put(sink, "\n");
}

/* What each operation requires, in rising order: the successors turned round. */
static void turn_round(const struct weft_schedule *schedule, uint32_t *first, uint32_t *earlier)
{
    for (uint32_t i = 0; i < schedule->op_count; i++)
        first[i + 1] = first[i] + schedule->ops[i].requires_count;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        for (uint32_t j = 0; j < op->successor_count; j++)
            earlier[first[schedule->successors[op->first_successor + j]]++] = i;
    }
    for (uint32_t i = schedule->op_count; i > 0; i--)
        first[i] = first[i - 1];
    first[0] = 0;
}

enum weft_status weft_goal_write_rank(const struct weft_goal_sink *sink,
                                      const struct weft_schedule *schedule,
                                      struct weft_error *error)
{
    uint32_t *first = calloc((size_t)schedule->op_count + 2, sizeof(*first));
    uint32_t *earlier = calloc((size_t)schedule->successor_count + 1, sizeof(*earlier));
    if (!first || !earlier) {
        free(first);
        free(earlier);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the text of rank %u",
                              schedule->rank);
    }
    turn_round(schedule, first, earlier);
    put(sink, "rank %u {\n//@ buffer %" PRIu64 "%s\n", schedule->rank, schedule->buffer_bytes,
        schedule->decides_completion ? " decides" : "");
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        put_op(sink, &schedule->ops[i], i);
        for (uint32_t j = first[i]; j < first[i + 1]; j++)
            if (earlier[j] < i)
                put(sink, "l%u requires l%u\n", i, earlier[j]);
    }
    /* A label stands before its use: what is required of later operations comes after all. */
    for (uint32_t i = 0; i < schedule->op_count; i++)
        for (uint32_t j = first[i]; j < first[i + 1]; j++)
            if (earlier[j] > i)
                put(sink, "l%u requires l%u\n", i, earlier[j]);
    for (uint32_t i = 0; i < schedule->expectation_count; i++)
        put_expectation(sink, &schedule->expectations[i]);
    put(sink, "}\n");
    free(first);
    free(earlier);
    return WEFT_OK;
}
