/* SPDX-License-Identifier: BSD-3-Clause */
/* Unreliable connection: messages as on RC, and nothing is acknowledged or sent again. */
#ifndef WEFT_ROCE_UC_H
#define WEFT_ROCE_UC_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* A work is complete when its last packet was handed out. */
uint32_t weft_uc_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count);
void weft_uc_receive(struct weft_roce_qp *qp, const struct weft_packet *packet);

#endif
