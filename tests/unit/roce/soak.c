/* SPDX-License-Identifier: BSD-3-Clause */
/* All operations of RC, both ways, by seed, over a wire that does its worst: whole, in order,
 * once. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

/* One direction of a soak: the next message to be posted, and to be seen at the far end. */
struct flow {
    uint32_t posted;
    uint32_t sent;
    uint32_t taken;
    uint32_t receives;
    uint32_t wanted; /* messages that take a receive, posted so far */
    uint64_t sum;    /* of what has been added, in the order of completions */
};

#define SOAK_MESSAGES 40u
#define SOAK_SLOT_BYTES 20480u
/* Each end's memory: what it sends and reads into, what its peer reads, what it receives. */
#define SOAK_PART_BYTES ((uint64_t)SOAK_MESSAGES * SOAK_SLOT_BYTES)
#define SOAK_READ_AT SOAK_PART_BYTES
#define SOAK_ARRIVE_AT (2 * SOAK_PART_BYTES)
/* The first message's slot of these is the sum's, the others' are for one compare-and-swap each. */
#define SOAK_ATOMIC_AT (3 * SOAK_PART_BYTES)

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
    enum weft_operation operation =
        (enum weft_operation)weft_random_below(&random, WEFT_OPERATION_RECEIVE);
    if (operation >= WEFT_OPERATION_COMPARE_SWAP)
        len_bytes = 8;
    struct weft_work work =
        net_work(net, from, operation, (uint64_t)index * SOAK_SLOT_BYTES, len_bytes);
    if (operation == WEFT_OPERATION_READ)
        work.remote_address += SOAK_READ_AT;
    else if (operation == WEFT_OPERATION_FETCH_ADD)
        work.remote_address += SOAK_ATOMIC_AT - (uint64_t)index * SOAK_SLOT_BYTES;
    else if (operation == WEFT_OPERATION_COMPARE_SWAP)
        work.remote_address += SOAK_ATOMIC_AT + 8;
    else
        work.remote_address += SOAK_ARRIVE_AT;
    work.id = index;
    work.immediate = index;
    work.operand = weft_random_next(&random) | 1;
    return work;
}

static bool soak_takes_receive(enum weft_operation operation)
{
    return operation < WEFT_OPERATION_READ && operation != WEFT_OPERATION_WRITE;
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
    if (work.operation < WEFT_OPERATION_READ) {
        net_fill(work.memory, work.len_bytes, soak_seed(net, from, flow->posted));
        work.inlined = work.len_bytes <= 64;
    }
    net_send(net, from, &work);
    if (work.inlined)
        memset(work.memory, 0x55, work.len_bytes);
    flow->posted++;
}

/* The message of the n-th receive taken. */
static uint32_t soak_taker(const struct net *net, uint32_t from, uint32_t taken)
{
    for (uint32_t index = 0; index < SOAK_MESSAGES; index++) {
        if (!soak_takes_receive(soak_work(net, from, index).operation))
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
    uint64_t offset_bytes = SOAK_ARRIVE_AT + (uint64_t)index * SOAK_SLOT_BYTES;
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
    cr_assert_eq(completion->has_immediate, work.operation != WEFT_OPERATION_SEND);
    if (completion->has_immediate)
        cr_assert_eq(completion->immediate, index);
    uint8_t *memory =
        net->sides[1 - from].memory + SOAK_ARRIVE_AT + (size_t)index * SOAK_SLOT_BYTES;
    cr_assert(net_filled(memory, work.len_bytes, soak_seed(net, from, index)));
    /* Were it executed a second time, these would be written over. */
    memset(memory, 0x77, work.len_bytes);
    flow->taken++;
}

/* What a READ or atomic has brought. */
static void soak_fetched(struct net *net, struct flow *flow, uint32_t from)
{
    struct weft_work work = soak_work(net, from, flow->sent);
    uint64_t before = 0;
    memcpy(&before, work.memory, work.len_bytes < 8 ? work.len_bytes : 8);
    if (work.operation == WEFT_OPERATION_READ)
        cr_assert(net_filled(work.memory, work.len_bytes, soak_seed(net, from, flow->sent)),
                  "seed %lu: READ %u", net->options.seed, flow->sent);
    else
        cr_assert_eq(before, work.operation == WEFT_OPERATION_FETCH_ADD ? flow->sum : 0,
                     "seed %lu: atomic %u", net->options.seed, flow->sent);
    if (work.operation == WEFT_OPERATION_FETCH_ADD)
        flow->sum += work.operand;
    /* A response that is late must not get here any more. */
    memset(work.memory, 0x77, work.len_bytes);
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
            if (completion.operation >= WEFT_OPERATION_READ)
                soak_fetched(net, &flows[side], side);
            flows[side].sent++;
        }
    }
}

static void soak_check_message(const struct net *net, uint32_t from, uint32_t index)
{
    struct weft_work work = soak_work(net, from, index);
    const uint8_t *memory = net->sides[1 - from].memory;
    uint64_t value;
    memcpy(&value, memory + SOAK_ATOMIC_AT + (size_t)index * SOAK_SLOT_BYTES + 8, 8);
    if (work.operation == WEFT_OPERATION_COMPARE_SWAP) {
        cr_assert_eq(value, work.operand, "seed %lu: compare and swap %u", net->options.seed,
                     index);
        return;
    }
    memory += SOAK_ARRIVE_AT + (size_t)index * SOAK_SLOT_BYTES;
    if (work.operation == WEFT_OPERATION_WRITE) {
        cr_assert(net_filled(memory, work.len_bytes, soak_seed(net, from, index)));
        return;
    }
    if (work.operation >= WEFT_OPERATION_READ)
        memory = work.memory;
    for (uint32_t i = 0; i < work.len_bytes; i++)
        cr_assert_eq(memory[i], 0x77, "seed %lu: executed twice", net->options.seed);
}

static void soak_check_end(struct net *net, const struct flow flows[2])
{
    for (uint32_t from = 0; from < 2; from++) {
        uint64_t sum;
        memcpy(&sum, net->sides[1 - from].memory + SOAK_ATOMIC_AT, sizeof(sum));
        cr_assert_eq(sum, flows[from].sum, "seed %lu: the sum", net->options.seed);
        for (uint32_t index = 0; index < SOAK_MESSAGES; index++)
            soak_check_message(net, from, index);
    }
}

static void soak_prepare(struct net *net)
{
    for (uint32_t from = 0; from < 2; from++)
        for (uint32_t index = 0; index < SOAK_MESSAGES; index++)
            net_fill(net->sides[1 - from].memory + SOAK_READ_AT + (size_t)index * SOAK_SLOT_BYTES,
                     SOAK_SLOT_BYTES, soak_seed(net, from, index));
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
        .memory_bytes = 4 * SOAK_PART_BYTES,
        .read_depth = {1 + (uint32_t)weft_random_below(&random, 5),
                       1 + (uint32_t)weft_random_below(&random, 16)},
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
    soak_prepare(&net);
    net_connect(&net);
    uint32_t steps = 0;
    while (flows[0].sent < SOAK_MESSAGES || flows[1].sent < SOAK_MESSAGES) {
        for (uint32_t from = 0; from < 2; from++) {
            uint32_t before = flows[from].posted;
            soak_post(&net, &flows[from], from);
            if (flows[from].posted != before &&
                soak_takes_receive(soak_work(&net, from, before).operation))
                flows[from].wanted++;
            soak_post_receive(&net, &flows[from], from);
        }
        (void)net_step(&net);
        soak_poll(&net, flows);
        cr_assert_lt(++steps, 2000000u, "seed %lu: no progress", seed);
    }
    net_run(&net, net.now_ns + 10000000);
    soak_poll(&net, flows);
    soak_check_end(&net, flows);
    net_fini(&net);
}

Test(soak, all_operations)
{
    for (uint64_t seed = 0; seed < 400; seed++)
        soak(seed);
}
