/* SPDX-License-Identifier: BSD-3-Clause */
/* A GOAL file while it is read; for goal_read.c and goal_marks.c only. */
#ifndef WEFT_SCHEDULE_GOAL_READ_H
#define WEFT_SCHEDULE_GOAL_READ_H

#include "fabric/schedule/goal/labels.h"
#include "fabric/schedule/goal/parts.h"
#include "fabric/schedule/goal/scan.h"

struct weft_goal_reader {
    struct weft_goal_scan scan;
    struct weft_goal *goal;
    struct weft_goal_rank *rank; /* NULL: outside */
    uint32_t rank_index;
    struct weft_labels labels;
    bool mark_applies; /* the line before was an operation, which a mark may tell more of */
};

/* A line that begins with "//@", from after that on. */
WEFT_CHECKED enum weft_status weft_goal_read_mark(struct weft_goal_reader *reader);

/* ---- append.c ---- */

/* One more item of a list; NULL and an error where there is no room. */
void *weft_goal_append(struct weft_goal_reader *reader, void **items, size_t item_bytes,
                       uint32_t *count, uint32_t *room, uint32_t most);

#endif
