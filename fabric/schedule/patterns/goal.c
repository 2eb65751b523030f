/* SPDX-License-Identifier: BSD-3-Clause */
/* The pattern that a GOAL file is. */
#include "fabric/schedule/goal/goal.h"

#include <stdlib.h>

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

/* Errors name the file as it is called; the text is read when a rank is built of it. */
struct prepared {
    struct weft_source source;
    struct weft_goal *goal;
};

static void discard(const void *prepared)
{
    const struct prepared *all = prepared;
    weft_goal_destroy(all->goal);
    free((void *)(uintptr_t)prepared);
}

static enum weft_status prepare(const struct weft_pattern_options *options,
                                const void **ret_prepared, struct weft_error *error)
{
    struct prepared *prepared = calloc(1, sizeof(*prepared));
    if (!prepared)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    prepared->source = source_of(options);
    enum weft_status status =
        weft_goal_parse(&prepared->source, WEFT_GOAL_ALL, &prepared->goal, error);
    if (status == WEFT_OK)
        status = weft_goal_check_whole(prepared->goal, error);
    if (status == WEFT_OK)
        *ret_prepared = prepared;
    else
        discard(prepared);
    return status;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    const struct prepared *prepared = options->prepared;
    struct weft_goal *goal = NULL;
    struct weft_source source = source_of(options);
    if (prepared)
        return weft_goal_build(prepared->goal, rank, builder, error);
    enum weft_status status = weft_goal_parse(&source, rank, &goal, error);
    if (status != WEFT_OK)
        return status;
    status = weft_goal_build(goal, rank, builder, error);
    weft_goal_destroy(goal);
    return status;
}

const struct weft_pattern weft_pattern_goal = {
    .name = "goal",
    .summary = "a schedule from a file in GOAL, the format of LogGOPSim and ATLAHS",
    .text =
        "Any traffic that is made from a file: the input of a simulator, the output of a tracer, "
        "or\n"
        "what 'weft schedule' printed and you changed. To run it, name the file:\n"
        "  weft run FILE.goal\n"
        "In a plan write 'pattern: FILE.goal'; a relative path starts at the plan's directory.\n"
        "\n"
        "Schedule: the file's. A file with N ranks runs on the first N ranks of the topology.\n"
        "Messages are matched by tag. Receives are posted in advance, each into memory of its "
        "own,\n"
        "and every byte is compared. calc takes its time in ns; the calcs of one cpu run one "
        "after\n"
        "another. nic is ignored. A receive from any rank or with any tag (-1) gets one of the\n"
        "messages that no other receive names. That is decided before the run and does not "
        "change.\n"
        "Completion: the time from the start of the iteration until the last operation of a rank\n"
        "has ended; the slowest rank counts.\n"
        "It has no algorithmic and no bus bandwidth.",
    .default_ranks = 2,
    .min_ranks = 1,
    .takes_text = true,
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = weft_pattern_no_bytes,
    .check = check,
    .count_ranks = count_ranks,
    .prepare = prepare,
    .discard = discard,
    .build = build,
};
