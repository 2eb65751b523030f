/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's table: the NICs of one fabric as devices. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/sim/device.h"
#include "drivers/sim/sim.h"
#include "fabric/topology/ip.h"

struct nic_name {
    char *device;
    struct weft_ip address; /* version 0: the topology gives none */
    bool open;
};

static struct weft_sim_fabric *the_fabric;
static struct nic_name *names; /* of each NIC */

struct weft_sim_fabric *weft_sim_driver_fabric(void)
{
    return the_fabric;
}

static void sim_stop(void)
{
    uint32_t count = the_fabric ? weft_sim_nic_count(the_fabric) : 0;
    for (uint32_t i = 0; names && i < count; i++)
        free(names[i].device);
    free(names);
    names = NULL;
    weft_sim_destroy(the_fabric);
    the_fabric = NULL;
}

static bool copy_names(const struct weft_topology *topology)
{
    names = calloc(topology->nic_count, sizeof(*names));
    bool whole = names != NULL;
    for (uint32_t i = 0; whole && i < topology->nic_count; i++) {
        names[i] = (struct nic_name){.device = strdup(topology->nics[i].device),
                                     .address = topology->nics[i].address};
        whole = names[i].device != NULL;
    }
    return whole;
}

static enum weft_status sim_start(const struct weft_driver_start *start, struct weft_error *error)
{
    if (the_fabric)
        return weft_error_set(error, WEFT_EXISTS, "sim is started already");
    if (!start->topology)
        return weft_error_set(
            error, WEFT_UNSUPPORTED,
            "sim models a whole fabric in one process: it runs in the process of the controller, "
            "not on agents; take 'agent' out of the topology's hosts");
    const struct weft_sim_options options = {
        .topology = start->topology, .mtu_bytes = start->mtu_bytes, .seed = start->seed};
    enum weft_status status = weft_sim_create(&options, &the_fabric, error);
    if (status != WEFT_OK)
        return status;
    if (copy_names(start->topology))
        return WEFT_OK;
    sim_stop();
    return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the names of %u NICs",
                          start->topology->nic_count);
}

static uint64_t sim_clock_ns(void)
{
    return the_fabric ? weft_sim_now_ps(the_fabric) / WEFT_SIM_PS_PER_NS : 0;
}

static bool sim_advance(uint64_t until_ns)
{
    bool limited = until_ns < WEFT_SIM_NEVER / WEFT_SIM_PS_PER_NS;
    uint64_t until_ps = limited ? until_ns * WEFT_SIM_PS_PER_NS : WEFT_SIM_NEVER;
    if (!the_fabric || until_ps < weft_sim_now_ps(the_fabric))
        return false;
    return weft_sim_advance(the_fabric, until_ps);
}

static void sim_list(weft_device_visitor visit, void *context)
{
    const struct weft_device_description device = {
        .name = "loopback",
        .detail = "the topology's NICs, links and switches, modelled in virtual time"};
    visit(context, &device);
}

/* ---- devices ---- */

static bool is_address(const struct weft_ip *a, const struct weft_ip *b)
{
    return a->version == b->version && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static uint32_t find_nic(const struct weft_device_options *options)
{
    uint32_t count = weft_sim_nic_count(the_fabric);
    for (uint32_t i = 0; i < count; i++) {
        if (!names[i].open && strcmp(names[i].device, options->device) == 0 &&
            is_address(&names[i].address, &options->address))
            return i;
    }
    return count;
}

static enum weft_status create_port(const struct weft_device_options *options,
                                    struct weft_device *device, struct weft_error *error)
{
    struct weft_roce_port_options port = {
        .address = device->address,
        .gateway = options->gateway,
        .mtu_bytes = device->mtu_bytes,
        .max_qps = options->max_endpoints,
        .max_regions = options->max_regions,
        .seed = options->seed,
        .vlan_id = options->vlan_id,
        .vlan_priority = options->vlan_priority,
        .traffic_class = options->traffic_class,
        .rate_bps = options->rate_bps,
        .congestion = options->congestion,
    };
    weft_sim_nic_mac(device->nic, port.mac);
    if (!port.congestion.line_rate_bps)
        port.congestion.line_rate_bps = weft_sim_nic_rate_bps(device->fabric, device->nic);
    return weft_roce_port_create(&port, &device->port, error);
}

static void describe(struct weft_device *device)
{
    char address[WEFT_IP_TEXT];
    (void)snprintf(device->description, sizeof(device->description),
                   "modelled fabric, virtual time, %s, RoCE v2, path MTU %u",
                   weft_ip_format(&device->address, false, address), device->mtu_bytes);
}

static enum weft_status fill_device(const struct weft_device_options *options,
                                    struct weft_device *device, struct weft_error *error)
{
    device->nic = find_nic(options);
    if (device->nic == weft_sim_nic_count(the_fabric))
        return weft_error_set(
            error, WEFT_NOT_FOUND,
            "the modelled topology has no free NIC with device '%s' and this address",
            options->device);
    device->fabric = the_fabric;
    device->address = weft_sim_nic_address(the_fabric, device->nic);
    device->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : weft_sim_mtu_bytes(the_fabric);
    device->max_endpoints = options->max_endpoints;
    if (device->mtu_bytes > weft_sim_mtu_bytes(the_fabric))
        return weft_error_set(error, WEFT_INVALID,
                              "a path MTU of %u is too large: sim was started for at most %u",
                              device->mtu_bytes, weft_sim_mtu_bytes(the_fabric));
    return create_port(options, device, error);
}

static enum weft_status sim_open(const struct weft_device_options *options,
                                 struct weft_device **ret_device, struct weft_error *error)
{
    if (!the_fabric)
        return weft_error_set(error, WEFT_INVALID, "sim is not started");
    if (!options->device)
        return weft_error_set(error, WEFT_INVALID, "which device? one of the topology's NICs");
    if (options->pcap_path)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "sim has no capture; use the dpdk driver, or leave the capture out");
    struct weft_device *device = calloc(1, sizeof(*device));
    if (!device)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a device");
    enum weft_status status = fill_device(options, device, error);
    if (status != WEFT_OK) {
        free(device);
        return status;
    }
    names[device->nic].open = true;
    weft_sim_attach(the_fabric, device->nic, device->port);
    weft_sim_set_fault(the_fabric, weft_sim_nic_wire(the_fabric, device->nic), &options->fault);
    describe(device);
    *ret_device = device;
    return WEFT_OK;
}

static void sim_close(struct weft_device *device)
{
    if (!device)
        return;
    names[device->nic].open = false;
    weft_sim_attach(device->fabric, device->nic, NULL);
    weft_roce_port_destroy(device->port);
    free(device);
}

static void sim_capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    uint64_t ip_bytes = device->address.version == 4 ? 20 : 40;
    *ret = (struct weft_capabilities){
        .transports = WEFT_SIM_TRANSPORTS,
        .operations = WEFT_SIM_OPERATIONS,
        .max_read_depth = WEFT_ROCE_READ_DEPTH_MAX,
        .max_message_bytes = WEFT_MESSAGE_BYTES_MAX,
        .max_inline_bytes = WEFT_ROCE_INLINE_MAX,
        .max_send_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_receive_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_cq_depth = WEFT_ROCE_CQ_DEPTH_MAX,
        .max_endpoints = device->max_endpoints,
        .mtu_bytes = device->mtu_bytes,
        .line_rate_bps = weft_sim_nic_rate_bps(device->fabric, device->nic),
        .numa_node = -1,
        .header_bytes = 14 + ip_bytes + 8 + 12 + 4 + WEFT_SIM_LINE_BYTES,
    };
}

#define INJECTED                                                                              \
    (WEFT_BIT(WEFT_COUNTER_injected_dropped) | WEFT_BIT(WEFT_COUNTER_injected_corrupted) |    \
     WEFT_BIT(WEFT_COUNTER_injected_duplicated) | WEFT_BIT(WEFT_COUNTER_injected_reordered) | \
     WEFT_BIT(WEFT_COUNTER_injected_delayed) | WEFT_BIT(WEFT_COUNTER_injected_marked))
/* The port's counts are written by the worker while others read: word by word, each whole. */
static const struct weft_device_counters *sim_counters(const struct weft_device *device)
{
    enum {
        WORDS = sizeof(struct weft_device_counters) / sizeof(uint64_t)
    };
    struct weft_device *writable = (struct weft_device *)(uintptr_t)device;
    const uint64_t *from = (const uint64_t *)weft_roce_port_counters(device->port);
    uint64_t *to = (uint64_t *)&writable->counters;
    for (uint32_t i = 0; i < WORDS; i++)
        __atomic_store_n(&to[i], __atomic_load_n(&from[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    /* The wire's faults are the device's, as far as the model counts them. */
    struct weft_sim_wire_counters wire;
    weft_sim_wire_counters(device->fabric, weft_sim_nic_wire(device->fabric, device->nic), &wire);
    writable->counters.injected_dropped = wire.lost;
    writable->counters.injected_corrupted = wire.corrupted;
    writable->counters.injected_duplicated = wire.duplicated;
    writable->counters.injected_reordered = wire.reordered;
    writable->counters.injected_delayed = wire.delayed;
    writable->counters.injected_marked = wire.marked;
    writable->counters.counted |= INJECTED;
    return &device->counters;
}

static const char *sim_describe(const struct weft_device *device)
{
    return device->description;
}

/* The fabric has its own clock: `now_ns` is what it said. */
static uint32_t sim_progress(struct weft_device *device, uint64_t now_ns)
{
    (void)now_ns;
    return weft_sim_settle(device->fabric);
}

static enum weft_status sim_service(struct weft_device *device, struct weft_error *error)
{
    (void)device;
    (void)error;
    return WEFT_OK;
}

const struct weft_driver weft_driver_sim = {
    .name = "sim",
    .summary = "RoCE v2 over a model of the topology, in virtual time",
    .start = sim_start,
    .stop = sim_stop,
    .clock_ns = sim_clock_ns,
    .advance = sim_advance,
    .list = sim_list,
    .open = sim_open,
    .close = sim_close,
    .capabilities = sim_capabilities,
    .counters = sim_counters,
    .describe = sim_describe,
    .progress = sim_progress,
    .service = sim_service,
    .region_register = weft_sim_region_register,
    .region_deregister = weft_sim_region_deregister,
    .cq_create = weft_sim_cq_create,
    .cq_destroy = weft_sim_cq_destroy,
    .cq_poll = weft_sim_cq_poll,
    .endpoint_create = weft_sim_endpoint_create,
    .endpoint_destroy = weft_sim_endpoint_destroy,
    .endpoint_address = weft_sim_endpoint_address,
    .endpoint_connect = weft_sim_endpoint_connect,
    .endpoint_state = weft_sim_endpoint_state,
    .endpoint_counters = weft_sim_endpoint_counters,
    .destination_create = weft_sim_destination_create,
    .destination_state = weft_sim_destination_state,
    .destination_destroy = weft_sim_destination_destroy,
    .post_send = weft_sim_post_send,
    .post_receive = weft_sim_post_receive,
    .injects_faults = true,
    .paces = true,
};
