/* SPDX-License-Identifier: BSD-3-Clause */
/* What the port does is passed on; the NIC is told of what may make it send. */
#include <stdlib.h>

#include "drivers/sim/device.h"

struct weft_endpoint {
    struct weft_roce_qp *qp;
    struct weft_device *device;
};

static void kick(const struct weft_endpoint *endpoint)
{
    weft_sim_kick(endpoint->device->fabric, endpoint->device->nic);
}

static struct weft_roce_cq *cq_of(struct weft_cq *cq)
{
    return (struct weft_roce_cq *)(void *)cq;
}

enum weft_status weft_sim_region_register(struct weft_device *device, void *memory,
                                          uint64_t len_bytes, struct weft_region *ret_region,
                                          struct weft_error *error)
{
    return weft_roce_region_register(device->port, memory, len_bytes, ret_region, error);
}

void weft_sim_region_deregister(struct weft_device *device, struct weft_region *region)
{
    weft_roce_region_deregister(device->port, region);
}

enum weft_status weft_sim_cq_create(struct weft_device *device, uint32_t depth,
                                    struct weft_cq **ret_cq, struct weft_error *error)
{
    struct weft_roce_cq *cq = NULL;
    enum weft_status status = weft_roce_cq_create(device->port, depth, &cq, error);
    if (status == WEFT_OK)
        *ret_cq = (struct weft_cq *)(void *)cq;
    return status;
}

void weft_sim_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    weft_roce_cq_destroy(device->port, cq_of(cq));
}

uint32_t weft_sim_cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count)
{
    return weft_roce_cq_poll(cq_of(cq), completions, count);
}

enum weft_status weft_sim_endpoint_create(struct weft_device *device,
                                          const struct weft_endpoint_options *options,
                                          struct weft_endpoint **ret_endpoint,
                                          struct weft_error *error)
{
    const struct weft_roce_qp_options qp = {
        .transport = options->transport,
        .cq = cq_of(options->cq),
        .send_depth = options->send_depth,
        .receive_depth = options->receive_depth,
        .inline_bytes = options->inline_bytes,
        .read_depth = options->read_depth,
        .source_port = options->source_port,
        .user = options->user,
    };
    struct weft_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for an endpoint");
    endpoint->device = device;
    enum weft_status status = weft_roce_qp_create(device->port, &qp, &endpoint->qp, error);
    if (status == WEFT_OK)
        *ret_endpoint = endpoint;
    else
        free(endpoint);
    return status;
}

void weft_sim_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    if (!endpoint)
        return;
    weft_roce_qp_destroy(device->port, endpoint->qp);
    free(endpoint);
}

void weft_sim_endpoint_address(const struct weft_endpoint *endpoint,
                               struct weft_endpoint_address *ret_address)
{
    weft_roce_qp_address(endpoint->qp, ret_address);
}

enum weft_status weft_sim_endpoint_connect(struct weft_endpoint *endpoint,
                                           const struct weft_endpoint_address *peer,
                                           struct weft_error *error)
{
    enum weft_status status = weft_roce_qp_connect(endpoint->qp, peer, error);
    kick(endpoint);
    return status;
}

enum weft_endpoint_state weft_sim_endpoint_state(const struct weft_endpoint *endpoint,
                                                 struct weft_error *error)
{
    return weft_roce_qp_state(endpoint->qp, error);
}

const struct weft_endpoint_counters *
weft_sim_endpoint_counters(const struct weft_endpoint *endpoint)
{
    return weft_roce_qp_counters(endpoint->qp);
}

enum weft_status weft_sim_destination_create(struct weft_endpoint *endpoint,
                                             const struct weft_endpoint_address *peer,
                                             struct weft_destination **ret_destination,
                                             struct weft_error *error)
{
    struct weft_roce_destination *destination = NULL;
    enum weft_status status = weft_roce_destination_create(endpoint->qp, peer, &destination, error);
    if (status == WEFT_OK)
        *ret_destination = (struct weft_destination *)(void *)destination;
    kick(endpoint);
    return status;
}

enum weft_endpoint_state weft_sim_destination_state(const struct weft_destination *destination,
                                                    struct weft_error *error)
{
    return weft_roce_destination_state(
        (const struct weft_roce_destination *)(const void *)destination, error);
}

void weft_sim_destination_destroy(struct weft_endpoint *endpoint,
                                  struct weft_destination *destination)
{
    weft_roce_destination_destroy(endpoint->qp,
                                  (struct weft_roce_destination *)(void *)destination);
}

uint32_t weft_sim_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                            uint32_t count)
{
    uint32_t taken = weft_roce_post_send(endpoint->qp, works, count);
    kick(endpoint);
    return taken;
}

uint32_t weft_sim_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                               uint32_t count)
{
    return weft_roce_post_receive(endpoint->qp, works, count);
}
