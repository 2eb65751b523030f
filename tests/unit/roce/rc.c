/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages over RC: whole, in order, once, over a wire that does its worst. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "net.h"

#define LARGE_BYTES (8u << 20)

static void check_transfer(struct net *net, enum weft_operation operation, uint32_t len_bytes,
                           uint64_t seed)
{
    net_fill(net->sides[0].memory, len_bytes, seed);
    memset(net->sides[1].memory, 0xee, (size_t)len_bytes + 64);
    if (operation == WEFT_OPERATION_SEND)
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
        bool immediate = operation == WEFT_OPERATION_WRITE_IMMEDIATE;
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
        for (uint32_t operation = 0; operation <= WEFT_OPERATION_WRITE_IMMEDIATE; operation++) {
            check_transfer(&net, (enum weft_operation)operation, sizes[i], i * 3 + operation);
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

/* One direction of a soak: the next message to be posted, and to be seen at the far end. */
struct flow {
    uint32_t posted;
    uint32_t sent;
    uint32_t taken;
    uint32_t receives;
    uint32_t wanted; /* messages that take a receive, posted so far */
};

#define SOAK_MESSAGES 40u
#define SOAK_SLOT_BYTES 20480u

/* What message `index` is, the same at both ends. */
static struct weft_work soak_work(const struct net *net, uint32_t from, uint32_t index)
{
    struct weft_random random;
    weft_random_seed(&random, net->options.seed * 1000 + from * 100 + index);
    uint32_t mtu_bytes = net->options.mtu_bytes;
    uint32_t edges[] = {0, 1, mtu_bytes - 1, mtu_bytes, mtu_bytes + 1, mtu_bytes * 2};
    uint64_t pick = weft_random_below(&random, 10);
    uint32_t len_bytes =
        pick < 6 ? edges[pick] : (uint32_t)weft_random_below(&random, SOAK_SLOT_BYTES / 2);
    enum weft_operation operation = (enum weft_operation)weft_random_below(&random, 3);
    struct weft_work work =
        net_work(net, from, operation, (uint64_t)index * SOAK_SLOT_BYTES, len_bytes);
    /* What arrives goes to the second half of the memory. */
    work.remote_address += net->options.memory_bytes / 2;
    work.id = index;
    work.immediate = index;
    return work;
}

static uint64_t soak_seed(const struct net *net, uint32_t from, uint32_t index)
{
    return net->options.seed + from * 13 + index;
}

static void soak_post(struct net *net, struct flow *flow, uint32_t from)
{
    if (flow->posted == SOAK_MESSAGES || weft_random_below(&net->random, 3) == 0)
        return;
    struct weft_work work = soak_work(net, from, flow->posted);
    net_fill(work.memory, work.len_bytes, soak_seed(net, from, flow->posted));
    work.inlined = work.len_bytes <= 64;
    net_send(net, from, &work);
    if (work.inlined)
        memset(work.memory, 0x55, work.len_bytes);
    flow->posted++;
}

/* The message of the n-th receive taken: those that are plain WRITEs take none. */
static uint32_t soak_taker(const struct net *net, uint32_t from, uint32_t taken)
{
    for (uint32_t index = 0; index < SOAK_MESSAGES; index++) {
        if (soak_work(net, from, index).operation == WEFT_OPERATION_WRITE)
            continue;
        if (taken-- == 0)
            return index;
    }
    cr_assert_fail("a receive was taken that no message was for");
    return 0;
}

/* Receives are posted late and one by one: many arrive at a queue that is empty. */
static void soak_post_receive(struct net *net, struct flow *flow, uint32_t from)
{
    if (flow->receives == flow->wanted || weft_random_below(&net->random, 2) == 0)
        return;
    uint32_t index = soak_taker(net, from, flow->receives);
    uint64_t offset_bytes = net->options.memory_bytes / 2 + (uint64_t)index * SOAK_SLOT_BYTES;
    net_receive(net, 1 - from, flow->receives, offset_bytes, SOAK_SLOT_BYTES);
    flow->receives++;
}

static void soak_received(struct net *net, struct flow *flow, uint32_t from,
                          const struct weft_completion *completion)
{
    uint32_t index = soak_taker(net, from, flow->taken);
    struct weft_work work = soak_work(net, from, index);
    cr_assert_eq(completion->status, WEFT_OK);
    cr_assert_eq(completion->id, flow->taken);
    cr_assert_eq(completion->len_bytes, work.len_bytes, "seed %lu message %u: %u, not %u bytes",
                 net->options.seed, index, completion->len_bytes, work.len_bytes);
    cr_assert_eq(completion->has_immediate, work.operation == WEFT_OPERATION_WRITE_IMMEDIATE);
    if (completion->has_immediate)
        cr_assert_eq(completion->immediate, index);
    uint8_t *memory = net->sides[1 - from].memory + net->options.memory_bytes / 2 +
                      (size_t)index * SOAK_SLOT_BYTES;
    cr_assert(net_filled(memory, work.len_bytes, soak_seed(net, from, index)));
    /* Were it executed a second time, these would be written over. */
    memset(memory, 0x77, work.len_bytes);
    flow->taken++;
}

static void soak_poll(struct net *net, struct flow flows[2])
{
    struct weft_completion completion;
    for (uint32_t side = 0; side < 2; side++) {
        while (weft_roce_cq_poll(net->sides[side].cq, &completion, 1)) {
            if (completion.operation == WEFT_OPERATION_RECEIVE) {
                soak_received(net, &flows[1 - side], 1 - side, &completion);
                continue;
            }
            cr_assert_eq(completion.status, WEFT_OK, "seed %lu: %s", net->options.seed,
                         weft_status_text(completion.status));
            cr_assert_eq(completion.id, flows[side].sent);
            flows[side].sent++;
        }
    }
}

static void soak_check_end(struct net *net)
{
    for (uint32_t from = 0; from < 2; from++) {
        for (uint32_t index = 0; index < SOAK_MESSAGES; index++) {
            struct weft_work work = soak_work(net, from, index);
            const uint8_t *memory = net->sides[1 - from].memory + net->options.memory_bytes / 2 +
                                    (size_t)index * SOAK_SLOT_BYTES;
            if (work.operation == WEFT_OPERATION_WRITE)
                cr_assert(net_filled(memory, work.len_bytes, soak_seed(net, from, index)));
            else
                for (uint32_t i = 0; i < work.len_bytes; i++)
                    cr_assert_eq(memory[i], 0x77, "seed %lu: executed twice", net->options.seed);
        }
    }
}

static void soak(uint64_t seed)
{
    struct weft_random random;
    weft_random_seed(&random, seed ^ 0x5eed);
    struct net_options options = {
        .seed = seed,
        .mtu_bytes = 256u << weft_random_below(&random, 5),
        .window_packets = 1u << weft_random_below(&random, 8),
        .retry_limit = 255,
        .memory_bytes = 2u * SOAK_MESSAGES * SOAK_SLOT_BYTES,
        .faults = {.drop = (uint32_t)weft_random_below(&random, 200),
                   .duplicate = (uint32_t)weft_random_below(&random, 200),
                   .reorder = (uint32_t)weft_random_below(&random, 300),
                   .corrupt = (uint32_t)weft_random_below(&random, 100)},
    };
    struct net net;
    struct flow flows[2] = {0};
    net_init(&net, &options);
    /* Some start right before their numbers wrap. */
    for (uint32_t i = 0; i < 2; i++) {
        if (weft_random_below(&random, 2) == 0)
            net.sides[i].qp->initial_psn = 0xffffff - (uint32_t)weft_random_below(&random, 20);
        weft_roce_qp_address(net.sides[i].qp, &net.sides[i].address);
    }
    net_connect(&net);
    uint32_t steps = 0;
    while (flows[0].sent < SOAK_MESSAGES || flows[1].sent < SOAK_MESSAGES) {
        for (uint32_t from = 0; from < 2; from++) {
            uint32_t before = flows[from].posted;
            soak_post(&net, &flows[from], from);
            if (flows[from].posted != before &&
                soak_work(&net, from, before).operation != WEFT_OPERATION_WRITE)
                flows[from].wanted++;
            soak_post_receive(&net, &flows[from], from);
        }
        (void)net_step(&net);
        soak_poll(&net, flows);
        cr_assert_lt(++steps, 2000000u, "seed %lu: no progress", seed);
    }
    net_run(&net, net.now_ns + 10000000);
    soak_poll(&net, flows);
    soak_check_end(&net);
    net_fini(&net);
}

Test(rc, soak)
{
    for (uint64_t seed = 0; seed < 400; seed++)
        soak(seed);
}
