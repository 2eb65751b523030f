/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch in this process: ring ports, joined by destination MAC.
 *
 * A port sends into its transmit ring by rte_eth_tx_burst; weft_loopback_forward, called by the
 * sender's own thread, moves frames from there into the receive rings of their destinations, where
 * rte_eth_rx_burst finds them. So a receive ring has many producers and one consumer, a transmit
 * ring one of each, and there is no thread of the switch's own.
 *
 * Nothing is lost: a frame whose destination is full stays with the sender, and those behind it
 * wait, as under priority flow control. That cannot lock up: a device's progress empties its
 * receive ring whatever the state of its transmit side, for weft_roce_receive takes a frame in at
 * once and keeps none. So every full ring whose owner is polled gets room, and every held frame
 * moves in the end. The owner of a ring who is polled no more holds up who still sends to it.
 *
 * DPDK builds have few ethdev ports (32 in Debian's), so up to 16 devices, each with a queue pair
 * of its own, share one. */
#ifndef WEFT_DPDK_LOOPBACK_H
#define WEFT_DPDK_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "fabric/driver.h"

#define WEFT_LOOPBACK_BURST 32u

struct weft_loopback_port {
    uint8_t mac[6];
    struct weft_ip address;
    uint16_t port_id;
    uint16_t queue_id;
    struct rte_ring *rx;
    struct rte_ring *tx;
    /* Taken from the transmit ring and not yet delivered; the first of them may have been copied
     * to the ports below flood_next already. */
    struct rte_mbuf *held[WEFT_LOOPBACK_BURST];
    uint32_t held_first;
    uint32_t held_count;
    uint32_t flood_next;
    uint64_t pauses;
    uint64_t unroutable; /* frames for a MAC that no port has */
    _Atomic bool open;
};

/* What start will need of EAL's memory for so many devices. */
uint64_t weft_loopback_memory_bytes(const struct weft_driver_start *start);

WEFT_CHECKED enum weft_status weft_loopback_start(const struct weft_driver_start *start,
                                                  struct weft_error *error);
void weft_loopback_stop(void);

/* Address of version 0: one of 198.18.0.0/15, set apart for tests (RFC 2544). */
WEFT_CHECKED enum weft_status weft_loopback_open(const struct weft_ip *address,
                                                 struct weft_loopback_port **ret_port,
                                                 struct weft_error *error);
void weft_loopback_close(struct weft_loopback_port *port);

/* The MAC that the port of this address has. */
void weft_loopback_mac(const struct weft_ip *address, uint8_t mac[6]);

struct rte_mempool *weft_loopback_pool(void);

/* Delivers what the port has sent, as far as there is room. Returns the frames moved. */
uint32_t weft_loopback_forward(struct weft_loopback_port *port);

#endif
