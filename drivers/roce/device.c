/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/device.h"

#include <string.h>

#include "drivers/roce/transport/state.h"

enum {
    WORDS = offsetof(struct weft_device_counters, counted) / sizeof(uint64_t)
};

static struct weft_roce_device *head_of(struct weft_device *device)
{
    return (struct weft_roce_device *)(void *)device;
}

static const struct weft_roce_device *const_head_of(const struct weft_device *device)
{
    return (const struct weft_roce_device *)(const void *)device;
}

static struct weft_roce_qp *qp_of(struct weft_endpoint *endpoint)
{
    return (struct weft_roce_qp *)(void *)endpoint;
}

static const struct weft_roce_qp *const_qp_of(const struct weft_endpoint *endpoint)
{
    return (const struct weft_roce_qp *)(const void *)endpoint;
}

static struct weft_roce_cq *cq_of(struct weft_cq *cq)
{
    return (struct weft_roce_cq *)(void *)cq;
}

/* ---- devices ---- */

enum weft_status weft_roce_device_open(struct weft_roce_device *device,
                                       const struct weft_device_options *options,
                                       uint64_t ack_timeout_ns, struct weft_error *error)
{
    struct weft_roce_port_options port = {
        .address = device->address,
        .gateway = options->gateway,
        .mtu_bytes = device->mtu_bytes,
        .max_qps = options->max_endpoints,
        .max_regions = options->max_regions,
        .seed = options->seed,
        .ack_timeout_ns = ack_timeout_ns,
        .vlan_id = options->vlan_id,
        .vlan_priority = options->vlan_priority,
        .traffic_class = options->traffic_class,
        .rate_bps = options->rate_bps,
        .congestion = options->congestion,
    };
    if (!port.congestion.line_rate_bps)
        port.congestion.line_rate_bps = device->line_rate_bps;
    memcpy(port.mac, device->mac, sizeof(port.mac));
    device->max_endpoints = options->max_endpoints;
    device->vlan_id = options->vlan_id;
    enum weft_status status = weft_roce_port_create(&port, &device->port, error);
    if (status == WEFT_OK)
        device->port->owner = device;
    return status;
}

void weft_roce_device_close(struct weft_roce_device *device)
{
    weft_roce_port_destroy(device->port);
}

struct weft_device *weft_roce_endpoint_device(const struct weft_endpoint *endpoint)
{
    return (struct weft_device *)(void *)const_qp_of(endpoint)->port->owner;
}

void weft_roce_counters_add(struct weft_device_counters *counters,
                            const struct weft_device_counters *from)
{
    const uint64_t *counts = (const uint64_t *)from;
    uint64_t *words = (uint64_t *)counters;
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] += __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
}

/* The copy is written by one thread while others read it: word by word, each whole. */
const struct weft_device_counters *weft_roce_device_count(const struct weft_roce_device *device,
                                                          const struct weft_device_counters *own)
{
    struct weft_roce_device *writable = (struct weft_roce_device *)(uintptr_t)device;
    const struct weft_device_counters *port = weft_roce_port_counters(device->port);
    struct weft_device_counters sum = *own;
    weft_roce_counters_add(&sum, port);
    sum.counted |= port->counted;
    const uint64_t *from = (const uint64_t *)&sum;
    uint64_t *to = (uint64_t *)&writable->counters;
    for (uint32_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
        __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
    return &device->counters;
}

void weft_roce_driver_capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    const struct weft_roce_device *head = const_head_of(device);
    /* Ethernet, VLAN tag, IP, UDP, BTH, ICRC. */
    uint32_t header_bytes = 14 + (head->vlan_id != WEFT_VLAN_NONE ? 4u : 0u) +
                            (head->address.version == 4 ? 20u : 40u) + 8 + 12 + 4;
    *ret = (struct weft_capabilities){
        .transports = WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1,
        .operations = WEFT_BIT(WEFT_OPERATION_COUNT) - 1,
        .max_read_depth = WEFT_ROCE_READ_DEPTH_MAX,
        .max_message_bytes = WEFT_MESSAGE_BYTES_MAX,
        .max_inline_bytes = WEFT_ROCE_INLINE_MAX,
        .max_send_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_receive_depth = WEFT_ROCE_QUEUE_DEPTH_MAX,
        .max_cq_depth = WEFT_ROCE_CQ_DEPTH_MAX,
        .max_endpoints = head->max_endpoints,
        .mtu_bytes = head->mtu_bytes,
        .line_rate_bps = head->line_rate_bps,
        .numa_node = head->numa_node,
        .header_bytes = header_bytes + head->line_bytes,
        .in_process = head->in_process,
        .polled = head->polled,
    };
}

const char *weft_roce_driver_describe(const struct weft_device *device)
{
    return const_head_of(device)->description;
}

/* ---- what the port does ---- */

enum weft_status weft_roce_driver_region_register(struct weft_device *device, void *memory,
                                                  uint64_t len_bytes,
                                                  struct weft_region *ret_region,
                                                  struct weft_error *error)
{
    return weft_roce_region_register(head_of(device)->port, memory, len_bytes, ret_region, error);
}

void weft_roce_driver_region_deregister(struct weft_device *device, struct weft_region *region)
{
    weft_roce_region_deregister(head_of(device)->port, region);
}

enum weft_status weft_roce_driver_cq_create(struct weft_device *device, uint32_t depth,
                                            struct weft_cq **ret_cq, struct weft_error *error)
{
    struct weft_roce_cq *cq = NULL;
    enum weft_status status = weft_roce_cq_create(head_of(device)->port, depth, &cq, error);
    if (status == WEFT_OK)
        *ret_cq = (struct weft_cq *)(void *)cq;
    return status;
}

void weft_roce_driver_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    weft_roce_cq_destroy(head_of(device)->port, cq_of(cq));
}

uint32_t weft_roce_driver_cq_poll(struct weft_cq *cq, struct weft_completion *completions,
                                  uint32_t count)
{
    return weft_roce_cq_poll(cq_of(cq), completions, count);
}

enum weft_status weft_roce_driver_endpoint_create(struct weft_device *device,
                                                  const struct weft_endpoint_options *options,
                                                  struct weft_endpoint **ret_endpoint,
                                                  struct weft_error *error)
{
    const struct weft_roce_qp_options qp_options = {
        .transport = options->transport,
        .cq = cq_of(options->cq),
        .send_depth = options->send_depth,
        .receive_depth = options->receive_depth,
        .inline_bytes = options->inline_bytes,
        .read_depth = options->read_depth,
        .source_port = options->source_port,
        .user = options->user,
    };
    struct weft_roce_qp *qp = NULL;
    enum weft_status status = weft_roce_qp_create(head_of(device)->port, &qp_options, &qp, error);
    if (status == WEFT_OK)
        *ret_endpoint = (struct weft_endpoint *)(void *)qp;
    return status;
}

void weft_roce_driver_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    weft_roce_qp_destroy(head_of(device)->port, qp_of(endpoint));
}

void weft_roce_driver_endpoint_address(const struct weft_endpoint *endpoint,
                                       struct weft_endpoint_address *ret_address)
{
    weft_roce_qp_address(const_qp_of(endpoint), ret_address);
}

enum weft_status weft_roce_driver_endpoint_connect(struct weft_endpoint *endpoint,
                                                   const struct weft_endpoint_address *peer,
                                                   struct weft_error *error)
{
    return weft_roce_qp_connect(qp_of(endpoint), peer, error);
}

enum weft_endpoint_state weft_roce_driver_endpoint_state(const struct weft_endpoint *endpoint,
                                                         struct weft_error *error)
{
    return weft_roce_qp_state(const_qp_of(endpoint), error);
}

const struct weft_endpoint_counters *
weft_roce_driver_endpoint_counters(const struct weft_endpoint *endpoint)
{
    return weft_roce_qp_counters(const_qp_of(endpoint));
}

enum weft_status weft_roce_driver_destination_create(struct weft_endpoint *endpoint,
                                                     const struct weft_endpoint_address *peer,
                                                     struct weft_destination **ret_destination,
                                                     struct weft_error *error)
{
    struct weft_roce_destination *destination = NULL;
    enum weft_status status =
        weft_roce_destination_create(qp_of(endpoint), peer, &destination, error);
    if (status == WEFT_OK)
        *ret_destination = (struct weft_destination *)(void *)destination;
    return status;
}

enum weft_endpoint_state
weft_roce_driver_destination_state(const struct weft_destination *destination,
                                   struct weft_error *error)
{
    return weft_roce_destination_state(
        (const struct weft_roce_destination *)(const void *)destination, error);
}

void weft_roce_driver_destination_destroy(struct weft_endpoint *endpoint,
                                          struct weft_destination *destination)
{
    weft_roce_destination_destroy(qp_of(endpoint),
                                  (struct weft_roce_destination *)(void *)destination);
}

uint32_t weft_roce_driver_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                                    uint32_t count)
{
    return weft_roce_post_send(qp_of(endpoint), works, count);
}

uint32_t weft_roce_driver_post_receive(struct weft_endpoint *endpoint,
                                       const struct weft_work *works, uint32_t count)
{
    return weft_roce_post_receive(qp_of(endpoint), works, count);
}
