/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "drivers/roce/neighbour/ask.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "tests/unit/roce/net.h"

static struct weft_endpoint_address peer_at(const struct net *net, uint8_t a, uint8_t b, uint8_t c,
                                            uint8_t d)
{
    struct weft_endpoint_address peer = net->sides[1].address;
    memcpy(peer.gid + 12, (const uint8_t[]){a, b, c, d}, 4);
    return peer;
}

static bool record_questions(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    uint64_t *times_ns = net->tap_context;
    (void)len_bytes;
    if (from == 0 && weft_wire_get16(frame + 12) == WEFT_ETHERTYPE_ARP) {
        cr_assert_lt(times_ns[0], 8);
        times_ns[++times_ns[0]] = net->now_ns;
    }
    return true;
}

Test(neighbour, asked_again_with_back_off_then_given_up)
{
    struct net net;
    struct weft_error error = {0};
    uint64_t times_ns[9] = {0};
    net_init(&net, &(struct net_options){.seed = 1});
    struct weft_endpoint_address peer = peer_at(&net, 10, 0, 0, 9);
    net.tap = record_questions;
    net.tap_context = times_ns;
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &peer, &error), WEFT_OK);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_CONNECTING);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    net_send(&net, 0, &work);
    net_run(&net, UINT64_MAX);
    cr_assert_eq(times_ns[0], 8);
    const uint64_t waits_ms[] = {50, 100, 200, 400, 800, 1000, 1000};
    for (uint32_t i = 0; i < 7; i++) {
        uint64_t wait_ns = times_ns[i + 2] - times_ns[i + 1];
        cr_assert_geq(wait_ns, waits_ms[i] * 1000000);
        cr_assert_leq(wait_ns, waits_ms[i] * 1000000 + 20000);
    }
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_str_eq(error.text,
                     "no answer to ARP for 10.0.0.9 from this port (10.0.0.1/24): asked 8 times in "
                     "4.5 s; this port has received nothing at all: is its link up, and does the "
                     "switch let it in (no VLAN tag)?");
    cr_assert_eq(net_wait(&net, 0).status, WEFT_FLUSHED);
    net_fini(&net);
}

/* The first three questions are lost. */
static bool lose_three(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    uint32_t *asked = net->tap_context;
    (void)len_bytes;
    if (from != 0 || weft_wire_get16(frame + 12) != WEFT_ETHERTYPE_ARP)
        return true;
    return ++*asked > 3;
}

Test(neighbour, answer_to_a_later_question)
{
    struct net net;
    struct weft_error error = {0};
    uint32_t asked = 0;
    net_init(&net, &(struct net_options){.seed = 1});
    net.tap = lose_three;
    net.tap_context = &asked;
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &net.sides[1].address, &error), WEFT_OK);
    net_run(&net, UINT64_MAX);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_READY);
    cr_assert_eq(asked, 4);
    net_fini(&net);
}

/* A host that asks for our address is known from its question: we need not ask it. */
Test(neighbour, learnt_from_a_question)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 1});
    cr_assert_eq(weft_roce_qp_connect(net.sides[1].qp, &net.sides[0].address, &error), WEFT_OK);
    net.sides[1].no_frames = true;
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &net.sides[1].address, &error), WEFT_OK);
    net_run(&net, net.now_ns + 50000);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, NULL), WEFT_ENDPOINT_CONNECTING);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_READY);
    net_fini(&net);
}

static bool check_gateway(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    (void)len_bytes;
    if (from == 0 && weft_wire_get16(frame + 12) == WEFT_ETHERTYPE_ARP)
        memcpy(net->tap_context, frame + 14 + 24, 4);
    return true;
}

Test(neighbour, gateway_for_a_peer_elsewhere)
{
    struct net net;
    struct weft_error error = {0};
    uint8_t target[4] = {0};
    net_init(&net, &(struct net_options){.seed = 1});
    struct weft_endpoint_address peer = peer_at(&net, 10, 0, 1, 9);
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &peer, &error), WEFT_INVALID);
    cr_assert_str_eq(error.text, "10.0.1.9 is outside this port's network 10.0.0.1/24 and no "
                                 "gateway is set; set a gateway or correct the prefix");
    net.sides[0].port->interface.gateway =
        (struct weft_ip){.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 2}};
    net.tap = check_gateway;
    net.tap_context = target;
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &peer, &error), WEFT_OK);
    net_run(&net, net.now_ns + 100000);
    cr_assert_arr_eq(target, ((const uint8_t[]){10, 0, 0, 2}), 4);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, NULL), WEFT_ENDPOINT_READY);
    /* To the gateway's MAC, to the peer's address. */
    cr_assert_eq(net.sides[0].qp->path.header[5], 2);
    cr_assert_eq(net.sides[0].qp->path.header[32], 1);
    cr_assert_eq(net.sides[0].qp->path.header[33], 9);
    net_fini(&net);
}

/* The peer has a new interface, and says so when it is asked after timeouts. */
Test(neighbour, mac_changes)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1});
    net_connect(&net);
    net.sides[1].port->interface.mac[4] = 0x77;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    net_send(&net, 0, &work);
    struct weft_completion completion = net_wait(&net, 0);
    cr_assert_eq(completion.status, WEFT_OK, "%s", weft_status_text(completion.status));
    net_fini(&net);
}

/* More questions than there is room for answers: the rest go without, and nothing breaks. */
Test(neighbour, many_questions)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1});
    net.sides[0].no_frames = true;
    for (uint32_t i = 0; i < 100; i++) {
        uint8_t question[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 3,  3, 8, 6,
                                0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 3, 3,
                                10,   0,    0,    3,    0,    0,    0, 0, 0, 0, 10, 0, 0, 1};
        question[31] = (uint8_t)(i + 3);
        net_inject(&net, 0, question, 60, false);
    }
    net.sides[0].no_frames = false;
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->sent_packets, WEFT_NEIGHBOUR_ANSWERS);
    net_fini(&net);
}

Test(neighbour, refused_peers)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 1});
    struct weft_roce_qp *qp = net.sides[0].qp;
    struct weft_endpoint_address peer = net.sides[1].address;
    peer.gid[10] = 0xfe;
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    cr_assert(strstr(error.text, "one version"), "%s", error.text);
    peer = peer_at(&net, 224, 0, 0, 1);
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    peer = net.sides[1].address;
    peer.qpn = 1;
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    peer.qpn = 1u << 24;
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    peer = net.sides[1].address;
    peer.mtu_bytes = 1000;
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    peer = net.sides[1].address;
    peer.psn = 1u << 24;
    cr_assert_eq(weft_roce_qp_connect(qp, &peer, &error), WEFT_INVALID);
    cr_assert_eq(weft_roce_qp_state(qp, NULL), WEFT_ENDPOINT_NEW);
    net_connect(&net);
    cr_assert_eq(weft_roce_qp_connect(qp, &net.sides[1].address, &error), WEFT_EXISTS);
    net_fini(&net);
}

static bool no_question(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    (void)net;
    (void)from;
    (void)len_bytes;
    cr_assert_neq(weft_wire_get16(frame + 12), WEFT_ETHERTYPE_ARP);
    return true;
}

/* Given by hand: ready at once, nothing is asked or learnt, and it outlives its paths. */
Test(neighbour, given_by_hand)
{
    struct net net;
    struct weft_error error = {0};
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    const uint8_t other[6] = {2, 0, 0, 0, 0, 7};
    const struct weft_ip peer = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 2}};
    const struct weft_ip elsewhere = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 1, 2}};
    const uint8_t group[6] = {1, 0, 0, 0, 0, 1};
    net_init(&net, &(struct net_options){.seed = 1});
    net.tap = no_question;
    struct weft_roce_port *port = net.sides[0].port;
    cr_assert_eq(weft_roce_neighbour_add(port, &elsewhere, mac, &error), WEFT_INVALID);
    cr_assert_eq(weft_roce_neighbour_add(port, &port->interface.address, mac, &error),
                 WEFT_INVALID);
    cr_assert_eq(weft_roce_neighbour_add(port, &peer, group, &error), WEFT_INVALID);
    cr_assert_eq(weft_roce_neighbour_add(port, &peer, other, &error), WEFT_OK);
    cr_assert_eq(weft_roce_neighbour_add(port, &peer, mac, &error), WEFT_OK);
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &net.sides[1].address, &error), WEFT_OK);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, &error), WEFT_ENDPOINT_READY);
    cr_assert_arr_eq(net.sides[0].qp->path.header, mac, 6);
    struct weft_neighbours *neighbours = &port->neighbours;
    weft_neighbour_learn(
        neighbours,
        &(struct weft_neighbour_news){.address = &peer, .mac = other, .overrides = true},
        net.now_ns);
    weft_neighbour_doubt(neighbours, net.sides[0].qp->path.neighbour);
    cr_assert_null(weft_neighbours_next_changed(neighbours));
    net_run(&net, UINT64_MAX);
    cr_assert_arr_eq(net.sides[0].qp->path.header, mac, 6);
    net_fini(&net);
}

/* The table calls nobody: what changed stands on its list, once, until it is taken from there. */
Test(neighbour, lists_what_changed)
{
    struct net net;
    const uint8_t other[6] = {2, 0, 0, 0, 0, 7};
    const struct weft_ip peer = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 2}};
    net_init(&net, &(struct net_options){.seed = 1});
    net_connect(&net);
    struct weft_neighbours *neighbours = &net.sides[0].port->neighbours;
    struct weft_neighbour *neighbour = net.sides[0].qp->path.neighbour;
    cr_assert_null(weft_neighbours_next_changed(neighbours));
    const struct weft_neighbour_news news = {
        .address = &peer, .mac = other, .answers = true, .overrides = true};
    weft_neighbour_learn(neighbours, &news, net.now_ns);
    weft_neighbour_learn(neighbours, &news, net.now_ns);
    cr_assert_neq(memcmp(net.sides[0].qp->path.header, other, 6), 0);
    cr_assert_eq(weft_neighbours_next_changed(neighbours), neighbour);
    cr_assert_null(weft_neighbours_next_changed(neighbours));
    weft_path_neighbour_changed(&net.sides[0].qp->path);
    cr_assert_arr_eq(net.sides[0].qp->path.header, other, 6);
    net_fini(&net);
}
