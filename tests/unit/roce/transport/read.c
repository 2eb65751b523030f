/* SPDX-License-Identifier: BSD-3-Clause */
/* READs and atomics: the peer's memory comes here whole, in order, and what changes it changes it
 * once. */
#include <criterion/criterion.h>

#include "tests/unit/roce/transport/sizes.h"

static uint64_t read_one(struct net *net, uint32_t len_bytes, uint64_t seed)
{
    net_fill(net->sides[1].memory, len_bytes, seed);
    memset(net->sides[0].memory, 0xee, (size_t)len_bytes + 64);
    struct weft_work work = net_work(net, 0, WEFT_OPERATION_READ, 0, len_bytes);
    work.id = seed + 1000;
    net_send(net, 0, &work);
    struct weft_completion done = net_wait(net, 0);
    cr_assert_eq(done.status, WEFT_OK, "%s", weft_status_text(done.status));
    cr_assert_eq(done.id, seed + 1000);
    cr_assert_eq(done.operation, WEFT_OPERATION_READ);
    cr_assert(net_filled(net->sides[0].memory, len_bytes, seed), "%u bytes", len_bytes);
    for (uint32_t i = 0; i < 64; i++)
        cr_assert_eq(net->sides[0].memory[len_bytes + i], 0xee);
    return len_bytes;
}

/* Both ends' numbers wrap on the way. */
static const struct sizes read_sizes = {.transfer = read_one, .wraps = true};

Test(read, sizes__clean)
{
    sizes_clean(&read_sizes);
}

Test(read, sizes__lossy)
{
    sizes_lossy(&read_sizes);
}

static uint64_t word(const struct net *net, uint32_t side, uint64_t offset_bytes)
{
    uint64_t value;
    memcpy(&value, net->sides[side].memory + offset_bytes, sizeof(value));
    return value;
}

static void atomic_one(struct net *net, enum weft_operation operation, uint64_t compare,
                       uint64_t operand)
{
    struct weft_work work = net_atomic(net, 0, operation, 0, compare, operand);
    net_send(net, 0, &work);
    struct weft_completion done = net_wait(net, 0);
    cr_assert_eq(done.status, WEFT_OK);
    cr_assert_eq(done.operation, operation);
}

Test(atomic, values)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1});
    net_connect(&net);
    memset(net.sides[1].memory + 8, 0x77, 8);
    atomic_one(&net, WEFT_OPERATION_FETCH_ADD, 0, UINT64_C(0x123456789abcdef0));
    cr_assert_eq(word(&net, 0, 0), 0);
    cr_assert_eq(word(&net, 1, 0), UINT64_C(0x123456789abcdef0));
    atomic_one(&net, WEFT_OPERATION_FETCH_ADD, 0, UINT64_MAX);
    cr_assert_eq(word(&net, 0, 0), UINT64_C(0x123456789abcdef0));
    cr_assert_eq(word(&net, 1, 0), UINT64_C(0x123456789abcdeef));
    /* Not what is there: it stays. */
    atomic_one(&net, WEFT_OPERATION_COMPARE_SWAP, 5, 6);
    cr_assert_eq(word(&net, 0, 0), UINT64_C(0x123456789abcdeef));
    cr_assert_eq(word(&net, 1, 0), UINT64_C(0x123456789abcdeef));
    atomic_one(&net, WEFT_OPERATION_COMPARE_SWAP, UINT64_C(0x123456789abcdeef), 6);
    cr_assert_eq(word(&net, 0, 0), UINT64_C(0x123456789abcdeef));
    cr_assert_eq(word(&net, 1, 0), 6);
    cr_assert_eq(word(&net, 1, 8), UINT64_C(0x7777777777777777));
    net_fini(&net);
}

/* Responses keep to the rate of the queue pair that sends them. */
Test(read, responses_are_paced)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1,
                                         .rate_bps = UINT64_C(1000000000),
                                         .ack_timeout_ns = 10000000,
                                         .memory_bytes = 1u << 17});
    net_connect(&net);
    uint64_t start_ns = net.now_ns;
    read_one(&net, 100000, 1);
    /* 800000 bits of payload, and less than a tenth of headers. */
    cr_assert_geq(net.now_ns - start_ns, 800000);
    cr_assert_leq(net.now_ns - start_ns, 900000, "%lu", net.now_ns - start_ns);
    net_fini(&net);
}
