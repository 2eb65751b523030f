/* SPDX-License-Identifier: BSD-3-Clause */
/* Unreliable connection: nothing is acknowledged; what is whole arrives once, the rest not at
 * all. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

static void start(struct net *net, uint64_t seed, uint32_t mtu_bytes)
{
    net_init(net, &(struct net_options){.seed = seed,
                                        .mtu_bytes = mtu_bytes,
                                        .transport = WEFT_TRANSPORT_UC,
                                        .memory_bytes = 1u << 17});
    for (uint32_t i = 0; i < 2; i++) {
        net->sides[i].qp->initial_psn = 0xfffffd;
        weft_roce_qp_address(net->sides[i].qp, &net->sides[i].address);
    }
    net_connect(net);
}

static const struct weft_device_counters *counters(const struct net *net, uint32_t side)
{
    return weft_roce_port_counters(net->sides[side].port);
}

static void post(struct net *net, uint64_t id, enum weft_operation operation, uint32_t len_bytes)
{
    struct weft_work work = net_work(net, 0, operation, 0, len_bytes);
    work.id = id;
    work.immediate = (uint32_t)id + 7;
    net_send(net, 0, &work);
    struct weft_completion done = net_wait(net, 0);
    cr_assert_eq(done.status, WEFT_OK);
    cr_assert_eq(done.id, id);
    cr_assert_eq(done.operation, operation);
}

static uint32_t received(struct net *net)
{
    uint32_t count = 0;
    struct weft_completion completion;
    net_run(net, net->now_ns + 1000000);
    while (weft_roce_cq_poll(net->sides[1].cq, &completion, 1)) {
        cr_assert_eq(completion.status, WEFT_OK);
        count++;
    }
    return count;
}

static void check_size(struct net *net, enum weft_operation operation, uint32_t len_bytes)
{
    bool receive = operation != WEFT_OPERATION_WRITE;
    memset(net->sides[1].memory, 0xee, (size_t)len_bytes + 64);
    net_fill(net->sides[0].memory, len_bytes, len_bytes);
    if (receive)
        net_receive(net, 1, len_bytes, 0, len_bytes + 8);
    post(net, 3, operation, len_bytes);
    if (receive) {
        struct weft_completion completion = net_wait(net, 1);
        bool immediate = operation != WEFT_OPERATION_SEND;
        cr_assert_eq(completion.status, WEFT_OK);
        cr_assert_eq(completion.id, len_bytes);
        cr_assert_eq(completion.len_bytes, len_bytes);
        cr_assert_eq(completion.has_immediate, immediate);
        cr_assert_eq(completion.immediate, immediate ? 10 : 0);
    }
    net_run(net, net->now_ns + 1000000);
    cr_assert(net_filled(net->sides[1].memory, len_bytes, len_bytes), "%u bytes", len_bytes);
    cr_assert_eq(net->sides[1].memory[len_bytes], 0xee);
}

Test(uc, sizes)
{
    for (uint32_t mtu_bytes = 256; mtu_bytes <= 4096; mtu_bytes *= 2) {
        const uint32_t sizes[] = {0, 1, mtu_bytes - 1, mtu_bytes, mtu_bytes + 1, 100000};
        struct net net;
        start(&net, 1, mtu_bytes);
        for (uint32_t operation = 0; operation <= WEFT_OPERATION_SEND_IMMEDIATE; operation++)
            for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                check_size(&net, (enum weft_operation)operation, sizes[i]);
        cr_assert_eq(counters(&net, 0)->retransmitted_packets, 0);
        cr_assert_eq(counters(&net, 0)->timeouts, 0);
        cr_assert_eq(counters(&net, 1)->receive_dropped, 0);
        cr_assert_eq(counters(&net, 1)->out_of_order_packets, 0);
        net_fini(&net);
    }
}

struct gap {
    uint32_t seen;
    uint32_t lost;
    uint32_t answers;
};

static bool lose_one(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct gap *gap = net->tap_context;
    (void)frame;
    (void)len_bytes;
    if (from == 1)
        gap->answers++;
    return from == 1 || gap->seen++ != gap->lost;
}

/* Three messages of three packets: the one that the lost packet belongs to is lost whole, its
 * receive serves the next, and the others arrive. */
static void check_gap(enum weft_operation operation, uint32_t lost)
{
    struct net net;
    struct gap gap = {.lost = lost};
    start(&net, lost, 256);
    net.tap = lose_one;
    net.tap_context = &gap;
    for (uint32_t i = 0; i < 3; i++)
        net_receive(&net, 1, i, i * 1000, 800);
    for (uint32_t i = 0; i < 3; i++) {
        struct weft_work work = net_work(&net, 0, operation, i * 1000, 600);
        work.immediate = i;
        net_fill(work.memory, 600, i);
        net_send(&net, 0, &work);
    }
    for (uint32_t i = 0, message = 0; i < 2; i++, message++) {
        if (message == lost / 3)
            message++;
        struct weft_completion completion = net_wait(&net, 1);
        uint32_t place = operation == WEFT_OPERATION_SEND_IMMEDIATE ? i : message;
        cr_assert_eq(completion.id, i);
        cr_assert_eq(completion.immediate, message);
        cr_assert(net_filled(net.sides[1].memory + place * 1000u, 600, message), "lost %u", lost);
    }
    cr_assert_eq(received(&net), 0);
    cr_assert_eq(gap.answers, 0, "nothing is ever answered");
    if (lost % 3 != 2 || lost < 6)
        cr_assert_eq(counters(&net, 1)->out_of_order_packets, 1);
    cr_assert_eq(counters(&net, 1)->receive_dropped, 2 - lost % 3);
    net_fini(&net);
}

Test(uc, a_message_with_a_gap_is_dropped)
{
    for (uint32_t lost = 0; lost < 9; lost++) {
        check_gap(WEFT_OPERATION_SEND_IMMEDIATE, lost);
        check_gap(WEFT_OPERATION_WRITE_IMMEDIATE, lost);
    }
}

Test(uc, no_receive_then_one)
{
    struct net net;
    start(&net, 1, 256);
    post(&net, 0, WEFT_OPERATION_SEND, 600);
    cr_assert_eq(received(&net), 0);
    cr_assert_eq(counters(&net, 1)->receive_dropped, 3);
    net_receive(&net, 1, 1, 0, 600);
    post(&net, 1, WEFT_OPERATION_SEND, 600);
    cr_assert_eq(received(&net), 1);
    /* Too long for its receive: it is dropped, the receive is not. */
    net_receive(&net, 1, 2, 0, 300);
    post(&net, 2, WEFT_OPERATION_SEND, 600);
    cr_assert_eq(received(&net), 0);
    post(&net, 3, WEFT_OPERATION_SEND, 300);
    cr_assert_eq(received(&net), 1);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_READY);
    net_fini(&net);
}

Test(uc, bad_rkey_writes_nothing_and_says_nothing)
{
    struct net net;
    struct gap gap = {.lost = UINT32_MAX};
    start(&net, 1, 256);
    net.tap = lose_one;
    net.tap_context = &gap;
    memset(net.sides[0].memory, 0x99, 600);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 600);
    work.rkey ^= 0x80000000;
    net_send(&net, 0, &work);
    work.rkey ^= 0x80000000;
    work.remote_address += net.options.memory_bytes - 599;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    net_run(&net, net.now_ns + 1000000);
    for (size_t i = 0; i < net.options.memory_bytes; i++)
        cr_assert_eq(net.sides[1].memory[i], 0);
    cr_assert_eq(counters(&net, 1)->receive_dropped, 6);
    cr_assert_eq(gap.answers, 0);
    check_size(&net, WEFT_OPERATION_WRITE, 600);
    net_fini(&net);
}

/* What arrives is whole, in order and arrives once, whatever the wire does. */
Test(uc, lossy)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct net net;
        start(&net, seed, 256);
        net.options.faults =
            (struct net_faults){.drop = 50, .duplicate = 50, .reorder = 30, .corrupt = 20};
        uint32_t next = 0;
        uint32_t arrived = 0;
        for (uint32_t i = 0; i < 16; i++)
            net_receive(&net, 1, i, i * 2048, 2048);
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t len_bytes = 1 + i * 7 % 1500;
            net_fill(net.sides[0].memory, len_bytes, i);
            struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND_IMMEDIATE, 0, len_bytes);
            work.immediate = i;
            net_send(&net, 0, &work);
            cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
            net_run(&net, net.now_ns + 30000);
            struct weft_completion completion;
            while (weft_roce_cq_poll(net.sides[1].cq, &completion, 1)) {
                uint32_t message = completion.immediate;
                cr_assert_geq(message, next, "seed %lu: %u again", seed, message);
                next = message + 1;
                arrived++;
                cr_assert_eq(completion.len_bytes, 1 + message * 7 % 1500);
                cr_assert(net_filled(net.sides[1].memory + completion.id * 2048,
                                     completion.len_bytes, message));
                net_receive(&net, 1, completion.id, completion.id * 2048, 2048);
            }
        }
        cr_assert_gt(arrived, 50);
        cr_assert_lt(arrived, 200);
        net_fini(&net);
    }
}

Test(uc, lkeys)
{
    struct net net;
    start(&net, 1, 256);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 10);
    net_receive(&net, 1, 5, net.options.memory_bytes - 5, 10);
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_LOCAL_PROTECTION);
    work.lkey ^= 1u << 30;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, NULL), WEFT_ENDPOINT_FAILED);
    net_fini(&net);
}
