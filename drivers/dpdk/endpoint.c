/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/endpoint.h"

#include "drivers/dpdk/device.h"
#include "drivers/roce/roce.h"

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

enum weft_status weft_dpdk_region_register(struct weft_device *device, void *memory,
                                           uint64_t len_bytes, struct weft_region *ret_region,
                                           struct weft_error *error)
{
    return weft_roce_region_register(device->roce, memory, len_bytes, ret_region, error);
}

void weft_dpdk_region_deregister(struct weft_device *device, struct weft_region *region)
{
    weft_roce_region_deregister(device->roce, region);
}

enum weft_status weft_dpdk_cq_create(struct weft_device *device, uint32_t depth,
                                     struct weft_cq **ret_cq, struct weft_error *error)
{
    struct weft_roce_cq *cq = NULL;
    enum weft_status status = weft_roce_cq_create(device->roce, depth, &cq, error);
    if (!status)
        *ret_cq = (struct weft_cq *)(void *)cq;
    return status;
}

void weft_dpdk_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    weft_roce_cq_destroy(device->roce, cq_of(cq));
}

uint32_t weft_dpdk_cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count)
{
    return weft_roce_cq_poll(cq_of(cq), completions, count);
}

enum weft_status weft_dpdk_endpoint_create(struct weft_device *device,
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
    enum weft_status status = weft_roce_qp_create(device->roce, &qp_options, &qp, error);
    if (!status)
        *ret_endpoint = (struct weft_endpoint *)(void *)qp;
    return status;
}

void weft_dpdk_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    weft_roce_qp_destroy(device->roce, qp_of(endpoint));
}

void weft_dpdk_endpoint_address(const struct weft_endpoint *endpoint,
                                struct weft_endpoint_address *ret_address)
{
    weft_roce_qp_address(const_qp_of(endpoint), ret_address);
}

enum weft_status weft_dpdk_endpoint_connect(struct weft_endpoint *endpoint,
                                            const struct weft_endpoint_address *peer,
                                            struct weft_error *error)
{
    return weft_roce_qp_connect(qp_of(endpoint), peer, error);
}

enum weft_endpoint_state weft_dpdk_endpoint_state(const struct weft_endpoint *endpoint,
                                                  struct weft_error *error)
{
    return weft_roce_qp_state(const_qp_of(endpoint), error);
}

const struct weft_endpoint_counters *
weft_dpdk_endpoint_counters(const struct weft_endpoint *endpoint)
{
    return weft_roce_qp_counters(const_qp_of(endpoint));
}

enum weft_status weft_dpdk_destination_create(struct weft_endpoint *endpoint,
                                              const struct weft_endpoint_address *peer,
                                              struct weft_destination **ret_destination,
                                              struct weft_error *error)
{
    struct weft_roce_destination *destination = NULL;
    enum weft_status status =
        weft_roce_destination_create(qp_of(endpoint), peer, &destination, error);
    if (!status)
        *ret_destination = (struct weft_destination *)(void *)destination;
    return status;
}

enum weft_endpoint_state weft_dpdk_destination_state(const struct weft_destination *destination,
                                                     struct weft_error *error)
{
    return weft_roce_destination_state(
        (const struct weft_roce_destination *)(const void *)destination, error);
}

void weft_dpdk_destination_destroy(struct weft_endpoint *endpoint,
                                   struct weft_destination *destination)
{
    weft_roce_destination_destroy(qp_of(endpoint),
                                  (struct weft_roce_destination *)(void *)destination);
}

uint32_t weft_dpdk_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count)
{
    return weft_roce_post_send(qp_of(endpoint), works, count);
}

uint32_t weft_dpdk_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                uint32_t count)
{
    return weft_roce_post_receive(qp_of(endpoint), works, count);
}
