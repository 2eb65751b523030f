/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet buffers. */
#ifndef WEFT_DPDK_POOL_H
#define WEFT_DPDK_POOL_H

#include <stdint.h>

#include <rte_mempool.h>

#include "fabric/driver.h"

/* SOCKET_ID_ANY for the functions that take it unsigned. */
#define WEFT_SOCKET_ANY ((unsigned)SOCKET_ID_ANY)

struct weft_pool_options {
    const char *name; /* of its own in the process, at most 25 bytes */
    uint32_t mbufs;
    uint32_t room_bytes; /* for a frame */
    int socket;
};

WEFT_CHECKED enum weft_status weft_pool_create(const struct weft_pool_options *options,
                                               struct rte_mempool **ret_pool,
                                               struct weft_error *error);

/* How many may lie in the caches of the workers and the control thread. */
uint32_t weft_pool_cached(uint32_t worker_count);
/* For a path MTU; 0: the largest. */
uint32_t weft_pool_room_for(uint32_t mtu_bytes);
uint64_t weft_pool_memory_bytes(uint32_t mbufs, uint32_t room_bytes);

#endif
