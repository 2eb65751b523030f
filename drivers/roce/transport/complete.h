/* SPDX-License-Identifier: BSD-3-Clause */
/* Works of a queue pair complete, in their order. */
#ifndef WEFT_ROCE_COMPLETE_H
#define WEFT_ROCE_COMPLETE_H

#include "drivers/roce/transport/state.h"

/* Completes the work at the tail of its queue. */
void weft_qp_complete_send(struct weft_roce_qp *qp, enum weft_status status, uint32_t vendor_error);
/* The caller may add to the completion, until it returns. */
struct weft_completion *weft_qp_complete_receive(struct weft_roce_qp *qp, enum weft_status status);

static inline bool weft_qp_receive_empty(const struct weft_roce_qp *qp)
{
    return qp->responder.posted == qp->responder.completed;
}

static inline struct weft_receive *weft_qp_oldest_receive(const struct weft_roce_qp *qp)
{
    return &qp->responder.receives[qp->responder.completed & qp->responder.mask];
}

#endif
