/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef WEFT_ROCE_ARP_H
#define WEFT_ROCE_ARP_H

#include "drivers/roce/state.h"

/* `frame` holds at least an Ethernet header. */
void weft_arp_receive(struct weft_roce_port *port, const uint8_t *frame, uint32_t len_bytes);
void weft_arp_build_request(const struct weft_roce_port *port, const uint8_t target[4],
                            struct weft_roce_frame *frame);
void weft_arp_build_answer(const struct weft_roce_port *port,
                           const struct weft_neighbour_answer *answer,
                           struct weft_roce_frame *frame);

#endif
