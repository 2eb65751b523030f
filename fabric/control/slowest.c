/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/slowest.h"

/* The fastest of the places; an earlier one where two are equal. */
static uint32_t fastest(const struct weft_slowest *slowest)
{
    uint32_t place = 0;
    for (uint32_t i = 1; i < slowest->count; i++) {
        if (slowest->places[i].duration_ns < slowest->places[place].duration_ns)
            place = i;
    }
    return place;
}

void weft_slowest_insert(struct weft_slowest *slowest, uint64_t iteration, uint64_t duration_ns)
{
    uint32_t place = slowest->count < WEFT_NODE_TRACES_KEPT ? slowest->count++ : fastest(slowest);
    slowest->places[place] =
        (struct weft_slow_iteration){.iteration = iteration, .duration_ns = duration_ns};
    slowest->least_ns = slowest->places[fastest(slowest)].duration_ns;
}
