/* SPDX-License-Identifier: BSD-3-Clause */
/* An operation in the words of an error. */
#ifndef WEFT_SCHEDULE_DESCRIBE_H
#define WEFT_SCHEDULE_DESCRIBE_H

#include "fabric/schedule/schedule.h"

#define WEFT_OP_TEXT 128

/* "operation 5 (send of 4096 B to rank 3)". Returns `text`. */
char *weft_op_describe(const struct weft_op *op, uint32_t index, char text[WEFT_OP_TEXT]);

#endif
