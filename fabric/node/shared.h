/* SPDX-License-Identifier: BSD-3-Clause */
/* What the worker and the control thread both touch, at any time: atomics, and the failure, which
 * is written before `failed` says so and never again. */
#ifndef WEFT_NODE_SHARED_H
#define WEFT_NODE_SHARED_H

#include <stdatomic.h>

#include "fabric/base/error.h"

/* `granted` and `done` are the joints: while they are equal the node is idle. The store of
 * `granted` hands the tally (tally.h) to the worker, the store of `done` hands it back. */
struct weft_node_shared {
    _Atomic uint64_t base; /* iterations done before the phase */
    _Atomic uint64_t granted;
    _Atomic uint64_t done;
    atomic_bool more;                /* will be granted */
    _Atomic uint64_t durations_head; /* the worker's */
    _Atomic uint64_t durations_tail; /* the control thread's */
    atomic_bool failed;
    struct weft_error failure;
};

#endif
