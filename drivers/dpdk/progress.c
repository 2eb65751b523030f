/* SPDX-License-Identifier: BSD-3-Clause */
/* The data path: bursts of frames between the ethdev and the RoCE port. */
#include <assert.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/eal.h"

/* What another core has just written lies in its cache. The buffer's own fields and the frame's
 * first lines, which tell what is to be done, are fetched at once: where a frame starts is known,
 * since all buffers are alike. If this one differs, nothing is lost. */
static void prefetch_start(const struct weft_device *device, const struct rte_mbuf *mbuf)
{
    const char *start = (const char *)mbuf + sizeof(*mbuf) + device->frame_offset;
    rte_prefetch0(mbuf);
    rte_prefetch0(start);
    rte_prefetch0(start + RTE_CACHE_LINE_SIZE);
}

static void prefetch_rest(const struct rte_mbuf *mbuf)
{
    const char *frame = rte_pktmbuf_mtod(mbuf, const char *);
    for (uint32_t at = 2 * RTE_CACHE_LINE_SIZE; at < mbuf->data_len; at += RTE_CACHE_LINE_SIZE)
        rte_prefetch0(frame + at);
}

static void take_frame(struct weft_device *device, const struct rte_mbuf *mbuf, uint64_t now_ns)
{
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    if (mbuf->nb_segs > 1) {
        device->oversized++;
        return;
    }
    if (device->capture && !device->loopback)
        weft_capture_put(device->capture, frame, mbuf->data_len, now_ns);
    weft_roce_receive(device->roce.port, frame, mbuf->data_len, now_ns);
}

enum {
    PREFETCH_AHEAD = 4
};

static uint32_t receive(struct weft_device *device, uint64_t now_ns)
{
    struct rte_mbuf *mbufs[WEFT_DEVICE_BURST];
    uint32_t count =
        rte_eth_rx_burst(device->port_id, device->queue_id, mbufs, (uint16_t)device->burst);
    if (!count)
        return 0;
    for (uint32_t i = 0; i < PREFETCH_AHEAD && i < count; i++)
        prefetch_start(device, mbufs[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + PREFETCH_AHEAD < count)
            prefetch_start(device, mbufs[i + PREFETCH_AHEAD]);
        if (i + 1 < count)
            prefetch_rest(mbufs[i + 1]);
        take_frame(device, mbufs[i], now_ns);
    }
    rte_pktmbuf_free_bulk(mbufs, count);
    return count;
}

/* Sends what is waiting; true: all of it is with the ethdev. */
static bool flush(struct weft_device *device)
{
    if (device->unsent_count)
        device->unsent_count -=
            rte_eth_tx_burst(device->port_id, device->queue_id,
                             device->stash + device->empty_first - device->unsent_count,
                             (uint16_t)device->unsent_count);
    return device->unsent_count == 0;
}

/* A buffer from the pool is whole but for these: who freed it saw to the rest. Most have been here
 * before, and have what they need. Looking is cheap and storing is not: stores leave the processor
 * in order, behind those to memory that another core has just read, and it waits when too many do.
 *
 * Where a buffer's room is follows from its own address, as in all of the pool. */
static void prepare(struct weft_device *device, uint32_t at)
{
    struct rte_mbuf *mbuf = device->stash[at];
    if (mbuf->data_off != device->frame_offset)
        mbuf->data_off = device->frame_offset;
    if (mbuf->ol_flags)
        mbuf->ol_flags = 0;
    device->frames[at].data = (uint8_t *)mbuf + sizeof(*mbuf) + device->frame_offset;
}

static void refill(struct weft_device *device)
{
    uint32_t first = WEFT_DEVICE_BURST - device->burst;
    uint32_t missing = device->empty_first - first;
    assert(device->unsent_count == 0);
    if (missing == 0 ||
        rte_mempool_get_bulk(device->pool, (void **)(device->stash + first), missing) != 0)
        return;
    for (uint32_t at = first; at < device->empty_first; at++)
        prepare(device, at);
    device->empty_first = first;
}

/* Ranks that share a NIC talk to each other inside it, as queue pairs of an RDMA NIC do: no switch
 * sends a frame back to where it came from. */
static bool is_for_itself(const struct weft_device *device, const uint8_t *frame)
{
    return !device->loopback && memcmp(frame, device->roce.mac, sizeof(device->roce.mac)) == 0;
}

/* Those for the device itself it takes at once; their buffers are empty again, behind the others.
 */
static uint32_t take_own(struct weft_device *device, uint32_t count, uint64_t now_ns)
{
    struct rte_mbuf *own[WEFT_DEVICE_BURST];
    uint32_t own_count = 0;
    uint32_t to = device->empty_first;
    for (uint32_t at = device->empty_first; at < device->empty_first + count; at++) {
        const struct weft_roce_frame *frame = &device->frames[at];
        if (is_for_itself(device, frame->data)) {
            weft_roce_receive(device->roce.port, frame->data, frame->len_bytes, now_ns);
            own[own_count++] = device->stash[at];
        } else {
            device->stash[to++] = device->stash[at];
        }
    }
    for (uint32_t i = 0; i < own_count; i++) {
        device->stash[to + i] = own[i];
        prepare(device, to + i);
    }
    return count - own_count;
}

static void capture_filled(struct weft_device *device, uint32_t count, uint64_t now_ns)
{
    const struct weft_roce_frame *frames = device->frames + device->empty_first;
    for (uint32_t i = 0; i < count; i++)
        weft_capture_put(device->capture, frames[i].data, frames[i].len_bytes, now_ns);
}

static inline void set_len(struct rte_mbuf *mbuf, uint32_t len_bytes)
{
    if (mbuf->pkt_len == len_bytes && mbuf->data_len == len_bytes)
        return;
    mbuf->data_len = (uint16_t)len_bytes;
    mbuf->pkt_len = len_bytes;
}

/* The first `count` empty buffers have been filled. */
static void queue_filled(struct weft_device *device, uint32_t count, uint64_t now_ns)
{
    const struct weft_roce_frame *frames = device->frames + device->empty_first;
    struct rte_mbuf **mbufs = device->stash + device->empty_first;
    for (uint32_t i = 0; i < count; i++) {
        assert(frames[i].len_bytes <= frames[i].capacity_bytes);
        set_len(mbufs[i], frames[i].len_bytes);
    }
    if (device->capture)
        capture_filled(device, count, now_ns);
    if (weft_roce_reaches_itself(device->roce.port))
        count = take_own(device, count, now_ns);
    device->empty_first += count;
    device->unsent_count = count;
}

static uint32_t transmit(struct weft_device *device, uint64_t now_ns)
{
    if (!device->lent)
        refill(device);
    device->lent = false;
    struct weft_roce_frame *empty = device->frames + device->empty_first;
    uint32_t room = WEFT_DEVICE_BURST - device->empty_first;
    uint32_t count =
        device->fault ? weft_fault_transmit(device->fault, device->roce.port, empty, room, now_ns)
                      : weft_roce_transmit(device->roce.port, empty, room, now_ns);
    if (count) {
        queue_filled(device, count, now_ns);
        (void)flush(device);
    }
    return count;
}

/* Until the next transmit, which sends what they were filled with. Not where faults come between:
 * they have frames of their own. */
static void lend(struct weft_device *device)
{
    if (device->lent || device->fault || device->unsent_count)
        return;
    refill(device);
    weft_roce_lend(device->roce.port, device->frames + device->empty_first,
                   WEFT_DEVICE_BURST - device->empty_first);
    device->lent = true;
}

/* First out, then in: what was posted since the last turn leaves at once, and what arrives is with
 * its reader before it is acknowledged. So an acknowledgement goes in one burst with the answer
 * that the reader may have posted meanwhile. */
uint32_t weft_device_progress(struct weft_device *device, uint64_t now_ns)
{
    weft_eal_enter();
    bool room = true;
    if (device->capture) {
        weft_capture_tick(device->capture, now_ns);
        room = weft_capture_has_room(device->capture, 2 * WEFT_DEVICE_BURST);
    }
    uint32_t work = 0;
    if (room && flush(device))
        work += transmit(device, now_ns);
    if (device->loopback)
        work += weft_loopback_forward(device->loopback);
    /* The receive ring of a loopback device is emptied whatever else is stuck, or two devices that
     * wait for each other would never go on. Its frames are captured where they were sent. */
    if (room || device->loopback)
        work += receive(device, now_ns);
    lend(device);
    return work;
}

/* A frame is put so that the payload of most of its packets starts a cache line: a copy that
 * crosses a line with every store takes twice as long. */
static uint16_t frame_offset(const struct weft_device *device)
{
    uint32_t headers_bytes = (device->roce.vlan_id ? 18u : 14u) +
                             (device->roce.address.version == 6 ? 40u : 20u) + 8u + 12u;
    return (uint16_t)(RTE_PKTMBUF_HEADROOM + (0u - headers_bytes) % RTE_CACHE_LINE_SIZE);
}

void weft_device_init_buffers(struct weft_device *device)
{
    device->frame_offset = frame_offset(device);
    device->empty_first = WEFT_DEVICE_BURST;
    for (uint32_t at = 0; at < WEFT_DEVICE_BURST; at++)
        device->frames[at].capacity_bytes =
            rte_pktmbuf_data_room_size(device->pool) - (uint32_t)device->frame_offset;
    refill(device);
}

void weft_device_fini_buffers(struct weft_device *device)
{
    uint32_t first = device->empty_first - device->unsent_count;
    if (first < WEFT_DEVICE_BURST)
        rte_pktmbuf_free_bulk(device->stash + first, WEFT_DEVICE_BURST - first);
    device->empty_first = WEFT_DEVICE_BURST;
    device->unsent_count = 0;
}
