/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of multicast listeners (MLDv2, RFC 3810): a switch that snoops on them sends questions
 * for an IPv6 address only to ports that have reported its group. They are said again every minute
 * rather than when somebody asks: a snooping switch forgets after about four. */
#ifndef WEFT_ROCE_LISTENER_H
#define WEFT_ROCE_LISTENER_H

#include "drivers/roce/state.h"

static inline bool weft_listener_due(const struct weft_roce_port *port, uint64_t now_ns)
{
    return now_ns >= port->report_ns && port->address.version == 6;
}

/* The report that is due. */
void weft_listener_build(struct weft_roce_port *port, struct weft_roce_frame *frame,
                         uint64_t now_ns);

#endif
