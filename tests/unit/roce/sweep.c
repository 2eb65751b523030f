/* SPDX-License-Identifier: BSD-3-Clause */
/* A script of all operations in which one frame after the other, and every pair, is lost, doubled
 * or late: whatever it is, all arrives once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/roce/net.h"

#define MTU_BYTES 256u
#define AREA_BYTES 2048u
#define WORKS 9u

enum mishap {
    MISHAP_LOST = 0,
    MISHAP_DOUBLED,
    MISHAP_LATE,
};

struct sweep {
    uint32_t seen;
    uint32_t places[2];
    enum mishap mishap;
    bool done;
    uint8_t late[WEFT_ROCE_FRAME_MAX];
    uint32_t late_bytes;
    uint32_t late_from;
    uint32_t late_at;
};

struct script_line {
    enum weft_operation operation;
    uint32_t len_bytes;
};

static const struct script_line script[WORKS] = {
    {WEFT_OPERATION_SEND_IMMEDIATE, 600},
    {WEFT_OPERATION_READ, 1100},
    {WEFT_OPERATION_FETCH_ADD, 8},
    {WEFT_OPERATION_WRITE, 513},
    {WEFT_OPERATION_READ, 3},
    {WEFT_OPERATION_COMPARE_SWAP, 8},
    {WEFT_OPERATION_READ, 512},
    {WEFT_OPERATION_WRITE_IMMEDIATE, 257},
    {WEFT_OPERATION_SEND, 100},
};

/* Doubled and late frames come in behind the tap, with the same time of flight. */
static bool tap(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct sweep *sweep = net->tap_context;
    uint32_t place = sweep->seen++;
    if (sweep->late_bytes && place == sweep->late_at) {
        sweep->late_at = 0;
        net_put(net, 1 - sweep->late_from, sweep->late, sweep->late_bytes);
        sweep->late_bytes = 0;
    }
    if (place != sweep->places[0] && place != sweep->places[1])
        return true;
    if (sweep->mishap == MISHAP_DOUBLED)
        net_put(net, 1 - from, frame, len_bytes);
    if (sweep->mishap != MISHAP_LATE || sweep->late_bytes)
        return sweep->mishap == MISHAP_DOUBLED;
    memcpy(sweep->late, frame, len_bytes);
    sweep->late_bytes = len_bytes;
    sweep->late_from = from;
    sweep->late_at = place + 3;
    return false;
}

static struct weft_work line_work(const struct net *net, uint32_t index)
{
    uint64_t offset_bytes = (uint64_t)index * AREA_BYTES;
    struct weft_work work =
        net_work(net, 0, script[index].operation, offset_bytes, script[index].len_bytes);
    work.id = index;
    work.immediate = 70 + index;
    work.compare = 0;
    work.operand = 5;
    return work;
}

static void prepare(struct net *net)
{
    for (uint32_t i = 0; i < WORKS; i++) {
        uint32_t source = script[i].operation == WEFT_OPERATION_READ ? 1 : 0;
        if (script[i].operation < WEFT_OPERATION_COMPARE_SWAP)
            net_fill(net->sides[source].memory + (size_t)i * AREA_BYTES, script[i].len_bytes, i);
        if (script[i].operation == WEFT_OPERATION_SEND_IMMEDIATE ||
            script[i].operation == WEFT_OPERATION_SEND ||
            script[i].operation == WEFT_OPERATION_WRITE_IMMEDIATE)
            net_receive(net, 1, i, (uint64_t)i * AREA_BYTES, AREA_BYTES);
    }
}

/* Both atomics find 0 and leave 5: executed twice the sum would be 10, and the second
 * compare-and-swap would find 5. */
static void check_line(const struct net *net, uint32_t index, const char *where)
{
    const uint8_t *here = net->sides[0].memory + (size_t)index * AREA_BYTES;
    const uint8_t *there = net->sides[1].memory + (size_t)index * AREA_BYTES;
    if (script[index].operation >= WEFT_OPERATION_COMPARE_SWAP) {
        uint64_t before = 9;
        uint64_t after = 9;
        memcpy(&before, here, 8);
        memcpy(&after, there, 8);
        cr_assert_eq(before, 0, "%s line %u", where, index);
        cr_assert_eq(after, 5, "%s line %u", where, index);
        return;
    }
    const uint8_t *memory = script[index].operation == WEFT_OPERATION_READ ? here : there;
    cr_assert(net_filled(memory, script[index].len_bytes, index), "%s line %u", where, index);
}

static void check_receives(struct net *net, const char *where)
{
    for (uint32_t i = 0; i < WORKS; i++) {
        if (script[i].operation == WEFT_OPERATION_WRITE ||
            (script[i].operation >= WEFT_OPERATION_READ))
            continue;
        struct weft_completion received = net_wait(net, 1);
        cr_assert_eq(received.status, WEFT_OK);
        cr_assert_eq(received.id, i, "%s", where);
        cr_assert_eq(received.len_bytes, script[i].len_bytes);
        cr_assert_eq(received.has_immediate, script[i].operation != WEFT_OPERATION_SEND);
        if (received.has_immediate)
            cr_assert_eq(received.immediate, 70 + i);
    }
}

/* Returns how many frames there were. */
static uint32_t play(enum mishap mishap, uint32_t first, uint32_t second, uint32_t read_depth)
{
    char where[80];
    (void)snprintf(where, sizeof(where), "mishap %d at %u and %u, depth %u:", (int)mishap, first,
                   second, read_depth);
    struct net net;
    struct sweep sweep = {.mishap = mishap, .places = {first, second}};
    net_init(&net, &(struct net_options){.seed = 1 + first % 7,
                                         .mtu_bytes = MTU_BYTES,
                                         .read_depth = {read_depth, read_depth}});
    /* The numbers wrap at every place in turn. */
    for (uint32_t i = 0; i < 2; i++) {
        net.sides[i].qp->initial_psn = 0xffffff - (first + second) % 24;
        weft_roce_qp_address(net.sides[i].qp, &net.sides[i].address);
    }
    net_connect(&net);
    prepare(&net);
    net.tap = tap;
    net.tap_context = &sweep;
    for (uint32_t i = 0; i < WORKS; i++) {
        struct weft_work work = line_work(&net, i);
        net_send(&net, 0, &work);
    }
    for (uint32_t i = 0; i < WORKS; i++) {
        struct weft_completion done = net_wait(&net, 0);
        cr_assert_eq(done.status, WEFT_OK, "%s %s", where, weft_status_text(done.status));
        cr_assert_eq(done.id, i, "%s", where);
        cr_assert_eq(done.operation, script[i].operation);
        check_line(&net, i, where);
    }
    check_receives(&net, where);
    net_run(&net, net.now_ns + 10000000);
    for (uint32_t i = 0; i < WORKS; i++)
        check_line(&net, i, where);
    cr_assert_eq(net.sides[0].qp->requester.read_span, 0, "%s", where);
    cr_assert_eq(net.sides[0].qp->requester.reads, 0, "%s", where);
    cr_assert_eq(net.sides[0].qp->requester.unanswered, 0, "%s", where);
    cr_assert_eq(net.sides[1].qp->responding, 0, "%s", where);
    net_fini(&net);
    return sweep.seen;
}

static void sweep_all(enum mishap mishap)
{
    for (uint32_t depth = 1; depth <= 4; depth += 3) {
        uint32_t frames = play(mishap, UINT32_MAX, UINT32_MAX, depth);
        cr_assert_gt(frames, 20);
        for (uint32_t place = 0; place < frames; place++)
            (void)play(mishap, place, UINT32_MAX, depth);
        for (uint32_t first = 0; first < frames; first++)
            for (uint32_t second = first + 1; second < frames + 12; second++)
                (void)play(mishap, first, second, depth);
    }
}

Test(sweep, lost)
{
    sweep_all(MISHAP_LOST);
}

Test(sweep, doubled)
{
    sweep_all(MISHAP_DOUBLED);
}

Test(sweep, late)
{
    sweep_all(MISHAP_LATE);
}
