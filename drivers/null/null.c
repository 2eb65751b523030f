/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/null/null.h"

#include <pthread.h>
#include <stdlib.h>

#include "drivers/null/internal.h"
#include "fabric/driver/default.h"

#define DEPTH_MAX (1u << 16)
#define READ_DEPTH 16u /* one ends before the next begins; what others can do */
#define MTU_BYTES 4096u

/* ---- regions ---- */

static enum weft_status region_register(struct weft_device *device, void *memory,
                                        uint64_t len_bytes, struct weft_region *ret_region,
                                        struct weft_error *error)
{
    uint32_t index = 0;
    while (index < device->region_count && device->regions[index].lkey)
        index++;
    if (index == device->region_count)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "null: all %u memory regions that the device was opened with are in "
                              "use",
                              device->region_count);
    uint32_t key = device->key_base | index;
    *ret_region = device->regions[index] =
        (struct weft_region){.memory = memory, .len_bytes = len_bytes, .lkey = key, .rkey = key};
    return WEFT_OK;
}

static void region_deregister(struct weft_device *device, struct weft_region *region)
{
    struct weft_region *entry = &device->regions[region->lkey % WEFT_NULL_REGIONS_MAX];
    assert(entry->lkey == region->lkey && entry->memory == region->memory);
    *entry = (struct weft_region){0};
}

/* ---- devices ---- */

static void list(weft_device_visitor visit, void *context)
{
    visit(context, &(struct weft_device_description){
                       .name = "memory",
                       .detail = "ranks of one process, joined in memory: weft's own cost"});
}

static void close_device(struct weft_device *device)
{
    if (!device)
        return;
    assert(!device->endpoint_count);
    for (uint32_t i = 0; i < device->region_count; i++)
        assert(!device->regions[i].lkey);
    free(device->endpoints);
    free(device);
}

static enum weft_status open_device(const struct weft_device_options *options,
                                    struct weft_device **ret_device, struct weft_error *error)
{
    static atomic_uint opened;
    enum weft_status status = weft_driver_refuse_packet_options(options, "null", error);
    if (status != WEFT_OK)
        return status;
    if (options->max_regions > WEFT_NULL_REGIONS_MAX)
        return weft_error_set(error, WEFT_INVALID, "null: a device has at most %u regions, not %u",
                              WEFT_NULL_REGIONS_MAX, options->max_regions);
    struct weft_device *device =
        calloc(1, sizeof(*device) + options->max_regions * sizeof(device->regions[0]));
    if (device)
        device->endpoints =
            calloc((size_t)options->max_endpoints + 1, sizeof(struct weft_endpoint *));
    if (!device || !device->endpoints) {
        free(device);
        return weft_error_set(error, WEFT_NO_MEMORY, "null: no memory for a device");
    }
    device->endpoint_room = options->max_endpoints;
    device->region_count = options->max_regions;
    device->key_base =
        (atomic_fetch_add(&opened, 1) % (UINT16_MAX - 1) + 1) * WEFT_NULL_REGIONS_MAX;
    device->counters.counted = WEFT_BIT(WEFT_COUNTER_sent_packets) |
                               WEFT_BIT(WEFT_COUNTER_sent_bytes) |
                               WEFT_BIT(WEFT_COUNTER_received_packets) |
                               WEFT_BIT(WEFT_COUNTER_received_bytes) | WEFT_COUNTED_INJECTED;
    device->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : MTU_BYTES;
    *ret_device = device;
    return WEFT_OK;
}

static void capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    *ret = (struct weft_capabilities){.transports = WEFT_BIT(WEFT_TRANSPORT_RC),
                                      .operations = WEFT_BIT(WEFT_OPERATION_COUNT) - 1,
                                      .max_read_depth = READ_DEPTH,
                                      .max_message_bytes = WEFT_MESSAGE_BYTES_MAX,
                                      .max_inline_bytes = WEFT_NULL_INLINE_BYTES,
                                      .max_send_depth = DEPTH_MAX,
                                      .max_receive_depth = DEPTH_MAX,
                                      .max_cq_depth = WEFT_DRIVER_DEFAULT_CQ_DEPTH_MAX,
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

/* ---- endpoints ---- */

/* All of the process, by serial: an endpoint is found by a peer on another device. Set-up and
 * teardown come here, on control threads; the lock is theirs. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_endpoint *buckets[4096];
static uint64_t last_serial;

#define BUCKETS (sizeof(buckets) / sizeof(buckets[0]))
#define SERIAL_BITS 24u /* of it in a qpn, and the next in a psn */
#define SERIAL_MASK ((UINT32_C(1) << SERIAL_BITS) - 1)

/* Where the pointer to it is; that pointer is NULL where there is no such endpoint. */
static struct weft_endpoint **find(uint64_t serial)
{
    struct weft_endpoint **at = &buckets[serial % BUCKETS];
    while (*at && (*at)->serial != serial)
        at = &(*at)->next;
    return at;
}

/* Drops one reference. Under the lock, unless nobody else knows the endpoint. */
static void release(struct weft_endpoint *endpoint)
{
    if (!endpoint || --endpoint->references)
        return;
    free(endpoint->sends.slots);
    free(endpoint->receives.slots);
    free(endpoint->inline_copies);
    free(endpoint);
}

static bool queue_init(struct weft_null_queue *queue, uint32_t depth)
{
    uint32_t room = 1;
    while (room < depth)
        room *= 2;
    queue->mask = room - 1;
    queue->depth = depth;
    queue->slots = calloc(room, sizeof(*queue->slots));
    return queue->slots != NULL;
}

static struct weft_endpoint *allocate(const struct weft_endpoint_options *options)
{
    struct weft_endpoint *endpoint = aligned_alloc(WEFT_NULL_CACHE_LINE, sizeof(*endpoint));
    if (!endpoint)
        return NULL;
    *endpoint = (struct weft_endpoint){.references = 1, .user = options->user};
    endpoint->completions = (struct weft_completions *)(void *)options->cq;
    bool whole = queue_init(&endpoint->sends, options->send_depth) &&
                 queue_init(&endpoint->receives, options->receive_depth);
    endpoint->inline_copies =
        whole ? calloc(endpoint->sends.mask + 1u, WEFT_NULL_INLINE_BYTES) : NULL;
    if (endpoint->inline_copies)
        return endpoint;
    release(endpoint);
    return NULL;
}

static enum weft_status endpoint_create(struct weft_device *device,
                                        const struct weft_endpoint_options *options,
                                        struct weft_endpoint **ret_endpoint,
                                        struct weft_error *error)
{
    if (options->transport != WEFT_TRANSPORT_RC)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "null carries reliable connections only; use the dpdk or verbs "
                              "driver for datagrams");
    if (!options->send_depth || options->send_depth > DEPTH_MAX || !options->receive_depth ||
        options->receive_depth > DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "null: depths of %u sends and %u receives are out of range; choose 1 "
                              "to %u",
                              options->send_depth, options->receive_depth, DEPTH_MAX);
    if (device->endpoint_count == device->endpoint_room)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "null: all %u endpoints that the device was opened with are in use",
                              device->endpoint_room);
    struct weft_endpoint *endpoint = allocate(options);
    if (!endpoint)
        return weft_error_set(error, WEFT_NO_MEMORY, "null: no memory for an endpoint");
    endpoint->device = device;
    (void)pthread_mutex_lock(&lock);
    endpoint->serial = ++last_serial;
    *find(endpoint->serial) = endpoint;
    (void)pthread_mutex_unlock(&lock);
    device->endpoints[device->endpoint_count++] = endpoint;
    *ret_endpoint = endpoint;
    return WEFT_OK;
}

static void endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint)
{
    if (!endpoint)
        return;
    uint32_t index = 0;
    while (device->endpoints[index] != endpoint) {
        index++;
        assert(index < device->endpoint_count);
    }
    device->endpoints[index] = device->endpoints[--device->endpoint_count];
    (void)pthread_mutex_lock(&lock);
    *find(endpoint->serial) = endpoint->next;
    atomic_store_explicit(&endpoint->closed, true, memory_order_release);
    release(endpoint->peer);
    release(endpoint);
    (void)pthread_mutex_unlock(&lock);
}

static void endpoint_address(const struct weft_endpoint *endpoint,
                             struct weft_endpoint_address *ret_address)
{
    *ret_address =
        (struct weft_endpoint_address){.qpn = endpoint->serial & SERIAL_MASK,
                                       .psn = endpoint->serial >> SERIAL_BITS & SERIAL_MASK,
                                       .mtu_bytes = endpoint->device->mtu_bytes,
                                       .read_depth = READ_DEPTH};
}

static enum weft_status join(struct weft_endpoint *endpoint,
                             const struct weft_endpoint_address *address, struct weft_error *error)
{
    struct weft_endpoint *peer = *find((uint64_t)address->psn << SERIAL_BITS | address->qpn);
    if (!peer)
        return weft_error_set(error, WEFT_NOT_FOUND,
                              "null joins ranks of one process only, and endpoint %u is not of "
                              "this one; use the dpdk or verbs driver between processes",
                              address->qpn);
    if (peer->taken || endpoint->peer)
        return weft_error_set(error, WEFT_EXISTS, "null: endpoint %u is connected already",
                              address->qpn);
    peer->taken = true;
    peer->references++;
    endpoint->peer = peer;
    return WEFT_OK;
}

static enum weft_status endpoint_connect(struct weft_endpoint *endpoint,
                                         const struct weft_endpoint_address *peer,
                                         struct weft_error *error)
{
    (void)pthread_mutex_lock(&lock);
    enum weft_status status = join(endpoint, peer, error);
    (void)pthread_mutex_unlock(&lock);
    return status;
}

static enum weft_endpoint_state endpoint_state(const struct weft_endpoint *endpoint,
                                               struct weft_error *error)
{
    if (!endpoint->peer)
        return WEFT_ENDPOINT_NEW;
    if (endpoint->failure != WEFT_OK)
        (void)weft_error_set(error, endpoint->failure, "%s", weft_status_text(endpoint->failure));
    else if (atomic_load_explicit(&endpoint->peer->closed, memory_order_acquire))
        (void)weft_error_set(error, WEFT_PEER_LOST, "the peer's endpoint is gone");
    else
        return WEFT_ENDPOINT_READY;
    return WEFT_ENDPOINT_FAILED;
}

static const struct weft_endpoint_counters *endpoint_counters(const struct weft_endpoint *endpoint)
{
    return &endpoint->counters;
}

const struct weft_driver weft_driver_null = {
    WEFT_DRIVER_DEFAULTS,
    .name = "null",
    .summary = "completes at once in memory: measures weft itself",
    .list = list,
    .open = open_device,
    .close = close_device,
    .capabilities = capabilities,
    .counters = counters,
    .describe = describe,
    .progress = weft_null_progress,
    .region_register = region_register,
    .region_deregister = region_deregister,
    .endpoint_create = endpoint_create,
    .endpoint_destroy = endpoint_destroy,
    .endpoint_address = endpoint_address,
    .endpoint_connect = endpoint_connect,
    .endpoint_state = endpoint_state,
    .endpoint_counters = endpoint_counters,
    .post_send = weft_null_post_send,
    .post_receive = weft_null_post_receive,
};
