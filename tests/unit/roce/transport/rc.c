/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages over RC: whole, of every size. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/roce/transport/sizes.h"

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

static uint64_t each_operation(struct net *net, uint32_t len_bytes, uint64_t seed)
{
    for (uint32_t operation = 0; operation <= WEFT_OPERATION_SEND_IMMEDIATE; operation++)
        check_transfer(net, (enum weft_operation)operation, len_bytes, seed * 4 + operation);
    return (WEFT_OPERATION_SEND_IMMEDIATE + UINT64_C(1)) * len_bytes;
}

static const struct sizes message_sizes = {.transfer = each_operation, .receiver = 1};

Test(rc, sizes__clean)
{
    sizes_clean(&message_sizes);
}

Test(rc, sizes__lossy)
{
    sizes_lossy(&message_sizes);
}
