/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of an RC queue pair: takes packets in order, puts their payload into memory,
 * responds to READs and atomics, and says what has arrived or is missing. */
#ifndef WEFT_ROCE_RESPONDER_H
#define WEFT_ROCE_RESPONDER_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

void weft_responder_receive(struct weft_roce_qp *qp, const struct weft_packet *packet);
/* Fills the frame with the answer that is due. */
void weft_responder_build(struct weft_roce_qp *qp, struct weft_roce_frame *frame);
/* Receives were posted: tells a peer that was told there were none. */
void weft_responder_tell_receives(struct weft_roce_qp *qp);

#endif
