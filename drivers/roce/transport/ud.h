/* SPDX-License-Identifier: BSD-3-Clause */
/* Unreliable datagrams: one packet a message, to any peer. */
#ifndef WEFT_ROCE_UD_H
#define WEFT_ROCE_UD_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* Into the send queue, which has room for all. */
void weft_ud_post_send(struct weft_roce_qp *qp, const struct weft_work *works, uint32_t count);
uint32_t weft_ud_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count);
void weft_ud_receive(struct weft_roce_qp *qp, const struct weft_packet *packet);

#endif
