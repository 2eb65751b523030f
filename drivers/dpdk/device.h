/* SPDX-License-Identifier: BSD-3-Clause */
/* A device: a RoCE port on an ethdev queue pair. */
#ifndef WEFT_DPDK_DEVICE_H
#define WEFT_DPDK_DEVICE_H

#include <rte_mbuf.h>

#include "drivers/dpdk/capture.h"
#include "drivers/dpdk/loopback.h"
#include "drivers/roce/device.h"
#include "drivers/roce/fault.h"

/* The most frames that go to or come from an ethdev in one call. Larger is faster where each call
 * costs (memif), and makes the other ranks of a worker wait longer. */
#define WEFT_DEVICE_BURST 64u
#define WEFT_DEVICE_BURST_SHORT 32u

struct weft_nic;

struct weft_device {
    struct weft_roce_device roce;
    uint16_t port_id;
    uint16_t queue_id;
    struct weft_loopback_port *loopback; /* NULL: a NIC */
    struct weft_nic *nic;                /* NULL: loopback */
    struct weft_capture *capture;        /* NULL: none */
    struct weft_fault *fault;            /* NULL: none */
    struct rte_mempool *pool;

    /* Buffers, of which the last `burst` are used. From empty_first on they are empty. The
     * `unsent_count` before them are filled and not taken by the ethdev yet: they go first the next
     * time. Those before, from the first used on, are missing. */
    struct rte_mbuf *stash[WEFT_DEVICE_BURST];
    struct weft_roce_frame frames[WEFT_DEVICE_BURST];
    uint32_t burst;
    uint32_t empty_first;
    uint32_t unsent_count;
    bool lent;             /* the empty ones, to the port: it may have filled some */
    uint16_t frame_offset; /* where frames start in a buffer */

    uint64_t oversized; /* received in several pieces: larger than anything of ours */
};

uint32_t weft_device_progress(struct weft_device *device, uint64_t now_ns);
/* Sets up and gives back the buffers that progress keeps. */
void weft_device_init_buffers(struct weft_device *device);
void weft_device_fini_buffers(struct weft_device *device);

#endif
