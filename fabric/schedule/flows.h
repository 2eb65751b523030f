/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom a schedule's rank exchanges messages with, and on which queue pairs: what an executor makes
 * a connection for, each. */
#ifndef WEFT_SCHEDULE_FLOWS_H
#define WEFT_SCHEDULE_FLOWS_H

#include "fabric/schedule/schedule.h"

struct weft_flow {
    uint32_t peer;
    uint32_t queue_pair;
};

/* Each pair of peer and queue pair that an operation names, once, in the order of the peers and
 * then of the queue pairs. The caller frees them. WEFT_NO_MEMORY is the only failure. */
WEFT_CHECKED enum weft_status weft_schedule_flows(const struct weft_schedule *schedule,
                                                  struct weft_flow **ret_flows,
                                                  uint32_t *ret_count);

/* Its place among them; `count` where it is not there. */
uint32_t weft_flow_find(const struct weft_flow *flows, uint32_t count, struct weft_flow flow);

#endif
