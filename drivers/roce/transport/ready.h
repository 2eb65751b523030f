/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a queue pair has something to send, and the lists of its port that it stands on then. */
#ifndef WEFT_ROCE_READY_H
#define WEFT_ROCE_READY_H

#include "drivers/roce/transport/credit.h"
#include "drivers/roce/transport/state.h"

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
static inline bool weft_qp_can_send(const struct weft_roce_qp *qp)
{
    return (qp->responding && weft_path_ready(&qp->path)) || weft_requester_can_request(qp);
}

/* Puts the queue pair on the port's list where it has become able to send. */
static inline void weft_qp_activate(struct weft_roce_qp *qp)
{
    if (weft_link_empty(&qp->active) && weft_qp_can_send(qp))
        weft_link_append(&qp->port->active, &qp->active);
}

/* Puts it on the port's list, where it is not yet, of those that have an answer to send: after the
 * responses that are due. */
static inline void weft_qp_answer(struct weft_roce_qp *qp, enum weft_answer answer)
{
    qp->responder.answer = (uint8_t)answer;
    if (!qp->responding && weft_link_empty(&qp->answer) && weft_path_ready(&qp->path))
        weft_link_append(&qp->port->answers, &qp->answer);
}

#endif
