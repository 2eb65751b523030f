/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet's header, with the interface's VLAN tag (IEEE 802.1Q) where it has one. */
#ifndef WEFT_ROCE_ETHERNET_H
#define WEFT_ROCE_ETHERNET_H

#include "drivers/roce/packet/interface.h"
#include "drivers/roce/packet/wire.h"

/* Returns where the payload goes. */
static inline uint8_t *weft_ethernet_put(const struct weft_interface *interface, uint8_t *frame,
                                         const uint8_t destination[6], uint16_t ethertype)
{
    memcpy(frame, destination, 6);
    memcpy(frame + 6, interface->mac, 6);
    uint8_t *at = frame + 12;
    if (interface->vlan_id != WEFT_VLAN_NONE) {
        weft_wire_put16(at, WEFT_ETHERTYPE_VLAN);
        weft_wire_put16(at + 2, (uint16_t)(interface->vlan_priority << 13 | interface->vlan_id));
        at += WEFT_VLAN_TAG_BYTES;
    }
    weft_wire_put16(at, ethertype);
    return at + 2;
}

#endif
