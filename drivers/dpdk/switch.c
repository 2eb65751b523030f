/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/switch.h"

#include <string.h>

#include <rte_mempool.h>

static struct {
    struct weft_mac_table macs;
    struct weft_loopback_port ports[WEFT_SWITCH_PORTS_MAX];
    _Atomic uint32_t end; /* one past the highest port that was ever connected */
} fabric;

void weft_switch_reset(void)
{
    memset(&fabric, 0, sizeof(fabric));
}

struct weft_loopback_port *weft_switch_port(uint32_t index)
{
    assert(index < WEFT_SWITCH_PORTS_MAX);
    return &fabric.ports[index];
}

bool weft_switch_has(const uint8_t mac[6])
{
    return weft_mac_table_find(&fabric.macs, weft_mac_number(mac)) != WEFT_MAC_TABLE_NONE;
}

void weft_switch_connect(uint32_t index)
{
    struct weft_loopback_port *port = weft_switch_port(index);
    assert(!port->open);
    if (atomic_load(&fabric.end) <= index)
        atomic_store(&fabric.end, index + 1);
    atomic_store(&port->open, true);
    weft_mac_table_add(&fabric.macs, weft_mac_number(port->mac), index);
}

void weft_switch_disconnect(struct weft_loopback_port *port)
{
    assert(port->open);
    weft_mac_table_remove(&fabric.macs, weft_mac_number(port->mac));
    atomic_store(&port->open, false);
}

static void drain_ring(struct rte_ring *ring)
{
    void *mbuf;
    while (rte_ring_dequeue(ring, &mbuf) == 0)
        rte_pktmbuf_free(mbuf);
}

void weft_switch_drain(struct weft_loopback_port *port)
{
    drain_ring(port->rx);
    drain_ring(port->tx);
    rte_pktmbuf_free_bulk(port->held + port->held_first, port->held_count);
    port->held_first = 0;
    port->held_count = 0;
    port->flood_next = 0;
}

static const uint8_t *frame_of(const struct rte_mbuf *mbuf)
{
    return rte_pktmbuf_mtod(mbuf, const uint8_t *);
}

/* From the ethertype on: an ARP request's beginning, of which `sender` may not be the target, or
 * that would be an announcement, for all. */
static bool read_arp_request(const uint8_t *at, uint32_t len_bytes, struct weft_ip *ret_target)
{
    static const uint8_t request[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
    if (len_bytes < 30 || memcmp(at, request, sizeof(request)) != 0)
        return false;
    const uint8_t *sender = at + 16;
    const uint8_t *target = at + 26;
    *ret_target = (struct weft_ip){.version = 4};
    memcpy(ret_target->bytes, target, 4);
    return memcmp(sender, target, 4) != 0;
}

/* The same of a neighbour solicitation (RFC 4861): ICMPv6 of type 135 right behind IPv6. */
static bool read_solicitation(const uint8_t *at, uint32_t len_bytes, struct weft_ip *ret_target)
{
    static const uint8_t ipv6[] = {0x86, 0xdd, 0x60};
    const uint8_t *ip = at + 2;
    if (len_bytes < 66 || memcmp(at, ipv6, sizeof(ipv6)) != 0 || ip[6] != 58 || ip[40] != 135)
        return false;
    *ret_target = (struct weft_ip){.version = 6};
    memcpy(ret_target->bytes, ip + 48, 16);
    return true;
}

/* A question for one address need not disturb every rank: a switch that knows who has it asks only
 * them (as EVPN's ARP suppression does). With 256 ranks that ask for each other it is 65 thousand
 * frames rather than 16 million. False: not such a question. */
static bool asks_for(const uint8_t *frame, uint32_t len_bytes, uint64_t *ret_mac)
{
    static const uint8_t vlan[] = {0x81, 0x00};
    struct weft_ip target;
    uint32_t offset = len_bytes >= 18 && memcmp(frame + 12, vlan, sizeof(vlan)) == 0 ? 16 : 12;
    if (len_bytes < offset || (!read_arp_request(frame + offset, len_bytes - offset, &target) &&
                               !read_solicitation(frame + offset, len_bytes - offset, &target)))
        return false;
    uint8_t mac[6];
    weft_loopback_mac(&target, mac);
    *ret_mac = weft_mac_number(mac);
    return true;
}

/* A report of which group a port listens to (MLDv2) is for routers and switches that forward by it;
 * this one knows by itself. */
static bool is_report(const uint8_t *frame)
{
    static const uint8_t routers[6] = {0x33, 0x33, 0, 0, 0, 0x16};
    return memcmp(frame, routers, sizeof(routers)) == 0;
}

static struct weft_loopback_port *find_port(uint64_t mac)
{
    uint32_t index = weft_mac_table_find(&fabric.macs, mac);
    return index == WEFT_MAC_TABLE_NONE ? NULL : &fabric.ports[index];
}

static void give_up(struct weft_loopback_port *port, uint32_t count)
{
    port->held_first += count;
    port->held_count -= count;
}

/* Gives the first `count` held frames to one port; returns how many it took. */
static uint32_t deliver(struct weft_loopback_port *port, struct weft_loopback_port *to,
                        uint32_t count)
{
    void *const *frames = (void *const *)(port->held + port->held_first);
    uint32_t taken = rte_ring_mp_enqueue_burst(to->rx, frames, count, NULL);
    give_up(port, taken);
    return taken;
}

/* Copies the first held frame to every other port; false where one had no room: it goes on from
 * there the next time. */
static bool flood(struct weft_loopback_port *port)
{
    struct rte_mbuf *original = port->held[port->held_first];
    uint32_t end = atomic_load_explicit(&fabric.end, memory_order_acquire);
    for (; port->flood_next < end; port->flood_next++) {
        struct weft_loopback_port *to = &fabric.ports[port->flood_next];
        if (to == port || !atomic_load_explicit(&to->open, memory_order_acquire))
            continue;
        struct rte_mbuf *copy = rte_pktmbuf_alloc(original->pool);
        if (!copy)
            return false;
        char *data = rte_pktmbuf_append(copy, original->data_len);
        assert(data);
        memcpy(data, frame_of(original), original->data_len);
        if (rte_ring_mp_enqueue(to->rx, copy) != 0) {
            rte_pktmbuf_free(copy);
            return false;
        }
    }
    port->flood_next = 0;
    rte_pktmbuf_free(original);
    give_up(port, 1);
    return true;
}

/* How many held frames from the first on have its destination. */
static uint32_t run_length(const struct weft_loopback_port *port, uint64_t mac)
{
    uint32_t count = 1;
    while (count < port->held_count &&
           weft_mac_number(frame_of(port->held[port->held_first + count])) == mac)
        count++;
    return count;
}

/* Moves at least the first held frame, or returns false where there is no room for it. */
static bool forward_first(struct weft_loopback_port *port)
{
    struct rte_mbuf *first = port->held[port->held_first];
    const uint8_t *frame = frame_of(first);
    uint64_t mac = weft_mac_number(frame);
    uint32_t count = 1;
    if (is_report(frame)) {
        rte_pktmbuf_free(first);
        give_up(port, 1);
        return true;
    }
    if (frame[0] & 1) {
        if (!asks_for(frame, first->data_len, &mac))
            return flood(port);
    } else {
        count = run_length(port, mac);
    }
    struct weft_loopback_port *to = find_port(mac);
    if (to)
        return deliver(port, to, count) > 0;
    /* Nobody has this address: nobody would take it. */
    rte_pktmbuf_free_bulk(port->held + port->held_first, count);
    give_up(port, count);
    port->unroutable += count;
    return true;
}

uint32_t weft_loopback_forward(struct weft_loopback_port *port)
{
    uint32_t moved = 0;
    for (;;) {
        if (port->held_count == 0) {
            port->held_first = 0;
            port->held_count =
                rte_ring_sc_dequeue_burst(port->tx, (void **)port->held, WEFT_LOOPBACK_BURST, NULL);
            if (port->held_count == 0)
                return moved;
        }
        uint32_t before = port->held_count;
        if (!forward_first(port)) {
            port->pauses++;
            return moved;
        }
        moved += before - port->held_count;
    }
}
