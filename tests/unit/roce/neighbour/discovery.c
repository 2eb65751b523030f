/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery, by messages made here byte for byte. Side 0's port is fd00::1 with the MAC
 * 02:00:00:00:00:01. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define SOLICITATION 135u
#define ADVERTISEMENT 136u
#define SOLICITED 0x40u
#define OVERRIDE 0x20u

static const uint8_t own[16] = {[0] = 0xfd, [15] = 1};
static const uint8_t peer[16] = {[0] = 0xfd, [15] = 2};
static const uint8_t group[16] = {0xff, 0x02, [11] = 1, [12] = 0xff, [15] = 1};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t nobody[16] = {0};
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 0x33};

struct message {
    uint8_t type;
    uint8_t flags;
    const uint8_t *source, *destination, *target;
    const uint8_t *mac; /* of the option; NULL: none */
};

static void put_checksum(uint8_t *frame)
{
    uint8_t *ip = frame + 14;
    uint32_t len_bytes = weft_wire_get16(ip + 4);
    uint32_t sum = len_bytes + 58;
    ip[42] = 0;
    ip[43] = 0;
    for (uint32_t i = 8; i < 40 + len_bytes; i += 2)
        sum += weft_wire_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_wire_put16(ip + 42, (uint16_t)~sum);
}

static uint32_t make(const struct message *message, uint8_t frame[128])
{
    uint32_t len_bytes = message->mac ? 32 : 24;
    memset(frame, 0, 128);
    memcpy(frame, own_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    weft_wire_put16(frame + 12, 0x86dd);
    uint8_t *ip = frame + 14;
    ip[0] = 0x60;
    weft_wire_put16(ip + 4, (uint16_t)len_bytes);
    ip[6] = 58;
    ip[7] = 255;
    memcpy(ip + 8, message->source, 16);
    memcpy(ip + 24, message->destination, 16);
    ip[40] = message->type;
    ip[44] = message->flags;
    memcpy(ip + 48, message->target, 16);
    if (message->mac) {
        ip[64] = message->type == SOLICITATION ? 1 : 2;
        ip[65] = 1;
        memcpy(ip + 66, message->mac, 6);
    }
    put_checksum(frame);
    return 54 + len_bytes;
}

static void give(struct net *net, const struct message *message)
{
    uint8_t frame[128];
    uint32_t len_bytes = make(message, frame);
    weft_roce_receive(net->sides[0].port, frame, len_bytes, net->now_ns);
}

/* What side 0 sends next; 0: nothing. */
static uint32_t next_frame(struct net *net, uint8_t frame[WEFT_ROCE_FRAME_MAX])
{
    struct weft_roce_frame out = {frame, WEFT_ROCE_FRAME_MAX, 0};
    return weft_roce_transmit(net->sides[0].port, &out, 1, net->now_ns) ? out.len_bytes : 0;
}

static uint16_t checksum_of(const uint8_t *ip)
{
    uint32_t len_bytes = weft_wire_get16(ip + 4);
    uint32_t sum = len_bytes + 58;
    for (uint32_t i = 8; i < 40 + len_bytes; i += 2)
        sum += weft_wire_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void expect_answer(struct net *net, const uint8_t mac[6], const uint8_t destination[16],
                          uint8_t flags)
{
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    cr_assert_eq(next_frame(net, frame), 86);
    const uint8_t *ip = frame + 14;
    cr_assert_arr_eq(frame, mac, 6);
    cr_assert_arr_eq(frame + 6, own_mac, 6);
    cr_assert_eq(ip[7], 255);
    cr_assert_arr_eq(ip + 8, own, 16);
    cr_assert_arr_eq(ip + 24, destination, 16);
    cr_assert_eq(ip[40], ADVERTISEMENT);
    cr_assert_eq(ip[44], flags);
    cr_assert_arr_eq(ip + 48, own, 16);
    cr_assert_arr_eq(ip + 64, ((const uint8_t[]){2, 1, 2, 0, 0, 0, 0, 1}), 8);
    cr_assert_eq(checksum_of(ip), 0xffff);
    cr_assert_eq(next_frame(net, frame), 0);
}

static void start(struct net *net)
{
    static uint8_t report[WEFT_ROCE_FRAME_MAX];
    net_init(net, &(struct net_options){.seed = 1, .ipv6 = true, .reports = true});
    cr_assert_eq(next_frame(net, report), 90); /* see below */
}

Test(discovery, answers_questions)
{
    struct net net;
    start(&net);
    /* By multicast, as one who does not know us asks; then where he believes us to be. */
    give(&net, &(struct message){SOLICITATION, 0, peer, group, own, other_mac});
    expect_answer(&net, other_mac, peer, SOLICITED | OVERRIDE);
    give(&net, &(struct message){SOLICITATION, 0, peer, own, own, NULL});
    expect_answer(&net, peer_mac, peer, SOLICITED | OVERRIDE);
    /* One who looks whether our address is free. */
    give(&net, &(struct message){SOLICITATION, 0, nobody, group, own, NULL});
    expect_answer(&net, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, all_nodes, OVERRIDE);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->malformed_packets + counters->unexpected_packets, 0);
    net_fini(&net);
}

Test(discovery, is_silent_about_others)
{
    struct net net;
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    start(&net);
    give(&net, &(struct message){SOLICITATION, 0, peer, all_nodes, peer, peer_mac});
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, own, peer, peer_mac});
    cr_assert_eq(next_frame(&net, frame), 0);
    net_fini(&net);
}

static void set_byte(struct net *net, const struct message *message, uint32_t byte, uint8_t value)
{
    uint8_t frame[128];
    uint32_t len_bytes = make(message, frame);
    frame[byte] = value;
    put_checksum(frame);
    weft_roce_receive(net->sides[0].port, frame, len_bytes, net->now_ns);
}

/* RFC 4861, 7.1: what a message must be like. */
Test(discovery, bad_messages_are_counted)
{
    struct net net;
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    start(&net);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    const struct message good = {SOLICITATION, 0, peer, group, own, peer_mac};
    uint64_t expected = 0;
    set_byte(&net, &good, 14 + 7, 254); /* crossed a router */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 14 + 41, 1); /* code */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 14 + 65, 0); /* an option without a length */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 14 + 65, 2); /* one that is longer than the message */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 14 + 48, 0xff); /* a group for a target */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 14 + 8, 0xff); /* a group for a source */
    cr_expect_eq(counters->malformed_packets, ++expected);
    set_byte(&net, &good, 6, 3); /* a group for a MAC */
    cr_expect_eq(counters->malformed_packets, ++expected);
    give(&net, &(struct message){SOLICITATION, 0, nobody, group, own, peer_mac});
    cr_expect_eq(counters->malformed_packets, ++expected);
    give(&net, &(struct message){SOLICITATION, 0, nobody, own, own, NULL});
    cr_expect_eq(counters->malformed_packets, ++expected);
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, all_nodes, peer, peer_mac});
    cr_expect_eq(counters->malformed_packets, ++expected);
    uint32_t len_bytes = make(&good, frame);
    frame[14 + 43] ^= 1; /* the checksum */
    weft_roce_receive(net.sides[0].port, frame, len_bytes, net.now_ns);
    cr_expect_eq(counters->malformed_packets, ++expected);
    cr_assert_eq(next_frame(&net, frame), 0);
    cr_assert_eq(counters->unexpected_packets, 0);
    /* Not for us, and a ping. */
    set_byte(&net, &good, 14 + 39, 9);
    set_byte(&net, &good, 14 + 40, 128);
    cr_assert_eq(counters->unexpected_packets, 2);
    cr_assert_eq(next_frame(&net, frame), 0);
    net_fini(&net);
}

/* In memory of just its size, so that the sanitizer sees a read beyond. */
Test(discovery, cut_short_at_every_length)
{
    struct net net;
    uint8_t frame[128];
    static uint8_t out[WEFT_ROCE_FRAME_MAX];
    start(&net);
    uint32_t whole = make(&(struct message){SOLICITATION, 0, peer, group, own, peer_mac}, frame);
    for (uint32_t len_bytes = 0; len_bytes < whole; len_bytes++) {
        uint8_t *exact = malloc(len_bytes + 1);
        cr_assert_not_null(exact);
        memcpy(exact + 1, frame, len_bytes);
        weft_roce_receive(net.sides[0].port, exact + 1, len_bytes, net.now_ns);
        /* And with a length that fits, down to none. */
        if (len_bytes >= 54) {
            weft_wire_put16(exact + 1 + 18, (uint16_t)(len_bytes - 54));
            weft_roce_receive(net.sides[0].port, exact + 1, len_bytes, net.now_ns);
        }
        free(exact);
    }
    cr_assert_eq(next_frame(&net, out), 0);
    net_fini(&net);
}

/* ---- learning ---- */

static void connect_to_peer(struct net *net)
{
    struct weft_error error = {0};
    start(net);
    net->sides[1].mute = true;
    cr_assert_eq(weft_roce_qp_connect(net->sides[0].qp, &net->sides[1].address, &error), WEFT_OK);
}

static enum weft_endpoint_state state_of(const struct net *net)
{
    return weft_roce_qp_state(net->sides[0].qp, NULL);
}

static void expect_question(struct net *net, const uint8_t mac[6], const uint8_t destination[16])
{
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    cr_assert_eq(next_frame(net, frame), 86);
    const uint8_t *ip = frame + 14;
    cr_assert_arr_eq(frame, mac, 6);
    cr_assert_eq(ip[7], 255);
    cr_assert_arr_eq(ip + 8, own, 16);
    cr_assert_arr_eq(ip + 24, destination, 16);
    cr_assert_eq(ip[40], SOLICITATION);
    cr_assert_arr_eq(ip + 48, peer, 16);
    cr_assert_arr_eq(ip + 64, ((const uint8_t[]){1, 1, 2, 0, 0, 0, 0, 1}), 8);
    cr_assert_eq(checksum_of(ip), 0xffff);
}

Test(discovery, asks_the_group_of_the_address)
{
    struct net net;
    const uint8_t group_of_peer[16] = {0xff, 0x02, [11] = 1, [12] = 0xff, [15] = 2};
    connect_to_peer(&net);
    expect_question(&net, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 2}, group_of_peer);
    /* An answer without a MAC tells nothing to one who has none. */
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, own, peer, NULL});
    cr_assert_eq(state_of(&net), WEFT_ENDPOINT_CONNECTING);
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, own, peer, peer_mac});
    cr_assert_eq(state_of(&net), WEFT_ENDPOINT_READY);
    cr_assert_arr_eq(net.sides[0].qp->path.header, peer_mac, 6);
    net_fini(&net);
}

/* RFC 4861, 7.2.5: another MAC counts only with the override flag; without, it is a doubt. */
Test(discovery, override_decides)
{
    struct net net;
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    const uint8_t group_of_peer[16] = {0xff, 0x02, [11] = 1, [12] = 0xff, [15] = 2};
    const uint8_t group_of_peer_mac[6] = {0x33, 0x33, 0xff, 0, 0, 2};
    connect_to_peer(&net);
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, own, peer, peer_mac});
    cr_assert_eq(next_frame(&net, frame), 0);
    give(&net, &(struct message){ADVERTISEMENT, 0, peer, all_nodes, peer, other_mac});
    cr_assert_arr_eq(net.sides[0].qp->path.header, peer_mac, 6);
    expect_question(&net, group_of_peer_mac, group_of_peer);
    /* Said without being asked: believed, and looked after. */
    give(&net, &(struct message){ADVERTISEMENT, OVERRIDE, peer, all_nodes, peer, other_mac});
    cr_assert_arr_eq(net.sides[0].qp->path.header, other_mac, 6);
    expect_question(&net, group_of_peer_mac, group_of_peer);
    give(&net, &(struct message){ADVERTISEMENT, SOLICITED, peer, own, peer, NULL});
    cr_assert_arr_eq(net.sides[0].qp->path.header, other_mac, 6);
    /* By a question of his too. */
    give(&net, &(struct message){SOLICITATION, 0, peer, group, own, peer_mac});
    cr_assert_arr_eq(net.sides[0].qp->path.header, peer_mac, 6);
    cr_assert_eq(state_of(&net), WEFT_ENDPOINT_READY);
    net_fini(&net);
}

Test(discovery, nobody_answers)
{
    struct net net;
    struct weft_error error = {0};
    connect_to_peer(&net);
    net.sides[0].port->interface.vlan_id = 7;
    net_run(&net, UINT64_MAX);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_str_eq(error.text,
                     "no answer to neighbour discovery for fd00::2 from this port (fd00::1/64): "
                     "asked 8 times in 4.5 s; this port has received nothing at all: is its link "
                     "up, and does the switch let it in (VLAN 7)?");
    give(&net, &(struct message){ADVERTISEMENT, OVERRIDE, peer, all_nodes, own, other_mac});
    net_fini(&net);
}

Test(discovery, another_with_this_address_is_named)
{
    struct net net;
    struct weft_error error = {0};
    connect_to_peer(&net);
    give(&net, &(struct message){ADVERTISEMENT, OVERRIDE, own, all_nodes, own, own_mac});
    cr_assert_eq(net.sides[0].port->neighbours.conflicts, 0);
    give(&net, &(struct message){ADVERTISEMENT, OVERRIDE, own, all_nodes, own, other_mac});
    cr_assert_eq(net.sides[0].port->neighbours.conflicts, 1);
    give(&net, &(struct message){SOLICITATION, 0, own, group, own, other_mac});
    cr_assert_eq(net.sides[0].port->neighbours.conflicts, 2);
    net_run(&net, UINT64_MAX);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_expect(strstr(error.text, "on the same network (no VLAN tag)?; another host "
                                 "(02:00:00:00:00:33) has this port's address fd00::1 too"),
              "%s", error.text);
    net_fini(&net);
}

Test(discovery, the_way_of_link_local_addresses)
{
    struct net net;
    struct weft_error error = {0};
    struct weft_ip *address;
    start(&net);
    address = &net.sides[0].port->interface.address;
    struct weft_endpoint_address far = net.sides[1].address;
    /* A link-local peer is on this link, whatever our prefix. */
    memcpy(far.gid, (const uint8_t[16]){0xfe, 0x80, [15] = 2}, 16);
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &far, &error), WEFT_OK, "%s", error.text);
    cr_assert_arr_eq(net.sides[0].qp->path.neighbour->address.bytes, far.gid, 16);
    *address = (struct weft_ip){.version = 6, .prefix_bits = 64, .bytes = {0xfe, 0x80, [15] = 1}};
    cr_assert_eq(weft_roce_qp_connect(net.sides[1].qp, &far, &error), WEFT_OK);
    struct weft_roce_qp *qp = NULL;
    cr_assert_eq(
        weft_roce_qp_create(net.sides[0].port,
                            &(struct weft_roce_qp_options){.cq = net.sides[0].cq, .send_depth = 1},
                            &qp, &error),
        WEFT_OK);
    cr_assert_eq(weft_roce_qp_connect(qp, &net.sides[1].address, &error), WEFT_INVALID);
    cr_expect_str_eq(error.text,
                     "fd00::2 is not on this port's link, and no router forwards packets "
                     "from its link-local address fe80::1; give the port another address");
    weft_roce_qp_destroy(net.sides[0].port, qp);
    net_fini(&net);
}

/* ---- reports of listeners ---- */

static void expect_report(struct net *net, const uint8_t source[16])
{
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    cr_assert_eq(next_frame(net, frame), 90);
    const uint8_t *ip = frame + 14;
    const uint8_t routers[16] = {0xff, 0x02, [15] = 0x16};
    cr_assert_arr_eq(frame, ((const uint8_t[]){0x33, 0x33, 0, 0, 0, 0x16}), 6);
    cr_assert_eq(weft_wire_get16(ip + 4), 36);
    cr_assert_eq(ip[6], 0);
    cr_assert_eq(ip[7], 1);
    cr_assert_arr_eq(ip + 8, source, 16);
    cr_assert_arr_eq(ip + 24, routers, 16);
    cr_assert_arr_eq(ip + 40, ((const uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0, 143, 0}), 10);
    cr_assert_arr_eq(ip + 52, ((const uint8_t[]){0, 0, 0, 1, 4, 0, 0, 0}), 8);
    cr_assert_arr_eq(ip + 60, group, 16);
    uint32_t sum = 28 + 58;
    for (uint32_t i = 8; i < 40; i += 2)
        sum += weft_wire_get16(ip + i);
    for (uint32_t i = 48; i < 76; i += 2)
        sum += weft_wire_get16(ip + i);
    cr_assert_eq((sum & 0xffff) + (sum >> 16), 0xffff);
    cr_assert_eq(next_frame(net, frame), 0);
}

/* At once, again after a second, then every minute; nothing is woken for it. */
Test(discovery, reports_its_group)
{
    struct net net;
    static uint8_t frame[WEFT_ROCE_FRAME_MAX];
    net_init(&net, &(struct net_options){.seed = 1, .ipv6 = true, .reports = true});
    expect_report(&net, nobody);
    cr_assert_eq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns), UINT64_MAX);
    net.now_ns += UINT64_C(999000000);
    cr_assert_eq(next_frame(&net, frame), 0);
    net.now_ns += UINT64_C(1000000);
    expect_report(&net, nobody);
    net.now_ns += UINT64_C(59000000000);
    cr_assert_eq(next_frame(&net, frame), 0);
    net.now_ns += UINT64_C(1000000000);
    const uint8_t local[16] = {0xfe, 0x80, [15] = 1};
    memcpy(net.sides[0].port->interface.address.bytes, local, 16);
    expect_report(&net, local);
    net_fini(&net);
}
