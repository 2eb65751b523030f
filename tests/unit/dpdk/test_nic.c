/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices other than loopback. What needs interfaces makes a veth pair in a network namespace of
 * its own, which goes with the process; both ends are opened in this process. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/dpdk/dpdk.h"
#include "tests/unit/dpdk/ends.h"

static const struct weft_driver *const driver = &weft_driver_dpdk;

enum {
    BYTES = 1 << 20
};

static void enter_namespace(const char *mtu)
{
    char command[256];
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
        cr_skip_test("not root, or no network namespaces");
    (void)snprintf(command, sizeof(command),
                   "ip link add wa mtu %s type veth peer name wb mtu %s && ip link set wa up && "
                   "ip link set wb up",
                   mtu, mtu);
    if (system(command) != 0)
        cr_skip_test("no veth");
}

static void two_open(struct end *ends, const char *a, const char *b)
{
    ends_use_real_time();
    ends_start(2);
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i],
                 &(struct end_options){.device = i ? b : a, .host = i + 1, .buffer_bytes = BYTES});
}

/* The device may lose frames (its kernel does); what arrives is whole all the same. */
static void exchange(struct end *ends, uint32_t mtu_bytes)
{
    struct weft_capabilities can;
    driver->capabilities(ends[0].device, &can);
    cr_expect_eq(can.mtu_bytes, mtu_bytes, "path MTU %u", can.mtu_bytes);
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t len_bytes = i == 3 ? BYTES : 1000 * i;
        end_fill(&ends[0], i);
        const struct weft_work receive = end_work(&ends[1], WEFT_OPERATION_RECEIVE, BYTES);
        const struct weft_work work = end_work(&ends[0], WEFT_OPERATION_SEND, len_bytes);
        cr_assert_eq(driver->post_receive(ends[1].endpoint, &receive, 1), 1);
        cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
        cr_assert_eq(ends_await(ends, 2, &ends[1]).len_bytes, len_bytes);
        (void)ends_await(ends, 2, &ends[0]);
        cr_assert_eq(memcmp(ends[0].buffer, ends[1].buffer, len_bytes), 0);
    }
    cr_expect_eq(driver->counters(ends[1].device)->icrc_errors, 0);
    cr_expect_eq(driver->counters(ends[1].device)->malformed_packets, 0);
    end_close(&ends[0]);
    end_close(&ends[1]);
    driver->stop(NULL);
}

Test(nic, af_packet_carries)
{
    struct end ends[2];
    enter_namespace("4200");
    two_open(ends, "net_af_packet0,iface=wa", "net_af_packet1,iface=wb");
    exchange(ends, 4096);
}

Test(nic, af_packet_takes_the_mtu_that_fits)
{
    struct end ends[2];
    enter_namespace("1500");
    two_open(ends, "net_af_packet0,iface=wa", "net_af_packet1,iface=wb");
    exchange(ends, 1024);
}

Test(nic, af_xdp_carries)
{
    struct end ends[2];
    enter_namespace("3000");
    two_open(ends, "net_af_xdp0,iface=wa", "net_af_xdp1,iface=wb");
    exchange(ends, 2048);
}

Test(nic, memif_carries)
{
    struct end ends[2];
    char server[128];
    char client[128];
    (void)snprintf(server, sizeof(server), "net_memif0,role=server,socket=weft-test-%d",
                   (int)getpid());
    (void)snprintf(client, sizeof(client), "net_memif1,role=client,socket=weft-test-%d",
                   (int)getpid());
    two_open(ends, server, client);
    exchange(ends, 4096);
}

Test(nic, opens_again_after_close)
{
    struct end ends[2];
    enter_namespace("1500");
    two_open(ends, "net_af_packet0,iface=wa", "net_af_packet1,iface=wb");
    for (uint32_t i = 0; i < 3; i++) {
        end_close(&ends[0]);
        end_open(&ends[0], &(struct end_options){.device = "net_af_packet0,iface=wa",
                                                 .host = 1,
                                                 .buffer_bytes = BYTES});
    }
    exchange(ends, 1024);
}

static void expect_refused(const char *device, uint32_t mtu_bytes, enum weft_status expected,
                           const char *says)
{
    struct weft_error error = {0};
    struct weft_device *opened = NULL;
    const struct weft_device_options options = {
        .device = device,
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 9}},
        .mtu_bytes = mtu_bytes,
        .max_endpoints = 1,
        .max_regions = 1,
    };
    enum weft_status status = driver->open(&options, &opened, &error);
    cr_expect_eq(status, expected, "%s: %s (%s)", device, weft_status_text(status), error.text);
    cr_expect(strstr(error.text, says), "%s: %s", device, error.text);
    cr_expect_null(opened);
}

Test(nic, refuses_with_a_remedy)
{
    ends_start(1);
    expect_refused("net_af_packet0,iface=nosuch0", 0, WEFT_NOT_FOUND, "nosuch0");
    expect_refused("net_af_packet0,iface=lo", 0, WEFT_UNSUPPORTED, "Ethernet");
    expect_refused("net_bogus0", 0, WEFT_INVALID, "not known");
    expect_refused("0000:7f:1f.7", 0, WEFT_NOT_FOUND, "vfio-pci");
    expect_refused("eth0", 0, WEFT_INVALID, "net_af_packet0,iface=eth1");
    expect_refused("net_memif0,role=emperor", 0, WEFT_NOT_FOUND, "role=server");
    expect_refused("loopback", 1500, WEFT_INVALID, "1024");
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    cr_expect_eq(driver->open(&(struct weft_device_options){.device = "net_memif0",
                                                            .max_endpoints = 1,
                                                            .max_regions = 1},
                              &device, &error),
                 WEFT_INVALID);
    cr_expect(strstr(error.text, "10.0.0.2/24"), "%s", error.text);
    driver->stop(NULL);
}

Test(nic, refuses_interfaces_with_a_remedy)
{
    enter_namespace("4200");
    cr_assert_eq(system("ip addr add 10.0.0.9/24 dev wb && ip link add wc type veth"), 0);
    struct end end;
    ends_start(2);
    expect_refused("net_af_packet0,iface=wb", 0, WEFT_INVALID, "ip addr flush dev wb");
    expect_refused("net_af_packet0,iface=wc", 0, WEFT_IO, "ip link set wc up");
    expect_refused("net_af_xdp0,iface=wa", 0, WEFT_INVALID, "ip link set wa mtu 2150");
    cr_assert_eq(system("ip link set wa mtu 1500"), 0);
    expect_refused("net_af_packet0,iface=wa", 4096, WEFT_INVALID, "ip link set wa mtu 4200");
    expect_refused("net_af_packet0,iface=wa", 2048, WEFT_INVALID, "ip link set wa mtu 2150");
    expect_refused("net_af_xdp0,iface=wa", 4096, WEFT_INVALID, "2048");
    expect_refused("net_af_packet0,iface=wa,framesz=512", 1024, WEFT_INVALID, "framesz");
    end_open(&end, &(struct end_options){
                       .device = "net_af_packet0,iface=wa", .host = 1, .buffer_bytes = 64});
    expect_refused("net_af_packet0,iface=wb", 0, WEFT_EXISTS, "share one device");
    expect_refused("net_af_packet7,iface=wa", 0, WEFT_EXISTS, "share one device");
    end_close(&end);
    driver->stop(NULL);
}

Test(nic, needs_a_permission_that_it_names)
{
    enter_namespace("1500");
    if (setgid(65534) != 0 || setuid(65534) != 0)
        cr_skip_test("cannot become an ordinary user");
    ends_start(1);
    expect_refused("net_af_packet0,iface=wa", 0, WEFT_PERMISSION, "CAP_NET_RAW");
    expect_refused("net_af_xdp0,iface=wa", 0, WEFT_PERMISSION, "CAP_NET_RAW");
    driver->stop(NULL);
}

static void collect(void *context, const struct weft_device_description *device)
{
    char *all = context;
    size_t used = strlen(all);
    (void)snprintf(all + used, 4096 - used, "%s|%s|%s\n", device->name, device->detail,
                   device->hindrance ? device->hindrance : "-");
}

Test(list, names_interfaces_and_what_hinders)
{
    static char all[4096];
    enter_namespace("4200");
    cr_assert_eq(system("ip link set wb mtu 1500; ip link set wb down"), 0);
    driver->list(collect, all);
    cr_expect(strstr(all, "net_af_packet0,iface=wa|by packet socket, interface MTU 4200, path MTU "
                          "4096|-\n"),
              "%s", all);
    cr_expect(strstr(all, "net_af_xdp0,iface=wa"), "%s", all);
    cr_expect(strstr(all, "ip link set wa mtu 2150"), "%s", all);
    cr_expect(strstr(all, "ip link set wb up"), "%s", all);
    cr_expect_null(strstr(all, "iface=lo"), "%s", all);
}
