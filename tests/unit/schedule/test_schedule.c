/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/driver.h"
#include "fabric/schedule/schedule.h"

static struct weft_schedule_builder *begin(uint32_t rank, uint32_t rank_count)
{
    struct weft_schedule_builder *builder = weft_schedule_builder_create(rank, rank_count);
    cr_assert_not_null(builder);
    weft_schedule_set_buffer(builder, 100);
    return builder;
}

static uint32_t add(struct weft_schedule_builder *builder, enum weft_op_kind kind, uint32_t peer,
                    uint64_t offset_bytes, uint64_t len_bytes)
{
    struct weft_op op = {
        .kind = kind, .peer = peer, .offset_bytes = offset_bytes, .len_bytes = len_bytes};
    return weft_schedule_add(builder, &op);
}

static struct weft_schedule *end(struct weft_schedule_builder *builder)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_schedule_finish(builder, &schedule, &error), WEFT_OK, "%s", error.text);
    weft_schedule_builder_destroy(builder);
    return schedule;
}

static void refuse(struct weft_schedule_builder *builder, const char *first, const char *second)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_neq(weft_schedule_finish(builder, &schedule, &error), WEFT_OK);
    cr_assert_null(schedule);
    cr_assert_not_null(strstr(error.text, first), "'%s' is not in '%s'", first, error.text);
    cr_assert_not_null(strstr(error.text, second), "'%s' is not in '%s'", second, error.text);
    weft_schedule_builder_destroy(builder);
}

Test(builder, links_successors)
{
    struct weft_schedule_builder *builder = begin(0, 2);
    uint32_t receive = add(builder, WEFT_OP_RECEIVE, 1, 0, 10);
    uint32_t calc = add(builder, WEFT_OP_CALC, 0, 0, 0);
    uint32_t send = add(builder, WEFT_OP_SEND, 1, 0, 10);
    weft_schedule_require(builder, send, receive);
    weft_schedule_require(builder, send, calc);
    weft_schedule_require(builder, calc, receive);
    weft_schedule_require(builder, send, WEFT_OP_NONE);
    weft_schedule_require(builder, WEFT_OP_NONE, send);
    struct weft_schedule *schedule = end(builder);
    cr_assert_eq(schedule->op_count, 3);
    cr_assert_eq(schedule->successor_count, 3);
    cr_assert_eq(schedule->ops[send].requires_count, 2);
    cr_assert_eq(schedule->ops[receive].requires_count, 0);
    cr_assert_eq(schedule->ops[receive].successor_count, 2);
    const uint32_t *successors = schedule->successors + schedule->ops[receive].first_successor;
    cr_assert_eq(successors[0], send);
    cr_assert_eq(successors[1], calc);
    weft_schedule_destroy(schedule);
}

Test(builder, cycle)
{
    struct weft_schedule_builder *builder = begin(5, 8);
    uint32_t first = add(builder, WEFT_OP_CALC, 0, 0, 0);
    uint32_t second = add(builder, WEFT_OP_SEND, 2, 0, 4);
    uint32_t third = add(builder, WEFT_OP_CALC, 0, 0, 0);
    uint32_t fourth = add(builder, WEFT_OP_CALC, 0, 0, 0);
    weft_schedule_require(builder, second, first);
    weft_schedule_require(builder, third, second);
    weft_schedule_require(builder, second, third);
    weft_schedule_require(builder, fourth, third); /* behind the cycle, not on it */
    refuse(builder, "rank 5", "requires operation 1");
}

Test(builder, requires_itself)
{
    struct weft_schedule_builder *builder = begin(0, 2);
    uint32_t op = add(builder, WEFT_OP_CALC, 0, 0, 0);
    weft_schedule_require(builder, op, op);
    refuse(builder, "operation 0", "requires operation 0");
}

Test(builder, past_the_end)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    add(builder, WEFT_OP_SEND, 0, 0, 100);
    add(builder, WEFT_OP_RECEIVE, 0, 1, 100);
    refuse(builder, "rank 1: operation 1 (receive of 100 B from rank 0)", "offset 1 goes past");
}

Test(builder, offset_wraps)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    add(builder, WEFT_OP_SEND, 0, UINT64_MAX - 3, 8);
    refuse(builder, "operation 0", "goes past");
}

Test(builder, unknown_peer)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    add(builder, WEFT_OP_SEND, 2, 0, 8);
    refuse(builder, "rank 1: operation 0 (send of 8 B to rank 2)", "there are 2");
}

Test(builder, own_rank)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    add(builder, WEFT_OP_SEND, 1, 0, 8);
    refuse(builder, "operation 0", "own rank");
}

Test(builder, too_long)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    weft_schedule_set_buffer(builder, 2 * WEFT_MESSAGE_BYTES_MAX);
    add(builder, WEFT_OP_SEND, 0, 0, WEFT_MESSAGE_BYTES_MAX + 1);
    refuse(builder, "operation 0", "cut it into chunks");
}

Test(builder, unaligned_reduce)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    struct weft_op op = {.kind = WEFT_OP_REDUCE, .source_offset_bytes = 50, .len_bytes = 8};
    weft_schedule_add(builder, &op);
    refuse(builder, "operation 0 (reduce of 8 B)", "multiples of 4");
}

Test(builder, overlapping_reduce)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    struct weft_op op = {.kind = WEFT_OP_REDUCE, .source_offset_bytes = 4, .len_bytes = 8};
    weft_schedule_add(builder, &op);
    refuse(builder, "operation 0", "overlap");
}

Test(builder, unknown_requirement)
{
    struct weft_schedule_builder *builder = begin(1, 2);
    uint32_t op = add(builder, WEFT_OP_CALC, 0, 0, 0);
    weft_schedule_require(builder, op, 7);
    refuse(builder, "rank 1", "was not added");
}

Test(builder, bad_expectations)
{
    struct weft_expectation past = {.kind = WEFT_EXPECT_COPY, .offset_bytes = 96, .len_bytes = 8};
    struct weft_expectation nobody = {.kind = WEFT_EXPECT_COPY, .rank = 2, .len_bytes = 8};
    struct weft_expectation odd = {.kind = WEFT_EXPECT_REDUCED, .len_bytes = 7};
    struct weft_schedule_builder *builder = begin(1, 2);
    weft_schedule_expect(builder, &past);
    refuse(builder, "expectation 0", "goes past");
    builder = begin(1, 2);
    weft_schedule_expect(builder, &nobody);
    refuse(builder, "expectation 0", "rank 2");
    builder = begin(1, 2);
    weft_schedule_expect(builder, &odd);
    refuse(builder, "expectation 0", "whole float32");
}

Test(builder, finish_twice)
{
    struct weft_schedule_builder *builder = begin(0, 2);
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_schedule_finish(builder, &schedule, &error), WEFT_OK);
    weft_schedule_destroy(schedule);
    schedule = NULL;
    refuse(builder, "rank 0", "finished before");
}

/* ---- matching ---- */

/* Two ranks of one message each way; `change` spoils the second's. */
static enum weft_status match(uint64_t second_len_bytes, uint32_t second_tag, bool extra_send,
                              bool extra_receive, struct weft_error *error)
{
    struct weft_schedule_builder *first = begin(0, 2), *second = begin(1, 2);
    add(first, WEFT_OP_SEND, 1, 0, 8);
    add(first, WEFT_OP_RECEIVE, 1, 0, 8);
    add(second, WEFT_OP_RECEIVE, 0, 0, 8);
    struct weft_op back = {
        .kind = WEFT_OP_SEND, .peer = 0, .len_bytes = second_len_bytes, .tag = second_tag};
    weft_schedule_add(second, &back);
    if (extra_send)
        add(first, WEFT_OP_SEND, 1, 0, 8);
    if (extra_receive)
        add(second, WEFT_OP_RECEIVE, 0, 0, 8);
    struct weft_schedule *schedules[2] = {end(first), end(second)};
    enum weft_status status =
        weft_schedules_match((const struct weft_schedule *const *)schedules, 2, error);
    weft_schedule_destroy(schedules[0]);
    weft_schedule_destroy(schedules[1]);
    return status;
}

static void assert_text(const struct weft_error *error, const char *part)
{
    cr_assert_not_null(strstr(error->text, part), "'%s' is not in '%s'", part, error->text);
}

Test(match, agrees)
{
    struct weft_error error = {0};
    cr_assert_eq(match(8, 0, false, false, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(match(8, 0, true, true, &error), WEFT_OK, "%s", error.text);
}

Test(match, lengths)
{
    struct weft_error error = {0};
    cr_assert_eq(match(9, 0, false, false, &error), WEFT_INVALID);
    assert_text(&error, "rank 1: operation 1 (send of 9 B to rank 0)");
    assert_text(&error, "rank 0: operation 1 (receive of 8 B from rank 1)");
}

Test(match, tags)
{
    struct weft_error error = {0};
    cr_assert_eq(match(8, 3, false, false, &error), WEFT_INVALID);
    assert_text(&error, "with tag 3");
}

Test(match, send_alone)
{
    struct weft_error error = {0};
    cr_assert_eq(match(8, 0, true, false, &error), WEFT_INVALID);
    assert_text(&error, "rank 0: operation 2 (send of 8 B to rank 1) has no counterpart");
}

Test(match, receive_alone)
{
    struct weft_error error = {0};
    cr_assert_eq(match(8, 0, false, true, &error), WEFT_INVALID);
    assert_text(&error, "rank 1: operation 2 (receive of 8 B from rank 0) has no counterpart");
}

Test(match, receive_from_silent_rank)
{
    struct weft_schedule_builder *first = begin(0, 2), *second = begin(1, 2);
    add(first, WEFT_OP_RECEIVE, 1, 0, 8);
    struct weft_schedule *schedules[2] = {end(first), end(second)};
    struct weft_error error = {0};
    cr_assert_eq(weft_schedules_match((const struct weft_schedule *const *)schedules, 2, &error),
                 WEFT_INVALID);
    assert_text(&error, "rank 0: operation 0");
    weft_schedule_destroy(schedules[0]);
    weft_schedule_destroy(schedules[1]);
}

/* Two ranks: first what is received, then what is sent, or the other way round. */
static enum weft_status exchange(bool receive_first, bool other_receives_first,
                                 struct weft_error *error)
{
    struct weft_schedule *schedules[2];
    for (uint32_t rank = 0; rank < 2; rank++) {
        struct weft_schedule_builder *builder = begin(rank, 2);
        uint32_t received = add(builder, WEFT_OP_RECEIVE, 1 - rank, 0, 8);
        uint32_t sent = add(builder, WEFT_OP_SEND, 1 - rank, 8, 8);
        bool first = rank ? other_receives_first : receive_first;
        weft_schedule_require(builder, first ? sent : received, first ? received : sent);
        schedules[rank] = end(builder);
    }
    enum weft_status status =
        weft_schedules_match((const struct weft_schedule *const *)schedules, 2, error);
    weft_schedule_destroy(schedules[0]);
    weft_schedule_destroy(schedules[1]);
    return status;
}

Test(match, deadlock)
{
    struct weft_error error = {0};
    cr_assert_eq(exchange(true, false, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(exchange(true, true, &error), WEFT_INVALID);
    assert_text(&error, "which waits for rank 0: operation 1 (send of 8 B to rank 1)");
    assert_text(&error, "rank 1: operation 1 (send of 8 B to rank 0)");
    /* Both send first, but neither posts its receive before that is done. */
    cr_assert_eq(exchange(false, false, &error), WEFT_INVALID);
}

/* The second message cannot overtake the first on its queue pair, which waits for the answer to the
 * second; on another it can. */
static enum weft_status overtake(uint32_t queue_pair, struct weft_error *error)
{
    struct weft_schedule_builder *first = begin(0, 2), *second = begin(1, 2);
    struct weft_op late = {.kind = WEFT_OP_SEND, .peer = 1, .len_bytes = 4};
    struct weft_op early = {
        .kind = WEFT_OP_SEND, .peer = 1, .len_bytes = 8, .queue_pair = queue_pair};
    uint32_t sent = weft_schedule_add(first, &late);
    (void)weft_schedule_add(first, &early);
    weft_schedule_require(first, sent, add(first, WEFT_OP_RECEIVE, 1, 0, 16));
    late.kind = early.kind = WEFT_OP_RECEIVE;
    late.peer = early.peer = 0;
    (void)weft_schedule_add(second, &late);
    uint32_t received = weft_schedule_add(second, &early);
    weft_schedule_require(second, add(second, WEFT_OP_SEND, 0, 0, 16), received);
    struct weft_schedule *schedules[2] = {end(first), end(second)};
    enum weft_status status =
        weft_schedules_match((const struct weft_schedule *const *)schedules, 2, error);
    weft_schedule_destroy(schedules[0]);
    weft_schedule_destroy(schedules[1]);
    return status;
}

Test(match, overtaking)
{
    struct weft_error error = {0};
    cr_assert_eq(overtake(0, &error), WEFT_INVALID);
    assert_text(&error, "rank 0: operation 0 (send of 4 B to rank 1)");
    cr_assert_eq(overtake(1, &error), WEFT_OK, "%s", error.text);
}

Test(match, wrong_place)
{
    struct weft_schedule *schedules[2] = {end(begin(1, 2)), end(begin(0, 2))};
    struct weft_error error = {0};
    cr_assert_eq(weft_schedules_match((const struct weft_schedule *const *)schedules, 2, &error),
                 WEFT_INVALID);
    assert_text(&error, "rank 1 of 2");
    weft_schedule_destroy(schedules[0]);
    weft_schedule_destroy(schedules[1]);
}
