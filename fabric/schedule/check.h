/* SPDX-License-Identifier: BSD-3-Clause */
/* What finish holds against a schedule; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_CHECK_H
#define WEFT_SCHEDULE_CHECK_H

#include "fabric/schedule/schedule.h"

/* Offsets, peers, lengths and the order of operations. */
WEFT_CHECKED enum weft_status weft_schedule_check(const struct weft_schedule *schedule,
                                                  struct weft_error *error);

#endif
