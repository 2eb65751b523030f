/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/null/internal.h"

static enum weft_status check_options(const struct weft_device *device,
                                      const struct weft_endpoint_options *options,
                                      struct weft_error *error)
{
    if (options->transport != WEFT_TRANSPORT_RC)
        return weft_error_set(
            error, WEFT_UNSUPPORTED,
            "null carries reliable connections only; use the dpdk or verbs driver "
            "for datagrams");
    if (!options->send_depth || options->send_depth > WEFT_NULL_DEPTH_MAX ||
        !options->receive_depth || options->receive_depth > WEFT_NULL_DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "null: depths of %u sends and %u receives are out of range; choose 1 "
                              "to %u",
                              options->send_depth, options->receive_depth, WEFT_NULL_DEPTH_MAX);
    if (device->endpoint_count == device->endpoint_room)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "null: all %u endpoints that the device was opened with are in use",
                              device->endpoint_room);
    return WEFT_OK;
}

static bool allocate(struct weft_endpoint *endpoint, const struct weft_endpoint_options *options)
{
    uint32_t room = weft_null_power_of_two(options->send_depth);
    endpoint->send_mask = room - 1;
    endpoint->send_depth = options->send_depth;
    endpoint->sends = calloc(room, sizeof(*endpoint->sends));
    endpoint->inline_copies = calloc(room, WEFT_NULL_INLINE_BYTES);
    endpoint->mailbox = weft_null_mailbox_create(options->receive_depth, endpoint->device->regions);
    return endpoint->sends && endpoint->inline_copies && endpoint->mailbox;
}

static void release(struct weft_endpoint *endpoint)
{
    free(endpoint->inline_copies);
    free(endpoint->sends);
    free(endpoint);
}

static bool add(struct weft_endpoint *endpoint)
{
    weft_null_directory_lock();
    bool added = weft_null_directory_add(endpoint);
    weft_null_directory_unlock();
    return added;
}

enum weft_status weft_null_endpoint_create(struct weft_device *device,
                                           const struct weft_endpoint_options *options,
                                           struct weft_endpoint **ret_endpoint,
                                           struct weft_error *error)
{
    enum weft_status status = check_options(device, options, error);
    if (status != WEFT_OK)
        return status;
    struct weft_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint)
        return weft_error_set(error, WEFT_NO_MEMORY, "null: out of memory for an endpoint");
    endpoint->device = device;
    endpoint->cq = options->cq;
    endpoint->user = options->user;
    if (!allocate(endpoint, options) || !add(endpoint)) {
        weft_null_mailbox_release(endpoint->mailbox);
        release(endpoint);
        return weft_error_set(error, WEFT_NO_MEMORY, "null: out of memory for an endpoint");
    }
    device->endpoints[device->endpoint_count++] = endpoint;
    *ret_endpoint = endpoint;
    return WEFT_OK;
}

static void leave_device(struct weft_device *device, const struct weft_endpoint *endpoint)
{
    uint32_t index = 0;
    while (device->endpoints[index] != endpoint) {
        index++;
        assert(index < device->endpoint_count);
    }
    device->endpoints[index] = device->endpoints[--device->endpoint_count];
}

void weft_null_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    if (!endpoint)
        return;
    leave_device(device, endpoint);
    weft_null_directory_lock();
    atomic_store_explicit(&endpoint->mailbox->closed, true, memory_order_release);
    weft_null_mailbox_release(endpoint->mailbox);
    weft_null_mailbox_release(endpoint->peer);
    weft_null_directory_remove(endpoint);
    weft_null_directory_unlock();
    release(endpoint);
}

/* The address as RoCE would write it: IPv4 inside ::ffff:0:0/96. */
void weft_null_endpoint_address(const struct weft_endpoint *endpoint,
                                struct weft_endpoint_address *ret_address)
{
    const struct weft_ip *ip = &endpoint->device->address;
    *ret_address = (struct weft_endpoint_address){.qpn = endpoint->qpn,
                                                  .psn = endpoint->serial,
                                                  .mtu_bytes = endpoint->device->mtu_bytes,
                                                  .read_depth = WEFT_NULL_READ_DEPTH};
    if (ip->version == 6) {
        memcpy(ret_address->gid, ip->bytes, sizeof(ret_address->gid));
        return;
    }
    ret_address->gid[10] = ret_address->gid[11] = 0xff;
    memcpy(ret_address->gid + 12, ip->bytes, 4);
}

static enum weft_status join(struct weft_endpoint *endpoint,
                             const struct weft_endpoint_address *address, struct weft_error *error)
{
    struct weft_endpoint *peer = weft_null_directory_find(address->qpn);
    if (!peer || peer->serial != address->psn)
        return weft_error_set(
            error, WEFT_NOT_FOUND,
            "null joins ranks of one process only, and endpoint %u is not of this "
            "one; use the dpdk or verbs driver between processes",
            address->qpn);
    if (peer->taken || endpoint->peer)
        return weft_error_set(error, WEFT_EXISTS, "null: endpoint %u is connected already",
                              peer->taken ? address->qpn : endpoint->qpn);
    peer->taken = true;
    peer->mailbox->references++;
    endpoint->peer = peer->mailbox;
    endpoint->state = WEFT_ENDPOINT_READY;
    return WEFT_OK;
}

enum weft_status weft_null_endpoint_connect(struct weft_endpoint *endpoint,
                                            const struct weft_endpoint_address *peer,
                                            struct weft_error *error)
{
    weft_null_directory_lock();
    enum weft_status status = join(endpoint, peer, error);
    weft_null_directory_unlock();
    return status;
}
