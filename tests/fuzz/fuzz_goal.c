/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a schedule: refused with an error, or read; and what was read and is written is read
 * as the same again. */
#include "fabric/schedule/goal/goal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANKS 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

static void put(void *context, const char *text, size_t len_bytes)
{
    (void)fwrite(text, 1, len_bytes, context);
}

/* The text of some ranks; NULL where one is refused. */
static char *rewrite(const char *text, size_t len_bytes)
{
    const struct weft_source source = {"fuzz.goal", text, len_bytes};
    struct weft_goal *goal = NULL;
    struct weft_error error = {0};
    enum weft_status status = weft_goal_parse(&source, WEFT_GOAL_ALL, &goal, &error);
    assert((status == WEFT_OK) == (goal != NULL));
    assert((status == WEFT_OK) == (error.text[0] == '\0'));
    if (status != WEFT_OK)
        return NULL;
    char *written = NULL;
    size_t written_bytes = 0;
    FILE *file = open_memstream(&written, &written_bytes);
    const struct weft_goal_sink sink = {put, file};
    uint32_t count = weft_goal_rank_count(goal);
    for (uint32_t rank = 0; rank < count && rank < RANKS && status == WEFT_OK; rank++) {
        struct weft_schedule_builder *builder = weft_schedule_builder_create(rank, count);
        struct weft_schedule *schedule = NULL;
        status = weft_goal_build(goal, rank, builder, &error);
        if (status == WEFT_OK)
            status = weft_schedule_finish(builder, &schedule, &error);
        if (status == WEFT_OK && rank == 0)
            weft_goal_write_head(&sink, schedule);
        if (status == WEFT_OK)
            status = weft_goal_write_rank(&sink, schedule, &error);
        weft_schedule_destroy(schedule);
        weft_schedule_builder_destroy(builder);
    }
    (void)fclose(file);
    weft_goal_destroy(goal);
    if (status == WEFT_OK)
        return written;
    assert(error.text[0]);
    free(written);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
    char *first = rewrite((const char *)data, len_bytes);
    if (!first)
        return 0;
    char *second = rewrite(first, strlen(first));
    assert(second && strcmp(first, second) == 0);
    free(first);
    free(second);
    return 0;
}
