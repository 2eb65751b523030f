/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts that need no EAL. */
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/dpdk/devargs.h"
#include "drivers/dpdk/mac_table.h"
#include "drivers/dpdk/mtu.h"
#include "drivers/dpdk/system.h"

Test(mac_table, finds_what_was_added_and_not_what_was_removed)
{
    static struct weft_mac_table table;
    const uint64_t base = UINT64_C(0x02000a000000);
    for (uint32_t i = 0; i < 512; i++)
        weft_mac_table_add(&table, base + i, i);
    for (uint32_t i = 0; i < 512; i++)
        cr_assert_eq(weft_mac_table_find(&table, base + i), i);
    cr_assert_eq(weft_mac_table_find(&table, base + 512), WEFT_MAC_TABLE_NONE);
    for (uint32_t i = 0; i < 512; i += 2)
        weft_mac_table_remove(&table, base + i);
    for (uint32_t i = 0; i < 512; i++)
        cr_assert_eq(weft_mac_table_find(&table, base + i), i % 2 ? i : WEFT_MAC_TABLE_NONE);
    /* The places are used again, however often ports come and go. */
    for (uint32_t i = 0; i < 100000; i++) {
        weft_mac_table_add(&table, base + 1000 + i, 0);
        cr_assert_eq(weft_mac_table_find(&table, base + 1000 + i), 0);
        weft_mac_table_remove(&table, base + 1000 + i);
    }
}

Test(mac_table, tells_apart_macs_that_share_a_place)
{
    static struct weft_mac_table table;
    uint64_t first = UINT64_C(0x020000000001);
    uint64_t second = first + 1;
    while (weft_mac_table_slot(second) != weft_mac_table_slot(first))
        second++;
    weft_mac_table_add(&table, first, 3);
    weft_mac_table_add(&table, second, 4);
    weft_mac_table_remove(&table, first);
    cr_assert_eq(weft_mac_table_find(&table, second), 4);
    cr_assert_eq(weft_mac_table_find(&table, first), WEFT_MAC_TABLE_NONE);
}

Test(mtu, fits_the_interface)
{
    cr_expect_eq(weft_mtu_for_interface(1500), 1024);
    cr_expect_eq(weft_mtu_for_interface(4200), 4096);
    cr_expect_eq(weft_mtu_for_interface(4193), 2048);
    cr_expect_eq(weft_mtu_for_interface(9000), 4096);
    cr_expect_eq(weft_mtu_for_interface(300), 0);
    cr_expect(weft_mtu_is_valid(256) && weft_mtu_is_valid(4096));
    cr_expect_not(weft_mtu_is_valid(0) || weft_mtu_is_valid(1500) || weft_mtu_is_valid(8192) ||
                  weft_mtu_is_valid(128));
}

Test(devargs, are_told_apart)
{
    static const struct {
        const char *text;
        enum weft_devargs_kind kind;
        const char *name;
        const char *interface;
    } cases[] = {
        {"0000:01:00.0", WEFT_DEVARGS_PCI, "0000:01:00.0", ""},
        {"01:00.1", WEFT_DEVARGS_PCI, "01:00.1", ""},
        {"0000:01:00.0,rx_vec_en=0", WEFT_DEVARGS_PCI, "0000:01:00.0", ""},
        {"net_af_packet0,iface=eth1", WEFT_DEVARGS_AF_PACKET, "net_af_packet0", "eth1"},
        {"net_af_packet0,qdisc_bypass=0,iface=eth1", WEFT_DEVARGS_AF_PACKET, "net_af_packet0",
         "eth1"},
        {"net_af_xdp7,iface=eth1,start_queue=0", WEFT_DEVARGS_AF_XDP, "net_af_xdp7", "eth1"},
        {"net_memif0,role=server", WEFT_DEVARGS_MEMIF, "net_memif0", ""},
        {"net_tap0", WEFT_DEVARGS_TAP, "net_tap0", ""},
        {"net_memif0,role=server,socket=/run/w.sock,socket-abstract=no", WEFT_DEVARGS_MEMIF,
         "net_memif0", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_devargs devargs;
        struct weft_error error = {0};
        cr_assert_eq(weft_devargs_parse(cases[i].text, &devargs, &error), WEFT_OK, "%s",
                     error.text);
        cr_expect_eq(devargs.kind, cases[i].kind, "%s", cases[i].text);
        cr_expect_str_eq(devargs.name, cases[i].name);
        cr_expect_str_eq(devargs.interface, cases[i].interface);
    }
}

Test(devargs, are_refused_with_a_remedy)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"", "no name"},
        {",iface=eth1", "no name"},
        {"eth1", "net_af_packet0,iface=eth1"},
        {"loopback2", "loopback"},
        {"net_af_packet0", "which interface"},
        {"net_af_packet0,ifcae=eth1", "which interface"},
        {"net_af_packet0,iface=", "which interface"},
        {"net_af_packet0,iface=a-name-that-is-too-long", "at most 15 bytes"},
        {"net_af_packet0,iface=eth1,framesz=many", "framesz is a number"},
        {"net_af_packet0,iface=eth1,framesz=", "framesz is a number"},
        {"net_af_packet0,iface=eth1,framesz=99999999", "framesz is a number"},
        {"net_memif0,bsize=-1", "bsize is a number"},
        {"net_af_packet0,iface=eth1 ", "space"},
        {"0000:zz:00.0", "not known"},
        {"net_pcap0,rx_iface=lo,tx_pcap=/any/file", "not known"},
        {"net_ring0", "not known"},
        {"net_af_packetX,iface=eth1", "not known"},
        {"net_af_packet0,iface=eth1,tx_pcap=x", "no parameter 'tx_pcap'; there are iface"},
        {"net_af_packet0,iface=eth1,qdisc_bypass", "'qdisc_bypass' is not key=value"},
        {"net_af_xdp0,iface=eth1,xdp_prog=/tmp/x.o", "no parameter 'xdp_prog'"},
        {"net_af_xdp0,iface=../x", "iface: a path is not taken"},
        {"net_tap0,persist=/x", "persist: a path is not taken"},
        {"0000:01:00.0,fw=/etc/passwd", "fw: a path is not taken"},
        {"net_memif0,socket=/etc/passwd,socket-abstract=no", "must end in .sock"},
        {"net_memif0,socket-abstract=no", "must end in .sock"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_devargs devargs;
        struct weft_error error = {0};
        cr_expect_eq(weft_devargs_parse(cases[i].text, &devargs, &error), WEFT_INVALID, "%s",
                     cases[i].text);
        cr_expect(strstr(error.text, cases[i].says), "%s: %s", cases[i].text, error.text);
    }
    char text[1024];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct weft_devargs devargs;
    struct weft_error error = {0};
    cr_expect_eq(weft_devargs_parse(text, &devargs, &error), WEFT_INVALID);
}

static const char *completed(const char *text, uint32_t mtu_bytes, struct weft_devargs *devargs)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_devargs_parse(text, devargs, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(weft_devargs_complete(devargs, mtu_bytes, &error), WEFT_OK, "%s", error.text);
    return devargs->text;
}

Test(devargs, are_completed_for_the_mtu)
{
    struct weft_devargs devargs;
    cr_expect_str_eq(completed("net_af_packet0,iface=e", 4096, &devargs),
                     "net_af_packet0,iface=e,framesz=4352,blocksz=69632,framecnt=512");
    cr_expect_geq(weft_devargs_frame_room(WEFT_DEVARGS_AF_PACKET, devargs.frame_size),
                  WEFT_ROCE_FRAME_MAX);
    cr_expect_str_eq(completed("net_af_packet0,iface=e", 1024, &devargs),
                     "net_af_packet0,iface=e,framesz=2048,blocksz=32768,framecnt=512");
    cr_expect_str_eq(completed("net_af_packet0,iface=e,framesz=8192", 4096, &devargs),
                     "net_af_packet0,iface=e,framesz=8192");
    cr_expect_str_eq(completed("net_memif0,role=client", 4096, &devargs),
                     "net_memif0,role=client,bsize=4352");
    cr_expect_str_eq(completed("net_af_xdp0,iface=e", 1024, &devargs), "net_af_xdp0,iface=e");
    struct weft_error error = {0};
    cr_assert_eq(weft_devargs_parse("net_af_packet0,iface=e,blocksz=4096", &devargs, &error),
                 WEFT_OK);
    cr_expect_eq(weft_devargs_complete(&devargs, 4096, &error), WEFT_INVALID);
    cr_expect(strstr(error.text, "framesz=4352"), "%s", error.text);
}

Test(system, knows_interfaces)
{
    struct weft_system_interface interface;
    cr_expect_not(weft_system_interface("nosuch0", &interface));
    cr_expect_not(weft_system_interface("", &interface));
    cr_expect_not(weft_system_interface("a-name-that-is-too-long-for-one", &interface));
    cr_assert(weft_system_interface("lo", &interface));
    cr_expect_not(interface.ethernet);
    cr_expect_gt(interface.mtu_bytes, 0);
}
