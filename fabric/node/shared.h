/* SPDX-License-Identifier: BSD-3-Clause */
/* What the worker and the control thread may both access at any time: atomics, and the failure,
 * which is written once, before `failed` is set. */
#ifndef WEFT_NODE_SHARED_H
#define WEFT_NODE_SHARED_H

#include <stdatomic.h>

#include "fabric/base/error.h"

/* `granted` and `done` pass ownership: while they are equal, the node is idle. Storing `granted`
 * gives the tally (tally.h) to the worker; storing `done` gives it back. */
struct weft_node_shared {
    _Atomic uint64_t base; /* iterations done before the phase */
    _Atomic uint64_t granted;
    _Atomic uint64_t done;
    atomic_bool more;                /* more will be granted */
    _Atomic uint64_t durations_head; /* written by the worker */
    _Atomic uint64_t durations_tail; /* written by the control thread */
    atomic_bool failed;
    struct weft_error failure;
};

#endif
