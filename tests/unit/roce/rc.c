/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages over RC: whole, of every size. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "net.h"

#define LARGE_BYTES (8u << 20)

static void check_transfer(struct net *net, enum weft_operation operation, uint32_t len_bytes,
                           uint64_t seed)
{
    net_fill(net->sides[0].memory, len_bytes, seed);
    memset(net->sides[1].memory, 0xee, (size_t)len_bytes + 64);
    if (operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE)
        net_receive(net, 1, seed, 0, len_bytes + 8);
    if (operation == WEFT_OPERATION_WRITE_IMMEDIATE)
        net_receive(net, 1, seed, 0, 0);
    struct weft_work work = net_work(net, 0, operation, 0, len_bytes);
    work.id = seed + 1000;
    work.immediate = 0xdeadbeef;
    net_send(net, 0, &work);
    struct weft_completion sent = net_wait(net, 0);
    cr_assert_eq(sent.status, WEFT_OK);
    cr_assert_eq(sent.id, seed + 1000);
    cr_assert_eq(sent.user, 100);
    cr_assert_eq(sent.operation, operation);
    if (operation != WEFT_OPERATION_WRITE) {
        struct weft_completion received = net_wait(net, 1);
        bool immediate = operation != WEFT_OPERATION_SEND;
        cr_assert_eq(received.status, WEFT_OK);
        cr_assert_eq(received.id, seed);
        cr_assert_eq(received.user, 101);
        cr_assert_eq(received.operation, WEFT_OPERATION_RECEIVE);
        cr_assert_eq(received.len_bytes, len_bytes);
        cr_assert_eq(received.has_immediate, immediate);
        cr_assert_eq(received.immediate, immediate ? 0xdeadbeef : 0);
    }
    cr_assert(net_filled(net->sides[1].memory, len_bytes, seed), "%u bytes", len_bytes);
    for (uint32_t i = 0; i < 64; i++)
        cr_assert_eq(net->sides[1].memory[len_bytes + i], 0xee);
}

static void check_sizes(uint32_t mtu_bytes, const struct net_faults *faults)
{
    const uint32_t sizes[] = {0, 1, 3, mtu_bytes - 1, mtu_bytes, mtu_bytes + 1, 65536, LARGE_BYTES};
    struct net net;
    net_init(&net, &(struct net_options){.seed = mtu_bytes,
                                         .mtu_bytes = mtu_bytes,
                                         .retry_limit = 255,
                                         .memory_bytes = LARGE_BYTES + 64,
                                         .faults = *faults});
    net_connect(&net);
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t operation = 0; operation <= WEFT_OPERATION_SEND_IMMEDIATE; operation++) {
            check_transfer(&net, (enum weft_operation)operation, sizes[i], i * 4 + operation);
            total_bytes += sizes[i];
        }
    }
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes, total_bytes);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->malformed_packets, 0);
    if (!faults->drop)
        cr_assert_eq(counters->retransmitted_packets, 0);
    else
        cr_assert_gt(counters->retransmitted_packets, 0);
    net_fini(&net);
}

Test(rc, sizes__clean)
{
    for (uint32_t mtu_bytes = 256; mtu_bytes <= 4096; mtu_bytes *= 2)
        check_sizes(mtu_bytes, &(struct net_faults){0});
}

Test(rc, sizes__lossy)
{
    check_sizes(1024, &(struct net_faults){.drop = 10, .duplicate = 10, .reorder = 10});
    check_sizes(4096, &(struct net_faults){.drop = 20});
}
