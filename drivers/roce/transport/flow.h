/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast a queue pair may send: its pacer at the endpoint's limit or congestion control's rate,
 * whichever is less, and the congestion notifications that it sends and gets.
 *
 * A queue pair that could send but is not due yet is parked: it leaves the port's active list for
 * the heap of due times, so that the others don't wait for it and nobody looks at it in vain. */
#ifndef WEFT_ROCE_FLOW_H
#define WEFT_ROCE_FLOW_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* The port's part; the port is set up otherwise. */
WEFT_CHECKED enum weft_status weft_flows_init(struct weft_roce_port *port,
                                              const struct weft_roce_port_options *options,
                                              struct weft_error *error);
void weft_flows_fini(struct weft_roce_port *port);

void weft_flow_init(struct weft_roce_qp *qp);
/* Before the queue pair goes. */
void weft_flow_fini(struct weft_roce_qp *qp);

/* ---- pacing: only where qp->paced ---- */

static inline bool weft_flow_due(const struct weft_roce_qp *qp, uint64_t now_ns)
{
    return weft_pacer_due_ns(&qp->flow.pacer) <= now_ns;
}

/* A packet of data was built. */
void weft_flow_sent(struct weft_roce_qp *qp, uint32_t len_bytes, uint64_t now_ns);
/* Off the active list where it has nothing to send, or is not due: parked. False: it goes on. */
bool weft_flow_settle(struct weft_roce_qp *qp, bool can_send, uint64_t now_ns);
/* Takes the next that is due out of the park; NULL: there is none. It may be unable to send now. */
struct weft_roce_qp *weft_flows_wake(struct weft_roce_port *port, uint64_t now_ns);
/* When the next will be due; UINT64_MAX: none is parked. */
uint64_t weft_flows_next_ns(const struct weft_roce_port *port);

/* ---- congestion ---- */

/* A packet came with ECN's CE mark. */
void weft_flow_marked(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns);
/* A CNP came for this queue pair. */
void weft_flow_notified(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns);
/* Fills frames with the CNPs that are due; returns how many. */
uint32_t weft_flows_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                             uint32_t count);

#endif
