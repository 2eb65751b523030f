/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "drivers/dpdk/eal.h"
#include "drivers/roce/roce.h"

enum {
    CACHE = 64
};

uint32_t weft_pool_cached(uint32_t worker_count)
{
    /* A cache holds half as much again before it is flushed. */
    return (worker_count + 1) * (CACHE + CACHE / 2);
}

uint32_t weft_pool_room_for(uint32_t mtu_bytes)
{
    /* Frames do not start at a line's start, where that serves their payload. */
    uint32_t frame_bytes = WEFT_ROCE_OVERHEAD_MAX + (mtu_bytes ? mtu_bytes : 4096u) + 63u;
    return (frame_bytes + 63u) & ~63u;
}

uint64_t weft_pool_memory_bytes(uint32_t mbufs, uint32_t room_bytes)
{
    struct rte_mempool_objsz size;
    uint32_t element = (uint32_t)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + room_bytes;
    uint32_t total = rte_mempool_calc_obj_size(element, 0, &size);
    /* Beside the objects: the ring that holds them, rounded up to a power of two, and caches. */
    return (uint64_t)mbufs * (total + 2 * sizeof(void *)) + (UINT64_C(2) << 20);
}

enum weft_status weft_pool_create(const struct weft_pool_options *options,
                                  struct rte_mempool **ret_pool, struct weft_error *error)
{
    weft_eal_log_clear();
    struct rte_mempool *pool = rte_pktmbuf_pool_create(
        options->name, options->mbufs, CACHE, 0,
        (uint16_t)(RTE_PKTMBUF_HEADROOM + options->room_bytes), options->socket);
    if (!pool)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "no memory for %u packet buffers of %u bytes: %s", options->mbufs,
                              options->room_bytes, rte_strerror(rte_errno));
    *ret_pool = pool;
    return WEFT_OK;
}
