/* SPDX-License-Identifier: BSD-3-Clause */
/* The slowest iterations so far, each in a place of its own for as long as it is one of them. */
#ifndef WEFT_CONTROL_SLOWEST_H
#define WEFT_CONTROL_SLOWEST_H

#include "fabric/node/node.h"

struct weft_slow_iteration {
    uint64_t iteration;
    uint64_t duration_ns;
    bool told; /* the agents know that they must keep it here */
};

struct weft_slowest {
    uint32_t count;
    uint64_t least_ns; /* of all places, once they are taken */
    struct weft_slow_iteration places[WEFT_NODE_TRACES_KEPT];
};

void weft_slowest_insert(struct weft_slowest *slowest, uint64_t iteration, uint64_t duration_ns);

/* Of each iteration, in order: most are not slow. */
static inline void weft_slowest_offer(struct weft_slowest *slowest, uint64_t iteration,
                                      uint64_t duration_ns)
{
    if (slowest->count < WEFT_NODE_TRACES_KEPT || duration_ns > slowest->least_ns)
        weft_slowest_insert(slowest, iteration, duration_ns);
}

#endif
