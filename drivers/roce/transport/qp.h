/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs within the folder: their states, and what moves them from one list to another. */
#ifndef WEFT_ROCE_QP_H
#define WEFT_ROCE_QP_H

#include "drivers/roce/state.h"
#include "drivers/roce/transport/path.h"

struct weft_qp_error {
    enum weft_failure failure;
    uint32_t detail;
    enum weft_status send_status;    /* of the send to blame; WEFT_FLUSHED: none is */
    const struct weft_send *blamed;  /* NULL: the oldest */
    enum weft_status receive_status; /* of the oldest receive */
    uint32_t vendor_error;
};

/* To error: the oldest works complete with the statuses given, all others flushed, in order. An
 * answer that is due still goes out. */
void weft_qp_fail(struct weft_roce_qp *qp, const struct weft_qp_error *why);

/* The path has become ready, or its neighbour was lost. */
void weft_qp_neighbour_changed(struct weft_roce_qp *qp);

/* Completes the work at the tail of its queue. */
void weft_qp_complete_send(struct weft_roce_qp *qp, enum weft_status status, uint32_t vendor_error);
/* The caller may add to the completion, until it returns. */
struct weft_completion *weft_qp_complete_receive(struct weft_roce_qp *qp, enum weft_status status);

/* Puts it on the port's list, where it is not yet, of those that have an answer to send: after the
 * responses that are due. */
static inline void weft_qp_answer(struct weft_roce_qp *qp, enum weft_answer answer)
{
    qp->responder.answer = (uint8_t)answer;
    if (!qp->responding && weft_link_empty(&qp->answer) && weft_path_ready(&qp->path))
        weft_link_append(&qp->port->answers, &qp->answer);
}

static inline bool weft_qp_receive_empty(const struct weft_roce_qp *qp)
{
    return qp->responder.posted == qp->responder.completed;
}

static inline struct weft_receive *weft_qp_oldest_receive(const struct weft_roce_qp *qp)
{
    return &qp->responder.receives[qp->responder.completed & qp->responder.mask];
}

#endif
