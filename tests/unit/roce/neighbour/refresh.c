/* SPDX-License-Identifier: BSD-3-Clause */
/* Known neighbours are asked again while traffic goes on, and a MAC that changed is found. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define SECOND UINT64_C(1000000000)

struct watch {
    uint32_t questions; /* of side 0 */
    uint32_t to_all;    /* of those, by broadcast or multicast */
    uint64_t last_ns;
    bool deaf; /* side 1 hears no questions */
};

static bool is_question(const struct net *net, const uint8_t *frame)
{
    if (net->options.ipv6)
        return weft_wire_get16(frame + 12) == WEFT_ETHERTYPE_IPV6 && frame[54] == 135 &&
               frame[20] == 58;
    return weft_wire_get16(frame + 12) == WEFT_ETHERTYPE_ARP && frame[21] == 1;
}

static bool watch_questions(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct watch *watch = net->tap_context;
    (void)len_bytes;
    if (from != 0 || !is_question(net, frame))
        return true;
    watch->questions++;
    watch->to_all += frame[0] & 1;
    watch->last_ns = net->now_ns;
    return !watch->deaf;
}

static void start(struct net *net, struct watch *watch, bool ipv6)
{
    net_init(net, &(struct net_options){.seed = 4, .ipv6 = ipv6});
    net_connect(net);
    net->tap = watch_questions;
    net->tap_context = watch;
}

/* Messages one after another until `until_ns`, each of which must arrive. */
static void traffic(struct net *net, uint64_t until_ns)
{
    while (net->now_ns < until_ns) {
        struct weft_work work = net_work(net, 0, WEFT_OPERATION_WRITE, 0, 8);
        net_send(net, 0, &work);
        cr_assert_eq(net_wait(net, 0).status, WEFT_OK);
        net->now_ns += 20000000;
    }
}

static void refreshed(bool ipv6)
{
    struct net net;
    struct watch watch = {0};
    start(&net, &watch, ipv6);
    traffic(&net, 29 * SECOND);
    cr_assert_eq(watch.questions, 0);
    traffic(&net, 32 * SECOND);
    cr_assert_eq(watch.questions, 1);
    cr_assert_eq(watch.to_all, 0);
    traffic(&net, 95 * SECOND);
    cr_assert_eq(watch.questions, 3);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    /* A port at rest is not woken for this. */
    net_run(&net, UINT64_MAX);
    cr_assert_lt(net.now_ns, 97 * SECOND);
    cr_assert_eq(watch.questions, 3);
    net_fini(&net);
}

Test(refresh, asks_where_he_was_while_traffic_goes_on)
{
    refreshed(false);
    refreshed(true);
}

/* He does not answer, but takes packets: two questions to him, two to all, then peace. */
static void unanswered(bool ipv6)
{
    struct net net;
    struct watch watch = {.deaf = true};
    start(&net, &watch, ipv6);
    traffic(&net, 50 * SECOND);
    cr_assert_eq(watch.questions, 4);
    cr_assert_eq(watch.to_all, 2);
    cr_assert_lt(watch.last_ns, 35 * SECOND);
    traffic(&net, 70 * SECOND);
    cr_assert_eq(watch.questions, 8);
    net_fini(&net);
}

Test(refresh, silence_interrupts_nothing)
{
    unanswered(false);
    unanswered(true);
}

static bool reads_its_own_mac(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    const uint8_t *mac = net->sides[1].port->interface.mac;
    (void)len_bytes;
    return from == 1 || (frame[0] & 1) || memcmp(frame, mac, 6) == 0;
}

/* A new MAC that nobody announces: found after two timeouts by the question to all. */
static void moved(bool ipv6)
{
    struct net net;
    struct watch watch = {0};
    start(&net, &watch, ipv6);
    traffic(&net, SECOND);
    net.sides[1].port->interface.mac[5] = 0x44;
    net.tap = reads_its_own_mac;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    cr_assert_eq(net.sides[0].qp->path.header[5], 0x44);
    cr_assert_leq(weft_roce_port_counters(net.sides[0].port)->timeouts, 3);
    net_fini(&net);
}

Test(refresh, a_new_mac_is_found)
{
    moved(false);
    moved(true);
}

/* Announced (gratuitous ARP): no packet is lost. */
Test(refresh, a_new_mac_is_heard_of)
{
    struct net net;
    struct watch watch = {0};
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  0x44, 8, 6,
                         0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0,    0, 0x44,
                         10,   0,    0,    2,    0,    0,    0, 0, 0, 0, 10, 0,    0, 2};
    start(&net, &watch, false);
    traffic(&net, SECOND);
    net.sides[1].port->interface.mac[5] = 0x44;
    net.tap = reads_its_own_mac;
    net_inject(&net, 0, frame, sizeof(frame), false);
    traffic(&net, 2 * SECOND);
    cr_assert_eq(net.sides[0].qp->path.header[5], 0x44);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net_fini(&net);
}

/* Another host with our address: noted, and named where a peer does not answer. */
Test(refresh, another_with_this_address_is_named)
{
    struct net net;
    struct watch watch = {0};
    struct weft_error error = {0};
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  0x44, 8, 6,
                         0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0,    0, 0x44,
                         10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0,    0, 1};
    start(&net, &watch, false);
    net_inject(&net, 0, frame, sizeof(frame), false);
    cr_assert_eq(net.sides[0].port->neighbours.conflicts, 1);
    net.sides[1].mute = true;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_RETRY_EXCEEDED);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_expect(strstr(error.text, "; another host (02:00:00:00:00:44) has this port's address "
                                 "10.0.0.1 too"),
              "%s", error.text);
    net_fini(&net);
}
