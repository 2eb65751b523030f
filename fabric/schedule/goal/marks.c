/* SPDX-License-Identifier: BSD-3-Clause */
/* What weft writes into GOAL's comments. */
#include <string.h>

#include "fabric/schedule/goal/read.h"

#define OFFSET_MAX (UINT64_C(1) << 56)

/* "at 64": a word and a number. */
static enum weft_status read_field(struct weft_goal_scan *scan, const char *word, uint64_t most,
                                   uint64_t *ret_value)
{
    if (!weft_scan_take(scan, word))
        return weft_scan_fail(scan, "expected '%s' and a number", word);
    return weft_scan_number(scan, word, most, ret_value);
}

static enum weft_status read_name(struct weft_goal_scan *scan, const char *what,
                                  const char *const *names, uint32_t *ret_index)
{
    struct weft_goal_word word = weft_scan_word(scan);
    for (uint32_t i = 0; names[i]; i++) {
        if (!weft_word_is(&word, names[i]))
            continue;
        *ret_index = i;
        return WEFT_OK;
    }
    scan->at = word.text;
    return weft_scan_fail(scan, "there is no %s '%.*s'; there is %s, %s, ...", what,
                          (int)(word.len_bytes < 40 ? word.len_bytes : 40), word.text, names[0],
                          names[1]);
}

/* ---- before the first rank ---- */

static enum weft_status read_version(struct weft_goal_reader *reader)
{
    uint64_t version = 0;
    enum weft_status status = weft_scan_number(&reader->scan, "a version", UINT32_MAX, &version);
    if (status != WEFT_OK)
        return status;
    if (version != 1)
        return weft_scan_fail(&reader->scan, "this weft reads version 1 of its marks");
    reader->goal->own = true;
    return WEFT_OK;
}

static enum weft_status read_elements(struct weft_goal_reader *reader)
{
    uint32_t element = 0, reduction = 0;
    enum weft_status status =
        read_name(&reader->scan, "type of elements", weft_element_names, &element);
    if (status == WEFT_OK)
        status = read_name(&reader->scan, "operator", weft_reduction_names, &reduction);
    reader->goal->element = (enum weft_element)element;
    reader->goal->reduction = (enum weft_reduction)reduction;
    return status;
}

/* ---- in a rank ---- */

static enum weft_status read_buffer(struct weft_goal_reader *reader)
{
    enum weft_status status =
        weft_scan_number(&reader->scan, "a length", OFFSET_MAX, &reader->rank->buffer_bytes);
    reader->rank->decides = status == WEFT_OK && weft_scan_take(&reader->scan, "decides");
    return status;
}

static struct weft_op *last_op(struct weft_goal_reader *reader)
{
    return &reader->goal->ops[reader->goal->op_count - 1].op;
}

static enum weft_status read_place(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    struct weft_op *op = last_op(reader);
    uint64_t queue_pair = 0;
    if (op->kind != WEFT_OP_SEND && op->kind != WEFT_OP_RECEIVE)
        return weft_scan_fail(scan, "'at' belongs to a send or a receive");
    enum weft_status status = weft_scan_number(scan, "an offset", OFFSET_MAX, &op->offset_bytes);
    if (status == WEFT_OK && !weft_scan_at_end(scan))
        status = read_field(scan, "qp", WEFT_QUEUE_PAIRS_MAX - 1, &queue_pair);
    op->queue_pair = (uint32_t)queue_pair;
    return status;
}

static enum weft_status read_reduce(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    struct weft_op *op = last_op(reader);
    if (op->kind != WEFT_OP_CALC || op->duration_ns)
        return weft_scan_fail(scan, "'reduce' belongs to a 'calc 0'");
    op->kind = WEFT_OP_REDUCE;
    op->cpu = 0;
    enum weft_status status = weft_scan_bytes(scan, &op->len_bytes);
    if (status == WEFT_OK)
        status = read_field(scan, "at", OFFSET_MAX, &op->offset_bytes);
    return status == WEFT_OK ? read_field(scan, "from", OFFSET_MAX, &op->source_offset_bytes)
                             : status;
}

static enum weft_status read_ranks(struct weft_goal_scan *scan,
                                   struct weft_expectation *expectation)
{
    uint64_t first = 0, count = 0, stride = 0;
    enum weft_status status = read_field(scan, "ranks", UINT32_MAX, &first);
    if (status == WEFT_OK)
        status = read_field(scan, "count", UINT32_MAX, &count);
    if (status == WEFT_OK)
        status = read_field(scan, "stride", UINT32_MAX, &stride);
    expectation->rank = (uint32_t)first;
    expectation->rank_count = (uint32_t)count;
    expectation->rank_stride = (uint32_t)stride;
    return status;
}

static enum weft_status read_expectation(struct weft_goal_reader *reader)
{
    static const char *const kinds[WEFT_EXPECT_COUNT + 1] = {"copy", "reduced", "arrival", NULL};
    struct weft_goal_scan *scan = &reader->scan;
    struct weft_expectation expectation = {0};
    uint32_t kind = 0;
    uint64_t rank = 0;
    enum weft_status status = read_name(scan, "expectation", kinds, &kind);
    if (status == WEFT_OK)
        status = weft_scan_bytes(scan, &expectation.len_bytes);
    if (status == WEFT_OK)
        status = read_field(scan, "at", OFFSET_MAX, &expectation.offset_bytes);
    if (status == WEFT_OK && kind == WEFT_EXPECT_COPY)
        status = read_field(scan, "rank", UINT32_MAX, &rank);
    if (status == WEFT_OK && kind != WEFT_EXPECT_ARRIVAL)
        status = read_field(scan, "from", OFFSET_MAX, &expectation.from_offset_bytes);
    expectation.kind = (enum weft_expectation_kind)kind;
    expectation.rank = (uint32_t)rank;
    if (status == WEFT_OK && kind == WEFT_EXPECT_REDUCED && !weft_scan_at_end(scan))
        status = read_ranks(scan, &expectation);
    if (status != WEFT_OK)
        return status;
    struct weft_goal *goal = reader->goal;
    void *items = goal->expectations;
    struct weft_expectation *added =
        weft_goal_append(reader, &items, sizeof(*added), &goal->expectation_count,
                         &goal->expectation_room, WEFT_GOAL_OPS_MAX);
    if (!added)
        return scan->error ? scan->error->status : WEFT_NO_MEMORY;
    goal->expectations = items;
    *added = expectation;
    reader->rank->expectation_count++;
    return WEFT_OK;
}

static enum weft_status read_known(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    bool outside = !reader->rank, own = reader->goal->own, applies = reader->mark_applies;
    weft_scan_blanks(scan);
    if (outside && weft_scan_take(scan, "weft"))
        return read_version(reader);
    if (outside && own && weft_scan_take(scan, "elements"))
        return read_elements(reader);
    if (outside || !own)
        return weft_scan_fail(scan, "a weft mark needs '//@ weft 1' before the first rank; a "
                                    "comment starts with // and a blank");
    if (weft_scan_take(scan, "buffer"))
        return read_buffer(reader);
    if (weft_scan_take(scan, "expect"))
        return read_expectation(reader);
    if (applies && weft_scan_take(scan, "at"))
        return read_place(reader);
    if (applies && weft_scan_take(scan, "reduce"))
        return read_reduce(reader);
    return weft_scan_fail(
        scan, "the marks are buffer and expect and, right after an operation, at and reduce");
}

enum weft_status weft_goal_read_mark(struct weft_goal_reader *reader)
{
    reader->scan.in_mark = true;
    enum weft_status status = read_known(reader);
    if (status == WEFT_OK)
        status = weft_scan_end(&reader->scan);
    reader->scan.in_mark = false;
    reader->mark_applies = false;
    return status;
}
