/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's table: devices are opened and closed here; all that RoCE does is passed on. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <rte_version.h>

#include "drivers/dpdk/device.h"
#include "drivers/dpdk/dpdk.h"
#include "drivers/dpdk/eal.h"
#include "drivers/dpdk/endpoint.h"
#include "drivers/dpdk/list.h"
#include "drivers/dpdk/mtu.h"
#include "drivers/dpdk/nic.h"

/* What EAL and DPDK's libraries take for themselves. */
#define EAL_BYTES (UINT64_C(48) << 20)
/* Loopback loses nothing, but what is injected: what makes an acknowledgement late is a worker that
 * the machine has no core for, and that is no reason to send again. */
#define LOOPBACK_ACK_TIMEOUT_NS UINT64_C(500000000)
/* NICs that memory is set aside for where there are no hugepages; untouched, it costs nothing. */
enum {
    NICS_FORESEEN = 4
};

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
        return weft_error_set(error, WEFT_INVALID, "DPDK was started for no device");
    uint64_t memory_bytes =
        EAL_BYTES + weft_loopback_memory_bytes(start) + NICS_FORESEEN * weft_nic_memory_bytes();
    status = weft_eal_start(start, memory_bytes, error);
    if (status)
        return status;
    started = *start;
    started.worker_cpus = NULL;
    return WEFT_OK;
}

static void dpdk_stop(void)
{
    weft_capture_stop();
    if (!weft_eal_running())
        return;
    weft_loopback_stop();
    weft_eal_stop();
}

static void describe(struct weft_device *device)
{
    char address[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(device->address.version == 4 ? AF_INET : AF_INET6, device->address.bytes,
                    address, sizeof(address));
    char vlan[24] = "";
    if (device->vlan_id != WEFT_VLAN_NONE)
        (void)snprintf(vlan, sizeof(vlan), ", VLAN %u", device->vlan_id);
    const char *link = device->nic && !device->nic->up ? ", link down when opened" : "";
    (void)snprintf(device->description, sizeof(device->description),
                   "%s, %s, MAC %02x:%02x:%02x:%02x:%02x:%02x, %s%s, RoCE v2, path MTU %u%s",
                   rte_version(), device->nic ? device->nic->devargs.text : "loopback",
                   device->mac[0], device->mac[1], device->mac[2], device->mac[3], device->mac[4],
                   device->mac[5], address, vlan, device->mtu_bytes, link);
}

static enum weft_status open_loopback(const struct weft_device_options *options,
                                      struct weft_device *device, struct weft_error *error)
{
    device->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : started.mtu_bytes;
    if (device->mtu_bytes == 0)
        device->mtu_bytes = 4096;
    if (started.mtu_bytes && device->mtu_bytes > started.mtu_bytes)
        return weft_error_set(error, WEFT_INVALID,
                              "a path MTU of %u: DPDK was started for one of at most %u",
                              device->mtu_bytes, started.mtu_bytes);
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
    device->address = device->loopback->address;
    memcpy(device->mac, device->loopback->mac, sizeof(device->mac));
    device->numa_node = -1;
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
    device->mtu_bytes = device->nic->mtu_bytes;
    device->address = options->address;
    memcpy(device->mac, device->nic->mac, sizeof(device->mac));
    device->line_rate_bps = device->nic->line_rate_bps;
    device->numa_node = device->nic->numa_node;
    return WEFT_OK;
}

static enum weft_status create_roce(const struct weft_device_options *options,
                                    struct weft_device *device, struct weft_error *error)
{
    struct weft_roce_port_options port = {
        .address = device->address,
        .gateway = options->gateway,
        .vlan_id = options->vlan_id,
        .vlan_priority = options->vlan_priority,
        .traffic_class = options->traffic_class,
        .mtu_bytes = device->mtu_bytes,
        .max_qps = options->max_endpoints,
        .max_regions = options->max_regions,
        .seed = options->seed,
        .rate_bps = options->rate_bps,
        .congestion = options->congestion,
        .ack_timeout_ns =
            device->loopback && !weft_fault_is_on(&options->fault) ? LOOPBACK_ACK_TIMEOUT_NS : 0,
    };
    if (!port.congestion.line_rate_bps)
        port.congestion.line_rate_bps = device->line_rate_bps;
    memcpy(port.mac, device->mac, sizeof(port.mac));
    return weft_roce_port_create(&port, &device->roce, error);
}

static void dpdk_close(struct weft_device *device)
{
    if (!device)
        return;
    weft_roce_port_destroy(device->roce);
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

static enum weft_status open_parts(const struct weft_device_options *options,
                                   struct weft_device *device, struct weft_error *error)
{
    bool loopback = strcmp(options->device, "loopback") == 0;
    enum weft_status status =
        loopback ? open_loopback(options, device, error) : open_nic(options, device, error);
    if (!status && options->pcap_path)
        status = weft_capture_open(options->pcap_path, &device->capture, error);
    if (!status)
        status = create_roce(options, device, error);
    if (!status && weft_fault_is_on(&options->fault))
        status = weft_fault_create(&options->fault, WEFT_ROCE_OVERHEAD_MAX + device->mtu_bytes,
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
    device->max_endpoints = options->max_endpoints;
    device->vlan_id = options->vlan_id;
    device->empty_first = WEFT_DEVICE_BURST;
    status = open_parts(options, device, error);
    if (status) {
        dpdk_close(device);
        return status;
    }
    *ret_device = device;
    return WEFT_OK;
}

static void dpdk_capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    /* On Ethernet's line a frame also takes preamble 8, FCS 4 and gap 12; on rings nothing. */
    uint64_t headers = 14 + (device->vlan_id != WEFT_VLAN_NONE ? 4u : 0u) +
                       (device->address.version == 4 ? 20u : 40u) + 8 + 12 + 4;
    *ret = (struct weft_capabilities){
        .transports = WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1,
        .operations = WEFT_BIT(WEFT_OPERATION_COUNT) - 1,
        .max_read_depth = WEFT_ROCE_READ_DEPTH_MAX,
        .max_message_bytes = WEFT_MESSAGE_BYTES_MAX,
        .max_inline_bytes = WEFT_ROCE_INLINE_MAX,
        .max_send_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_receive_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_cq_depth = WEFT_ROCE_CQ_DEPTH_MAX,
        .max_endpoints = device->max_endpoints,
        .mtu_bytes = device->mtu_bytes,
        .line_rate_bps = device->line_rate_bps,
        .numa_node = device->numa_node,
        .header_bytes = headers + (device->nic ? 24 : 0),
        .in_process = !device->nic,
        .polled = true,
    };
}

static void add_switch(const struct weft_loopback_port *port, struct weft_device_counters *counters)
{
    counters->unroutable_packets = __atomic_load_n(&port->unroutable, __ATOMIC_RELAXED);
    counters->pauses = __atomic_load_n(&port->pauses, __ATOMIC_RELAXED);
    counters->counted |= WEFT_BIT(WEFT_COUNTER_unroutable_packets) | WEFT_BIT(WEFT_COUNTER_pauses);
}

static void add_words(const struct weft_device_counters *from, uint64_t *words)
{
    const uint64_t *counts = (const uint64_t *)from;
    for (uint32_t i = 0; i < sizeof(*from) / sizeof(uint64_t); i++)
        words[i] += __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
}

/* The counts are written by the worker while others read: word by word, each whole. */
static const struct weft_device_counters *dpdk_counters(const struct weft_device *device)
{
    enum {
        WORDS = sizeof(struct weft_device_counters) / sizeof(uint64_t)
    };
    struct weft_device *writable = (struct weft_device *)(uintptr_t)device;
    struct weft_device_counters fresh = {0};
    uint64_t *words = (uint64_t *)&fresh;
    add_words(weft_roce_port_counters(device->roce), words);
    if (device->fault)
        add_words(weft_fault_counters(device->fault), words);
    fresh.counted = weft_roce_port_counters(device->roce)->counted | WEFT_COUNTED_INJECTED;
    fresh.receive_dropped += __atomic_load_n(&device->oversized, __ATOMIC_RELAXED) +
                             (device->nic ? weft_nic_dropped(device->nic) : 0);
    if (device->loopback)
        add_switch(device->loopback, &fresh);
    uint64_t *to = (uint64_t *)&writable->counters;
    for (uint32_t i = 0; i < WORDS; i++)
        __atomic_store_n(&to[i], words[i], __ATOMIC_RELAXED);
    return &device->counters;
}

static const char *dpdk_describe(const struct weft_device *device)
{
    return device->description;
}

static enum weft_status dpdk_service(struct weft_device *device, struct weft_error *error)
{
    return device->capture ? weft_capture_write(error) : WEFT_OK;
}

enum weft_status weft_dpdk_neighbour_add(struct weft_device *device, const struct weft_ip *address,
                                         const uint8_t mac[6], struct weft_error *error)
{
    return weft_roce_neighbour_add(device->roce, address, mac, error);
}

uint64_t weft_dpdk_pauses(const struct weft_device *device)
{
    return device->loopback ? __atomic_load_n(&device->loopback->pauses, __ATOMIC_RELAXED) : 0;
}

const struct weft_driver weft_driver_dpdk = {
    .name = "dpdk",
    .summary = "RoCE v2 from user space: loopback in one process, or any NIC through DPDK",
    .start = dpdk_start,
    .stop = dpdk_stop,
    .list = weft_dpdk_list,
    .open = dpdk_open,
    .close = dpdk_close,
    .capabilities = dpdk_capabilities,
    .counters = dpdk_counters,
    .describe = dpdk_describe,
    .progress = weft_device_progress,
    .service = dpdk_service,
    .region_register = weft_dpdk_region_register,
    .region_deregister = weft_dpdk_region_deregister,
    .cq_create = weft_dpdk_cq_create,
    .cq_destroy = weft_dpdk_cq_destroy,
    .cq_poll = weft_dpdk_cq_poll,
    .endpoint_create = weft_dpdk_endpoint_create,
    .endpoint_destroy = weft_dpdk_endpoint_destroy,
    .endpoint_address = weft_dpdk_endpoint_address,
    .endpoint_connect = weft_dpdk_endpoint_connect,
    .endpoint_state = weft_dpdk_endpoint_state,
    .endpoint_counters = weft_dpdk_endpoint_counters,
    .destination_create = weft_dpdk_destination_create,
    .destination_state = weft_dpdk_destination_state,
    .destination_destroy = weft_dpdk_destination_destroy,
    .post_send = weft_dpdk_post_send,
    .post_receive = weft_dpdk_post_receive,
    .injects_faults = true,
    .paces = true,
};
