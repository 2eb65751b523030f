/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending half of an RC queue pair: cuts messages into packets, keeps a window, and goes back
 * to the first packet missing where one is lost. */
#ifndef WEFT_ROCE_REQUESTER_H
#define WEFT_ROCE_REQUESTER_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/state.h"

/* Fills up to `count` frames; returns how many. */
uint32_t weft_requester_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns);
/* An ACK or NAK of this queue pair's packets. */
void weft_requester_acknowledge(struct weft_roce_qp *qp, const struct weft_packet *packet,
                                uint64_t now_ns);
/* Time passed without progress, or the peer's wait for a receive is over. */
void weft_requester_expired(struct weft_roce_qp *qp);

#endif
