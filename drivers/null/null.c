/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/null/null.h"

#include <assert.h>

#include "drivers/null/internal.h"

static enum weft_status start(const struct weft_driver_start *options, struct weft_error *error)
{
    (void)options;
    (void)error;
    return WEFT_OK;
}

static void stop(void)
{
}

static void list(weft_device_visitor visit, void *context)
{
    struct weft_device_description device = {
        .name = "memory", .detail = "ranks of one process, joined in memory: weft's own cost"};
    visit(context, &device);
}

static void capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    *ret = (struct weft_capabilities){.transports = WEFT_BIT(WEFT_TRANSPORT_RC),
                                      .operations = WEFT_BIT(WEFT_OPERATION_COUNT) - 1,
                                      .max_read_depth = WEFT_NULL_READ_DEPTH,
                                      .max_message_bytes = WEFT_MESSAGE_BYTES_MAX,
                                      .max_inline_bytes = WEFT_NULL_INLINE_BYTES,
                                      .max_send_depth = WEFT_NULL_DEPTH_MAX,
                                      .max_receive_depth = WEFT_NULL_DEPTH_MAX,
                                      .max_cq_depth = WEFT_NULL_CQ_DEPTH_MAX,
                                      .max_endpoints = device->endpoint_room,
                                      .mtu_bytes = device->mtu_bytes,
                                      .numa_node = -1,
                                      .in_process = true,
                                      .polled = true};
}

static const struct weft_device_counters *counters(const struct weft_device *device)
{
    return &device->counters;
}

static const char *describe(const struct weft_device *device)
{
    (void)device;
    return "null: memory of one process, no packets";
}

static enum weft_status service(struct weft_device *device, struct weft_error *error)
{
    (void)device;
    (void)error;
    return WEFT_OK;
}

static enum weft_endpoint_state endpoint_state(const struct weft_endpoint *endpoint,
                                               struct weft_error *error)
{
    if (endpoint->state == WEFT_ENDPOINT_FAILED) {
        (void)weft_error_set(error, endpoint->failure, "%s", weft_status_text(endpoint->failure));
        return WEFT_ENDPOINT_FAILED;
    }
    if (!endpoint->peer || !atomic_load_explicit(&endpoint->peer->closed, memory_order_acquire))
        return endpoint->state;
    (void)weft_error_set(error, WEFT_PEER_LOST, "the peer's endpoint is gone");
    return WEFT_ENDPOINT_FAILED;
}

static const struct weft_endpoint_counters *endpoint_counters(const struct weft_endpoint *endpoint)
{
    return &endpoint->counters;
}

/* No datagrams: no destination is ever made. */
static enum weft_status destination_create(struct weft_endpoint *endpoint,
                                           const struct weft_endpoint_address *peer,
                                           struct weft_destination **ret_destination,
                                           struct weft_error *error)
{
    (void)endpoint;
    (void)peer;
    (void)ret_destination;
    return weft_error_set(error, WEFT_UNSUPPORTED,
                          "null has no datagrams; use the dpdk or verbs driver for them");
}

static enum weft_endpoint_state destination_state(const struct weft_destination *destination,
                                                  struct weft_error *error)
{
    (void)destination;
    (void)weft_error_set(error, WEFT_UNSUPPORTED, "null has no datagrams");
    return WEFT_ENDPOINT_FAILED;
}

static void destination_destroy(struct weft_endpoint *endpoint,
                                struct weft_destination *destination)
{
    (void)endpoint;
    assert(!destination);
}

const struct weft_driver weft_driver_null = {
    .name = "null",
    .summary = "completes at once in memory: measures weft itself",
    .start = start,
    .stop = stop,
    .list = list,
    .open = weft_null_open,
    .close = weft_null_close,
    .capabilities = capabilities,
    .counters = counters,
    .describe = describe,
    .progress = weft_null_progress,
    .service = service,
    .region_register = weft_null_region_register,
    .region_deregister = weft_null_region_deregister,
    .cq_create = weft_null_cq_create,
    .cq_destroy = weft_null_cq_destroy,
    .cq_poll = weft_null_cq_poll,
    .endpoint_create = weft_null_endpoint_create,
    .endpoint_destroy = weft_null_endpoint_destroy,
    .endpoint_address = weft_null_endpoint_address,
    .endpoint_connect = weft_null_endpoint_connect,
    .endpoint_state = endpoint_state,
    .endpoint_counters = endpoint_counters,
    .destination_create = destination_create,
    .destination_state = destination_state,
    .destination_destroy = destination_destroy,
    .post_send = weft_null_post_send,
    .post_receive = weft_null_post_receive,
};
