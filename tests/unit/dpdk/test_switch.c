/* SPDX-License-Identifier: BSD-3-Clause */
/* The loopback switch alone, frame by frame. */
#include <string.h>

#include <criterion/criterion.h>
#include <rte_mempool.h>

#include "drivers/dpdk/eal.h"
#include "drivers/dpdk/loopback.h"

enum {
    PORTS = 4,
    FRAME = 100
};

static struct weft_loopback_port *ports[PORTS];
static unsigned available;

static void set_up(void)
{
    struct weft_error error = {0};
    const struct weft_driver_start start = {.device_count = PORTS, .worker_count = 1};
    cr_assert_eq(weft_eal_start(&start, UINT64_C(200) << 20, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(weft_loopback_start(&start, &error), WEFT_OK, "%s", error.text);
    for (uint32_t i = 0; i < PORTS; i++) {
        const struct weft_ip address = {
            .version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, (uint8_t)i}};
        cr_assert_eq(weft_loopback_open(&address, &ports[i], &error), WEFT_OK, "%s", error.text);
    }
    available = rte_mempool_avail_count(weft_loopback_pool());
}

/* At the end of each test rather than in its fini, where a failure would not count. */
static void tear_down(void)
{
    for (uint32_t i = 0; i < PORTS; i++)
        weft_loopback_close(ports[i]);
    cr_expect_eq(rte_mempool_avail_count(weft_loopback_pool()), available, "buffers leaked");
    weft_loopback_stop();
    weft_eal_stop();
}

TestSuite(dpdk_switch, .init = set_up);

static void send(uint32_t from, const uint8_t to[6], uint8_t mark)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(weft_loopback_pool());
    cr_assert(mbuf);
    uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, FRAME);
    cr_assert(frame);
    memset(frame, mark, FRAME);
    memcpy(frame, to, 6);
    memcpy(frame + 6, ports[from]->mac, 6);
    cr_assert_eq(rte_ring_enqueue(ports[from]->tx, mbuf), 0);
}

/* Takes a frame from the port's ring: its mark, or -1 where there is none. */
static int take(uint32_t at)
{
    void *object = NULL;
    if (rte_ring_dequeue(ports[at]->rx, &object) != 0)
        return -1;
    struct rte_mbuf *mbuf = object;
    cr_assert_eq(mbuf->pkt_len, FRAME);
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    int mark = frame[FRAME - 1];
    rte_pktmbuf_free(mbuf);
    return mark;
}

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

Test(dpdk_switch, goes_by_mac_and_keeps_the_order)
{
    for (uint8_t i = 0; i < 60; i++)
        send(0, ports[1 + i % 2]->mac, i);
    send(0, ports[0]->mac, 99);
    cr_expect_eq(weft_loopback_forward(ports[0]), 61);
    for (uint8_t i = 0; i < 60; i++)
        cr_assert_eq(take(1 + i % 2), i);
    cr_expect_eq(take(0), 99);
    cr_expect_eq(take(1), -1);
    cr_expect_eq(take(3), -1);
    tear_down();
}

Test(dpdk_switch, drops_what_is_for_nobody)
{
    const uint8_t nobody[6] = {2, 0, 10, 9, 9, 9};
    send(0, nobody, 1);
    send(0, ports[1]->mac, 2);
    weft_loopback_forward(ports[0]);
    cr_expect_eq(take(1), 2);
    cr_expect_eq(take(1), -1);
    cr_expect_eq(ports[0]->unroutable, 1);
    tear_down();
}

Test(dpdk_switch, copies_broadcasts_to_all_others)
{
    send(2, everyone, 7);
    cr_expect_eq(weft_loopback_forward(ports[2]), 1);
    cr_expect_eq(take(0), 7);
    cr_expect_eq(take(1), 7);
    cr_expect_eq(take(2), -1);
    cr_expect_eq(take(3), 7);
    tear_down();
}

static uint32_t fill(uint32_t at)
{
    uint32_t count = 0;
    for (; rte_ring_free_count(ports[at]->rx); count++) {
        send(3, ports[at]->mac, 50);
        weft_loopback_forward(ports[3]);
    }
    return count;
}

Test(dpdk_switch, holds_frames_until_there_is_room)
{
    uint32_t filled = fill(1);
    for (uint8_t i = 0; i < 100; i++)
        send(0, ports[i < 50 ? 1 : 2]->mac, i);
    cr_expect_eq(weft_loopback_forward(ports[0]), 0);
    cr_expect_eq(weft_loopback_forward(ports[0]), 0);
    cr_expect_eq(ports[0]->pauses, 2);
    cr_expect_eq(take(2), -1, "a frame overtook those before it");
    for (uint32_t i = 0; i < filled; i++)
        cr_assert_eq(take(1), 50);
    cr_expect_eq(weft_loopback_forward(ports[0]), 100);
    for (uint8_t i = 0; i < 100; i++)
        cr_assert_eq(take(i < 50 ? 1 : 2), i);
    tear_down();
}

Test(dpdk_switch, goes_on_with_a_broadcast_where_it_stopped)
{
    uint32_t filled = fill(1);
    send(2, everyone, 9);
    cr_expect_eq(weft_loopback_forward(ports[2]), 0);
    cr_expect_eq(take(0), 9);
    for (uint32_t i = 0; i < filled; i++)
        cr_assert_eq(take(1), 50);
    cr_expect_eq(weft_loopback_forward(ports[2]), 1);
    cr_expect_eq(take(0), -1, "port 0 got it twice");
    cr_expect_eq(take(1), 9);
    cr_expect_eq(take(3), 9);
    tear_down();
}

/* With a VLAN tag, or without. */
static bool tagged;

static void ask(uint32_t from, uint8_t target)
{
    send(from, everyone, 0);
    void *object = NULL;
    cr_assert_eq(rte_ring_dequeue(ports[from]->tx, &object), 0);
    uint8_t *frame = rte_pktmbuf_mtod((struct rte_mbuf *)object, uint8_t *);
    const uint8_t request[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
    const uint8_t sender[] = {10, 0, 0, (uint8_t)from};
    const uint8_t wanted[] = {10, 0, 0, target};
    if (tagged) {
        memcpy(frame + 12, (const uint8_t[]){0x81, 0, 0, 100}, 4);
        frame += 4;
    }
    memcpy(frame + 12, request, sizeof(request));
    memcpy(frame + 28, sender, 4);
    memcpy(frame + 38, wanted, 4);
    cr_assert_eq(rte_ring_enqueue(ports[from]->tx, object), 0);
    weft_loopback_forward(ports[from]);
}

static void asks_only_who_has_it(void)
{
    ask(0, 2);
    cr_expect_eq(take(1), -1);
    cr_expect_eq(take(2), 0);
    cr_expect_eq(take(3), -1);
    ask(0, 77);
    for (uint32_t i = 0; i < PORTS; i++)
        cr_expect_eq(take(i), -1);
    ask(0, 0); /* an announcement */
    cr_expect_eq(take(0), -1);
    cr_expect_eq(take(1), 0);
    cr_expect_eq(take(2), 0);
    cr_expect_eq(take(3), 0);
}

Test(dpdk_switch, asks_only_who_has_the_address)
{
    asks_only_who_has_it();
    tagged = true;
    asks_only_who_has_it();
    tear_down();
}

Test(dpdk_switch, keeps_reports_of_listeners)
{
    const uint8_t routers[6] = {0x33, 0x33, 0, 0, 0, 0x16};
    send(0, routers, 1);
    send(0, ports[1]->mac, 2);
    cr_expect_eq(weft_loopback_forward(ports[0]), 2);
    cr_expect_eq(take(1), 2);
    cr_expect_eq(take(2), -1);
    cr_expect_eq(ports[0]->unroutable, 0);
    tear_down();
}

/* A neighbour solicitation for the address that ends in `last`, of ff02::1:ffXX:XXXX's MAC. */
static void solicit(uint32_t from, uint8_t type, uint8_t last)
{
    const uint8_t group[6] = {0x33, 0x33, 0xff, 0, 0, last};
    void *object = NULL;
    send(from, group, 0);
    cr_assert_eq(rte_ring_dequeue(ports[from]->tx, &object), 0);
    uint8_t *at = rte_pktmbuf_mtod((struct rte_mbuf *)object, uint8_t *) + 12;
    if (tagged) {
        memcpy(at, (const uint8_t[]){0x81, 0, 0, 100}, 4);
        at += 4;
    }
    memcpy(at, (const uint8_t[]){0x86, 0xdd, 0x60}, 3);
    at[2 + 6] = 58;
    at[2 + 40] = type;
    at[2 + 48] = 0xfd;
    at[2 + 48 + 15] = last;
    cr_assert_eq(rte_ring_enqueue(ports[from]->tx, object), 0);
    weft_loopback_forward(ports[from]);
}

Test(dpdk_switch, solicits_only_who_has_the_address)
{
    struct weft_error error = {0};
    const struct weft_ip address = {.version = 6, .prefix_bits = 64, .bytes = {0xfd, [15] = 9}};
    weft_loopback_close(ports[2]);
    cr_assert_eq(weft_loopback_open(&address, &ports[2], &error), WEFT_OK, "%s", error.text);
    for (uint32_t round = 0; round < 2; round++) {
        tagged = round == 1;
        solicit(0, 135, 9);
        cr_expect_eq(take(1), -1);
        cr_expect_eq(take(2), 0);
        cr_expect_eq(take(3), -1);
        solicit(0, 135, 8);
        for (uint32_t i = 0; i < PORTS; i++)
            cr_expect_eq(take(i), -1);
        solicit(0, 136, 9); /* an announcement */
        cr_expect_eq(take(1), 0);
        cr_expect_eq(take(2), 0);
        cr_expect_eq(take(3), 0);
    }
    tear_down();
}

Test(dpdk_switch, a_closed_port_gets_nothing)
{
    struct weft_error error = {0};
    const struct weft_ip address = ports[1]->address;
    weft_loopback_close(ports[1]);
    send(0, ports[1]->mac, 1);
    send(0, everyone, 2);
    cr_expect_eq(weft_loopback_forward(ports[0]), 2);
    cr_assert_eq(weft_loopback_open(&address, &ports[1], &error), WEFT_OK, "%s", error.text);
    cr_expect_eq(take(1), -1);
    cr_expect_eq(take(2), 2);
    cr_expect_eq(take(3), 2);
    tear_down();
}
