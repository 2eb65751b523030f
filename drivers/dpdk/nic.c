/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/nic.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/eal.h"
#include "drivers/dpdk/mtu.h"
#include "drivers/dpdk/pool.h"
#include "drivers/dpdk/system.h"

/* The af_xdp driver gives its pool to the kernel, whose chunks are at most a page; of this chunk
 * the kernel and the driver take 512 bytes, and what is left holds a path MTU of 2048. */
enum {
    AF_XDP_ROOM = 3072,
    AF_XDP_MTU = 2048,
    AF_XDP_MBUFS = 8192,
    DESCRIPTORS = 1024
};
/* Of veth: a page less the headroom and tail that XDP wants. Larger, and the kernel refuses the
 * program. */
enum {
    AF_XDP_INTERFACE_MTU = 3498
};

static struct weft_nic nics[RTE_MAX_ETHPORTS];
static uint32_t pools_made;

uint64_t weft_nic_memory_bytes(void)
{
    uint32_t mbufs = AF_XDP_MBUFS;
    return weft_pool_memory_bytes(mbufs, weft_devargs_frame_size(4096)) + (UINT64_C(1) << 20);
}

static enum weft_status claim(const struct weft_devargs *devargs, struct weft_nic **ret_nic,
                              struct weft_error *error)
{
    struct weft_nic *free_nic = NULL;
    for (uint32_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
        struct weft_nic *nic = &nics[i];
        if (!nic->used) {
            free_nic = free_nic ? free_nic : nic;
            continue;
        }
        if (strcmp(nic->devargs.name, devargs->name) == 0)
            return weft_error_set(error, WEFT_EXISTS,
                                  "device '%s': %s is open in this process already as '%s': ranks "
                                  "on one NIC share one device; another device needs a name of "
                                  "its own, such as net_memif1",
                                  devargs->text, devargs->name, nic->devargs.text);
        if (*devargs->interface && strcmp(nic->devargs.interface, devargs->interface) == 0)
            return weft_error_set(error, WEFT_EXISTS,
                                  "device '%s': interface %s is open in this process already as "
                                  "'%s': ranks on one NIC share one device",
                                  devargs->text, devargs->interface, nic->devargs.text);
    }
    if (!free_nic)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "DPDK has %d ports in this build (RTE_MAX_ETHPORTS); all are open",
                              RTE_MAX_ETHPORTS);
    *free_nic = (struct weft_nic){.used = true, .devargs = *devargs, .numa_node = -1};
    *ret_nic = free_nic;
    return WEFT_OK;
}

/* What the log says, and what usually helps. */
static enum weft_status driver_error(const struct weft_nic *nic, enum weft_status status,
                                     const char *what, struct weft_error *error)
{
    const struct weft_devargs *devargs = &nic->devargs;
    char log[700];
    weft_eal_log_text(log, sizeof(log));
    const char *remedy = "";
    switch (devargs->kind) {
    case WEFT_DEVARGS_PCI:
        remedy = "\nis it there, and bound to vfio-pci (dpdk-devbind.py -b vfio-pci ADDRESS)? "
                 "DPDK on PCI needs hugepages (sysctl vm.nr_hugepages=512) and /dev/vfio; without, "
                 "use net_af_packet0,iface=...";
        break;
    case WEFT_DEVARGS_AF_PACKET:
        remedy =
            "\nit needs CAP_NET_RAW, CAP_NET_ADMIN and up to 5 MB of locked memory (ulimit -l)";
        break;
    case WEFT_DEVARGS_AF_XDP:
        if (strstr(log, "MTU is too large")) {
            remedy = "\nlower the MTU at the other end of the veth too: ip link set PEER mtu 3000";
            break;
        }
        remedy = "\nit needs root (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF), an interface that takes "
                 "an XDP program and has none yet, and locked memory (ulimit -l); or use "
                 "net_af_packet0,iface=...";
        break;
    case WEFT_DEVARGS_MEMIF:
        remedy = "\nboth ends name the same socket, one role=server, the other role=client; the "
                 "socket's folder must be writable";
        break;
    case WEFT_DEVARGS_TAP:
        remedy = "\nit makes an interface: that needs root (CAP_NET_ADMIN) and /dev/net/tun";
        break;
    }
    return weft_error_set(error, status, "device '%s' %s%s%s%s%s", devargs->text, what,
                          *log ? " (" : "", log, *log ? ")" : "", remedy);
}

static enum weft_status check_permission(const struct weft_devargs *devargs,
                                         struct weft_error *error)
{
    bool xdp = devargs->kind == WEFT_DEVARGS_AF_XDP;
    /* DPDK sets the interface's MAC address and promiscuous mode. */
    if (weft_system_may(WEFT_CAPABILITY_NET_RAW) && weft_system_may(WEFT_CAPABILITY_NET_ADMIN))
        return WEFT_OK;
    return weft_error_set(error, WEFT_PERMISSION,
                          "device '%s' needs CAP_NET_RAW and CAP_NET_ADMIN%s: run as root, or "
                          "`setcap cap_net_raw,cap_net_admin%s+ep` on the program",
                          devargs->text, xdp ? " and CAP_BPF" : "", xdp ? ",cap_bpf" : "");
}

static enum weft_status mtu_refused(const struct weft_devargs *devargs, uint32_t wanted,
                                    const struct weft_system_interface *interface,
                                    struct weft_error *error)
{
    if (devargs->kind == WEFT_DEVARGS_AF_XDP && wanted > AF_XDP_MTU)
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': a path MTU of %u does not fit af_xdp, whose frames lie "
                              "in one page: at most %u; or use net_af_packet0,iface=%s",
                              devargs->text, wanted, AF_XDP_MTU, devargs->interface);
    return weft_error_set(error, WEFT_INVALID,
                          "device '%s': a path MTU of %u needs an interface MTU of %u, %s has %u: "
                          "ip link set %s mtu %u",
                          devargs->text, wanted, wanted + WEFT_MTU_OVERHEAD, interface->name,
                          interface->mtu_bytes, interface->name,
                          wanted == 4096 ? 4200 : wanted + WEFT_MTU_OVERHEAD);
}

/* An interface of the kernel's: there, up, ours to use, and which path MTU fits. */
static enum weft_status check_interface(const struct weft_device_options *options,
                                        struct weft_nic *nic, struct weft_error *error)
{
    const struct weft_devargs *devargs = &nic->devargs;
    struct weft_system_interface interface;
    if (!weft_system_interface(devargs->interface, &interface))
        return weft_error_set(error, WEFT_NOT_FOUND,
                              "device '%s': there is no interface %s in this network namespace "
                              "(`ip link` lists them)",
                              devargs->text, devargs->interface);
    if (!interface.ethernet)
        return weft_error_set(error, WEFT_UNSUPPORTED, "device '%s': %s is not Ethernet",
                              devargs->text, devargs->interface);
    enum weft_status status = check_permission(devargs, error);
    if (status)
        return status;
    if (!interface.up)
        return weft_error_set(error, WEFT_IO, "device '%s': %s is down: ip link set %s up",
                              devargs->text, interface.name, interface.name);
    if (weft_system_interface_has(interface.name, &options->address))
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': the kernel has this address on %s, and would answer "
                              "for it too: give weft another address, or run ip addr flush dev %s",
                              devargs->text, interface.name, interface.name);
    bool xdp = devargs->kind == WEFT_DEVARGS_AF_XDP;
    if (xdp && interface.mtu_bytes > AF_XDP_INTERFACE_MTU)
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': an interface with an MTU of %u accepts no XDP program: "
                              "ip link set %s mtu %u, at both ends of a veth",
                              devargs->text, interface.mtu_bytes, interface.name,
                              AF_XDP_MTU + WEFT_MTU_OVERHEAD);
    uint32_t fits = weft_mtu_for_interface(interface.mtu_bytes);
    if (xdp && fits > AF_XDP_MTU)
        fits = AF_XDP_MTU;
    uint32_t wanted = options->mtu_bytes ? options->mtu_bytes : fits;
    if (wanted > fits || wanted == 0)
        return mtu_refused(devargs, wanted ? wanted : 256, &interface, error);
    nic->mtu_bytes = wanted;
    nic->line_rate_bps = interface.line_rate_bps;
    nic->numa_node = interface.numa_node;
    return WEFT_OK;
}

static enum weft_status choose_frames(const struct weft_device_options *options,
                                      struct weft_nic *nic, struct weft_error *error)
{
    struct weft_devargs *devargs = &nic->devargs;
    if (!nic->mtu_bytes)
        nic->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : 4096;
    if (!devargs->frame_size)
        return weft_devargs_complete(devargs, nic->mtu_bytes, error);
    uint32_t room = weft_devargs_frame_room(devargs->kind, devargs->frame_size);
    if (devargs->kind == WEFT_DEVARGS_MEMIF || room >= WEFT_ROCE_OVERHEAD_MAX + nic->mtu_bytes)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "device '%s': framesz=%u has no room for a path MTU of %u: it takes %u, "
                          "or leave it out",
                          devargs->text, devargs->frame_size, nic->mtu_bytes,
                          weft_devargs_frame_size(nic->mtu_bytes));
}

/* A virtual device's port bears its name; a PCI device's may have something after it. */
static bool find_port(struct weft_nic *nic)
{
    if (rte_eth_dev_get_port_by_name(nic->devargs.name, &nic->port_id) == 0)
        return true;
    for (uint16_t port_id = 0; port_id < RTE_MAX_ETHPORTS; port_id++) {
        struct rte_eth_dev_info info;
        if (rte_eth_dev_is_valid_port(port_id) && rte_eth_dev_info_get(port_id, &info) == 0 &&
            info.device && strcmp(rte_dev_name(info.device), nic->devargs.name) == 0) {
            nic->port_id = port_id;
            return true;
        }
    }
    return false;
}

/* A port whose MTU is ours to set: the largest wanted that it takes. */
static enum weft_status set_mtu(const struct weft_device_options *options, struct weft_nic *nic,
                                const struct rte_eth_dev_info *info, struct weft_error *error)
{
    uint32_t wanted = nic->mtu_bytes;
    uint16_t port_mtu = 0;
    while (wanted >= 256) {
        port_mtu = (uint16_t)(wanted + WEFT_MTU_OVERHEAD);
        int result =
            port_mtu > info->max_mtu ? -EINVAL : rte_eth_dev_set_mtu(nic->port_id, port_mtu);
        if (result == 0 || result == -ENOTSUP)
            break;
        wanted /= 2;
    }
    if (wanted < 256 || (options->mtu_bytes && wanted != options->mtu_bytes))
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': does not support an MTU of %u, which a path MTU of %u "
                              "needs: use a smaller path MTU",
                              nic->devargs.text, nic->mtu_bytes + WEFT_MTU_OVERHEAD,
                              nic->mtu_bytes);
    nic->mtu_bytes = wanted;
    return WEFT_OK;
}

static enum weft_status make_pool(struct weft_nic *nic, uint32_t mbufs, struct weft_error *error)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    (void)snprintf(name, sizeof(name), "weft-nic-%u", pools_made++);
    uint32_t room_bytes = weft_pool_room_for(nic->mtu_bytes);
    if (nic->devargs.kind == WEFT_DEVARGS_AF_XDP)
        room_bytes = AF_XDP_ROOM;
    else if (nic->devargs.frame_size > room_bytes)
        room_bytes = nic->devargs.frame_size;
    const struct weft_pool_options options = {
        .name = name,
        .mbufs = mbufs,
        .room_bytes = room_bytes,
        .socket = rte_eal_has_hugepages() ? rte_eth_dev_socket_id(nic->port_id) : SOCKET_ID_ANY,
    };
    return weft_pool_create(&options, &nic->pool, error);
}

static enum weft_status set_up_queues(struct weft_nic *nic, struct weft_error *error)
{
    uint16_t rx = DESCRIPTORS;
    uint16_t tx = DESCRIPTORS;
    if (rte_eth_dev_adjust_nb_rx_tx_desc(nic->port_id, &rx, &tx) != 0)
        return driver_error(nic, WEFT_IO, "did not accept queues", error);
    uint32_t mbufs = rx + tx + 4 * WEFT_DEVICE_BURST + weft_pool_cached(1);
    if (nic->devargs.kind == WEFT_DEVARGS_AF_XDP)
        mbufs = AF_XDP_MBUFS;
    enum weft_status status = make_pool(nic, mbufs, error);
    if (status)
        return status;
    if (rte_eth_rx_queue_setup(nic->port_id, 0, rx, WEFT_SOCKET_ANY, NULL, nic->pool) != 0 ||
        rte_eth_tx_queue_setup(nic->port_id, 0, tx, WEFT_SOCKET_ANY, NULL) != 0)
        return driver_error(nic, WEFT_IO, "did not accept queues", error);
    return WEFT_OK;
}

static void read_link(struct weft_nic *nic)
{
    struct rte_eth_link link;
    if (rte_eth_link_get_nowait(nic->port_id, &link) != 0)
        return;
    nic->up = link.link_status == RTE_ETH_LINK_UP;
    /* A virtual device's speed is invented. */
    if (nic->devargs.kind == WEFT_DEVARGS_PCI && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
        nic->line_rate_bps = (uint64_t)link.link_speed * 1000000;
}

static enum weft_status start_port(const struct weft_device_options *options, struct weft_nic *nic,
                                   struct weft_error *error)
{
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {0};
    if (rte_eth_dev_info_get(nic->port_id, &info) != 0)
        return driver_error(nic, WEFT_IO, "gives no information about itself", error);
    (void)snprintf(nic->driver, sizeof(nic->driver), "%.31s", info.driver_name);
    /* All buffers of the queue come from one pool, each with one owner. */
    conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    if (rte_eth_dev_configure(nic->port_id, 1, 1, &conf) != 0)
        return driver_error(nic, WEFT_IO, "did not accept one queue in each direction", error);
    enum weft_status status = WEFT_OK;
    if (nic->devargs.kind == WEFT_DEVARGS_PCI || nic->devargs.kind == WEFT_DEVARGS_TAP)
        status = set_mtu(options, nic, &info, error);
    if (!status)
        status = set_up_queues(nic, error);
    if (status)
        return status;
    if (rte_eth_dev_start(nic->port_id) != 0)
        return driver_error(nic, WEFT_IO, "did not start", error);
    nic->started = true;
    /* Neighbour solicitations come by multicast; where a driver cannot choose, it takes all. */
    if (options->address.version == 6)
        (void)rte_eth_allmulticast_enable(nic->port_id);
    struct rte_ether_addr mac;
    if (rte_eth_macaddr_get(nic->port_id, &mac) != 0)
        return driver_error(nic, WEFT_IO, "has no MAC address", error);
    memcpy(nic->mac, mac.addr_bytes, sizeof(nic->mac));
    if (nic->devargs.kind == WEFT_DEVARGS_PCI)
        nic->numa_node = rte_eth_dev_socket_id(nic->port_id);
    read_link(nic);
    return WEFT_OK;
}

static enum weft_status open_claimed(const struct weft_device_options *options,
                                     struct weft_nic *nic, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    if (*nic->devargs.interface)
        status = check_interface(options, nic, error);
    if (!status)
        status = choose_frames(options, nic, error);
    if (status)
        return status;
    weft_eal_log_clear();
    /* There is no such device, or not with these arguments. */
    if (rte_dev_probe(nic->devargs.text) != 0)
        return driver_error(nic, WEFT_NOT_FOUND, "could not be opened", error);
    nic->probed = true;
    if (!find_port(nic))
        return driver_error(nic, WEFT_IO, "has no port", error);
    return start_port(options, nic, error);
}

enum weft_status weft_nic_open(const struct weft_device_options *options, struct weft_nic **ret_nic,
                               struct weft_error *error)
{
    struct weft_devargs devargs;
    enum weft_status status = weft_devargs_parse(options->device, &devargs, error);
    if (status)
        return status;
    if (!options->address.version)
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s' needs an IP address of its own, one that the kernel "
                              "does not have, such as 10.0.0.2/24",
                              devargs.text);
    struct weft_nic *nic = NULL;
    status = claim(&devargs, &nic, error);
    if (status)
        return status;
    assert(nic);
    status = open_claimed(options, nic, error);
    if (status) {
        weft_nic_close(nic);
        return status;
    }
    *ret_nic = nic;
    return WEFT_OK;
}

static void remove_port(const struct weft_nic *nic)
{
    struct rte_eth_dev_info info;
    if (!rte_eth_dev_is_valid_port(nic->port_id) || rte_eth_dev_info_get(nic->port_id, &info) != 0)
        return;
    if (nic->started)
        (void)rte_eth_dev_stop(nic->port_id);
    (void)rte_eth_dev_close(nic->port_id);
    if (info.device)
        (void)rte_dev_remove(info.device);
}

void weft_nic_close(struct weft_nic *nic)
{
    if (!nic)
        return;
    if (nic->probed) {
        weft_eal_hold_interrupts();
        remove_port(nic);
        weft_eal_release_interrupts();
    }
    rte_mempool_free(nic->pool);
    *nic = (struct weft_nic){0};
}

uint64_t weft_nic_dropped(const struct weft_nic *nic)
{
    struct rte_eth_stats stats;
    if (rte_eth_stats_get(nic->port_id, &stats) != 0)
        return 0;
    return stats.imissed + stats.rx_nombuf;
}
