/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port and its device are: GIDs, MTU, rate, place in the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/verbs/internal.h"
#include "drivers/verbs/sysfs.h"

static enum weft_verbs_gid_type type_of(uint32_t type)
{
    if (type == IBV_GID_TYPE_ROCE_V2)
        return WEFT_VERBS_GID_ROCE_V2;
    return type == IBV_GID_TYPE_ROCE_V1 ? WEFT_VERBS_GID_ROCE_V1 : WEFT_VERBS_GID_INFINIBAND;
}

/* The whole table in one call: asked entry by entry, soft-RoCE's 1024 took most of an open. */
static uint32_t read_table(struct ibv_context *context, uint8_t port, struct ibv_gid_entry *entries,
                           size_t room)
{
    ssize_t count = ibv_query_gid_table(context, entries, room, 0);
    uint32_t of_port = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (entries[i].port_num == port)
            entries[of_port++] = entries[i];
    }
    return of_port;
}

static size_t table_room(struct ibv_context *context, struct ibv_device_attr *device)
{
    size_t room = 0;
    for (uint8_t port = 1; port <= device->phys_port_cnt; port++) {
        struct ibv_port_attr attributes;
        if (ibv_query_port(context, port, &attributes) == 0 && attributes.gid_tbl_len > 0)
            room += (size_t)attributes.gid_tbl_len;
    }
    return room;
}

uint32_t weft_verbs_port_gids(struct ibv_context *context, uint8_t port, bool is_ethernet,
                              struct weft_verbs_gid **ret_gids)
{
    struct ibv_device_attr device;
    *ret_gids = NULL;
    size_t room = ibv_query_device(context, &device) == 0 ? table_room(context, &device) : 0;
    struct ibv_gid_entry *entries = calloc(room + 1, sizeof(*entries));
    struct weft_verbs_gid *gids = calloc(room + 1, sizeof(*gids));
    uint32_t valid = entries && gids ? read_table(context, port, entries, room) : 0, count = 0;
    for (uint32_t i = 0; i < valid; i++) {
        enum weft_verbs_gid_type type = type_of(entries[i].gid_type);
        if (is_ethernet == (type == WEFT_VERBS_GID_INFINIBAND))
            continue;
        gids[count] = (struct weft_verbs_gid){.index = entries[i].gid_index, .type = type};
        memcpy(gids[count].bytes, entries[i].gid.raw, sizeof(gids[count].bytes));
        count++;
    }
    free(entries);
    *ret_gids = gids;
    return count;
}

/* The interface that a soft-RoCE device lies on: rxe alone has this file. */
static bool parent_of(const char *device, char *ret_parent, size_t room_bytes)
{
    char path[WEFT_VERBS_SYSFS_PATH];
    weft_verbs_sysfs_path(path, WEFT_VERBS_SYSFS_INFINIBAND, device, "parent");
    return weft_verbs_sysfs_text(path, ret_parent, room_bytes);
}

bool weft_verbs_is_rxe(const char *device)
{
    char parent[64];
    return parent_of(device, parent, sizeof(parent));
}

/* Soft-RoCE tells what the interface beneath it says, and a veth or tap says 10 Gbps whatever it
 * can: taken only where that interface has hardware. */
static bool rate_is_real(const char *device)
{
    char path[WEFT_VERBS_SYSFS_PATH], parent[64];
    if (!parent_of(device, parent, sizeof(parent)))
        return true;
    return access(weft_verbs_sysfs_path(path, "/sys/class/net", parent, "device"), F_OK) == 0;
}

uint64_t weft_verbs_port_rate(const struct weft_verbs_name *name)
{
    char path[WEFT_VERBS_SYSFS_PATH], file[32], text[64];
    (void)snprintf(file, sizeof(file), "ports/%u/rate", name->port);
    weft_verbs_sysfs_path(path, WEFT_VERBS_SYSFS_INFINIBAND, name->device, file);
    if (!rate_is_real(name->device) || !weft_verbs_sysfs_text(path, text, sizeof(text)))
        return 0;
    return weft_verbs_rate_parse(text);
}

int32_t weft_verbs_numa_node(const char *device)
{
    char path[WEFT_VERBS_SYSFS_PATH];
    int64_t node;
    weft_verbs_sysfs_path(path, WEFT_VERBS_SYSFS_INFINIBAND, device, "device/numa_node");
    if (!weft_verbs_sysfs_number(path, &node) || node < 0 || node > 1023)
        return -1;
    return (int32_t)node;
}

const char *weft_verbs_unusable(struct ibv_device *device)
{
    char path[WEFT_VERBS_SYSFS_PATH], driver[64] = "";
    weft_verbs_sysfs_path(path, WEFT_VERBS_SYSFS_INFINIBAND, ibv_get_device_name(device),
                          "device/driver");
    (void)weft_verbs_sysfs_link_name(path, driver, sizeof(driver));
    if (strcmp(driver, "efa") == 0)
        return "EFA: SRD is not built into this version; use the dpdk driver over ENA";
    if (device->transport_type == IBV_TRANSPORT_IWARP)
        return "iWARP: not supported, only RoCE and InfiniBand are; use the dpdk driver";
    if (device->transport_type != IBV_TRANSPORT_IB)
        return "neither RoCE nor InfiniBand: not supported";
    return NULL;
}

/* Bytes of a full packet on the line beside its payload. Ethernet's are preamble and gap 20, header
 * 14, frame check 4; then an IP header or a GRH, UDP 8 in RoCE v2, BTH 12, ICRC 4. InfiniBand's are
 * LRH 8, BTH 12, ICRC 4, VCRC 2. */
static uint64_t header_bytes(const struct weft_verbs_gid *gid)
{
    if (gid->type == WEFT_VERBS_GID_INFINIBAND)
        return 8 + 12 + 4 + 2;
    if (gid->type == WEFT_VERBS_GID_ROCE_V1)
        return 20 + 14 + 4 + 40 + 12 + 4;
    return 20 + 14 + 4 + (weft_verbs_gid_is_ipv4(gid->bytes) ? 20u : 40u) + 8 + 12 + 4;
}

static enum weft_status choose_gid(struct weft_device *device, const struct weft_ip *address,
                                   struct weft_error *error)
{
    struct weft_verbs_gid *gids;
    uint32_t count =
        weft_verbs_port_gids(device->context, device->name.port, device->is_ethernet, &gids);
    /* An InfiniBand port is addressed by its LID: an IP address is not its business. */
    struct weft_ip none = {0};
    enum weft_status status = weft_verbs_gid_choose(
        gids, count, device->is_ethernet ? address : &none, &device->gid, error);
    free(gids);
    if (status != WEFT_OK)
        return status;
    if (device->is_ethernet && device->gid.index > UINT8_MAX)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "GID %u is beyond the 256 that can be addressed", device->gid.index);
    return WEFT_OK;
}

enum weft_status weft_verbs_port_open(struct weft_device *device,
                                      const struct weft_device_options *options,
                                      struct weft_error *error)
{
    struct weft_capabilities *capabilities = &device->capabilities;
    struct ibv_device_attr attributes;
    struct ibv_port_attr port;
    int number = ibv_query_device(device->context, &attributes);
    if (number)
        return weft_verbs_errno_error(error, number, "querying the device");
    if (device->name.port > attributes.phys_port_cnt)
        return weft_error_set(error, WEFT_NOT_FOUND, "the device has %u port%s",
                              attributes.phys_port_cnt, attributes.phys_port_cnt == 1 ? "" : "s");
    number = ibv_query_port(device->context, device->name.port, &port);
    if (number)
        return weft_verbs_errno_error(error, number, "querying the port");
    if (port.state != IBV_PORT_ACTIVE)
        return weft_error_set(error, WEFT_IO,
                              "the port is %s; is the cable in and the interface "
                              "up (ip link set DEV up)?",
                              ibv_port_state_str(port.state));
    device->is_ethernet = port.link_layer == IBV_LINK_LAYER_ETHERNET;
    device->lid = port.lid;
    if (!device->is_ethernet && options->traffic_class)
        return weft_error_set(
            error, WEFT_UNSUPPORTED,
            "InfiniBand has no DSCP: the subnet manager sets its service levels; leave dscp out");
    /* Seven is the most; but rxe takes seven for no end, and would never tell of a lost peer. */
    device->retry_count = weft_verbs_is_rxe(device->name.device) ? 6 : 7;
    enum weft_status status = choose_gid(device, &options->address, error);
    if (status == WEFT_OK)
        status = weft_verbs_mtu_choose(weft_verbs_mtu_bytes(port.active_mtu), options->mtu_bytes,
                                       &capabilities->mtu_bytes, error);
    if (status != WEFT_OK)
        return status;
    weft_verbs_limits_clamp(&attributes, &port, capabilities);
    capabilities->line_rate_bps = weft_verbs_port_rate(&device->name);
    capabilities->numa_node = weft_verbs_numa_node(device->name.device);
    capabilities->header_bytes = header_bytes(&device->gid);
    status = weft_verbs_limit_check("memory regions", options->max_regions,
                                    attributes.max_mr > 0 ? (uint32_t)attributes.max_mr : 0, error);
    if (status == WEFT_OK)
        status = weft_verbs_limit_check("endpoints", options->max_endpoints,
                                        capabilities->max_endpoints, error);
    return status;
}
