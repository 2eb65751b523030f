/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/internal.h"
#include "drivers/verbs/verbs.h"

/* Early and once, so that a host without devices is told before anything is set up. */
static enum weft_status start(const struct weft_driver_start *options, struct weft_error *error)
{
    (void)options;
    struct ibv_device **devices = NULL;
    enum weft_status status = weft_verbs_devices(&devices, error);
    if (status == WEFT_OK)
        ibv_free_device_list(devices);
    return status;
}

static enum weft_status stop(struct weft_error *error)
{
    (void)error;
    return WEFT_OK;
}

static void capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    *ret = device->capabilities;
}

static const struct weft_device_counters *counters(const struct weft_device *device)
{
    weft_verbs_counters_read(device->counters);
    return &device->counters->snapshot;
}

static const char *describe(const struct weft_device *device)
{
    return device->description;
}

static enum weft_status service(struct weft_device *device, struct weft_error *error)
{
    (void)device; /* it captures nothing */
    (void)error;
    return WEFT_OK;
}

const struct weft_driver weft_driver_verbs = {
    .name = "verbs",
    .summary = "RDMA devices (RoCE, InfiniBand, soft-RoCE) through libibverbs",
    .start = start,
    .stop = stop,
    .list = weft_verbs_list,
    .open = weft_verbs_open,
    .close = weft_verbs_close,
    .capabilities = capabilities,
    .counters = counters,
    .describe = describe,
    .progress = weft_verbs_progress,
    .service = service,
    .region_register = weft_verbs_region_register,
    .region_deregister = weft_verbs_region_deregister,
    .cq_create = weft_verbs_cq_create,
    .cq_destroy = weft_verbs_cq_destroy,
    .cq_poll = weft_verbs_cq_poll,
    .endpoint_create = weft_verbs_endpoint_create,
    .endpoint_destroy = weft_verbs_endpoint_destroy,
    .endpoint_address = weft_verbs_endpoint_address,
    .endpoint_connect = weft_verbs_endpoint_connect,
    .endpoint_state = weft_verbs_endpoint_state,
    .endpoint_counters = weft_verbs_endpoint_counters,
    .destination_create = weft_verbs_destination_create,
    .destination_state = weft_verbs_destination_state,
    .destination_destroy = weft_verbs_destination_destroy,
    .post_send = weft_verbs_post_send,
    .post_receive = weft_verbs_post_receive,
};
