/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of multicast listeners (MLDv2, RFC 3810): a switch that snoops on them sends questions
 * for an IPv6 address only to ports that have reported its group. They are said again every minute
 * rather than when somebody asks: a snooping switch forgets after about four. */
#ifndef WEFT_ROCE_LISTENER_H
#define WEFT_ROCE_LISTENER_H

#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/roce.h"

static inline bool weft_listener_due(const struct weft_neighbours *neighbours, uint64_t now_ns)
{
    return now_ns >= neighbours->report_ns;
}

/* The report that is due. */
void weft_listener_build(struct weft_neighbours *neighbours, struct weft_roce_frame *frame,
                         uint64_t now_ns);

#endif
