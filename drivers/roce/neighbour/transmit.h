/* SPDX-License-Identifier: BSD-3-Clause */
/* The frames that are due to neighbours. */
#ifndef WEFT_ROCE_NEIGHBOUR_TRANSMIT_H
#define WEFT_ROCE_NEIGHBOUR_TRANSMIT_H

#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/roce.h"

/* Fills frames with what is due: answers, then questions. Returns how many were filled. */
uint32_t weft_neighbours_transmit(struct weft_neighbours *neighbours,
                                  struct weft_roce_frame *frames, uint32_t count, uint64_t now_ns);

/* Whether answers or questions are due. */
static inline bool weft_neighbours_pending(const struct weft_neighbours *neighbours)
{
    return neighbours->answers_head != neighbours->answers_tail ||
           !weft_link_empty(&neighbours->asks);
}

#endif
