/* SPDX-License-Identifier: BSD-3-Clause */
/* READs and atomics at the end that is asked: taken in order, at most so many as were promised, and
 * kept, so that what is lost of their responses can be sent again. */
#ifndef WEFT_ROCE_RESPONDER_READ_H
#define WEFT_ROCE_RESPONDER_READ_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* A READ or atomic that is expected, and one that came before. */
void weft_responder_request(struct weft_roce_qp *qp, const struct weft_packet *packet);
void weft_responder_repeat(struct weft_roce_qp *qp, const struct weft_packet *packet);
/* Fills up to `count` frames with responses; returns how many. */
uint32_t weft_responder_respond(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                uint32_t count);

#endif
