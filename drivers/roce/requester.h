/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending half of an RC queue pair: cuts messages into packets, keeps a window, and goes back
 * to the first packet missing where one is lost. */
#ifndef WEFT_ROCE_REQUESTER_H
#define WEFT_ROCE_REQUESTER_H

#include "drivers/roce/parse.h"
#include "drivers/roce/qp.h"

static inline bool weft_requester_can_send(const struct weft_roce_qp *qp)
{
    const struct weft_requester *requester = &qp->requester;
    if (requester->cursor == requester->posted || qp->state != WEFT_ENDPOINT_READY)
        return false;
    if (qp->transport == WEFT_TRANSPORT_UD)
        return true;
    /* A work with a bad key fails in its turn: when all before it have completed. */
    if (requester->sends[requester->cursor & requester->mask].bad_lkey)
        return requester->cursor == requester->completed;
    return !requester->rnr_waiting &&
           requester->next_sequence - requester->acked_sequence < qp->port->window_packets;
}

/* Puts the queue pair on the port's list where it has become able to send. */
static inline void weft_requester_activate(struct weft_roce_qp *qp)
{
    if (weft_link_empty(&qp->active) && weft_requester_can_send(qp))
        weft_link_append(&qp->port->active, &qp->active);
}

/* Fills up to `count` frames; returns how many. */
uint32_t weft_requester_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns);
/* An ACK or NAK of this queue pair's packets. */
void weft_requester_acknowledge(struct weft_roce_qp *qp, const struct weft_packet *packet,
                                uint64_t now_ns);
void weft_requester_expired(struct weft_roce_qp *qp);

#endif
