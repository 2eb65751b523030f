/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/driver.h"
#include "fabric/schedule/describe.h"
#include "fabric/schedule/verify.h"

static bool inside(const struct weft_schedule *schedule, uint64_t offset_bytes, uint64_t len_bytes)
{
    return offset_bytes <= schedule->buffer_bytes &&
           len_bytes <= schedule->buffer_bytes - offset_bytes;
}

static enum weft_status refuse(const struct weft_schedule *schedule, uint32_t index,
                               const char *what, struct weft_error *error)
{
    char text[WEFT_OP_TEXT];
    return weft_error_set(error, WEFT_INVALID, "rank %u: %s %s", schedule->rank,
                          weft_op_describe(&schedule->ops[index], index, text), what);
}

static enum weft_status check_range(const struct weft_schedule *schedule, uint32_t index,
                                    uint64_t offset_bytes, struct weft_error *error)
{
    const struct weft_op *op = &schedule->ops[index];
    if (inside(schedule, offset_bytes, op->len_bytes))
        return WEFT_OK;
    char what[128];
    (void)snprintf(what, sizeof(what),
                   "at offset %" PRIu64 " goes past the end of the buffer of %" PRIu64 " B",
                   offset_bytes, schedule->buffer_bytes);
    return refuse(schedule, index, what, error);
}

static enum weft_status check_message(const struct weft_schedule *schedule, uint32_t index,
                                      struct weft_error *error)
{
    const struct weft_op *op = &schedule->ops[index];
    char what[128];
    if (op->peer >= schedule->rank_count) {
        (void)snprintf(what, sizeof(what), "names a rank that does not exist; there are %u",
                       schedule->rank_count);
        return refuse(schedule, index, what, error);
    }
    if (op->peer == schedule->rank)
        return refuse(schedule, index, "names its own rank; a message needs two", error);
    if (op->queue_pair >= WEFT_QUEUE_PAIRS_MAX) {
        (void)snprintf(what, sizeof(what), "is on queue pair %u; two ranks have at most %u",
                       op->queue_pair, WEFT_QUEUE_PAIRS_MAX);
        return refuse(schedule, index, what, error);
    }
    if (op->len_bytes > WEFT_MESSAGE_BYTES_MAX) {
        (void)snprintf(what, sizeof(what),
                       "is longer than a message may be, %" PRIu64 " B; cut it into chunks",
                       WEFT_MESSAGE_BYTES_MAX);
        return refuse(schedule, index, what, error);
    }
    return check_range(schedule, index, op->offset_bytes, error);
}

static enum weft_status check_reduce(const struct weft_schedule *schedule, uint32_t index,
                                     struct weft_error *error)
{
    const struct weft_op *op = &schedule->ops[index];
    uint32_t element_bytes = weft_element_bytes(schedule->element);
    if ((op->offset_bytes | op->source_offset_bytes | op->len_bytes) % element_bytes) {
        char what[128];
        (void)snprintf(
            what, sizeof(what),
            "is not made of whole %s elements: offsets and length must be multiples of %u",
            weft_element_names[schedule->element], element_bytes);
        return refuse(schedule, index, what, error);
    }
    enum weft_status status = check_range(schedule, index, op->offset_bytes, error);
    if (status == WEFT_OK)
        status = check_range(schedule, index, op->source_offset_bytes, error);
    if (status != WEFT_OK)
        return status;
    uint64_t low = op->offset_bytes, high = op->source_offset_bytes;
    if (low > high) {
        low = op->source_offset_bytes;
        high = op->offset_bytes;
    }
    if (high - low < op->len_bytes)
        return refuse(schedule, index, "adds memory to itself: source and target overlap", error);
    return WEFT_OK;
}

static enum weft_status check_op(const struct weft_schedule *schedule, uint32_t index,
                                 struct weft_error *error)
{
    switch (schedule->ops[index].kind) {
    case WEFT_OP_SEND:
    case WEFT_OP_RECEIVE:
        return check_message(schedule, index, error);
    case WEFT_OP_REDUCE:
        return check_reduce(schedule, index, error);
    case WEFT_OP_CALC:
        if (schedule->ops[index].cpu > WEFT_CPUS_MAX)
            return refuse(schedule, index, "names a cpu beyond the last", error);
        return WEFT_OK;
    case WEFT_OP_KIND_COUNT:
    default:
        return refuse(schedule, index, "is of a kind that weft does not know", error);
    }
}

/* The ranks that an expectation is of must exist. */
static bool ranks_exist(const struct weft_schedule *schedule,
                        const struct weft_expectation *expectation)
{
    uint64_t stride = expectation->rank_stride ? expectation->rank_stride : 1;
    switch (expectation->kind) {
    case WEFT_EXPECT_COPY:
        return expectation->rank < schedule->rank_count;
    case WEFT_EXPECT_REDUCED:
        return !expectation->rank_count ||
               (expectation->rank_count <= schedule->rank_count &&
                expectation->rank + (expectation->rank_count - 1) * stride < schedule->rank_count);
    case WEFT_EXPECT_ARRIVAL:
    case WEFT_EXPECT_COUNT:
        break;
    }
    return true;
}

static enum weft_status check_expectation(const struct weft_schedule *schedule, uint32_t index,
                                          struct weft_error *error)
{
    const struct weft_expectation *expectation = &schedule->expectations[index];
    if (expectation->kind >= WEFT_EXPECT_COUNT)
        return weft_error_set(error, WEFT_INVALID, "rank %u: expectation %u is of an unknown kind",
                              schedule->rank, index);
    if (!inside(schedule, expectation->offset_bytes, expectation->len_bytes))
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: expectation %u (%" PRIu64 " B at offset %" PRIu64
                              ") goes past the end of the buffer of %" PRIu64 " B",
                              schedule->rank, index, expectation->len_bytes,
                              expectation->offset_bytes, schedule->buffer_bytes);
    if (!ranks_exist(schedule, expectation))
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: expectation %u is of rank %u%s, which does not exist; "
                              "there are %u",
                              schedule->rank, index, expectation->rank,
                              expectation->kind == WEFT_EXPECT_REDUCED ? " and others" : "",
                              schedule->rank_count);
    if ((expectation->offset_bytes | expectation->from_offset_bytes | expectation->len_bytes) %
        weft_element_bytes(schedule->element))
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: expectation %u does not begin or end at a whole %s element",
                              schedule->rank, index, weft_element_names[schedule->element]);
    return WEFT_OK;
}

/* The type, and whether its sums over so many ranks can be told right from wrong. */
static enum weft_status check_element(const struct weft_schedule *schedule,
                                      struct weft_error *error)
{
    if (schedule->element >= WEFT_ELEMENT_COUNT || schedule->reduction >= WEFT_REDUCTION_COUNT)
        return weft_error_set(error, WEFT_INVALID, "rank %u: unknown element type or operator",
                              schedule->rank);
    if (schedule->rank_count <= weft_verify_ranks_max(schedule->element, schedule->reduction))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "sums of %s over %u ranks are not exact and could not be verified; "
                          "choose at most %u ranks, or float32 or int32",
                          weft_element_names[schedule->element], schedule->rank_count,
                          weft_verify_ranks_max(schedule->element, schedule->reduction));
}

/* Takes away what requires nothing that is left, until nothing more goes. `missing` holds for each
 * operation how many of its requirements are left; what is not 0 at the end lies on a cycle or
 * behind one. */
static uint32_t take_away(const struct weft_schedule *schedule, uint32_t *missing, uint32_t *queue)
{
    uint32_t head = 0, tail = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        missing[i] = schedule->ops[i].requires_count;
        if (!missing[i])
            queue[tail++] = i;
    }
    while (head < tail) {
        const struct weft_op *op = &schedule->ops[queue[head++]];
        for (uint32_t i = 0; i < op->successor_count; i++) {
            uint32_t later = schedule->successors[op->first_successor + i];
            if (!--missing[later])
                queue[tail++] = later;
        }
    }
    return tail;
}

/* Every operation that is left requires one that is left, so walking back ends up on a cycle. */
static enum weft_status report_cycle(const struct weft_schedule *schedule, const uint32_t *missing,
                                     uint32_t *before, struct weft_error *error)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (!missing[i])
            continue;
        for (uint32_t j = 0; j < op->successor_count; j++)
            before[schedule->successors[op->first_successor + j]] = i;
        at = i;
    }
    for (uint32_t i = 0; i < schedule->op_count; i++)
        at = before[at];
    char chain[400], text[WEFT_OP_TEXT];
    size_t used = (size_t)snprintf(chain, sizeof(chain), "%s",
                                   weft_op_describe(&schedule->ops[at], at, text));
    uint32_t member = at;
    for (uint32_t shown = 0; shown < 8; shown++) {
        member = before[member];
        used +=
            (size_t)snprintf(chain + used, sizeof(chain) - used, " requires operation %u", member);
        if (member == at)
            break;
    }
    return weft_error_set(error, WEFT_INVALID,
                          "rank %u can never finish, its operations wait for each other: %s%s",
                          schedule->rank, chain, member == at ? "" : " and so on");
}

static enum weft_status check_order(const struct weft_schedule *schedule, struct weft_error *error)
{
    uint32_t *missing = calloc((size_t)schedule->op_count + 1, sizeof(*missing));
    uint32_t *other = calloc((size_t)schedule->op_count + 1, sizeof(*other));
    enum weft_status status = WEFT_OK;
    if (!missing || !other)
        status = weft_error_set(error, WEFT_NO_MEMORY,
                                "out of memory for a schedule of %u "
                                "operations",
                                schedule->op_count);
    else if (take_away(schedule, missing, other) < schedule->op_count)
        status = report_cycle(schedule, missing, other, error);
    free(other);
    free(missing);
    return status;
}

enum weft_status weft_schedule_check(const struct weft_schedule *schedule, struct weft_error *error)
{
    enum weft_status element = check_element(schedule, error);
    if (element != WEFT_OK)
        return element;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        enum weft_status status = check_op(schedule, i, error);
        if (status != WEFT_OK)
            return status;
    }
    for (uint32_t i = 0; i < schedule->expectation_count; i++) {
        enum weft_status status = check_expectation(schedule, i, error);
        if (status != WEFT_OK)
            return status;
    }
    return check_order(schedule, error);
}
