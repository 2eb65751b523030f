/* SPDX-License-Identifier: BSD-3-Clause */
/* What a responder refuses, and what of it is said again. */
#ifndef WEFT_ROCE_REFUSE_H
#define WEFT_ROCE_REFUSE_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/failure.h"

/* Refuses the packet `psn`, and fails. */
void weft_responder_refuse(struct weft_roce_qp *qp, uint8_t syndrome, uint32_t psn,
                           const struct weft_qp_error *why);
void weft_responder_refuse_request(struct weft_roce_qp *qp, const struct weft_packet *packet);
void weft_responder_refuse_access(struct weft_roce_qp *qp, uint32_t psn, uint32_t rkey);
/* A request was taken: refusals of what was dropped before it are out of date. False: one is still
 * to be sent. */
static inline bool weft_responder_in_order(struct weft_roce_qp *qp)
{
    struct weft_responder *responder = &qp->responder;
    if (responder->answer > WEFT_ANSWER_ACK) {
        /* What followed it was dropped: it now names the next packet, whatever its reason was. */
        responder->answer = WEFT_ANSWER_NAK_SEQUENCE;
        return false;
    }
    responder->nak_sent = responder->nak_waits;
    return true;
}

#endif
