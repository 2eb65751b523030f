/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices of EAL: a PCI NIC, or a virtual device such as af_packet. One receive and one transmit
 * queue. */
#ifndef WEFT_DPDK_NIC_H
#define WEFT_DPDK_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "drivers/dpdk/devargs.h"
#include "fabric/driver.h"

struct weft_nic {
    struct rte_mempool *pool;
    uint64_t line_rate_bps;
    uint32_t mtu_bytes; /* path MTU */
    int32_t numa_node;
    uint16_t port_id;
    uint8_t mac[6];
    bool used;
    bool probed;
    bool started;
    bool up;
    char driver[32];
    struct weft_devargs devargs;
};

/* For EAL's memory: what one needs at most. */
uint64_t weft_nic_memory_bytes(void);

WEFT_CHECKED enum weft_status weft_nic_open(const struct weft_device_options *options,
                                            struct weft_nic **ret_nic, struct weft_error *error);
/* NULL and half-opened ones are taken. */
void weft_nic_close(struct weft_nic *nic);

/* Frames that the NIC had no buffer or room for. Not for the data path. */
uint64_t weft_nic_dropped(const struct weft_nic *nic);

#endif
