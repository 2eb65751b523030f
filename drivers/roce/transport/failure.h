/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue pair fails. */
#ifndef WEFT_ROCE_FAILURE_H
#define WEFT_ROCE_FAILURE_H

#include "drivers/roce/transport/state.h"

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
/* A send that was bad when it was posted has its turn. */
void weft_qp_fail_bad_work(struct weft_roce_qp *qp, const struct weft_send *work);

#endif
