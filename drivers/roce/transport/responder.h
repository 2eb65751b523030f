/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of an RC queue pair: takes packets in order, puts their payload into memory,
 * responds to READs and atomics, and says what has arrived or is missing. */
#ifndef WEFT_ROCE_RESPONDER_H
#define WEFT_ROCE_RESPONDER_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/qp.h"

void weft_responder_receive(struct weft_roce_qp *qp, const struct weft_packet *packet);
/* Fills the frame with the answer that is due. */
void weft_responder_build(struct weft_roce_qp *qp, struct weft_roce_frame *frame);
/* Receives were posted: tells a peer that was told there were none. */
void weft_responder_tell_receives(struct weft_roce_qp *qp);

/* Fills up to `count` frames with responses; returns how many. */
uint32_t weft_responder_respond(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                uint32_t count);
/* Those that are due are not sent any more. */
void weft_responses_drop(struct weft_roce_qp *qp);

/* ---- among the files of the responder ---- */

/* Refuses the packet `psn`, and fails. */
void weft_responder_refuse(struct weft_roce_qp *qp, uint8_t syndrome, uint32_t psn,
                           const struct weft_qp_error *why);
void weft_responder_refuse_request(struct weft_roce_qp *qp, const struct weft_packet *packet);
void weft_responder_refuse_access(struct weft_roce_qp *qp, uint32_t psn, uint32_t rkey);
/* A READ or atomic that is expected, and one that came before. */
void weft_responder_request(struct weft_roce_qp *qp, const struct weft_packet *packet);
void weft_responder_repeat(struct weft_roce_qp *qp, const struct weft_packet *packet);
/* A request was taken: refusals of what was dropped before it are out of date. False: one is still
 * to be sent. */
bool weft_responder_in_order(struct weft_roce_qp *qp);

#endif
