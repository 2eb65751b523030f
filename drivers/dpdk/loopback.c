/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch's ports: made in groups, given out and taken back. */
#include "drivers/dpdk/loopback.h"

#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/eal.h"
#include "drivers/dpdk/pool.h"
#include "drivers/dpdk/switch.h"

enum {
    GROUP = RTE_PMD_RING_MAX_RX_RINGS,
    TX_RING = 128
};
/* One ethdev is left for a device of another kind. */
#define GROUPS_MAX ((uint32_t)(RTE_MAX_ETHPORTS - 1))

_Static_assert(WEFT_SWITCH_PORTS_MAX >= GROUPS_MAX * GROUP, "every queue pair has a port");
_Static_assert(WEFT_SWITCH_PORTS_MAX * 2 <= WEFT_MAC_TABLE_SIZE, "searches stay short");

static struct {
    struct rte_mempool *pool;
    uint32_t device_count;
    uint32_t ring_size;
    uint32_t groups;
} loopback;

/* Several windows of packets fit. A deeper ring is no faster: what cycles through it falls out of
 * the caches. Where there are many, memory stays within bounds. */
static uint32_t ring_size_for(uint32_t device_count)
{
    if (device_count <= 64)
        return 512;
    return device_count <= 128 ? 256 : 128;
}

static uint32_t limited(uint32_t device_count)
{
    uint32_t limit = GROUPS_MAX * GROUP;
    return device_count < limit ? device_count : limit;
}

/* All rings full, and what devices have in their hands: held by the switch, not yet sent, and
 * empty ones. */
static uint32_t mbufs_for(uint32_t device_count, uint32_t worker_count)
{
    uint32_t each =
        ring_size_for(device_count) + TX_RING + WEFT_LOOPBACK_BURST + 2 * WEFT_DEVICE_BURST;
    return device_count * each + weft_pool_cached(worker_count);
}

uint64_t weft_loopback_memory_bytes(const struct weft_driver_start *start)
{
    uint32_t devices = limited(start->device_count);
    uint64_t rings = (uint64_t)devices * (ring_size_for(devices) + TX_RING) * sizeof(void *);
    return weft_pool_memory_bytes(mbufs_for(devices, start->worker_count),
                                  weft_pool_room_for(start->mtu_bytes)) +
           rings + devices * UINT64_C(4096);
}

enum weft_status weft_loopback_start(const struct weft_driver_start *start,
                                     struct weft_error *error)
{
    loopback.device_count = limited(start->device_count);
    loopback.ring_size = ring_size_for(loopback.device_count);
    loopback.groups = 0;
    weft_switch_reset();
    const struct weft_pool_options options = {
        .name = "weft-loopback",
        .mbufs = mbufs_for(loopback.device_count, start->worker_count),
        .room_bytes = weft_pool_room_for(start->mtu_bytes),
        .socket = SOCKET_ID_ANY,
    };
    return weft_pool_create(&options, &loopback.pool, error);
}

void weft_loopback_stop(void)
{
    rte_mempool_free(loopback.pool);
    loopback.pool = NULL;
    loopback.groups = 0;
}

struct rte_mempool *weft_loopback_pool(void)
{
    return loopback.pool;
}

static struct rte_ring *make_ring(const char *kind, uint32_t index, uint32_t size, unsigned flags)
{
    char name[RTE_RING_NAMESIZE];
    (void)snprintf(name, sizeof(name), "weft-%s-%u", kind, index);
    return rte_ring_create(name, size, SOCKET_ID_ANY, flags);
}

static bool start_ethdev(uint16_t port_id, uint16_t queues)
{
    struct rte_eth_conf conf = {0};
    if (rte_eth_dev_configure(port_id, queues, queues, &conf) != 0)
        return false;
    for (uint16_t queue = 0; queue < queues; queue++)
        if (rte_eth_rx_queue_setup(port_id, queue, (uint16_t)loopback.ring_size, WEFT_SOCKET_ANY,
                                   NULL, loopback.pool) != 0 ||
            rte_eth_tx_queue_setup(port_id, queue, TX_RING, WEFT_SOCKET_ANY, NULL) != 0)
            return false;
    return rte_eth_dev_start(port_id) == 0;
}

/* Makes the ports from `first` on: one ethdev with a queue pair each. */
static enum weft_status make_group(uint32_t first, struct weft_error *error)
{
    struct rte_ring *rx[GROUP];
    struct rte_ring *tx[GROUP];
    uint32_t wanted = loopback.device_count - first;
    uint16_t queues = (uint16_t)(wanted < GROUP ? wanted : GROUP);
    weft_eal_log_clear();
    for (uint32_t i = 0; i < queues; i++) {
        rx[i] = make_ring("rx", first + i, loopback.ring_size, RING_F_SC_DEQ);
        tx[i] = make_ring("tx", first + i, TX_RING, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (!rx[i] || !tx[i])
            return weft_error_set(error, WEFT_NO_MEMORY,
                                  "no memory for the rings of loopback device %u: %s", first + i,
                                  rte_strerror(rte_errno));
    }
    char name[16];
    (void)snprintf(name, sizeof(name), "weft%u", loopback.groups);
    int port_id = rte_eth_from_rings(name, rx, queues, tx, queues, 0);
    if (port_id < 0 || port_id >= RTE_MAX_ETHPORTS || !start_ethdev((uint16_t)port_id, queues)) {
        char log[600];
        return weft_error_set(error, WEFT_IO, "DPDK's ring port %s did not start: %s", name,
                              weft_eal_log_text(log, sizeof(log)));
    }
    for (uint16_t i = 0; i < queues; i++) {
        struct weft_loopback_port *port = weft_switch_port(first + i);
        *port = (struct weft_loopback_port){
            .port_id = (uint16_t)port_id, .queue_id = i, .rx = rx[i], .tx = tx[i]};
    }
    loopback.groups++;
    return WEFT_OK;
}

/* 02: locally administered. IPv4 is written out in the rest, so that a capture reads well. */
void weft_loopback_mac(const struct weft_ip *address, uint8_t mac[6])
{
    mac[0] = 0x02;
    if (address->version == 4) {
        mac[1] = 0;
        memcpy(mac + 2, address->bytes, 4);
        return;
    }
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < 16; i++)
        hash = (hash ^ address->bytes[i]) * UINT64_C(0x100000001b3);
    mac[1] = 6;
    for (uint32_t i = 0; i < 4; i++)
        mac[2 + i] = (uint8_t)(hash >> (8 * i + 20));
}

static void choose_address(uint32_t index, struct weft_ip *ret_address)
{
    uint32_t host = index + 1;
    *ret_address = (struct weft_ip){
        .version = 4,
        .prefix_bits = 15,
        .bytes = {198, 18, (uint8_t)(host >> 8), (uint8_t)host},
    };
}

static enum weft_status find_free(uint32_t *ret_index, struct weft_error *error)
{
    for (uint32_t i = 0; i < loopback.groups * GROUP && i < loopback.device_count; i++) {
        if (!weft_switch_port(i)->open) {
            *ret_index = i;
            return WEFT_OK;
        }
    }
    uint32_t next = loopback.groups * GROUP;
    if (next < loopback.device_count) {
        *ret_index = next;
        return make_group(next, error);
    }
    if (loopback.device_count == limited(UINT32_MAX))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "DPDK has %d ports in this build (RTE_MAX_ETHPORTS), which is room "
                              "for %u loopback devices in one process: spread the ranks over more "
                              "agents",
                              RTE_MAX_ETHPORTS, limited(UINT32_MAX));
    return weft_error_set(error, WEFT_INVALID,
                          "all %u loopback devices that DPDK was started for are open",
                          loopback.device_count);
}

enum weft_status weft_loopback_open(const struct weft_ip *address,
                                    struct weft_loopback_port **ret_port, struct weft_error *error)
{
    uint32_t index = 0;
    enum weft_status status = find_free(&index, error);
    if (status)
        return status;
    struct weft_loopback_port *port = weft_switch_port(index);
    if (address->version)
        port->address = *address;
    else
        choose_address(index, &port->address);
    weft_loopback_mac(&port->address, port->mac);
    if (weft_switch_has(port->mac))
        return weft_error_set(error, WEFT_EXISTS,
                              "another loopback device of this process has this address: each "
                              "rank's must differ");
    weft_switch_drain(port);
    port->pauses = 0;
    port->unroutable = 0;
    weft_switch_connect(index);
    *ret_port = port;
    return WEFT_OK;
}

void weft_loopback_close(struct weft_loopback_port *port)
{
    weft_switch_disconnect(port);
    weft_switch_drain(port);
}
