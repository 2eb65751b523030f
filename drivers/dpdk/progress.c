/* SPDX-License-Identifier: BSD-3-Clause */
/* The data path: bursts of frames between the ethdev and the RoCE port. */
#include <assert.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/eal.h"

static void prefetch_frame(const struct rte_mbuf *mbuf)
{
    const char *frame = rte_pktmbuf_mtod(mbuf, const char *);
    for (uint32_t at = 0; at < mbuf->data_len; at += 64)
        rte_prefetch0(frame + at);
}

static uint32_t receive(struct weft_device *device, uint64_t now_ns)
{
    struct rte_mbuf *mbufs[WEFT_DEVICE_BURST];
    uint32_t count = rte_eth_rx_burst(device->port_id, device->queue_id, mbufs, WEFT_DEVICE_BURST);
    if (count)
        prefetch_frame(mbufs[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + 2 < count)
            rte_prefetch0(mbufs[i + 2]);
        if (i + 1 < count)
            prefetch_frame(mbufs[i + 1]);
        const uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);
        uint32_t len_bytes = mbufs[i]->data_len;
        if (mbufs[i]->nb_segs > 1) {
            device->oversized++;
            continue;
        }
        if (device->capture && !device->loopback)
            weft_capture_put(device->capture, frame, len_bytes, now_ns);
        weft_roce_receive(device->roce, frame, len_bytes, now_ns);
    }
    if (count)
        rte_pktmbuf_free_bulk(mbufs, count);
    return count;
}

/* Sends what is waiting; true: all of it is with the ethdev. */
static bool flush(struct weft_device *device)
{
    if (device->unsent_count) {
        uint16_t sent =
            rte_eth_tx_burst(device->port_id, device->queue_id,
                             device->unsent + device->unsent_first, (uint16_t)device->unsent_count);
        device->unsent_first += sent;
        device->unsent_count -= sent;
    }
    return device->unsent_count == 0;
}

static void refill(struct weft_device *device)
{
    uint32_t missing = device->stash_first;
    if (missing == 0 || rte_pktmbuf_alloc_bulk(device->pool, device->stash, missing) != 0)
        return;
    for (uint32_t i = 0; i < missing; i++)
        device->frames[i] = (struct weft_roce_frame){
            .data = rte_pktmbuf_mtod(device->stash[i], uint8_t *),
            .capacity_bytes = rte_pktmbuf_tailroom(device->stash[i]),
        };
    device->stash_first = 0;
}

static void stash_again(struct weft_device *device, struct rte_mbuf *mbuf)
{
    assert(device->stash_first > 0);
    uint32_t at = --device->stash_first;
    device->stash[at] = mbuf;
    device->frames[at] = (struct weft_roce_frame){
        .data = rte_pktmbuf_mtod(mbuf, uint8_t *),
        .capacity_bytes = rte_pktmbuf_tailroom(mbuf),
    };
}

/* Ranks that share a NIC talk to each other inside it, as queue pairs of an RDMA NIC do: no switch
 * sends a frame back to where it came from. */
static bool is_for_itself(const struct weft_device *device, const uint8_t *frame)
{
    return !device->loopback && memcmp(frame, device->mac, sizeof(device->mac)) == 0;
}

/* Moves filled frames from the stash to the queue of the unsent. */
static void queue_filled(struct weft_device *device, uint32_t count, uint64_t now_ns)
{
    struct rte_mbuf *own[WEFT_DEVICE_BURST];
    uint32_t own_count = 0;
    assert(device->unsent_count == 0 && device->stash_first + count <= WEFT_DEVICE_BURST);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = device->stash_first + i;
        const struct weft_roce_frame *frame = &device->frames[at];
        assert(frame->len_bytes <= frame->capacity_bytes);
        if (device->capture)
            weft_capture_put(device->capture, frame->data, frame->len_bytes, now_ns);
        if (is_for_itself(device, frame->data)) {
            weft_roce_receive(device->roce, frame->data, frame->len_bytes, now_ns);
            own[own_count++] = device->stash[at];
            continue;
        }
        device->stash[at]->data_len = (uint16_t)frame->len_bytes;
        device->stash[at]->pkt_len = frame->len_bytes;
        device->unsent[device->unsent_count++] = device->stash[at];
    }
    device->unsent_first = 0;
    device->stash_first += count;
    for (uint32_t i = 0; i < own_count; i++)
        stash_again(device, own[i]);
}

static uint32_t transmit(struct weft_device *device, uint64_t now_ns)
{
    refill(device);
    struct weft_roce_frame *empty = device->frames + device->stash_first;
    uint32_t room = WEFT_DEVICE_BURST - device->stash_first;
    uint32_t count = device->fault
                         ? weft_fault_transmit(device->fault, device->roce, empty, room, now_ns)
                         : weft_roce_transmit(device->roce, empty, room, now_ns);
    if (count) {
        queue_filled(device, count, now_ns);
        (void)flush(device);
    }
    return count;
}

uint32_t weft_device_progress(struct weft_device *device, uint64_t now_ns)
{
    weft_eal_enter();
    bool room = true;
    if (device->capture) {
        weft_capture_tick(device->capture, now_ns);
        room = weft_capture_has_room(device->capture, 2 * WEFT_DEVICE_BURST);
    }
    uint32_t work = 0;
    /* The receive ring of a loopback device is emptied whatever else is stuck, or two devices that
     * wait for each other would never go on. Its frames are captured where they were sent. */
    if (room || device->loopback)
        work += receive(device, now_ns);
    if (!room)
        return work;
    if (device->loopback)
        work += weft_loopback_forward(device->loopback);
    if (flush(device))
        work += transmit(device, now_ns);
    if (device->loopback)
        work += weft_loopback_forward(device->loopback);
    return work;
}

void weft_device_init_buffers(struct weft_device *device)
{
    device->stash_first = WEFT_DEVICE_BURST;
    refill(device);
}

void weft_device_fini_buffers(struct weft_device *device)
{
    if (device->stash_first < WEFT_DEVICE_BURST)
        rte_pktmbuf_free_bulk(device->stash + device->stash_first,
                              WEFT_DEVICE_BURST - device->stash_first);
    if (device->unsent_count)
        rte_pktmbuf_free_bulk(device->unsent + device->unsent_first, device->unsent_count);
    device->stash_first = WEFT_DEVICE_BURST;
    device->unsent_count = 0;
}
