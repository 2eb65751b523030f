/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/complete.h"

#include "drivers/roce/transport/cq.h"

void weft_qp_complete_send(struct weft_roce_qp *qp, enum weft_status status, uint32_t vendor_error)
{
    struct weft_requester *requester = &qp->requester;
    const struct weft_send *work = &requester->sends[requester->completed++ & requester->mask];
    requester->unanswered -= work->wants_response;
    if (status == WEFT_OK && work->unsignaled) {
        requester->outstanding--;
        return;
    }
    *weft_cq_put(qp) = (struct weft_completion){.id = work->id,
                                                .user = qp->user,
                                                .status = status,
                                                .operation = (enum weft_operation)work->operation,
                                                .vendor_error = vendor_error};
}

struct weft_completion *weft_qp_complete_receive(struct weft_roce_qp *qp, enum weft_status status)
{
    struct weft_responder *responder = &qp->responder;
    uint32_t slot = responder->completed++ & responder->mask;
    struct weft_completion *completion = weft_cq_put(qp);
    *completion = (struct weft_completion){.id = responder->receives[slot].id,
                                           .user = qp->user,
                                           .status = status,
                                           .operation = WEFT_OPERATION_RECEIVE};
    return completion;
}
