/* SPDX-License-Identifier: BSD-3-Clause */
/* What `weft devices` says: a line a port, and what stands in the way of using it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/verbs/internal.h"
#include "fabric/base/units.h"

/* A run with large messages registers tens of megabytes. */
#define MEMORY_ENOUGH_BYTES (UINT64_C(64) << 20)

struct line {
    char name[80];
    char detail[256];
    char hindrance[sizeof(((struct weft_error *)NULL)->text)];
};

static void visit_line(weft_device_visitor visit, void *context, const struct line *line)
{
    struct weft_device_description description = {
        .name = line->name,
        .detail = line->detail,
        .hindrance = line->hindrance[0] ? line->hindrance : NULL,
    };
    visit(context, &description);
}

static void note_memory(struct line *line)
{
    uint64_t limit_bytes;
    if (!weft_verbs_memory_is_limited(&limit_bytes) || limit_bytes >= MEMORY_ENOUGH_BYTES)
        return;
    (void)snprintf(line->hindrance, sizeof(line->hindrance),
                   "this process may lock only %" PRIu64
                   " KiB of memory (RLIMIT_MEMLOCK): enough for small messages; ulimit -l "
                   "unlimited",
                   limit_bytes / 1024);
}

/* What not every device can. UC is left out: to learn of it a queue pair must be made. */
static void detail_operations(struct line *line, const struct ibv_device_attr *device,
                              const struct ibv_port_attr *port)
{
    struct weft_capabilities capabilities = {0};
    weft_verbs_limits_clamp(device, port, &capabilities);
    bool atomics = capabilities.operations & WEFT_BIT(WEFT_OPERATION_FETCH_ADD);
    size_t at = strlen(line->detail);
    if (capabilities.max_read_depth > 0)
        (void)snprintf(line->detail + at, sizeof(line->detail) - at, ", READ depth %u, %s",
                       capabilities.max_read_depth, atomics ? "atomics" : "no atomics");
    else
        (void)snprintf(line->detail + at, sizeof(line->detail) - at, ", no READ, no atomics");
}

/* "RoCE v2, 100 Gbps, NUMA 0, MTU 4096, GID 3 ::ffff:10.0.0.1" */
static void detail_port(struct line *line, const struct weft_verbs_name *name,
                        const struct ibv_port_attr *port, const struct weft_verbs_gid *gid)
{
    char text[WEFT_VERBS_GID_TEXT], rate[WEFT_UNITS_TEXT] = "rate unknown", numa[24] = "";
    bool is_ethernet = port->link_layer == IBV_LINK_LAYER_ETHERNET;
    uint64_t rate_bps = weft_verbs_port_rate(name);
    if (rate_bps)
        weft_show_rate(rate_bps, rate);
    int32_t node = weft_verbs_numa_node(name->device);
    if (node >= 0)
        (void)snprintf(numa, sizeof(numa), ", NUMA %d", node);
    int used = snprintf(line->detail, sizeof(line->detail), "%s, %s%s, MTU %u",
                        gid           ? weft_verbs_gid_type_text(gid->type)
                        : is_ethernet ? "RoCE"
                                      : "InfiniBand",
                        rate, numa, weft_verbs_mtu_bytes(port->active_mtu));
    size_t at = (size_t)used;
    if (!is_ethernet)
        (void)snprintf(line->detail + at, sizeof(line->detail) - at, ", LID %u", port->lid);
    else if (gid)
        (void)snprintf(line->detail + at, sizeof(line->detail) - at, ", GID %u %s", gid->index,
                       weft_verbs_gid_format(gid->bytes, text));
}

static void list_port(struct ibv_context *context, const struct ibv_device_attr *attributes,
                      const struct weft_verbs_name *name, weft_device_visitor visit,
                      void *visit_context)
{
    struct line line = {0};
    struct ibv_port_attr port;
    if (name->port == 1)
        (void)snprintf(line.name, sizeof(line.name), "%s", name->device);
    else
        (void)snprintf(line.name, sizeof(line.name), "%s:%u", name->device, name->port);
    int number = ibv_query_port(context, name->port, &port);
    if (number) {
        (void)snprintf(line.hindrance, sizeof(line.hindrance), "the port cannot be queried: %s",
                       strerror(number));
        visit_line(visit, visit_context, &line);
        return;
    }
    struct weft_verbs_gid *gids, gid;
    struct weft_error error = {0};
    struct weft_ip any = {0};
    uint32_t count = weft_verbs_port_gids(context, name->port,
                                          port.link_layer == IBV_LINK_LAYER_ETHERNET, &gids);
    bool has_gid = weft_verbs_gid_choose(gids, count, &any, &gid, &error) == WEFT_OK;
    free(gids);
    detail_port(&line, name, &port, has_gid ? &gid : NULL);
    detail_operations(&line, attributes, &port);
    if (port.state != IBV_PORT_ACTIVE)
        (void)snprintf(line.hindrance, sizeof(line.hindrance),
                       "the port is %s: is the cable in, and the interface up (ip link set DEV "
                       "up)?",
                       ibv_port_state_str(port.state));
    else if (!has_gid)
        (void)snprintf(line.hindrance, sizeof(line.hindrance), "%s", error.text);
    else
        note_memory(&line);
    visit_line(visit, visit_context, &line);
}

static void list_device(struct ibv_device *device, weft_device_visitor visit, void *visit_context)
{
    struct line line = {0};
    struct weft_verbs_name name = {0};
    (void)snprintf(name.device, sizeof(name.device), "%s", ibv_get_device_name(device));
    (void)snprintf(line.name, sizeof(line.name), "%s", name.device);
    const char *unusable = weft_verbs_unusable(device);
    if (unusable) {
        (void)snprintf(line.hindrance, sizeof(line.hindrance), "%s", unusable);
        visit_line(visit, visit_context, &line);
        return;
    }
    struct weft_error error = {0};
    struct ibv_context *context = weft_verbs_context_open(device, &error);
    if (!context) {
        (void)snprintf(line.hindrance, sizeof(line.hindrance), "%s", error.text);
        visit_line(visit, visit_context, &line);
        return;
    }
    struct ibv_device_attr attributes;
    int number = ibv_query_device(context, &attributes);
    if (number) {
        (void)snprintf(line.hindrance, sizeof(line.hindrance), "the device cannot be queried: %s",
                       strerror(number));
        visit_line(visit, visit_context, &line);
        attributes.phys_port_cnt = 0;
    }
    for (unsigned port = 1; port <= attributes.phys_port_cnt; port++) {
        name.port = (uint8_t)port;
        list_port(context, &attributes, &name, visit, visit_context);
    }
    (void)ibv_close_device(context);
}

void weft_verbs_list(weft_device_visitor visit, void *context)
{
    struct ibv_device **devices = NULL;
    struct weft_error error = {0};
    if (weft_verbs_devices(&devices, &error) != WEFT_OK || !devices) {
        struct weft_device_description none = {
            .name = "verbs", .detail = "", .hindrance = error.text};
        visit(context, &none);
        return;
    }
    for (size_t i = 0; devices[i]; i++)
        list_device(devices[i], visit, context);
    ibv_free_device_list(devices);
}
