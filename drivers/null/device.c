/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>

#include "drivers/null/internal.h"

#define DEFAULT_ENDPOINTS 1024u
#define DEFAULT_REGIONS 64u
#define MTU_BYTES 4096u

static enum weft_status check_options(const struct weft_device_options *options,
                                      struct weft_error *error)
{
    if (options->pcap_path)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "null sends no packets, so there is nothing to capture; use the dpdk "
                              "driver, or leave the capture out");
    if (options->rate_bps || options->congestion.control)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "null sends no packets, so there is nothing to pace or to slow down; "
                              "use the dpdk driver, or leave 'pace' and 'congestion' out");
    if (weft_fault_is_on(&options->fault))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "null sends no packets, so none can be dropped or harmed; use the "
                              "dpdk driver, or leave the faults out");
    if (options->mtu_bytes > MTU_BYTES)
        return weft_error_set(error, WEFT_INVALID, "null: a path MTU of %u B is above %u B",
                              options->mtu_bytes, MTU_BYTES);
    if (options->max_endpoints > WEFT_NULL_ENDPOINTS_MAX ||
        options->max_regions > WEFT_NULL_REGIONS_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "null: a device has at most %u endpoints and %u regions, not %u and "
                              "%u",
                              WEFT_NULL_ENDPOINTS_MAX, WEFT_NULL_REGIONS_MAX,
                              options->max_endpoints, options->max_regions);
    return WEFT_OK;
}

enum weft_status weft_null_open(const struct weft_device_options *options,
                                struct weft_device **ret_device, struct weft_error *error)
{
    enum weft_status status = check_options(options, error);
    if (status != WEFT_OK)
        return status;
    uint32_t endpoints = options->max_endpoints ? options->max_endpoints : DEFAULT_ENDPOINTS;
    uint32_t regions = options->max_regions ? options->max_regions : DEFAULT_REGIONS;
    struct weft_device *device = calloc(1, sizeof(*device));
    if (!device)
        return weft_error_set(error, WEFT_NO_MEMORY, "null: out of memory for a device");
    device->endpoints = calloc(endpoints, sizeof(struct weft_endpoint *));
    device->regions =
        calloc(1, sizeof(*device->regions) + regions * sizeof(device->regions->entries[0]));
    if (!device->endpoints || !device->regions) {
        weft_null_close(device);
        return weft_error_set(error, WEFT_NO_MEMORY, "null: out of memory for a device");
    }
    device->endpoint_room = endpoints;
    device->regions->count = regions;
    device->regions->base = weft_null_directory_device() << 16; /* never 0: no key is 0 */
    device->counters.counted = WEFT_BIT(WEFT_COUNTER_sent_packets) |
                               WEFT_BIT(WEFT_COUNTER_sent_bytes) |
                               WEFT_BIT(WEFT_COUNTER_received_packets) |
                               WEFT_BIT(WEFT_COUNTER_received_bytes) | WEFT_COUNTED_INJECTED;
    device->address = options->address;
    device->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : MTU_BYTES;
    *ret_device = device;
    return WEFT_OK;
}

void weft_null_close(struct weft_device *device)
{
    if (!device)
        return;
    assert(!device->endpoint_count && !device->cq_count);
    for (uint32_t i = 0; device->regions && i < device->regions->count; i++)
        assert(!device->regions->entries[i].key);
    free(device->regions);
    free(device->endpoints);
    free(device);
}

enum weft_status weft_null_cq_create(struct weft_device *device, uint32_t depth,
                                     struct weft_cq **ret_cq, struct weft_error *error)
{
    if (!depth || depth > WEFT_NULL_CQ_DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "null: a completion queue of %u is out of range; choose 1 to %u",
                              depth, WEFT_NULL_CQ_DEPTH_MAX);
    uint32_t room = weft_null_power_of_two(depth);
    struct weft_cq *cq = calloc(1, sizeof(*cq));
    struct weft_completion *completions = calloc(room, sizeof(*completions));
    if (!cq || !completions) {
        free(completions);
        free(cq);
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "null: out of memory for a completion queue of %u", depth);
    }
    *cq = (struct weft_cq){.mask = room - 1, .depth = depth, .completions = completions};
    device->cq_count++;
    *ret_cq = cq;
    return WEFT_OK;
}

void weft_null_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    if (!cq)
        return;
    device->cq_count--;
    free(cq->completions);
    free(cq);
}
