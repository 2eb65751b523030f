/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery for IPv6 (RFC 4861): solicitations and advertisements of neighbours. */
#ifndef WEFT_ROCE_DISCOVERY_H
#define WEFT_ROCE_DISCOVERY_H

#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/roce.h"

/* An IPv6 packet with ICMPv6 in it, whose header and length were found good, and the MAC of the
 * frame's sender. Any bytes are safe. */
void weft_discovery_receive(struct weft_neighbours *neighbours, const uint8_t *ip,
                            const uint8_t sender_mac[6], uint64_t now_ns);
/* `mac` NULL: asks all, by multicast. */
void weft_discovery_build_request(const struct weft_interface *interface, const uint8_t target[16],
                                  const uint8_t *mac, struct weft_roce_frame *frame);
void weft_discovery_build_answer(const struct weft_interface *interface,
                                 const struct weft_neighbour_answer *answer,
                                 struct weft_roce_frame *frame);

#endif
