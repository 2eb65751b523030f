/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages as they arrive packet by packet, on RC and UC alike: SENDs into the oldest receive,
 * WRITEs into memory. What a failure means is the transport's. */
#ifndef WEFT_ROCE_MESSAGE_H
#define WEFT_ROCE_MESSAGE_H

#include "drivers/roce/parse.h"
#include "drivers/roce/qp.h"

enum weft_execution {
    WEFT_EXECUTED = 0,
    WEFT_EXECUTION_NO_RECEIVE,  /* none is posted */
    WEFT_EXECUTION_BAD_RECEIVE, /* its lkey */
    WEFT_EXECUTION_TOO_LONG,    /* for the receive */
    WEFT_EXECUTION_MISFIT,      /* the length is not what the first packet said */
    WEFT_EXECUTION_NO_ACCESS,   /* the rkey, or the range */
};

/* Whether the packet fits to what went before and has the length of its place in the message. */
bool weft_message_fits(const struct weft_roce_qp *qp, const struct weft_packet *packet);
/* Puts the payload where it belongs; nothing is changed unless it is EXECUTED. */
enum weft_execution weft_message_execute(struct weft_roce_qp *qp, const struct weft_packet *packet);
/* Counts the packet that was executed; where it is the last the message is complete. */
void weft_message_accept(struct weft_roce_qp *qp, const struct weft_packet *packet);

/* What is said of a packet that was not executed. */
uint32_t weft_message_rkey(const struct weft_roce_qp *qp, const struct weft_packet *packet);

#endif
