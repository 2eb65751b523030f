/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef WEFT_ROCE_ARP_H
#define WEFT_ROCE_ARP_H

#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/roce.h"

/* `arp` follows Ethernet's header; any bytes are safe. */
void weft_arp_receive(struct weft_neighbours *neighbours, const uint8_t *arp, uint32_t len_bytes,
                      uint64_t now_ns);
/* `mac` NULL: asks all. */
void weft_arp_build_request(const struct weft_interface *interface, const uint8_t target[4],
                            const uint8_t *mac, struct weft_roce_frame *frame);
void weft_arp_build_answer(const struct weft_interface *interface,
                           const struct weft_neighbour_answer *answer,
                           struct weft_roce_frame *frame);

#endif
