/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operation did in one iteration, by its own rank's clock. */
#ifndef WEFT_SCHEDULE_OP_TRACE_H
#define WEFT_SCHEDULE_OP_TRACE_H

#include <stdint.h>

/* Why a send that could have started did not at once. */
#define WEFT_WAITED_RECEIVE 1u /* the peer had not yet given its buffer */
#define WEFT_WAITED_QUEUE 2u   /* earlier messages filled the queue */
#define WEFT_WAITED_ALL (WEFT_WAITED_RECEIVE | WEFT_WAITED_QUEUE)

/* Times since the iteration's start on the rank. A receive may be posted, and even complete, before
 * that: then they are negative. */
struct weft_op_trace {
    int64_t started_ns; /* posted; of sends and receives only */
    int64_t completed_ns;
    uint32_t waits; /* of sends */
};

#endif
