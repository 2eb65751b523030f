/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

static void ud_net(struct net *net, struct weft_roce_destination **ret_destination,
                   uint32_t qkey_flip)
{
    struct weft_error error = {0};
    net_init(net, &(struct net_options){.seed = 11, .transport = WEFT_TRANSPORT_UD});
    struct weft_endpoint_address peer = net->sides[1].address;
    peer.qkey ^= qkey_flip;
    enum weft_status status =
        weft_roce_destination_create(net->sides[0].qp, &peer, ret_destination, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    cr_assert_eq(weft_roce_destination_state(*ret_destination, NULL), WEFT_ENDPOINT_CONNECTING);
    while (weft_roce_destination_state(*ret_destination, NULL) == WEFT_ENDPOINT_CONNECTING)
        cr_assert(net_step(net));
    cr_assert_eq(weft_roce_destination_state(*ret_destination, NULL), WEFT_ENDPOINT_READY);
}

static void ud_send(struct net *net, struct weft_roce_destination *destination, uint64_t id,
                    uint32_t len_bytes)
{
    struct weft_work work = net_work(net, 0, WEFT_OPERATION_SEND, 0, len_bytes);
    work.id = id;
    work.destination = (const void *)destination;
    net_send(net, 0, &work);
}

static void ud_fini(struct net *net, struct weft_roce_destination *destination)
{
    weft_roce_destination_destroy(net->sides[0].qp, destination);
    net_fini(net);
}

Test(ud, sizes)
{
    const uint32_t sizes[] = {0, 1, 3, 4, 1023, 1024};
    struct net net;
    struct weft_roce_destination *destination;
    ud_net(&net, &destination, 0);
    for (uint32_t i = 0; i < 6; i++) {
        net_fill(net.sides[0].memory, sizes[i], i);
        memset(net.sides[1].memory, 0xee, 2048);
        net_receive(&net, 1, i, 0, 40 + sizes[i]);
        ud_send(&net, destination, i + 100, sizes[i]);
        struct weft_completion sent = net_wait(&net, 0);
        cr_assert_eq(sent.id, i + 100);
        cr_assert_eq(sent.status, WEFT_OK);
        struct weft_completion received = net_wait(&net, 1);
        cr_assert_eq(received.id, i);
        cr_assert_eq(received.status, WEFT_OK);
        cr_assert_eq(received.len_bytes, 40 + sizes[i]);
        const uint8_t *memory = net.sides[1].memory;
        cr_assert(net_filled(memory + 40, sizes[i], i));
        cr_assert_eq(memory[40 + sizes[i]], 0xee);
        /* The IPv4 header lies in the second half of the GRH's room. */
        cr_assert_eq(memory[20], 0x45);
        cr_assert_arr_eq(memory + 32, ((const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}), 8);
    }
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes,
                 0 + 1 + 3 + 4 + 1023 + 1024);
    ud_fini(&net, destination);
}

static bool check_deth(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    uint32_t *seen = net->tap_context;
    cr_assert_eq(from, 0, "nothing is answered");
    cr_assert_eq(len_bytes, 14 + 20 + 8 + 12 + 8 + 8 + 4);
    const uint8_t *bth = frame + 42;
    cr_assert_eq(bth[0], 0x64);
    cr_assert_eq(weft_wire_get24(bth + 4), net->sides[1].qp->qpn);
    cr_assert_eq(bth[8] & 0x80, 0);
    cr_assert_eq(weft_wire_get32(bth + 12), net->sides[1].qp->qkey);
    cr_assert_eq(weft_wire_get32(bth + 16), net->sides[0].qp->qpn);
    (*seen)++;
    return true;
}

Test(ud, frame)
{
    struct net net;
    struct weft_roce_destination *destination;
    uint32_t seen = 0;
    ud_net(&net, &destination, 0);
    net.tap = check_deth;
    net.tap_context = &seen;
    net_receive(&net, 1, 0, 0, 100);
    ud_send(&net, destination, 0, 6);
    (void)net_wait(&net, 1);
    cr_assert_eq(seen, 1);
    ud_fini(&net, destination);
}

Test(ud, wrong_qkey)
{
    struct net net;
    struct weft_roce_destination *destination;
    ud_net(&net, &destination, 4);
    uint64_t before = weft_roce_port_counters(net.sides[1].port)->unexpected_packets;
    net_receive(&net, 1, 0, 0, 100);
    ud_send(&net, destination, 0, 6);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->unexpected_packets, before + 1);
    cr_assert_eq(net.sides[1].memory[20], 0);
    ud_fini(&net, destination);
}

Test(ud, no_receive_or_too_small)
{
    struct net net;
    struct weft_roce_destination *destination;
    ud_net(&net, &destination, 0);
    ud_send(&net, destination, 0, 6);
    net_run(&net, net.now_ns + 100000);
    net_receive(&net, 1, 0, 0, 45);
    ud_send(&net, destination, 0, 6);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->receive_dropped, 2);
    /* The receive is still there for one that fits. */
    ud_send(&net, destination, 0, 5);
    cr_assert_eq(net_wait(&net, 1).len_bytes, 45);
    ud_fini(&net, destination);
}

Test(ud, many_in_order_with_few_frames)
{
    struct net net;
    struct weft_roce_destination *destination;
    ud_net(&net, &destination, 0);
    for (uint32_t i = 0; i < 60; i++) {
        net_receive(&net, 1, i, (uint64_t)i * 64, 64);
        ud_send(&net, destination, i, 8);
    }
    for (uint32_t i = 0; i < 60; i++)
        cr_assert_eq(net_wait(&net, 0).id, i);
    for (uint32_t i = 0; i < 60; i++)
        cr_assert_eq(net_wait(&net, 1).id, i);
    ud_fini(&net, destination);
}

Test(ud, lkey)
{
    struct net net;
    struct weft_roce_destination *destination;
    ud_net(&net, &destination, 0);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 8);
    work.destination = (const void *)destination;
    work.lkey++;
    net_send(&net, 0, &work);
    ud_send(&net, destination, 1, 8);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_FLUSHED);
    ud_fini(&net, destination);
}

/* The immediate value stands behind the DETH and comes with the completion. */
Test(ud, immediate)
{
    struct net net;
    struct weft_roce_destination *destination;
    struct weft_completion received;
    ud_net(&net, &destination, 0);
    for (uint32_t len_bytes = 0; len_bytes <= 1024; len_bytes += len_bytes < 8 ? 1 : 127) {
        net_fill(net.sides[0].memory, len_bytes, len_bytes);
        net_receive(&net, 1, 1, 0, 2000);
        struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND_IMMEDIATE, 0, len_bytes);
        work.immediate = 0xa1b2c300 + len_bytes;
        work.destination = (const void *)destination;
        net_send(&net, 0, &work);
        cr_assert_eq(net_wait(&net, 0).operation, WEFT_OPERATION_SEND_IMMEDIATE);
        received = net_wait(&net, 1);
        cr_assert_eq(received.len_bytes, 40 + len_bytes);
        cr_assert(received.has_immediate);
        cr_assert_eq(received.immediate, 0xa1b2c300 + len_bytes);
        cr_assert(net_filled(net.sides[1].memory + 40, len_bytes, len_bytes));
    }
    /* And without: nothing of it is left. */
    net_receive(&net, 1, 1, 0, 2000);
    ud_send(&net, destination, 0, 8);
    cr_assert_eq(net_wait(&net, 0).operation, WEFT_OPERATION_SEND);
    received = net_wait(&net, 1);
    cr_assert(!received.has_immediate);
    cr_assert_eq(received.immediate, 0);
    ud_fini(&net, destination);
}

static bool check_immediate(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    uint32_t *seen = net->tap_context;
    const uint8_t *bth = frame + 42;
    cr_assert_eq(from, 0);
    cr_assert_eq(len_bytes, 14 + 20 + 8 + 12 + 8 + 4 + 8 + 4);
    cr_assert_eq(bth[0], 0x65);
    cr_assert_eq(weft_wire_get32(bth + 16), net->sides[0].qp->qpn);
    cr_assert_eq(weft_wire_get32(bth + 20), 0xa1b2c3d4);
    (*seen)++;
    return true;
}

Test(ud, immediate_frame)
{
    struct net net;
    struct weft_roce_destination *destination;
    uint32_t seen = 0;
    ud_net(&net, &destination, 0);
    net.tap = check_immediate;
    net.tap_context = &seen;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND_IMMEDIATE, 0, 6);
    work.immediate = 0xa1b2c3d4;
    work.destination = (const void *)destination;
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    cr_assert_eq(seen, 1);
    ud_fini(&net, destination);
}

/* It would keep all later ones out. */
Test(ud, lkey_of_a_receive)
{
    struct net net;
    struct weft_roce_destination *destination;
    struct weft_error error = {0};
    ud_net(&net, &destination, 0);
    struct weft_work work = net_work(&net, 1, WEFT_OPERATION_RECEIVE, 0, 100);
    work.lkey++;
    cr_assert_eq(weft_roce_post_receive(net.sides[1].qp, &work, 1), 1);
    net_receive(&net, 1, 1, 0, 100);
    ud_send(&net, destination, 0, 8);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_FLUSHED);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_assert(strstr(error.text, "a receive from a UD peer"), "%s", error.text);
    cr_assert_eq(net.sides[1].memory[20], 0);
    ud_fini(&net, destination);
}

Test(ud, region_goes)
{
    struct net net;
    struct weft_roce_destination *destination;
    struct weft_error error = {0};
    ud_net(&net, &destination, 0);
    struct net_side *side = &net.sides[1];
    net_receive(&net, 1, 0, 0, 100);
    weft_roce_region_deregister(side->port, &side->region);
    ud_send(&net, destination, 0, 8);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(side->memory[20], 0);
    cr_assert_eq(weft_roce_region_register(side->port, side->memory, net.options.memory_bytes,
                                           &side->region, &error),
                 WEFT_OK);
    ud_fini(&net, destination);
}

Test(ud, is_not_connected)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 11, .transport = WEFT_TRANSPORT_UD});
    cr_assert_eq(weft_roce_qp_connect(net.sides[0].qp, &net.sides[1].address, &error),
                 WEFT_UNSUPPORTED);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, NULL), WEFT_ENDPOINT_READY);
    net_fini(&net);
}
