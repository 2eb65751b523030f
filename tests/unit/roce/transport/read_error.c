/* SPDX-License-Identifier: BSD-3-Clause */
/* READs and atomics that are too many, refused, lost or answered wrongly. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

/* More packets of 256 bytes than the wire holds. */
#define LONG_BYTES (1u << 20)

static void expect(struct net *net, uint32_t side, uint64_t id, enum weft_status status)
{
    struct weft_completion completion = net_wait(net, side);
    cr_assert_eq(completion.id, id, "id %lu, not %lu", completion.id, id);
    cr_assert_eq(completion.status, status, "%lu: %s", id, weft_status_text(completion.status));
}

static void expect_error(const struct net *net, uint32_t side, const char *part)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_roce_qp_state(net->sides[side].qp, &error), WEFT_ENDPOINT_FAILED);
    cr_assert(strstr(error.text, part), "%s", error.text);
}

static void post(struct net *net, uint64_t id, enum weft_operation operation, uint32_t len_bytes)
{
    struct weft_work work = net_work(net, 0, operation, 0, len_bytes);
    work.id = id;
    work.operand = 5;
    net_send(net, 0, &work);
}

/* The frames of side 0, and what may happen to those of side 1. */
struct watch {
    uint8_t opcodes[64];
    uint32_t psns[64];
    uint64_t addresses[64];
    uint32_t lengths[64];
    uint32_t count;
    uint32_t answers;
    uint32_t lost; /* which of the answers, from 1 */
};

static bool watch_frame(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct watch *watch = net->tap_context;
    if (from == 1)
        return ++watch->answers != watch->lost;
    uint32_t index = watch->count++ & 63;
    watch->opcodes[index] = frame[42];
    watch->psns[index] = weft_wire_get24(frame + 50);
    watch->addresses[index] = weft_wire_get64(frame + 54);
    watch->lengths[index] = len_bytes >= 74 ? weft_wire_get32(frame + 66) : 0;
    return true;
}

static void start(struct net *net, struct watch *watch, const struct net_options *options)
{
    *watch = (struct watch){0};
    net_init(net, options);
    net_connect(net);
    net->tap = watch_frame;
    net->tap_context = watch;
}

/* At most so many as both ends take; what is behind waits in order. */
static void check_depth(uint32_t own, uint32_t peer, uint32_t reads)
{
    struct net net;
    struct watch watch;
    start(&net, &watch, &(struct net_options){.seed = 2, .read_depth = {own, peer}});
    net.sides[1].no_frames = true;
    for (uint64_t id = 0; id < 6; id++)
        post(&net, id, id & 1 ? WEFT_OPERATION_FETCH_ADD : WEFT_OPERATION_READ, 8);
    post(&net, 6, WEFT_OPERATION_WRITE, 8);
    net_run(&net, net.now_ns + 50000);
    cr_assert_eq(watch.count, reads);
    net.sides[1].no_frames = false;
    for (uint64_t id = 0; id < 7; id++)
        expect(&net, 0, id, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->retransmitted_packets, 0);
    net_fini(&net);
}

Test(read_error, depth)
{
    check_depth(4, 2, 2);
    check_depth(1, 4, 1);
    check_depth(3, 3, 3);
    check_depth(99, 99, 7);
}

/* Behind a READ that is outstanding other works go on, whatever the window. */
Test(read_error, window_is_not_used_up)
{
    struct net net;
    struct watch watch;
    start(&net, &watch, &(struct net_options){.seed = 2, .window_packets = 3, .mtu_bytes = 256});
    net.sides[1].no_frames = true;
    post(&net, 0, WEFT_OPERATION_READ, 60000);
    post(&net, 1, WEFT_OPERATION_WRITE, 256);
    post(&net, 2, WEFT_OPERATION_WRITE, 256);
    post(&net, 3, WEFT_OPERATION_WRITE, 256);
    net_run(&net, net.now_ns + 50000);
    cr_assert_eq(watch.count, 3, "%u", watch.count);
    cr_assert_eq((watch.psns[1] - watch.psns[0]) & 0xffffff, 235, "60000 bytes in packets");
    net.sides[1].no_frames = false;
    for (uint64_t id = 0; id < 4; id++)
        expect(&net, 0, id, WEFT_OK);
    net_fini(&net);
}

Test(read_error, an_end_that_takes_none)
{
    for (uint32_t side = 0; side < 2; side++) {
        struct net net;
        net_init(&net, &(struct net_options){.seed = 2, .no_reads = {side == 0, side == 1}});
        cr_assert_eq(net.sides[side].address.read_depth, 0);
        net_connect(&net);
        post(&net, 1, WEFT_OPERATION_WRITE, 1000);
        post(&net, 2, side ? WEFT_OPERATION_READ : WEFT_OPERATION_FETCH_ADD, 8);
        expect(&net, 0, 1, WEFT_OK);
        expect(&net, 0, 2, WEFT_UNSUPPORTED);
        expect_error(&net, 0, "read depth of 0");
        net_fini(&net);
    }
}

Test(read_error, depth_is_clamped)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 2, .read_depth = {1000, 16}});
    cr_assert_eq(net.sides[0].address.read_depth, 16);
    cr_assert_eq(net.sides[1].address.read_depth, 16);
    net_fini(&net);
    net_init(&net, &(struct net_options){.seed = 2, .transport = WEFT_TRANSPORT_UC});
    cr_assert_eq(net.sides[0].address.read_depth, 0);
    net_fini(&net);
}

/* One that does not keep to it is refused, after it was answered what came before. */
Test(read_error, more_requests_than_depth)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 2, .mtu_bytes = 256, .read_depth = {4, 2}});
    net_connect(&net);
    net.sides[0].qp->requester.reads_max = 4;
    net.sides[1].no_frames = true;
    net_fill(net.sides[1].memory, 10000, 1);
    for (uint64_t id = 0; id < 4; id++)
        post(&net, id, WEFT_OPERATION_READ, 10000);
    net_run(&net, net.now_ns + 50000);
    net.sides[1].no_frames = false;
    expect(&net, 0, 0, WEFT_OK);
    cr_assert(net_filled(net.sides[0].memory, 10000, 1));
    expect(&net, 0, 1, WEFT_OK);
    expect(&net, 0, 2, WEFT_REMOTE_INVALID_REQUEST);
    expect(&net, 0, 3, WEFT_FLUSHED);
    expect_error(&net, 1, "opcode 0xc");
    net_fini(&net);
}

static void check_refused(enum weft_operation operation, uint64_t address_delta, uint32_t rkey_flip,
                          enum weft_status status)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6, .mtu_bytes = 256});
    net_connect(&net);
    memset(net.sides[0].memory, 0xee, net.options.memory_bytes);
    uint32_t len_bytes = operation == WEFT_OPERATION_READ ? 600 : 8;
    struct weft_work work = net_work(&net, 0, operation, 0, len_bytes);
    work.id = 1;
    work.remote_address += address_delta;
    work.rkey ^= rkey_flip;
    work.operand = 5;
    net_send(&net, 0, &work);
    post(&net, 2, WEFT_OPERATION_WRITE, 5);
    struct weft_completion completion = net_wait(&net, 0);
    cr_assert_eq(completion.id, 1);
    cr_assert_eq(completion.status, status, "%s", weft_status_text(completion.status));
    cr_assert_eq(completion.vendor_error, status == WEFT_REMOTE_ACCESS ? 0x62 : 0x61);
    expect(&net, 0, 2, WEFT_FLUSHED);
    for (size_t i = 0; i < net.options.memory_bytes; i++) {
        cr_assert_eq(net.sides[0].memory[i], 0xee);
        cr_assert_eq(net.sides[1].memory[i], 0);
    }
    net_fini(&net);
}

Test(read_error, refused)
{
    const uint64_t region_bytes = 1u << 16;
    check_refused(WEFT_OPERATION_READ, 0, 0x80000000, WEFT_REMOTE_ACCESS);
    check_refused(WEFT_OPERATION_READ, region_bytes - 599, 0, WEFT_REMOTE_ACCESS);
    check_refused(WEFT_OPERATION_READ, (uint64_t)-1, 0, WEFT_REMOTE_ACCESS);
    for (uint32_t i = WEFT_OPERATION_COMPARE_SWAP; i <= WEFT_OPERATION_FETCH_ADD; i++) {
        check_refused((enum weft_operation)i, 0, 1, WEFT_REMOTE_ACCESS);
        check_refused((enum weft_operation)i, region_bytes, 0, WEFT_REMOTE_ACCESS);
        check_refused((enum weft_operation)i, (uint64_t)-8, 0, WEFT_REMOTE_ACCESS);
        check_refused((enum weft_operation)i, 4, 0, WEFT_REMOTE_INVALID_REQUEST);
        check_refused((enum weft_operation)i, 1, 0, WEFT_REMOTE_INVALID_REQUEST);
    }
}

/* A READ whose response is lost, before a WRITE that is refused: the WRITE is to blame. */
Test(read_error, the_one_to_blame)
{
    struct net net;
    struct watch watch;
    start(&net, &watch, &(struct net_options){.seed = 6});
    watch.lost = 1;
    post(&net, 1, WEFT_OPERATION_READ, 8);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    work.id = 2;
    work.rkey ^= 1;
    net_send(&net, 0, &work);
    post(&net, 3, WEFT_OPERATION_WRITE, 8);
    expect(&net, 0, 1, WEFT_FLUSHED);
    expect(&net, 0, 2, WEFT_REMOTE_ACCESS);
    expect(&net, 0, 3, WEFT_FLUSHED);
    net_fini(&net);
}

Test(read_error, lkey)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6});
    net_connect(&net);
    post(&net, 1, WEFT_OPERATION_READ, 8);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_READ, 0, 8);
    work.id = 2;
    work.lkey ^= 0x40000000;
    net_send(&net, 0, &work);
    post(&net, 3, WEFT_OPERATION_READ, 8);
    expect(&net, 0, 1, WEFT_OK);
    expect(&net, 0, 2, WEFT_LOCAL_PROTECTION);
    expect(&net, 0, 3, WEFT_FLUSHED);
    expect_error(&net, 0, "lkey");
    net_fini(&net);
}

static void deregister(struct net_side *side, uint64_t memory_bytes)
{
    struct weft_error error = {0};
    weft_roce_region_deregister(side->port, &side->region);
    enum weft_status status =
        weft_roce_region_register(side->port, side->memory, memory_bytes, &side->region, &error);
    cr_assert_eq(status, WEFT_OK);
}

/* The memory goes while its bytes are on their way: none is touched any more. */
static void check_region_goes(uint32_t side, enum weft_status status)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6, .mtu_bytes = 256, .memory_bytes = LONG_BYTES});
    net_connect(&net);
    memset(net.sides[1].memory, 0x33, LONG_BYTES);
    post(&net, 1, WEFT_OPERATION_READ, LONG_BYTES);
    while (!weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes)
        cr_assert(net_step(&net));
    deregister(&net.sides[side], net.options.memory_bytes);
    memset(net.sides[1].memory, 0x44, LONG_BYTES);
    uint64_t before_bytes = weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes;
    if (side == 0)
        memset(net.sides[0].memory, 0x55, LONG_BYTES);
    expect(&net, 0, 1, status);
    for (uint32_t i = 0; i < LONG_BYTES; i++)
        cr_assert_neq(net.sides[0].memory[i], 0x44);
    if (side == 0)
        cr_assert_eq(weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes, before_bytes);
    net_fini(&net);
}

Test(read_error, region_goes)
{
    check_region_goes(0, WEFT_LOCAL_PROTECTION);
    check_region_goes(1, WEFT_REMOTE_ACCESS);
}

/* The fifth of ten responses is lost: it and what follows is asked for, nothing else, at once. */
Test(read_error, goes_on_from_the_middle)
{
    struct net net;
    struct watch watch;
    start(&net, &watch, &(struct net_options){.seed = 6, .mtu_bytes = 256});
    watch.lost = 5;
    net_fill(net.sides[1].memory, 2500, 3);
    post(&net, 1, WEFT_OPERATION_READ, 2500);
    uint64_t address = (uint64_t)(uintptr_t)net.sides[1].memory;
    expect(&net, 0, 1, WEFT_OK);
    cr_assert(net_filled(net.sides[0].memory, 2500, 3));
    cr_assert_eq(watch.count, 2);
    cr_assert_eq(watch.opcodes[1], 0x0c);
    cr_assert_eq(watch.psns[1], (watch.psns[0] + 4) & 0xffffff);
    cr_assert_eq(watch.addresses[1], address + 4u * 256);
    cr_assert_eq(watch.lengths[1], 2500 - 4 * 256);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->timeouts, 0);
    cr_assert_eq(counters->retransmitted_packets, 1);
    net_fini(&net);
}

/* The response is lost; the acknowledgement of the WRITE behind it shows that. */
Test(read_error, acknowledgement_shows_the_loss)
{
    struct net net;
    struct watch watch;
    start(&net, &watch, &(struct net_options){.seed = 6});
    watch.lost = 1;
    post(&net, 1, WEFT_OPERATION_FETCH_ADD, 8);
    post(&net, 2, WEFT_OPERATION_WRITE, 0);
    expect(&net, 0, 1, WEFT_OK);
    expect(&net, 0, 2, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    uint64_t sum;
    memcpy(&sum, net.sides[1].memory, 8);
    cr_assert_eq(sum, 5);
    net_fini(&net);
}

/* Nobody answers: as many tries as for any packet. */
Test(read_error, retries_end)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6, .retry_limit = 2});
    net_connect(&net);
    net.sides[1].mute = true;
    post(&net, 1, WEFT_OPERATION_READ, 5000);
    post(&net, 2, WEFT_OPERATION_COMPARE_SWAP, 8);
    expect(&net, 0, 1, WEFT_RETRY_EXCEEDED);
    expect(&net, 0, 2, WEFT_FLUSHED);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 3);
    net_fini(&net);
}

/* Keeps the first response of the middle; none arrives. */
struct kept {
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
    uint32_t len_bytes;
};

static bool keep_middle(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct kept *kept = net->tap_context;
    if (from == 0)
        return true;
    if (!kept->len_bytes && frame[42] == WEFT_OPCODE_RC_READ_RESPONSE_MIDDLE) {
        memcpy(kept->frame, frame, len_bytes);
        kept->len_bytes = len_bytes;
    }
    return false;
}

/* The first response is lost, and the peer takes its time for the rest of them before it begins
 * anew, far longer than the timer runs: what comes, though too early, tells that it is at it. */
Test(read_error, a_response_too_early_is_a_sign_of_life)
{
    struct net net;
    struct kept kept = {.len_bytes = 0};
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
    net_init(&net, &(struct net_options){.seed = 6, .mtu_bytes = 256, .retry_limit = 1});
    net_connect(&net);
    net.tap = keep_middle;
    net.tap_context = &kept;
    net_fill(net.sides[1].memory, 1000, 3);
    post(&net, 1, WEFT_OPERATION_READ, 1000);
    while (!kept.len_bytes)
        cr_assert(net_step(&net));
    net.sides[1].no_frames = true;
    for (uint32_t i = 0; i < 20; i++) {
        memcpy(frame, kept.frame, kept.len_bytes);
        net_inject(&net, 0, frame, kept.len_bytes, false);
        net_run(&net, net.now_ns + 60000);
    }
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net.sides[1].no_frames = false;
    net.tap = NULL;
    expect(&net, 0, 1, WEFT_OK);
    cr_assert(net_filled(net.sides[0].memory, 1000, 3));
    net_fini(&net);
}

/* Answers of another kind than was asked for, a new opcode for each READ response. */
static uint8_t wrong_opcode;

static bool change_opcode(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    if (from == 0 || frame[42] != WEFT_OPCODE_RC_READ_RESPONSE_ONLY)
        return true;
    frame[42] = wrong_opcode;
    net_inject(net, 0, frame, len_bytes, true);
    return false;
}

Test(read_error, wrong_response)
{
    const uint8_t opcodes[] = {WEFT_OPCODE_RC_READ_RESPONSE_FIRST,
                               WEFT_OPCODE_RC_READ_RESPONSE_MIDDLE,
                               WEFT_OPCODE_RC_ATOMIC_ACKNOWLEDGE};
    for (size_t i = 0; i < sizeof(opcodes); i++) {
        struct net net;
        net_init(&net, &(struct net_options){.seed = 6});
        net_connect(&net);
        net.tap = change_opcode;
        wrong_opcode = opcodes[i];
        memset(net.sides[0].memory, 0xee, 8);
        /* With 8 bytes a READ response is as long as an atomic's. */
        post(&net, 1, WEFT_OPERATION_READ, 8);
        expect(&net, 0, 1, WEFT_REMOTE_OPERATION);
        expect_error(&net, 0, "of the wrong kind or length");
        cr_assert_eq(net.sides[0].memory[0], 0xee);
        net_fini(&net);
    }
}

/* A READ asked for again by somebody who asks for more than at first gets nothing. */
static bool widen(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    uint32_t *step = net->tap_context;
    if (from == 1 || frame[42] != WEFT_OPCODE_RC_READ_REQUEST || !*step)
        return true;
    if (*step == 1)
        weft_wire_put32(frame + 66, 101);
    else if (*step == 2)
        weft_wire_put64(frame + 54, weft_wire_get64(frame + 54) - 8);
    else
        frame[62] ^= 1;
    net_inject(net, 1, frame, len_bytes, true);
    return false;
}

Test(read_error, repeated_with_another_range)
{
    for (uint32_t kind = 1; kind <= 3; kind++) {
        struct net net;
        uint32_t step = 0;
        net_init(&net, &(struct net_options){.seed = 6});
        net_connect(&net);
        net.tap = widen;
        net.tap_context = &step;
        net.sides[1].mute = true;
        post(&net, 1, WEFT_OPERATION_READ, 100);
        uint64_t before = weft_roce_port_counters(net.sides[1].port)->sent_packets;
        while (weft_roce_port_counters(net.sides[1].port)->sent_packets == before)
            cr_assert(net_step(&net));
        step = kind;
        while (weft_roce_port_counters(net.sides[0].port)->timeouts < 2)
            cr_assert(net_step(&net));
        cr_assert_geq(weft_roce_port_counters(net.sides[1].port)->duplicate_packets, 1);
        cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->sent_packets, before + 1);
        net.sides[1].mute = false;
        step = 0;
        expect(&net, 0, 1, WEFT_OK);
        net_fini(&net);
    }
}

/* While one end sends a long answer, what it wants to send itself goes out, too. */
Test(read_error, a_long_response_starves_nobody)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6, .mtu_bytes = 256, .memory_bytes = LONG_BYTES});
    net_connect(&net);
    post(&net, 1, WEFT_OPERATION_READ, LONG_BYTES);
    struct weft_work work = net_work(&net, 1, WEFT_OPERATION_WRITE, 0, 30000);
    while (!weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes)
        cr_assert(net_step(&net));
    net_send(&net, 1, &work);
    expect(&net, 1, 0, WEFT_OK);
    uint64_t received_bytes = weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes;
    cr_assert_lt(received_bytes, LONG_BYTES / 4 * 3, "%lu", received_bytes);
    cr_assert_gt(received_bytes, 60000, "%lu", received_bytes);
    expect(&net, 0, 1, WEFT_OK);
    net_fini(&net);
}

/* The queue pair goes with responses due. */
Test(read_error, destroyed_while_it_responds)
{
    struct net net;
    net_init(&net, &(struct net_options){
                       .seed = 6, .mtu_bytes = 256, .retry_limit = 1, .memory_bytes = LONG_BYTES});
    net_connect(&net);
    post(&net, 1, WEFT_OPERATION_READ, LONG_BYTES);
    while (!weft_roce_qp_counters(net.sides[0].qp)->received_payload_bytes)
        cr_assert(net_step(&net));
    weft_roce_qp_destroy(net.sides[1].port, net.sides[1].qp);
    net.sides[1].qp = NULL;
    expect(&net, 0, 1, WEFT_RETRY_EXCEEDED);
    net_fini(&net);
}
