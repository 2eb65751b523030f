/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/refuse.h"

#include "drivers/roce/transport/ready.h"

void weft_responder_refuse(struct weft_roce_qp *qp, uint8_t syndrome, uint32_t psn,
                           const struct weft_qp_error *why)
{
    qp->responder.fatal_syndrome = syndrome;
    qp->responder.fatal_psn = psn;
    weft_qp_answer(qp, WEFT_ANSWER_NAK_FATAL);
    weft_qp_fail(qp, why);
}

void weft_responder_refuse_request(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    weft_responder_refuse(qp, WEFT_AETH_NAK_INVALID_REQUEST, packet->psn,
                          &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_REQUEST,
                                                  .detail = packet->bth[0],
                                                  .send_status = WEFT_FLUSHED,
                                                  .receive_status = WEFT_FLUSHED});
}

void weft_responder_refuse_access(struct weft_roce_qp *qp, uint32_t psn, uint32_t rkey)
{
    weft_responder_refuse(qp, WEFT_AETH_NAK_REMOTE_ACCESS, psn,
                          &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_ACCESS,
                                                  .detail = rkey,
                                                  .send_status = WEFT_FLUSHED,
                                                  .receive_status = WEFT_FLUSHED});
}
