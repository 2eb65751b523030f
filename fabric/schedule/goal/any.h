/* SPDX-License-Identifier: BSD-3-Clause */
/* Receives from any rank or with any tag, of a GOAL file of others; for goal_order.c only.
 *
 * In a run who comes first takes such a receive; a schedule must say who meets whom before it. So
 * each is given a message that no other receive names, and the choice is made as if every operation
 * took no time: a message that can be sent meets the first receive there that has its rank and tag
 * and waits for nothing else. That is what a run could do. */
#ifndef WEFT_SCHEDULE_GOAL_ANY_H
#define WEFT_SCHEDULE_GOAL_ANY_H

#include "fabric/schedule/goal/parts.h"

/* Each looks through a list. */
#define WEFT_GOAL_ANY_MAX 16384u

struct weft_goal_line {
    uint32_t first, last;
};

struct weft_goal_any {
    struct weft_goal *goal;
    uint32_t *next;               /* of each operation: the one behind it in its line */
    struct weft_goal_line *lines; /* of each rank: messages to it, receives of it */
};

/* After all receives that name a rank and a tag have their partners. */
WEFT_CHECKED enum weft_status weft_goal_any_init(struct weft_goal_any *any, struct weft_goal *goal,
                                                 struct weft_error *error);
void weft_goal_any_fini(struct weft_goal_any *any);

/* A receive that has no message yet? */
bool weft_goal_any_waits(const struct weft_goal_any *any, uint32_t op);
/* A send or a receive without a partner: it gets the first in line that fits, and `ret_receive` is
 * the receive of both, or it stands in line. */
WEFT_CHECKED enum weft_status weft_goal_any_meet(struct weft_goal_any *any, uint32_t op,
                                                 uint32_t *ret_receive, struct weft_error *error);

#endif
