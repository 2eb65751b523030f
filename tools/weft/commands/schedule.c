/* SPDX-License-Identifier: BSD-3-Clause */
/* A pattern's schedules as GOAL text, for simulators and for people who change them. */
#include <stdio.h>
#include <string.h>

#include "fabric/schedule/goal/goal.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/session/job.h"
#include "tools/weft/terminal/output.h"

struct schedule_options {
    struct weft_job_options job; /* first, as its table asks */
    struct weft_number rank;
    const char *test;
};

static void put(void *context, const char *text, size_t len_bytes)
{
    (void)fwrite(text, 1, len_bytes, context);
}

static enum weft_status print_rank(const struct weft_test *test, uint32_t rank, bool head,
                                   struct weft_error *error)
{
    const struct weft_goal_sink sink = {.put = put, .context = stdout};
    struct weft_schedule *schedule = NULL;
    enum weft_status status =
        weft_pattern_compile(test->pattern, &test->options, rank, &schedule, error);
    if (status != WEFT_OK)
        return status;
    if (head)
        weft_goal_write_head(&sink, schedule);
    status = weft_goal_write_rank(&sink, schedule, error);
    weft_schedule_destroy(schedule);
    return status;
}

static enum weft_status print_ranks(const struct weft_test *test,
                                    const struct schedule_options *options,
                                    struct weft_error *error)
{
    uint32_t count = test->options.rank_count;
    if (options->rank.given && options->rank.value >= count)
        return weft_error_set(error, WEFT_INVALID, "--rank: there are ranks 0 to %u", count - 1);
    uint32_t first = (uint32_t)options->rank.value;
    uint32_t end = options->rank.given ? first + 1 : count;
    enum weft_status status = WEFT_OK;
    for (uint32_t rank = first; status == WEFT_OK && rank < end; rank++)
        status = print_rank(test, rank, rank == first, error);
    return status;
}

static enum weft_status find_test(const struct weft_job *job, const char *name,
                                  const struct weft_test **ret_test, struct weft_error *error)
{
    *ret_test = &job->plan->tests[0];
    if (!name && job->plan->test_count > 1)
        return weft_error_set(error, WEFT_INVALID,
                              "the plan has %u tests: name one, such as --test %s",
                              job->plan->test_count, job->plan->tests[0].name);
    for (uint32_t i = 0; name && i < job->plan->test_count; i++) {
        *ret_test = &job->plan->tests[i];
        if (strcmp((*ret_test)->name, name) == 0)
            return WEFT_OK;
    }
    return name ? weft_error_set(error, WEFT_NOT_FOUND, "the plan has no test '%.80s'", name)
                : WEFT_OK;
}

static int run(int argc, char **argv)
{
    struct schedule_options options = {0};
    struct weft_arguments arguments;
    struct weft_job job;
    struct weft_error error = {0};
    const struct weft_test *test = NULL;
    int exit_status = 0;
    if (!weft_options_take(&weft_command_schedule, argc, argv, &options, &arguments, &exit_status))
        return exit_status;
    enum weft_status status = weft_job_init(&options.job, arguments.items[0], &job, &error);
    if (status == WEFT_OK) {
        status = find_test(&job, options.test, &test, &error);
        if (status == WEFT_OK)
            status = print_ranks(test, &options, &error);
        weft_job_fini(&job);
    }
    if (status == WEFT_OK)
        return weft_output_end(WEFT_EXIT_DONE);
    weft_output_error(&error);
    return WEFT_EXIT_BAD_INPUT;
}

static const struct weft_option own_table[] = {
    {"rank", "R", "print only this rank", WEFT_OPTION_COUNT,
     offsetof(struct schedule_options, rank), 0, UINT32_MAX},
    {"test", "NAME", "which test of the plan", WEFT_OPTION_TEXT,
     offsetof(struct schedule_options, test), 0, 0},
    {0},
};

static const struct weft_option *const tables[] = {own_table, weft_job_option_table, NULL};

const struct weft_command weft_command_schedule = {
    .name = "schedule",
    .usage = "PATTERN|FILE.goal|PLAN.yaml",
    .summary = "prints what each rank does as GOAL text, which 'weft run' reads",
    .least_arguments = 1,
    .most_arguments = 1,
    .tables = tables,
    .run = run,
};
