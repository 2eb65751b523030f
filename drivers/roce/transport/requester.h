/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending half of an RC queue pair: cuts messages into packets, keeps a window, and goes back
 * to the first packet missing where one is lost. */
#ifndef WEFT_ROCE_REQUESTER_H
#define WEFT_ROCE_REQUESTER_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/credit.h"
#include "drivers/roce/transport/qp.h"

/* Numbers outstanding at most when a READ joins them: a window's packets may follow, and all must
 * lie within half of the circle. */
#define WEFT_READ_SPAN_MAX ((UINT64_C(1) << 23) - (UINT64_C(1) << 21))

/* Whether one more READ or atomic may be outstanding. */
static inline bool weft_requester_read_allowed(const struct weft_requester *requester,
                                               const struct weft_send *work)
{
    return requester->reads < requester->reads_max &&
           work->first + work->packets - requester->acked_sequence <= WEFT_READ_SPAN_MAX;
}

/* A request, whatever responses there are. */
static inline bool weft_requester_can_request(const struct weft_roce_qp *qp)
{
    const struct weft_requester *requester = &qp->requester;
    if (requester->cursor == requester->posted || qp->state != WEFT_ENDPOINT_READY)
        return false;
    if (qp->transport != WEFT_TRANSPORT_RC)
        return true;
    /* A work with a bad key fails in its turn: when all before it have completed. */
    const struct weft_send *work = &requester->sends[requester->cursor & requester->mask];
    if (work->bad_lkey)
        return requester->cursor == requester->completed;
    uint64_t window = requester->next_sequence - requester->acked_sequence - requester->read_span;
    if (requester->rnr_waiting || window >= qp->port->window_packets)
        return false;
    if (work->wants_receive)
        return weft_credit_suffices(requester, work);
    return !work->wants_response || weft_requester_read_allowed(requester, work);
}

/* A request or a response. */
static inline bool weft_requester_can_send(const struct weft_roce_qp *qp)
{
    return (qp->responding && weft_path_ready(&qp->path)) || weft_requester_can_request(qp);
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
/* A response to a READ or an atomic. */
void weft_requester_response(struct weft_roce_qp *qp, const struct weft_packet *packet,
                             uint64_t now_ns);
void weft_requester_expired(struct weft_roce_qp *qp);

/* ---- among the files of the requester ---- */

/* The request of a READ, from next_sequence on, or of an atomic. */
void weft_requester_build_read(struct weft_roce_qp *qp, const struct weft_send *work,
                               struct weft_roce_frame *frame);
/* A work that was bad when it was posted has its turn. */
void weft_requester_fail_bad_work(struct weft_roce_qp *qp, const struct weft_send *work);

/* All before `sequence` are done: completes their works. */
void weft_requester_advance(struct weft_roce_qp *qp, uint64_t sequence, uint64_t now_ns);
/* How far up to `sequence` an acknowledgement reaches: to the first number that wants a response.
 */
uint64_t weft_requester_reach(const struct weft_requester *requester, uint64_t sequence);
/* The next to be sent is the first that is not done. */
void weft_requester_go_back(struct weft_roce_qp *qp);
/* What came shows that responses before it are lost (IBTA vol. 1, 9.7.5.1.4). */
void weft_requester_implied_nak(struct weft_roce_qp *qp);

#endif
