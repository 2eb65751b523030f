/* SPDX-License-Identifier: BSD-3-Clause */
/* READs and atomics at the end that asks: one request, and responses that count like packets. */
#ifndef WEFT_ROCE_REQUESTER_READ_H
#define WEFT_ROCE_REQUESTER_READ_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* The request of a READ, from next_sequence on, or of an atomic. */
void weft_requester_build_read(struct weft_roce_qp *qp, const struct weft_send *work,
                               struct weft_roce_frame *frame);
/* A response to a READ or an atomic. */
void weft_requester_response(struct weft_roce_qp *qp, const struct weft_packet *packet,
                             uint64_t now_ns);

#endif
