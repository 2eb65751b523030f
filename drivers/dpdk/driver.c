/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's table: devices are opened and closed here. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/dpdk.h"
#include "drivers/dpdk/eal.h"
#include "drivers/dpdk/list.h"
#include "drivers/dpdk/mtu.h"
#include "drivers/dpdk/nic.h"
#include "fabric/driver/default.h"
#include "fabric/topology/ip.h"

/* What EAL and DPDK's libraries take for themselves. */
#define EAL_BYTES (UINT64_C(48) << 20)
/* Loopback loses nothing, but what is injected: what makes an acknowledgement late is a worker that
 * the machine has no core for, and that is no reason to send again. */
#define LOOPBACK_ACK_TIMEOUT_NS UINT64_C(4000000000)
/* NICs that memory is set aside for where there are no hugepages; untouched, it costs nothing. */
enum {
    NICS_FORESEEN = 4
};
/* Preamble 8, FCS 4 and gap 12. Loopback has rings and no line. */
#define NIC_LINE_BYTES 24u

static enum weft_status check_mtu(uint32_t mtu_bytes, struct weft_error *error)
{
    if (mtu_bytes == 0 || weft_mtu_is_valid(mtu_bytes))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "a path MTU of %u: RoCE has 256, 512, 1024, 2048 and 4096", mtu_bytes);
}

static struct weft_driver_start started;

static enum weft_status dpdk_start(const struct weft_driver_start *start, struct weft_error *error)
{
    enum weft_status status = check_mtu(start->mtu_bytes, error);
    if (status)
        return status;
    if (weft_eal_spent())
        return weft_error_set(error, WEFT_EXISTS, "DPDK starts only once in a process");
    if (start->device_count == 0)
        return weft_error_set(error, WEFT_INVALID, "DPDK was started without a device");
    uint64_t memory_bytes =
        EAL_BYTES + weft_loopback_memory_bytes(start) + NICS_FORESEEN * weft_nic_memory_bytes();
    status = weft_eal_start(start, memory_bytes, error);
    if (status)
        return status;
    started = *start;
    started.worker_cpus = NULL;
    return WEFT_OK;
}

static enum weft_status dpdk_stop(struct weft_error *error)
{
    enum weft_status status = weft_capture_stop(error);
    if (weft_eal_running()) {
        weft_loopback_stop();
        weft_eal_stop();
    }
    return status;
}

static void describe(struct weft_device *device)
{
    char address[WEFT_IP_TEXT];
    weft_ip_format(&device->roce.address, false, address);
    char vlan[24] = "";
    if (device->roce.vlan_id != WEFT_VLAN_NONE)
        (void)snprintf(vlan, sizeof(vlan), ", VLAN %u", device->roce.vlan_id);
    const char *link = device->nic && !device->nic->up ? ", link down when opened" : "";
    (void)snprintf(device->roce.description, sizeof(device->roce.description),
                   "%s, %s, MAC %02x:%02x:%02x:%02x:%02x:%02x, %s%s, RoCE v2, path MTU %u%s",
                   rte_version(), device->nic ? device->nic->devargs.text : "loopback",
                   device->roce.mac[0], device->roce.mac[1], device->roce.mac[2],
                   device->roce.mac[3], device->roce.mac[4], device->roce.mac[5], address, vlan,
                   device->roce.mtu_bytes, link);
}

static enum weft_status open_loopback(const struct weft_device_options *options,
                                      struct weft_device *device, struct weft_error *error)
{
    device->roce.mtu_bytes = options->mtu_bytes ? options->mtu_bytes : started.mtu_bytes;
    if (device->roce.mtu_bytes == 0)
        device->roce.mtu_bytes = 4096;
    if (started.mtu_bytes && device->roce.mtu_bytes > started.mtu_bytes)
        return weft_error_set(error, WEFT_INVALID,
                              "a path MTU of %u is too large: DPDK was started for at most %u",
                              device->roce.mtu_bytes, started.mtu_bytes);
    enum weft_status status = WEFT_OK;
    if (!weft_loopback_pool())
        status = weft_loopback_start(&started, error);
    if (!status)
        status = weft_loopback_open(&options->address, &device->loopback, error);
    if (status)
        return status;
    device->port_id = device->loopback->port_id;
    device->queue_id = device->loopback->queue_id;
    device->pool = weft_loopback_pool();
    device->roce.address = device->loopback->address;
    memcpy(device->roce.mac, device->loopback->mac, sizeof(device->roce.mac));
    device->roce.numa_node = -1;
    return WEFT_OK;
}

static enum weft_status open_nic(const struct weft_device_options *options,
                                 struct weft_device *device, struct weft_error *error)
{
    enum weft_status status = weft_nic_open(options, &device->nic, error);
    if (status)
        return status;
    device->port_id = device->nic->port_id;
    device->pool = device->nic->pool;
    device->roce.mtu_bytes = device->nic->mtu_bytes;
    device->roce.address = options->address;
    memcpy(device->roce.mac, device->nic->mac, sizeof(device->roce.mac));
    device->roce.line_rate_bps = device->nic->line_rate_bps;
    device->roce.line_bytes = NIC_LINE_BYTES;
    device->roce.numa_node = device->nic->numa_node;
    return WEFT_OK;
}

static void dpdk_close(struct weft_device *device)
{
    if (!device)
        return;
    weft_roce_device_close(&device->roce);
    weft_fault_destroy(device->fault);
    weft_capture_close(device->capture);
    weft_device_fini_buffers(device);
    if (device->loopback)
        weft_loopback_close(device->loopback);
    weft_nic_close(device->nic);
    free(device);
}

/* af_xdp stands still where it is given more than its own burst. af_packet hands all frames of a
 * call to the kernel at once, and what its socket's send buffer has no room for waits for the next
 * call, which may not come before a timeout. */
static uint32_t burst_for(const struct weft_device *device)
{
    if (device->loopback || device->nic->devargs.kind == WEFT_DEVARGS_AF_XDP ||
        device->nic->devargs.kind == WEFT_DEVARGS_AF_PACKET)
        return WEFT_DEVICE_BURST_SHORT;
    return WEFT_DEVICE_BURST;
}

static enum weft_status open_capture(const struct weft_device_options *options,
                                     struct weft_device *device, struct weft_error *error)
{
    char name[WEFT_IP_TEXT + 128];
    char address[WEFT_IP_TEXT];
    weft_ip_format(&device->roce.address, false, address);
    (void)snprintf(name, sizeof(name), "%.100s %s", options->device, address);
    const struct weft_capture_options capture = {
        .path = options->pcap_path, .name = name, .utc_offset_ns = options->utc_offset_ns};
    return weft_capture_open(&capture, &device->capture, error);
}

static enum weft_status open_parts(const struct weft_device_options *options,
                                   struct weft_device *device, struct weft_error *error)
{
    bool loopback = strcmp(options->device, "loopback") == 0;
    enum weft_status status =
        loopback ? open_loopback(options, device, error) : open_nic(options, device, error);
    if (!status && options->pcap_path)
        status = open_capture(options, device, error);
    device->roce.in_process = loopback;
    device->roce.polled = true;
    bool loses = !loopback || weft_fault_is_on(&options->fault);
    if (!status)
        status = weft_roce_device_open(&device->roce, options, loses ? 0 : LOOPBACK_ACK_TIMEOUT_NS,
                                       error);
    if (!status && weft_fault_is_on(&options->fault))
        status = weft_fault_create(&options->fault, WEFT_ROCE_OVERHEAD_MAX + device->roce.mtu_bytes,
                                   &device->fault, error);
    if (status)
        return status;
    device->burst = burst_for(device);
    weft_device_init_buffers(device);
    describe(device);
    return WEFT_OK;
}

static enum weft_status dpdk_open(const struct weft_device_options *options,
                                  struct weft_device **ret_device, struct weft_error *error)
{
    if (!weft_eal_running())
        return weft_error_set(error, WEFT_INVALID, "DPDK is not started");
    if (!options->device)
        return weft_error_set(error, WEFT_INVALID,
                              "which device? 'loopback', or see `weft devices`");
    enum weft_status status = check_mtu(options->mtu_bytes, error);
    if (status)
        return status;
    struct weft_device *device = calloc(1, sizeof(*device));
    if (!device)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a device");
    device->empty_first = WEFT_DEVICE_BURST;
    status = open_parts(options, device, error);
    if (status) {
        dpdk_close(device);
        return status;
    }
    *ret_device = device;
    return WEFT_OK;
}

static void add_switch(const struct weft_loopback_port *port, struct weft_device_counters *counters)
{
    counters->unroutable_packets = __atomic_load_n(&port->unroutable, __ATOMIC_RELAXED);
    counters->pauses = __atomic_load_n(&port->pauses, __ATOMIC_RELAXED);
    counters->counted |= WEFT_BIT(WEFT_COUNTER_unroutable_packets) | WEFT_BIT(WEFT_COUNTER_pauses);
}

static const struct weft_device_counters *dpdk_counters(const struct weft_device *device)
{
    struct weft_device_counters own = {.counted = WEFT_COUNTED_INJECTED};
    if (device->fault)
        weft_roce_counters_add(&own, weft_fault_counters(device->fault));
    own.receive_dropped += __atomic_load_n(&device->oversized, __ATOMIC_RELAXED) +
                           (device->nic ? weft_nic_dropped(device->nic) : 0);
    if (device->loopback)
        add_switch(device->loopback, &own);
    return weft_roce_device_count(&device->roce, &own);
}

static enum weft_status dpdk_service(struct weft_device *device, struct weft_error *error)
{
    return device->capture ? weft_capture_write(error) : WEFT_OK;
}

enum weft_status weft_dpdk_neighbour_add(struct weft_device *device, const struct weft_ip *address,
                                         const uint8_t mac[6], struct weft_error *error)
{
    return weft_roce_neighbour_add(device->roce.port, address, mac, error);
}

uint64_t weft_dpdk_pauses(const struct weft_device *device)
{
    return device->loopback ? __atomic_load_n(&device->loopback->pauses, __ATOMIC_RELAXED) : 0;
}

const struct weft_driver weft_driver_dpdk = {
    WEFT_ROCE_DRIVER,
    .name = "dpdk",
    .summary = "RoCE v2 from user space: loopback in one process, or any NIC through DPDK",
    .start = dpdk_start,
    .stop = dpdk_stop,
    .list = weft_dpdk_list,
    .open = dpdk_open,
    .close = dpdk_close,
    .counters = dpdk_counters,
    .progress = weft_device_progress,
    .service = dpdk_service,
    .injects_faults = true,
    .paces = true,
};
