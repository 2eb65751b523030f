/* SPDX-License-Identifier: BSD-3-Clause */
/* RoCEv2 from user space over DPDK's rte_ethdev. Devices:
 *
 * "loopback": one port of a switch inside this process. Every open makes a port of its own. Needs
 * neither root nor hugepages. Loses nothing: a full receiver holds its senders back, as priority
 * flow control does.
 *
 * Anything else is an EAL device string: "net_af_packet0,iface=eth1", "net_af_xdp0,iface=eth1",
 * "net_memif0,role=client,socket=/run/x", "0000:01:00.0". It is opened once a process; ranks that
 * share a NIC share the weft_device. With af_packet the kernel sees the frames too: the interface
 * must not have the address that weft is given, and best has none, or the kernel answers our peers
 * with ICMP "port unreachable".
 *
 * A VLAN tag is put and read by the RoCE port, not by the NIC. Facing a VLAN interface of the
 * kernel over a veth, af_packet is what was tried: an XDP program may see such frames without the
 * tag. */
#ifndef WEFT_DPDK_DPDK_H
#define WEFT_DPDK_DPDK_H

#include "fabric/driver.h"

extern const struct weft_driver weft_driver_dpdk;

/* Says by hand which MAC an address of the device's own network has, before anything is connected
 * to it: for a peer that answers neither ARP nor neighbour discovery, such as a testpmd that only
 * receives. Any address of the network will do for it. */
WEFT_CHECKED enum weft_status weft_dpdk_neighbour_add(struct weft_device *device,
                                                      const struct weft_ip *address,
                                                      const uint8_t mac[6],
                                                      struct weft_error *error);

/* How often a loopback device had to hold frames back because a receiver was full. */
uint64_t weft_dpdk_pauses(const struct weft_device *device);

#endif
