/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's table: the NICs of one fabric as devices. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/roce/device.h"
#include "drivers/sim/fabric.h"
#include "drivers/sim/sim.h"
#include "fabric/driver/default.h"
#include "fabric/topology/ip.h"

struct weft_device {
    struct weft_roce_device roce;
    struct weft_sim_fabric *fabric;
    uint32_t nic;
};

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

static enum weft_status sim_stop(struct weft_error *error)
{
    (void)error;
    uint32_t count = the_fabric ? weft_sim_nic_count(the_fabric) : 0;
    for (uint32_t i = 0; names && i < count; i++)
        free(names[i].device);
    free(names);
    names = NULL;
    weft_sim_destroy(the_fabric);
    the_fabric = NULL;
    return WEFT_OK;
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
    (void)sim_stop(NULL);
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

static void describe(struct weft_device *device)
{
    char address[WEFT_IP_TEXT];
    (void)snprintf(device->roce.description, sizeof(device->roce.description),
                   "modelled fabric, virtual time, %s, RoCE v2, path MTU %u",
                   weft_ip_format(&device->roce.address, false, address), device->roce.mtu_bytes);
}

static enum weft_status fill_device(const struct weft_device_options *options,
                                    struct weft_device *device, struct weft_error *error)
{
    device->nic = find_nic(options);
    if (device->nic == weft_sim_nic_count(the_fabric))
        return weft_error_set(error, WEFT_NOT_FOUND,
                              "the modelled topology has no free NIC with device '%s' and this "
                              "address",
                              options->device);
    struct weft_roce_device *roce = &device->roce;
    device->fabric = the_fabric;
    roce->address = weft_sim_nic_address(the_fabric, device->nic);
    roce->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : weft_sim_mtu_bytes(the_fabric);
    roce->line_rate_bps = weft_sim_nic_rate_bps(the_fabric, device->nic);
    roce->line_bytes = WEFT_SIM_LINE_BYTES;
    roce->numa_node = -1;
    weft_sim_nic_mac(device->nic, roce->mac);
    if (roce->mtu_bytes > weft_sim_mtu_bytes(the_fabric))
        return weft_error_set(error, WEFT_INVALID,
                              "a path MTU of %u is too large: sim was started for at most %u",
                              roce->mtu_bytes, weft_sim_mtu_bytes(the_fabric));
    return weft_roce_device_open(roce, options, 0, error);
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
    weft_sim_attach(the_fabric, device->nic, device->roce.port);
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
    weft_roce_device_close(&device->roce);
    free(device);
}

/* The wire's faults are the device's, as far as the model counts them. */
static const struct weft_device_counters *sim_counters(const struct weft_device *device)
{
    struct weft_sim_wire_counters wire;
    weft_sim_wire_counters(device->fabric, weft_sim_nic_wire(device->fabric, device->nic), &wire);
    const struct weft_device_counters own = {
        .injected_dropped = wire.lost,
        .injected_corrupted = wire.corrupted,
        .injected_duplicated = wire.duplicated,
        .injected_reordered = wire.reordered,
        .injected_delayed = wire.delayed,
        .injected_marked = wire.marked,
        .counted = WEFT_COUNTED_INJECTED,
    };
    return weft_roce_device_count(&device->roce, &own);
}

/* The fabric has its own clock: `now_ns` is what it said. */
static uint32_t sim_progress(struct weft_device *device, uint64_t now_ns)
{
    (void)now_ns;
    return weft_sim_settle(device->fabric);
}

/* ---- what may make the port send: the NIC is told ---- */

static void kick(const struct weft_endpoint *endpoint)
{
    const struct weft_device *device = weft_roce_endpoint_device(endpoint);
    weft_sim_kick(device->fabric, device->nic);
}

static enum weft_status sim_endpoint_connect(struct weft_endpoint *endpoint,
                                             const struct weft_endpoint_address *peer,
                                             struct weft_error *error)
{
    enum weft_status status = weft_roce_driver_endpoint_connect(endpoint, peer, error);
    kick(endpoint);
    return status;
}

static enum weft_status sim_destination_create(struct weft_endpoint *endpoint,
                                               const struct weft_endpoint_address *peer,
                                               struct weft_destination **ret_destination,
                                               struct weft_error *error)
{
    enum weft_status status =
        weft_roce_driver_destination_create(endpoint, peer, ret_destination, error);
    kick(endpoint);
    return status;
}

static uint32_t sim_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                              uint32_t count)
{
    uint32_t taken = weft_roce_driver_post_send(endpoint, works, count);
    kick(endpoint);
    return taken;
}

const struct weft_driver weft_driver_sim = {
    WEFT_ROCE_DRIVER,
    .name = "sim",
    .summary = "RoCE v2 over a model of the topology, in virtual time",
    .start = sim_start,
    .stop = sim_stop,
    .clock_ns = sim_clock_ns,
    .advance = sim_advance,
    .list = sim_list,
    .open = sim_open,
    .close = sim_close,
    .counters = sim_counters,
    .progress = sim_progress,
    .endpoint_connect = sim_endpoint_connect,
    .destination_create = sim_destination_create,
    .post_send = sim_post_send,
    .injects_faults = true,
    .paces = true,
};
