/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/limits.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum weft_status weft_verbs_name_parse(const char *text, struct weft_verbs_name *ret_name,
                                       struct weft_error *error)
{
    if (!text || !*text)
        return weft_error_set(error, WEFT_INVALID,
                              "the verbs driver needs a device, such as mlx5_0 or mlx5_0:2; `weft "
                              "devices` lists them");
    struct weft_verbs_name name = {.port = 1};
    const char *colon = strchr(text, ':');
    size_t len_bytes = colon ? (size_t)(colon - text) : strlen(text);
    if (len_bytes == 0 || len_bytes >= sizeof(name.device))
        return weft_error_set(error, WEFT_INVALID, "'%s' is not the name of an RDMA device", text);
    memcpy(name.device, text, len_bytes);
    if (colon) {
        char *end = NULL;
        unsigned long port = isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;
        if (port < 1 || port > 254 || *end)
            return weft_error_set(error, WEFT_INVALID,
                                  "'%s': after the colon comes a port from 1 to 254, as in %s:1",
                                  text, name.device);
        name.port = (uint8_t)port;
    }
    *ret_name = name;
    return WEFT_OK;
}

uint32_t weft_verbs_mtu_bytes(enum ibv_mtu code)
{
    if (code < IBV_MTU_256 || code > IBV_MTU_4096)
        return 0;
    return 128u << (unsigned)code;
}

bool weft_verbs_mtu_code(uint32_t mtu_bytes, enum ibv_mtu *ret_code)
{
    for (unsigned code = IBV_MTU_256; code <= IBV_MTU_4096; code++) {
        if (weft_verbs_mtu_bytes((enum ibv_mtu)code) != mtu_bytes)
            continue;
        *ret_code = (enum ibv_mtu)code;
        return true;
    }
    return false;
}

enum weft_status weft_verbs_mtu_choose(uint32_t active_bytes, uint32_t asked_bytes,
                                       uint32_t *ret_mtu_bytes, struct weft_error *error)
{
    enum ibv_mtu code;
    if (asked_bytes && !weft_verbs_mtu_code(asked_bytes, &code))
        return weft_error_set(error, WEFT_INVALID,
                              "%u is not a path MTU: 256, 512, 1024, 2048 or 4096", asked_bytes);
    if (asked_bytes > active_bytes)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "a path MTU of %u bytes was requested, but the port has %u; on RoCE "
                              "raise the interface's MTU (ip link set DEV mtu %u, on every switch "
                              "too), or use a smaller path MTU",
                              asked_bytes, active_bytes, asked_bytes + 104);
    *ret_mtu_bytes = asked_bytes ? asked_bytes : active_bytes;
    return WEFT_OK;
}

uint64_t weft_verbs_rate_parse(const char *text)
{
    if (!isdigit((unsigned char)*text))
        return 0;
    char *end;
    uint64_t gigabits = strtoull(text, &end, 10);
    uint64_t tenths = 0;
    if (*end == '.' && isdigit((unsigned char)end[1])) {
        tenths = (uint64_t)(end[1] - '0');
        end += 2;
    }
    if (gigabits > 1000000 || strncmp(end, " Gb/sec", strlen(" Gb/sec")) != 0)
        return 0;
    return gigabits * 1000000000u + tenths * 100000000u;
}

static uint32_t positive(int value)
{
    return value > 0 ? (uint32_t)value : 0;
}

/* Of the queue pair's attributes, which have 8 bits for it. */
static uint32_t read_depth(const struct ibv_device_attr *device)
{
    uint32_t taken = positive(device->max_qp_rd_atom);
    uint32_t outstanding = positive(device->max_qp_init_rd_atom);
    uint32_t both = taken < outstanding ? taken : outstanding;
    return both < UINT8_MAX ? both : UINT8_MAX;
}

static uint32_t operations(const struct ibv_device_attr *device)
{
    uint32_t mask = WEFT_BIT(WEFT_OPERATION_SEND) | WEFT_BIT(WEFT_OPERATION_SEND_IMMEDIATE) |
                    WEFT_BIT(WEFT_OPERATION_WRITE) | WEFT_BIT(WEFT_OPERATION_WRITE_IMMEDIATE) |
                    WEFT_BIT(WEFT_OPERATION_RECEIVE);
    if (read_depth(device) > 0)
        mask |= WEFT_BIT(WEFT_OPERATION_READ);
    if (read_depth(device) > 0 && device->atomic_cap != IBV_ATOMIC_NONE)
        mask |= WEFT_BIT(WEFT_OPERATION_COMPARE_SWAP) | WEFT_BIT(WEFT_OPERATION_FETCH_ADD);
    return mask;
}

void weft_verbs_limits_clamp(const struct ibv_device_attr *device, const struct ibv_port_attr *port,
                             struct weft_capabilities *capabilities)
{
    capabilities->transports = WEFT_BIT(WEFT_TRANSPORT_RC) | WEFT_BIT(WEFT_TRANSPORT_UD);
    capabilities->operations = operations(device);
    capabilities->max_read_depth = read_depth(device);
    capabilities->max_message_bytes =
        port->max_msg_sz < WEFT_MESSAGE_BYTES_MAX ? port->max_msg_sz : WEFT_MESSAGE_BYTES_MAX;
    capabilities->max_send_depth = positive(device->max_qp_wr);
    capabilities->max_receive_depth = positive(device->max_qp_wr);
    capabilities->max_cq_depth = positive(device->max_cqe);
    capabilities->max_endpoints = positive(device->max_qp);
}

bool weft_verbs_flow_label(uint16_t source_port, uint32_t *ret_flow_label)
{
    if (source_port < 0xc000)
        return false;
    uint32_t low = source_port & 0x3fffu;
    /* Label 0 asks for the queue pair numbers' hash. */
    *ret_flow_label = low ? low : (1u << 14 | 1u);
    return true;
}

bool weft_verbs_labels_flows(const char *kernel_driver)
{
    /* Those whose kernel drivers call rdma_get_udp_sport or do as it does. */
    static const char *const drivers[] = {"mlx5_core", "ice", "hns3"};
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(kernel_driver, drivers[i]) == 0)
            return true;
    }
    return false;
}

enum weft_status weft_verbs_limit_check(const char *what, uint64_t asked, uint64_t limit,
                                        struct weft_error *error)
{
    if (asked <= limit)
        return WEFT_OK;
    return weft_error_set(error, WEFT_UNSUPPORTED,
                          "%s: %" PRIu64 " requested, the device has %" PRIu64, what, asked, limit);
}
