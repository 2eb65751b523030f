/* SPDX-License-Identifier: BSD-3-Clause */
/* The pattern that a GOAL file is. */
#include "fabric/schedule/goal/goal.h"
#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

static struct weft_source source_of(const struct weft_pattern_options *options)
{
    return (struct weft_source){.name = options->text_name ? options->text_name : "goal",
                                .text = options->text,
                                .len_bytes = options->text_bytes};
}

static enum weft_status count_ranks(const struct weft_pattern_options *options,
                                    uint32_t *ret_rank_count, struct weft_error *error)
{
    struct weft_source source = source_of(options);
    if (!options->text)
        return weft_error_set(error, WEFT_INVALID,
                              "goal is made from a file: name one that ends in .goal as the "
                              "pattern");
    return weft_goal_peek(&source, ret_rank_count, error);
}

/* The rest of the file is read when it is compiled. */
static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint32_t rank_count = 0;
    enum weft_status status = count_ranks(options, &rank_count, error);
    if (status != WEFT_OK || rank_count == options->rank_count)
        return status;
    return weft_error_set(error, WEFT_INVALID, "%s is a schedule of %u ranks, not %u",
                          source_of(options).name, rank_count, options->rank_count);
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_goal *goal = NULL;
    struct weft_source source = source_of(options);
    enum weft_status status = weft_goal_parse(&source, rank, &goal, error);
    if (status != WEFT_OK)
        return status;
    status = weft_goal_build(goal, rank, builder, error);
    weft_goal_destroy(goal);
    return status;
}

const struct weft_pattern weft_pattern_goal = {
    .name = "goal",
    .summary = "a schedule from a file in GOAL, as LogGOPSim and ATLAHS have it",
    .text = "Any traffic there is a file of: what a simulator was given, what a tracer wrote, or\n"
            "what 'weft schedule' printed and somebody changed. It is run by the file's name:\n"
            "  weft run FILE.goal\n"
            "and in a plan as 'pattern: FILE.goal', which is looked for beside the plan.\n"
            "\n"
            "Schedule: the file's. Its ranks are the topology's first so many. Messages meet by\n"
            "tag; receives are posted ahead, into memory of their own, and every byte is\n"
            "compared. calc takes its time in ns, and those of one cpu run one after another;\n"
            "nic means nothing here. A receive from any rank or with any tag (-1) is given one of\n"
            "the messages that no other names, beforehand: a run does not change that.\n"
            "Completion: each rank's, from the start of the iteration until its last operation\n"
            "ended; an iteration's is that of the slowest rank.\n"
            "It has no algorithmic and no bus bandwidth.",
    .default_ranks = 2,
    .min_ranks = 1,
    .takes_text = true,
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .count_ranks = count_ranks,
    .build = build,
};
