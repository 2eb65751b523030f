/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fabric/base/size.h"
#include "fabric/base/units.h"
#include "tools/weft/session/job.h"

static void add(const struct weft_test *test, const struct weft_schedule *schedule,
                struct weft_job_figures *figures)
{
    uint64_t sent_bytes = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (schedule->ops[i].kind != WEFT_OP_SEND)
            continue;
        figures->messages++;
        sent_bytes = weft_size_add(sent_bytes, schedule->ops[i].len_bytes);
    }
    figures->payload_bytes = weft_size_add(figures->payload_bytes, sent_bytes);
    if (sent_bytes > figures->sent_most_bytes)
        figures->sent_most_bytes = sent_bytes;
    uint64_t memory_bytes =
        weft_size_times(weft_node_lanes(weft_test_in_flight(test)), schedule->buffer_bytes);
    figures->memory_bytes = weft_size_add(figures->memory_bytes, memory_bytes);
    if (memory_bytes > figures->memory_most_bytes)
        figures->memory_most_bytes = memory_bytes;
}

/* Compiles until the ranks' operations are too many to be held at once, for the match. */
static enum weft_status compile_all(const struct weft_test *test, struct weft_schedule **schedules,
                                    uint64_t *ret_op_count, struct weft_error *error)
{
    uint64_t op_count = 0;
    enum weft_status status = WEFT_OK;
    for (uint32_t rank = 0; rank < test->options.rank_count && op_count <= WEFT_JOB_OPS_MATCHED;
         rank++) {
        status = weft_pattern_compile(test->pattern, &test->options, rank, &schedules[rank], error);
        if (status != WEFT_OK)
            return status;
        op_count += schedules[rank]->op_count;
    }
    *ret_op_count = op_count;
    return WEFT_OK;
}

static enum weft_status check_sample(const struct weft_test *test, struct weft_job_figures *figures,
                                     struct weft_error *error);

static enum weft_status check_all(const struct weft_test *test, struct weft_job_figures *figures,
                                  struct weft_error *error)
{
    uint32_t count = test->options.rank_count;
    struct weft_schedule **schedules = calloc(count, sizeof(struct weft_schedule *));
    uint64_t op_count = 0;
    if (!schedules)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    enum weft_status status = compile_all(test, schedules, &op_count, error);
    if (status == WEFT_OK && op_count <= WEFT_JOB_OPS_MATCHED)
        status = weft_schedules_match((const struct weft_schedule *const *)schedules, count, error);
    for (uint32_t rank = 0; rank < count; rank++) {
        if (status == WEFT_OK && op_count <= WEFT_JOB_OPS_MATCHED)
            add(test, schedules[rank], figures);
        weft_schedule_destroy(schedules[rank]);
    }
    free(schedules);
    return status == WEFT_OK && op_count > WEFT_JOB_OPS_MATCHED ? check_sample(test, figures, error)
                                                                : status;
}

static uint64_t scaled(uint64_t sum, uint32_t of, uint32_t count)
{
    double whole = (double)sum * of / count;
    return whole < 0x1p63 ? (uint64_t)whole : WEFT_SIZE_HUGE;
}

/* The ends, where patterns have their special ranks, and some between. */
static enum weft_status check_sample(const struct weft_test *test, struct weft_job_figures *figures,
                                     struct weft_error *error)
{
    uint32_t count = test->options.rank_count;
    for (uint32_t i = 0; i < WEFT_JOB_RANKS_SAMPLED; i++) {
        uint32_t rank = (uint32_t)((uint64_t)i * (count - 1) / (WEFT_JOB_RANKS_SAMPLED - 1));
        struct weft_schedule *schedule = NULL;
        enum weft_status status =
            weft_pattern_compile(test->pattern, &test->options, rank, &schedule, error);
        if (status != WEFT_OK)
            return status;
        add(test, schedule, figures);
        weft_schedule_destroy(schedule);
    }
    figures->sampled = true;
    figures->messages = scaled(figures->messages, count, WEFT_JOB_RANKS_SAMPLED);
    figures->payload_bytes = scaled(figures->payload_bytes, count, WEFT_JOB_RANKS_SAMPLED);
    figures->memory_bytes = scaled(figures->memory_bytes, count, WEFT_JOB_RANKS_SAMPLED);
    return WEFT_OK;
}

/* The arithmetic is part of a schedule, or there is nothing to leave out of the window. */
static enum weft_status check_sums(const struct weft_test *test, struct weft_error *error)
{
    struct weft_schedule *schedule = NULL;
    enum weft_test_option_id id = weft_test_option_needing(test, WEFT_NEEDS_SUMS);
    if (id == WEFT_TEST_OPTION_COUNT)
        return WEFT_OK;
    enum weft_status status =
        weft_pattern_compile(test->pattern, &test->options, 0, &schedule, error);
    if (status != WEFT_OK)
        return status;
    bool reduces = false;
    for (uint32_t i = 0; !reduces && i < schedule->op_count; i++)
        reduces = schedule->ops[i].kind == WEFT_OP_REDUCE;
    weft_schedule_destroy(schedule);
    if (reduces)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "%s: pattern %s computes no sums; leave %s out",
                          weft_test_option_table[id].key, test->pattern->name,
                          weft_test_option_table[id].key);
}

/* Ranks check it again; here nothing runs yet. */
static enum weft_status check_rate(const struct weft_test *test,
                                   const struct weft_job_figures *figures, struct weft_error *error)
{
    uint64_t gap = 0;
    char rate[WEFT_UNITS_TEXT], size[WEFT_UNITS_TEXT];
    if (!test->rate_bps)
        return WEFT_OK;
    if (!figures->sent_most_bytes)
        return weft_error_set(
            error, WEFT_INVALID,
            "a rate counts payload, and this schedule sends none; leave the rate out");
    uint64_t lowest_bps = test->search.to_bps ? test->search.from_bps : test->rate_bps;
    if (!weft_arrivals_gap(figures->sent_most_bytes, lowest_bps, &gap))
        return weft_error_set(error, WEFT_INVALID,
                              "at a rate of %s an iteration, in which a rank sends %s, is due only "
                              "every 4 s or less often; choose a higher rate or a smaller size",
                              weft_format_rate(lowest_bps, rate),
                              weft_format_size(figures->sent_most_bytes, size));
    return WEFT_OK;
}

enum weft_status weft_job_check(const struct weft_test *test, struct weft_job_figures *ret_figures,
                                struct weft_error *error)
{
    struct weft_job_figures figures = {0};
    enum weft_status status = weft_pattern_check(test->pattern, &test->options, error);
    if (status == WEFT_OK)
        status = check_sums(test, error);
    if (status == WEFT_OK)
        status = test->options.rank_count <= WEFT_JOB_RANKS_MATCHED
                     ? check_all(test, &figures, error)
                     : check_sample(test, &figures, error);
    if (status == WEFT_OK)
        status = check_rate(test, &figures, error);
    if (status != WEFT_OK) {
        weft_error_prefix(error, "test '%s': ", test->name);
        return status;
    }
    *ret_figures = figures;
    return WEFT_OK;
}
