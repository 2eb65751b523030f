/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/limits.h"

#include <criterion/criterion.h>
#include <string.h>

static void parses(const char *text, const char *device, unsigned port)
{
    struct weft_verbs_name name;
    struct weft_error error = {0};
    cr_assert(weft_verbs_name_parse(text, &name, &error) == WEFT_OK, "%s", error.text);
    cr_assert_str_eq(name.device, device);
    cr_assert_eq(name.port, port);
}

static void refused(const char *text)
{
    struct weft_verbs_name name = {.port = 99};
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_name_parse(text, &name, &error), WEFT_INVALID, "'%s'", text);
    cr_assert_eq(name.port, 99);
    cr_assert(error.text[0]);
}

Test(name_parse, device_and_port)
{
    parses("mlx5_0", "mlx5_0", 1);
    parses("mlx5_0:2", "mlx5_0", 2);
    parses("rxe0:254", "rxe0", 254);
    char longest[64];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    parses(longest, longest, 1);
}

Test(name_parse, refuses_what_is_none)
{
    refused(NULL);
    refused("");
    refused(":1");
    refused("mlx5_0:");
    refused("mlx5_0:0");
    refused("mlx5_0:255");
    refused("mlx5_0:-1");
    refused("mlx5_0: 1");
    refused("mlx5_0:1x");
    refused("mlx5_0:99999999999999999999");
    refused("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

Test(mtu, codes_and_bytes)
{
    const uint32_t sizes[] = {256, 512, 1024, 2048, 4096};
    for (size_t i = 0; i < 5; i++) {
        enum ibv_mtu code;
        cr_assert(weft_verbs_mtu_code(sizes[i], &code));
        cr_assert_eq((size_t)code, IBV_MTU_256 + i);
        cr_assert_eq(weft_verbs_mtu_bytes(code), sizes[i]);
    }
    enum ibv_mtu code;
    cr_assert(!weft_verbs_mtu_code(1500, &code));
    cr_assert(!weft_verbs_mtu_code(0, &code));
    cr_assert_eq(weft_verbs_mtu_bytes((enum ibv_mtu)0), 0);
    cr_assert_eq(weft_verbs_mtu_bytes((enum ibv_mtu)6), 0);
}

Test(mtu, what_is_asked_where_the_port_can)
{
    uint32_t mtu_bytes = 1;
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_mtu_choose(4096, 0, &mtu_bytes, &error), WEFT_OK);
    cr_assert_eq(mtu_bytes, 4096);
    cr_assert_eq(weft_verbs_mtu_choose(4096, 1024, &mtu_bytes, &error), WEFT_OK);
    cr_assert_eq(mtu_bytes, 1024);
    cr_assert_eq(weft_verbs_mtu_choose(1024, 1024, &mtu_bytes, &error), WEFT_OK);
    cr_assert_eq(weft_verbs_mtu_choose(1024, 2048, &mtu_bytes, &error), WEFT_UNSUPPORTED);
    cr_assert(strstr(error.text, "2048 bytes was requested, but the port has 1024"));
    cr_assert(strstr(error.text, "ip link set"));
    cr_assert_eq(weft_verbs_mtu_choose(4096, 9000, &mtu_bytes, &error), WEFT_INVALID);
    cr_assert_eq(mtu_bytes, 1024, "an output is left alone on failure");
}

Test(rate_parse, the_words_of_sysfs)
{
    cr_assert_eq(weft_verbs_rate_parse("400 Gb/sec (4X NDR)"), 400000000000u);
    cr_assert_eq(weft_verbs_rate_parse("2.5 Gb/sec (1X SDR)"), 2500000000u);
    cr_assert_eq(weft_verbs_rate_parse("10 Gb/sec (1X FDR10)"), 10000000000u);
    cr_assert_eq(weft_verbs_rate_parse(""), 0);
    cr_assert_eq(weft_verbs_rate_parse("fast"), 0);
    cr_assert_eq(weft_verbs_rate_parse("400 Mb/sec"), 0);
    cr_assert_eq(weft_verbs_rate_parse("99999999999999999999 Gb/sec"), 0);
}

Test(limits_clamp, takes_the_devices_own)
{
    struct ibv_device_attr device = {.max_qp = 100, .max_qp_wr = 1000, .max_cqe = 32767};
    struct ibv_port_attr port = {.max_msg_sz = 8u << 20};
    struct weft_capabilities capabilities = {.max_inline_bytes = 220};
    weft_verbs_limits_clamp(&device, &port, &capabilities);
    cr_assert_eq(capabilities.max_endpoints, 100);
    cr_assert_eq(capabilities.max_send_depth, 1000);
    cr_assert_eq(capabilities.max_receive_depth, 1000);
    cr_assert_eq(capabilities.max_cq_depth, 32767);
    cr_assert_eq(capabilities.max_message_bytes, 8u << 20);
    cr_assert_eq(capabilities.max_inline_bytes, 220);
}

static uint32_t operations_of(struct ibv_device_attr device, uint32_t *ret_depth)
{
    struct ibv_port_attr port = {.max_msg_sz = 1};
    struct weft_capabilities capabilities = {0};
    weft_verbs_limits_clamp(&device, &port, &capabilities);
    *ret_depth = capabilities.max_read_depth;
    return capabilities.operations;
}

Test(limits_clamp, operations_are_what_the_device_has)
{
    const uint32_t reads = WEFT_BIT(WEFT_OPERATION_READ);
    const uint32_t atomics =
        WEFT_BIT(WEFT_OPERATION_COMPARE_SWAP) | WEFT_BIT(WEFT_OPERATION_FETCH_ADD);
    const uint32_t all = WEFT_BIT(WEFT_OPERATION_COUNT) - 1u;
    struct ibv_device_attr device = {
        .max_qp_rd_atom = 16, .max_qp_init_rd_atom = 128, .atomic_cap = IBV_ATOMIC_HCA};
    uint32_t depth;
    cr_assert_eq(operations_of(device, &depth), all);
    cr_assert_eq(depth, 16, "what is asked the other end, which may be such a device, must take");
    device.atomic_cap = IBV_ATOMIC_NONE;
    cr_assert_eq(operations_of(device, &depth), all & ~atomics);
    device.max_qp_rd_atom = 1000;
    device.max_qp_init_rd_atom = 1000;
    cr_assert_eq(operations_of(device, &depth), all & ~atomics);
    cr_assert_eq(depth, 255, "a queue pair's attribute has eight bits");
    device.atomic_cap = IBV_ATOMIC_GLOB;
    device.max_qp_init_rd_atom = 0;
    cr_assert_eq(operations_of(device, &depth), all & ~atomics & ~reads);
    cr_assert_eq(depth, 0);
}

/* IBTA annex A17 and the kernel's rdma_flow_label_to_udp_sport. */
Test(flow_label, makes_the_port_that_was_asked)
{
    uint32_t label = 0;
    for (uint32_t port = 0xc000; port <= 0xffff; port++) {
        cr_assert(weft_verbs_flow_label((uint16_t)port, &label));
        cr_assert(label > 0 && label < 1u << 20);
        cr_assert_eq(0xc000 | ((label & 0x3fff) ^ (label >> 14)), port);
    }
    cr_assert(!weft_verbs_flow_label(0xbfff, &label));
    cr_assert(!weft_verbs_flow_label(1, &label));
    cr_assert(weft_verbs_labels_flows("mlx5_core"));
    cr_assert(!weft_verbs_labels_flows(""), "soft-RoCE has no such file");
}

Test(limits_clamp, what_the_contract_cannot_say)
{
    struct ibv_device_attr device = {.max_qp = -1, .max_qp_wr = 0, .max_cqe = -5};
    struct ibv_port_attr port = {.max_msg_sz = 1u << 31};
    struct weft_capabilities capabilities = {0};
    weft_verbs_limits_clamp(&device, &port, &capabilities);
    cr_assert_eq(capabilities.max_message_bytes, WEFT_MESSAGE_BYTES_MAX);
    cr_assert_eq(capabilities.max_endpoints, 0);
    cr_assert_eq(capabilities.max_send_depth, 0);
    cr_assert_eq(capabilities.max_cq_depth, 0);
}

Test(limit_check, names_both_figures)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_limit_check("send depth", 16, 16, &error), WEFT_OK);
    cr_assert_eq(weft_verbs_limit_check("send depth", 17, 16, &error), WEFT_UNSUPPORTED);
    cr_assert_str_eq(error.text, "send depth: 17 requested, the device has 16");
}
