/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port is on its network: the addresses and marks that its frames bear. Set once. */
#ifndef WEFT_ROCE_INTERFACE_H
#define WEFT_ROCE_INTERFACE_H

#include "fabric/driver.h"

struct weft_interface {
    uint8_t mac[6];
    uint16_t udp_port;
    struct weft_ip address;
    struct weft_ip gateway; /* version 0: none */
    uint16_t vlan_id;       /* WEFT_VLAN_NONE: frames have no tag */
    uint8_t vlan_priority;
    uint8_t traffic_class;
};

#endif
