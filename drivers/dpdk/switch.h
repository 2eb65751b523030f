/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch's table of ports, for loopback.c. */
#ifndef WEFT_DPDK_SWITCH_H
#define WEFT_DPDK_SWITCH_H

#include "drivers/dpdk/loopback.h"
#include "drivers/dpdk/mac_table.h"

#define WEFT_SWITCH_PORTS_MAX 512u

void weft_switch_reset(void);
struct weft_loopback_port *weft_switch_port(uint32_t index);
bool weft_switch_has(const uint8_t mac[6]);
/* From here on frames come to it, and until disconnect. Control thread. */
void weft_switch_connect(uint32_t index);
void weft_switch_disconnect(struct weft_loopback_port *port);
/* Frees what lies in its rings and in its hands. */
void weft_switch_drain(struct weft_loopback_port *port);

#endif
