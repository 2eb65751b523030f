/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/verbs/internal.h"

static enum weft_status check(const struct weft_device *device,
                              const struct weft_endpoint_options *options, struct weft_error *error)
{
    enum weft_status status = weft_verbs_limit_check("send depth", options->send_depth,
                                                     device->capabilities.max_send_depth, error);
    if (status == WEFT_OK)
        status = weft_verbs_limit_check("receive depth", options->receive_depth,
                                        device->capabilities.max_receive_depth, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "%s: ", device->name.device);
    if (!(device->capabilities.transports & WEFT_BIT(options->transport)))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: the device does not support unreliable connections (UC)",
                              device->name.device);
    return WEFT_OK;
}

static enum ibv_qp_type type_of(enum weft_transport transport)
{
    switch (transport) {
    case WEFT_TRANSPORT_RC:
        return IBV_QPT_RC;
    case WEFT_TRANSPORT_UC:
        return IBV_QPT_UC;
    case WEFT_TRANSPORT_UD:
    case WEFT_TRANSPORT_COUNT:
        break;
    }
    assert(transport == WEFT_TRANSPORT_UD);
    return IBV_QPT_UD;
}

static enum weft_status find_place(const struct weft_device *device, uint32_t *ret_place,
                                   struct weft_error *error)
{
    for (uint32_t i = 0; i < device->max_endpoints; i++) {
        if (device->endpoints[i])
            continue;
        *ret_place = i;
        return WEFT_OK;
    }
    return weft_error_set(error, WEFT_UNSUPPORTED,
                          "%s: an endpoint beyond the %u that it was opened for",
                          device->name.device, device->max_endpoints);
}

static enum weft_status allocate(struct weft_endpoint *endpoint,
                                 const struct weft_endpoint_options *options,
                                 struct weft_error *error)
{
    weft_verbs_window_init(&endpoint->send, options->send_depth);
    weft_verbs_window_init(&endpoint->receive, options->receive_depth);
    endpoint->send_slots = calloc(endpoint->send.mask + 1u, sizeof(*endpoint->send_slots));
    endpoint->receive_slots = calloc(endpoint->receive.mask + 1u, sizeof(*endpoint->receive_slots));
    if (endpoint->send_slots && endpoint->receive_slots)
        return WEFT_OK;
    return weft_error_set(error, WEFT_NO_MEMORY, "%s: no memory for an endpoint",
                          endpoint->device->name.device);
}

static enum weft_status make_qp(struct weft_endpoint *endpoint,
                                const struct weft_endpoint_options *options,
                                struct weft_error *error)
{
    struct ibv_qp_init_attr attributes = {
        .send_cq = endpoint->cq->cq,
        .recv_cq = endpoint->cq->cq,
        .cap = {.max_send_wr = options->send_depth,
                .max_recv_wr = options->receive_depth,
                .max_send_sge = 1,
                .max_recv_sge = 1,
                .max_inline_data = endpoint->inline_bytes},
        .qp_type = type_of(endpoint->transport),
    };
    endpoint->qp = ibv_create_qp(endpoint->device->pd, &attributes);
    if (endpoint->qp)
        return WEFT_OK;
    /* The device's figures hold one by one; together they may be too much. */
    return weft_verbs_errno_error(error, errno,
                                  "%s: making a queue pair for %u sends with %u bytes inline and "
                                  "%u receives (fewer, or less inline, may pass)",
                                  endpoint->device->name.device, options->send_depth,
                                  endpoint->inline_bytes, options->receive_depth);
}

static void release(struct weft_endpoint *endpoint)
{
    if (endpoint->qp) {
        int failed = ibv_destroy_qp(endpoint->qp);
        assert(!failed);
    }
    free(endpoint->send_slots);
    free(endpoint->receive_slots);
    free(endpoint);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Only a reliable connection has READs and atomics. */
static uint32_t read_depth(const struct weft_device *device,
                           const struct weft_endpoint_options *options)
{
    if (options->transport != WEFT_TRANSPORT_RC)
        return 0;
    return least(options->read_depth, device->capabilities.max_read_depth);
}

enum weft_status weft_verbs_endpoint_create(struct weft_device *device,
                                            const struct weft_endpoint_options *options,
                                            struct weft_endpoint **ret_endpoint,
                                            struct weft_error *error)
{
    assert((unsigned)options->transport < WEFT_TRANSPORT_COUNT && options->cq);
    uint32_t place = 0, flow_label = 0;
    enum weft_status status = check(device, options, error);
    if (status == WEFT_OK)
        status = weft_verbs_flow_choose(device, options->source_port, &flow_label, error);
    if (status == WEFT_OK)
        status = find_place(device, &place, error);
    if (status != WEFT_OK)
        return status;
    struct weft_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint)
        return weft_error_set(error, WEFT_NO_MEMORY, "%s: no memory for an endpoint",
                              device->name.device);
    *endpoint = (struct weft_endpoint){
        .device = device,
        .cq = options->cq,
        .transport = options->transport,
        .place = place,
        .psn = (uint32_t)weft_random_next(&device->random) & 0xffffff,
        /* Keys with the top bit set are the kernel's to give. */
        .qkey = (uint32_t)weft_random_next(&device->random) & 0x7fffffff,
        .inline_bytes = least(options->inline_bytes, device->capabilities.max_inline_bytes),
        .flow_label = flow_label,
        .read_depth = (uint8_t)read_depth(device, options),
        .user = options->user,
    };
    status = allocate(endpoint, options, error);
    if (status == WEFT_OK)
        status = make_qp(endpoint, options, error);
    if (status == WEFT_OK)
        status = weft_verbs_qp_init(endpoint, error);
    if (status == WEFT_OK && endpoint->transport == WEFT_TRANSPORT_UD)
        status = weft_verbs_qp_ready(endpoint, error);
    if (status != WEFT_OK) {
        release(endpoint);
        return status;
    }
    device->endpoints[place] = endpoint;
    *ret_endpoint = endpoint;
    return WEFT_OK;
}

void weft_verbs_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    if (!endpoint)
        return;
    uint32_t place = endpoint->place;
    assert(device->endpoints[place] == endpoint);
    weft_verbs_connect_stop(endpoint);
    release(endpoint);
    device->endpoints[place] = NULL;
    device->generations[place] = (device->generations[place] + 1) & WEFT_VERBS_GENERATION_MASK;
}

void weft_verbs_endpoint_address(const struct weft_endpoint *endpoint,
                                 struct weft_endpoint_address *ret_address)
{
    const struct weft_device *device = endpoint->device;
    *ret_address = (struct weft_endpoint_address){
        .qpn = endpoint->qp->qp_num,
        .psn = endpoint->psn,
        .qkey = endpoint->transport == WEFT_TRANSPORT_UD ? endpoint->qkey : 0,
        .mtu_bytes = device->capabilities.mtu_bytes,
        .lid = device->is_ethernet ? 0 : device->lid,
        .read_depth = endpoint->read_depth,
    };
    memcpy(ret_address->gid, device->gid.bytes, sizeof(ret_address->gid));
}

const struct weft_endpoint_counters *
weft_verbs_endpoint_counters(const struct weft_endpoint *endpoint)
{
    return &endpoint->counters;
}

static void explain(const struct weft_endpoint *endpoint, struct weft_error *error)
{
    char gid[WEFT_VERBS_GID_TEXT] = "";
    const char *name = endpoint->device->name.device;
    weft_verbs_gid_format(endpoint->peer.gid, gid);
    if (endpoint->is_unreachable) {
        (void)weft_error_set(error, endpoint->failure,
                             "%s: queue pair 0x%06x: no path to %s (is the peer up, and does ping "
                             "reach it?): %s after %u tries",
                             name, endpoint->qp->qp_num, gid, weft_status_text(endpoint->failure),
                             endpoint->tries);
        return;
    }
    if (endpoint->failure_errno) {
        (void)weft_error_set(error, endpoint->failure, "%s: a work was refused: %s%s", name,
                             strerror(endpoint->failure_errno),
                             endpoint->failure_errno == EOPNOTSUPP && endpoint->peer_depth == 0
                                 ? " (no READs or atomics were agreed with the peer)"
                                 : "");
        return;
    }
    (void)weft_error_set(
        error, endpoint->failure,
        "%s: queue pair 0x%06x to 0x%06x at %s: %s (libibverbs: %s, vendor error 0x%x)", name,
        endpoint->qp->qp_num, endpoint->peer.qpn, gid, weft_status_text(endpoint->failure),
        ibv_wc_status_str(endpoint->device_status), endpoint->vendor_error);
}

enum weft_endpoint_state weft_verbs_endpoint_state(const struct weft_endpoint *endpoint,
                                                   struct weft_error *error)
{
    if (endpoint->cq->broken) {
        (void)weft_error_set(error, WEFT_IO, "%s: its completion queue cannot be read any more",
                             endpoint->device->name.device);
        return WEFT_ENDPOINT_FAILED;
    }
    if (endpoint->state == WEFT_ENDPOINT_FAILED)
        explain(endpoint, error);
    return endpoint->state;
}
