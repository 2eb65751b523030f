/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/verbs/internal.h"
#include "drivers/verbs/sysfs.h"
#include "fabric/base/units.h"

enum weft_status weft_verbs_devices(struct ibv_device ***ret_devices, struct weft_error *error)
{
    int count = 0;
    errno = 0;
    struct ibv_device **devices = ibv_get_device_list(&count);
    if (devices && count > 0) {
        *ret_devices = devices;
        return WEFT_OK;
    }
    int number = devices ? 0 : errno;
    if (devices)
        ibv_free_device_list(devices);
    if (number && number != ENOSYS)
        return weft_verbs_errno_error(error, number, "listing the RDMA devices");
    return weft_error_set(error, WEFT_NOT_FOUND,
                          "no RDMA device: %s; for soft-RoCE on any interface: modprobe rdma_rxe "
                          "&& rdma link add rxe0 type rxe netdev DEV",
                          number ? "the kernel has no RDMA subsystem loaded (ib_uverbs)"
                                 : "the kernel knows none (is the NIC's driver, such as mlx5_ib, "
                                   "loaded?)");
}

/* The names there are, for an error: as many as fit. */
static void names_of(struct ibv_device *const *devices, char *text, size_t room_bytes)
{
    text[0] = '\0';
    for (size_t i = 0, used = 0; devices[i] && used < room_bytes; i++)
        used += (size_t)snprintf(text + used, room_bytes - used, "%s%s", i ? ", " : "",
                                 ibv_get_device_name(devices[i]));
}

static enum weft_status open_context(struct weft_device *device, struct ibv_device *const *devices,
                                     struct weft_error *error)
{
    for (size_t i = 0; devices[i]; i++) {
        if (strcmp(ibv_get_device_name(devices[i]), device->name.device) != 0)
            continue;
        const char *unusable = weft_verbs_unusable(devices[i]);
        if (unusable)
            return weft_error_set(error, WEFT_UNSUPPORTED, "%s", unusable);
        device->context = weft_verbs_context_open(devices[i], error);
        return device->context ? WEFT_OK : WEFT_PERMISSION;
    }
    char names[400];
    names_of(devices, names, sizeof(names));
    return weft_error_set(
        error, WEFT_NOT_FOUND,
        "no such RDMA device; there is: %s; take one of these, or add a soft-RoCE "
        "device: rdma link add %s type rxe netdev DEV",
        names, device->name.device);
}

static enum weft_status find_and_open(struct weft_device *device, struct weft_error *error)
{
    struct ibv_device **devices = NULL;
    enum weft_status status = weft_verbs_devices(&devices, error);
    if (status != WEFT_OK)
        return status;
    assert(devices);
    status = open_context(device, devices, error);
    ibv_free_device_list(devices);
    return status;
}

static bool has(const struct weft_device *device, enum weft_operation operation)
{
    return device->capabilities.operations & WEFT_BIT(operation);
}

static void describe(struct weft_device *device)
{
    struct ibv_device_attr attributes = {0};
    (void)ibv_query_device(device->context, &attributes);
    char gid[WEFT_VERBS_GID_TEXT], rate[WEFT_UNITS_TEXT] = "rate unknown", where[80];
    if (device->capabilities.line_rate_bps)
        weft_show_rate(device->capabilities.line_rate_bps, rate);
    if (device->is_ethernet)
        (void)snprintf(where, sizeof(where), "GID %u %s", device->gid.index,
                       weft_verbs_gid_format(device->gid.bytes, gid));
    else
        (void)snprintf(where, sizeof(where), "LID %u", device->lid);
    (void)snprintf(device->description, sizeof(device->description),
                   "%s port %u, %s, %s, path MTU %u, inline %u B, READ depth %u%s%s, fw %.40s, %s",
                   device->name.device, device->name.port,
                   weft_verbs_gid_type_text(device->gid.type), where,
                   device->capabilities.mtu_bytes, device->capabilities.max_inline_bytes,
                   device->capabilities.max_read_depth,
                   has(device, WEFT_OPERATION_FETCH_ADD) ? ", atomics" : "",
                   device->capabilities.transports & WEFT_BIT(WEFT_TRANSPORT_UC) ? ", UC" : "",
                   attributes.fw_ver, rate);
}

static enum weft_status allocate(struct weft_device *device,
                                 const struct weft_device_options *options,
                                 struct weft_error *error)
{
    enum weft_status status = weft_verbs_limit_check("endpoints", options->max_endpoints,
                                                     WEFT_VERBS_ENDPOINTS_MAX, error);
    if (status != WEFT_OK)
        return status;
    device->max_endpoints = options->max_endpoints;
    device->max_regions = options->max_regions;
    device->endpoints = calloc((size_t)options->max_endpoints + 1, sizeof(void *));
    device->generations =
        calloc((size_t)options->max_endpoints + 1, sizeof(device->generations[0]));
    device->counters = calloc(1, sizeof(*device->counters));
    if (!device->endpoints || !device->generations || !device->counters)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for %u endpoints",
                              options->max_endpoints);
    return WEFT_OK;
}

static enum weft_status set_up(struct weft_device *device,
                               const struct weft_device_options *options, struct weft_error *error)
{
    enum weft_status status = allocate(device, options, error);
    if (status == WEFT_OK)
        status = find_and_open(device, error);
    if (status == WEFT_OK)
        status = weft_verbs_port_open(device, options, error);
    if (status != WEFT_OK)
        return status;
    device->pd = ibv_alloc_pd(device->context);
    if (!device->pd)
        return weft_verbs_errno_error(error, errno, "making a protection domain");
    status = weft_verbs_probe(device, error);
    if (status != WEFT_OK)
        return status;
    char path[128];
    (void)snprintf(path, sizeof(path), WEFT_VERBS_SYSFS_INFINIBAND "/%s/ports/%u",
                   device->name.device, device->name.port);
    weft_verbs_counters_init(device->counters, path);
    weft_random_seed(&device->random, options->seed);
    describe(device);
    return WEFT_OK;
}

enum weft_status weft_verbs_open(const struct weft_device_options *options,
                                 struct weft_device **ret_device, struct weft_error *error)
{
    struct weft_verbs_name name;
    enum weft_status status = weft_verbs_name_parse(options->device, &name, error);
    if (status != WEFT_OK)
        return status;
    status = weft_verbs_options_check(options, name.device, error);
    if (status != WEFT_OK)
        return status;
    struct weft_device *device = calloc(1, sizeof(*device));
    if (!device)
        return weft_error_set(error, WEFT_NO_MEMORY, "%s: no memory", name.device);
    device->name = name;
    device->traffic_class = options->traffic_class;
    status = set_up(device, options, error);
    if (status != WEFT_OK) {
        weft_verbs_close(device);
        return weft_error_prefix(error, "%s port %u: ", name.device, name.port);
    }
    *ret_device = device;
    return WEFT_OK;
}

void weft_verbs_close(struct weft_device *device)
{
    if (!device)
        return;
    assert(!device->cqs && device->region_count == 0);
    for (uint32_t i = 0; i < device->max_endpoints && device->endpoints; i++)
        assert(!device->endpoints[i]);
    int failed = device->pd ? ibv_dealloc_pd(device->pd) : 0;
    assert(!failed);
    failed = device->context ? ibv_close_device(device->context) : 0;
    assert(!failed);
    free(device->endpoints);
    free(device->generations);
    free(device->counters);
    free(device);
}
