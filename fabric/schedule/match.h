/* SPDX-License-Identifier: BSD-3-Clause */
/* All ranks' messages; for match.c and deadlock.c only. */
#ifndef WEFT_SCHEDULE_MATCH_H
#define WEFT_SCHEDULE_MATCH_H

#include "fabric/schedule/schedule.h"

/* The messages of one rank in one direction: operations by peer and queue pair, then in their
 * order. */
struct weft_side {
    const struct weft_schedule *schedule;
    uint32_t *ops;
    uint32_t *partners; /* of a send: the operation of the peer that it meets */
    uint32_t count;
};

/* Once all messages are matched: can all ranks finish? `sends[r]` are rank r's. */
WEFT_CHECKED enum weft_status weft_schedules_check_progress(const struct weft_side *sends,
                                                            uint32_t count,
                                                            struct weft_error *error);

#endif
