/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes wrong, and what is then said to whom. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

static enum weft_endpoint_state state_of(const struct net *net, uint32_t side,
                                         struct weft_error *error)
{
    return weft_roce_qp_state(net->sides[side].qp, error);
}

static void expect_completion(struct net *net, uint32_t side, uint64_t id, enum weft_status status)
{
    struct weft_completion completion = net_wait(net, side);
    cr_assert_eq(completion.id, id, "id %lu, not %lu", completion.id, id);
    cr_assert_eq(completion.status, status, "%s", weft_status_text(completion.status));
}

static void expect_none(struct net *net, uint32_t side)
{
    struct weft_completion completion;
    cr_assert_eq(weft_roce_cq_poll(net->sides[side].cq, &completion, 1), 0);
}

static void send_one(struct net *net, uint64_t id, enum weft_operation operation,
                     uint32_t len_bytes)
{
    struct weft_work work = net_work(net, 0, operation, 0, len_bytes);
    work.id = id;
    net_send(net, 0, &work);
}

Test(error, retries_end_and_all_is_flushed_in_order)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 3, .retry_limit = 3});
    net_connect(&net);
    send_one(&net, 1, WEFT_OPERATION_WRITE, 10);
    expect_completion(&net, 0, 1, WEFT_OK);
    net.sides[0].mute = true;
    uint64_t start_ns = net.now_ns;
    for (uint64_t id = 2; id < 6; id++)
        send_one(&net, id, WEFT_OPERATION_WRITE, 3000);
    struct weft_work quiet = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 1);
    quiet.id = 6;
    quiet.unsignaled = true;
    net_send(&net, 0, &quiet);
    net_receive(&net, 0, 20, 0, 10);
    net_receive(&net, 0, 21, 0, 10);
    expect_completion(&net, 0, 2, WEFT_RETRY_EXCEEDED);
    for (uint64_t id = 3; id <= 6; id++)
        expect_completion(&net, 0, id, WEFT_FLUSHED);
    expect_completion(&net, 0, 20, WEFT_FLUSHED);
    expect_completion(&net, 0, 21, WEFT_FLUSHED);
    /* Sent four times, 100 us apart, rounded up to a tick of the timers each. */
    cr_assert_geq(net.now_ns - start_ns, 400000);
    cr_assert_leq(net.now_ns - start_ns, 500000);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 4);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->retransmitted_packets, 3 * 13);
    cr_assert_eq(state_of(&net, 0, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_str_eq(error.text, "10.0.0.2 does not acknowledge: sent 4 times, 100 us apart");
    /* What is posted to it now comes back at once. */
    send_one(&net, 7, WEFT_OPERATION_WRITE, 10);
    expect_completion(&net, 0, 7, WEFT_FLUSHED);
    net_receive(&net, 0, 22, 0, 10);
    expect_completion(&net, 0, 22, WEFT_FLUSHED);
    net_fini(&net);
}

/* What counts is how often in a row nothing is heard: after an answer the count starts anew. */
Test(error, retries_count_in_a_row)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 3, .retry_limit = 3});
    net_connect(&net);
    for (uint64_t id = 0; id < 5; id++) {
        net.sides[0].mute = true;
        send_one(&net, id, WEFT_OPERATION_WRITE, 10);
        net_run(&net, net.now_ns + 150000);
        net.sides[0].mute = false;
        expect_completion(&net, 0, id, WEFT_OK);
    }
    cr_assert_geq(weft_roce_port_counters(net.sides[0].port)->timeouts, 5);
    net_fini(&net);
}

struct late {
    uint8_t frame[128];
    uint32_t len_bytes;
};

static bool hold_answers(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct late *late = net->tap_context;
    if (from == 0)
        return true;
    memcpy(late->frame, frame, len_bytes);
    late->len_bytes = len_bytes;
    return false;
}

/* The acknowledgement comes after the timeout, before anything was sent again. */
Test(error, late_acknowledgement)
{
    struct net net;
    struct late late = {.len_bytes = 0};
    net_init(&net, &(struct net_options){.seed = 3, .mtu_bytes = 256});
    net_connect(&net);
    net.tap = hold_answers;
    net.tap_context = &late;
    send_one(&net, 1, WEFT_OPERATION_WRITE, 1000);
    while (!late.len_bytes)
        (void)net_step(&net);
    net.sides[0].no_frames = true;
    while (!weft_roce_port_counters(net.sides[0].port)->timeouts)
        (void)net_step(&net);
    net_inject(&net, 0, late.frame, late.len_bytes, false);
    net.sides[0].no_frames = false;
    net.tap = NULL;
    expect_completion(&net, 0, 1, WEFT_OK);
    send_one(&net, 2, WEFT_OPERATION_WRITE, 1000);
    expect_completion(&net, 0, 2, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->retransmitted_packets, 0);
    net_fini(&net);
}

/* A lost acknowledgement: the packet comes again, and is acknowledged again but not executed. */
Test(error, duplicate_is_not_executed)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 4});
    net_connect(&net);
    net.sides[1].mute = true;
    net_fill(net.sides[0].memory, 100, 1);
    send_one(&net, 1, WEFT_OPERATION_WRITE, 100);
    while (weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes < 100)
        (void)net_step(&net);
    memset(net.sides[1].memory, 0xaa, 100);
    net.sides[1].mute = false;
    expect_completion(&net, 0, 1, WEFT_OK);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(net.sides[1].memory[i], 0xaa);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->duplicate_packets, 1);
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes, 100);
    net_fini(&net);
}

/* Loses the data packets whose numbers, in the order of sending, have their bits set. */
struct losses {
    uint64_t bits;
    uint32_t seen;
};

static bool lose(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct losses *losses = net->tap_context;
    (void)len_bytes;
    if (from != 0 || frame[42] > 0x0b)
        return true;
    return !(losses->bits >> losses->seen++ & 1);
}

static void check_losses(uint64_t bits, uint64_t naks, uint64_t sent_again)
{
    struct net net;
    struct losses losses = {.bits = bits};
    net_init(&net, &(struct net_options){.seed = 4, .mtu_bytes = 256});
    net_connect(&net);
    net.tap = lose;
    net.tap_context = &losses;
    net_fill(net.sides[0].memory, 256 * 10, 1);
    uint64_t start_ns = net.now_ns;
    send_one(&net, 1, WEFT_OPERATION_WRITE, 256 * 10);
    expect_completion(&net, 0, 1, WEFT_OK);
    cr_assert(net_filled(net.sides[1].memory, 256 * 10, 1));
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->sequence_naks_received, naks);
    cr_assert_eq(counters->timeouts, 0);
    cr_assert_eq(counters->retransmitted_packets, sent_again);
    cr_assert_lt(net.now_ns - start_ns, 50000);
    net_fini(&net);
}

/* The fourth packet is lost: one NAK, then only what follows it is sent again. Then the sixth
 * packet of those sent again too: another NAK. */
Test(error, goes_back_to_the_packet_lost)
{
    check_losses(1u << 3, 1, 7);
    check_losses(1u << 3 | 1u << 15, 2, 7 + 2);
}

/* Of a message of ten packets the fourth is lost, and then all that follows it but itself sent
 * again. */
struct recovery {
    uint32_t sent;
    uint32_t naks, acks; /* that the receiver sent */
    uint32_t acked_psn;
};

static bool lose_but_fourth(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct recovery *recovery = net->tap_context;
    (void)len_bytes;
    if (from == 1) {
        bool nak = frame[54] == 0x60;
        recovery->naks += nak;
        recovery->acks += !nak;
        if (!nak && recovery->acks == 1)
            recovery->acked_psn = (uint32_t)(frame[51] << 16 | frame[52] << 8 | frame[53]);
        return true;
    }
    uint32_t index = recovery->sent++;
    return index != 3 && (index <= 10 || index > 16);
}

/* Some requesters count how often they are sent back until an ACK comes, and give up: when what was
 * missing has come they get one, though the message goes on and nobody has asked. */
Test(error, what_was_missing_is_acknowledged_unasked)
{
    struct net net;
    struct recovery recovery = {0};
    net_init(&net, &(struct net_options){.seed = 4, .mtu_bytes = 256});
    net_connect(&net);
    net.tap = lose_but_fourth;
    net.tap_context = &recovery;
    send_one(&net, 1, WEFT_OPERATION_WRITE, 256 * 10);
    while (recovery.acks == 0)
        cr_assert(net_step(&net));
    cr_assert_eq(recovery.naks, 1);
    cr_assert_eq(recovery.acked_psn, (net.sides[0].address.psn + 3) & 0xffffff);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    expect_completion(&net, 0, 1, WEFT_OK);
    net_fini(&net);
}

Test(error, receiver_not_ready_then_ready)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 5});
    net_connect(&net);
    net_fill(net.sides[0].memory, 3000, 1);
    uint64_t start_ns = net.now_ns;
    send_one(&net, 1, WEFT_OPERATION_SEND, 3000);
    net_run(&net, net.now_ns + 2000000);
    expect_none(&net, 0);
    uint64_t naks = weft_roce_port_counters(net.sides[0].port)->rnr_naks_received;
    /* 0.64 ms between two. */
    cr_assert_geq(naks, 3);
    cr_assert_leq(naks, 4);
    net_receive(&net, 1, 9, 0, 3000);
    expect_completion(&net, 0, 1, WEFT_OK);
    expect_completion(&net, 1, 9, WEFT_OK);
    cr_assert_lt(net.now_ns - start_ns, 3000000);
    cr_assert(net_filled(net.sides[1].memory, 3000, 1));
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net_fini(&net);
}

/* What came before the packet that needs a receive was written and is not written again. */
Test(error, write_immediate_waits_for_a_receive_at_its_end)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 5, .mtu_bytes = 256});
    net_connect(&net);
    net_fill(net.sides[0].memory, 600, 1);
    send_one(&net, 1, WEFT_OPERATION_WRITE_IMMEDIATE, 600);
    net_run(&net, net.now_ns + 300000);
    cr_assert(net_filled(net.sides[1].memory, 512, 1));
    cr_assert_eq(net.sides[1].memory[512], 0);
    memset(net.sides[1].memory, 0x11, 512);
    net_receive(&net, 1, 9, 0, 0);
    expect_completion(&net, 0, 1, WEFT_OK);
    struct weft_completion completion = net_wait(&net, 1);
    cr_assert_eq(completion.len_bytes, 600);
    cr_assert_eq(net.sides[1].memory[511], 0x11);
    cr_assert_neq(net.sides[1].memory[512], 0);
    net_fini(&net);
}

Test(error, receiver_not_ready_for_too_long)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 5, .rnr_retry_limit = 2});
    net_connect(&net);
    send_one(&net, 1, WEFT_OPERATION_SEND, 30);
    send_one(&net, 2, WEFT_OPERATION_SEND, 30);
    expect_completion(&net, 0, 1, WEFT_RNR_RETRY_EXCEEDED);
    expect_completion(&net, 0, 2, WEFT_FLUSHED);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->rnr_naks_received, 3);
    cr_assert_eq(state_of(&net, 0, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_str_eq(error.text, "10.0.0.2 had no receive posted, 3 times in a row");
    net_fini(&net);
}

/* So many in a row count: after a packet that is taken the count starts anew. */
Test(error, receiver_not_ready_again_and_again)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 5, .rnr_retry_limit = 2});
    net_connect(&net);
    for (uint64_t id = 0; id < 4; id++) {
        send_one(&net, id, WEFT_OPERATION_SEND, 30);
        while (weft_roce_port_counters(net.sides[0].port)->rnr_naks_received < 2 * (id + 1))
            cr_assert(net_step(&net));
        net_receive(&net, 1, id, 0, 30);
        expect_completion(&net, 0, id, WEFT_OK);
    }
    net_fini(&net);
}

static void check_access(uint64_t address_delta, uint32_t rkey_flip, uint32_t len_bytes)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 6, .mtu_bytes = 256});
    net_connect(&net);
    net_receive(&net, 1, 30, 0, 10);
    memset(net.sides[0].memory, 0x99, len_bytes);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, len_bytes);
    work.id = 1;
    work.remote_address += address_delta;
    work.rkey ^= rkey_flip;
    net_send(&net, 0, &work);
    send_one(&net, 2, WEFT_OPERATION_WRITE, 5);
    struct weft_completion completion = net_wait(&net, 0);
    cr_assert_eq(completion.id, 1);
    cr_assert_eq(completion.status, WEFT_REMOTE_ACCESS);
    cr_assert_eq(completion.vendor_error, 0x62);
    expect_completion(&net, 0, 2, WEFT_FLUSHED);
    expect_completion(&net, 1, 30, WEFT_FLUSHED);
    for (size_t i = 0; i < net.options.memory_bytes; i++)
        cr_assert_eq(net.sides[1].memory[i], 0);
    cr_assert_eq(state_of(&net, 1, &error), WEFT_ENDPOINT_FAILED);
    cr_assert(strstr(error.text, "10.0.0.1 used rkey"), "%s", error.text);
    cr_assert_eq(state_of(&net, 0, &error), WEFT_ENDPOINT_FAILED);
    cr_assert(strstr(error.text, "NAK 62"), "%s", error.text);
    net_fini(&net);
}

Test(error, remote_access_writes_nothing)
{
    const uint64_t region_bytes = 1u << 16;
    check_access(0, 0x80000000, 10);
    check_access(0, 1, 10);
    check_access(region_bytes, 0, 1);
    check_access(region_bytes - 9, 0, 10);
    check_access((uint64_t)-1, 0, 10);
    /* The first packets would fit, the message does not. */
    check_access(region_bytes - 1000, 0, 1001);
    check_access(UINT64_MAX / 2, 0, 10);
}

/* The key died with its region, though its slot is in use again. */
Test(error, stale_rkey)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 6});
    net_connect(&net);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 10);
    struct net_side *side = &net.sides[1];
    for (uint32_t i = 0; i < 8; i++) {
        weft_roce_region_deregister(side->port, &side->region);
        enum weft_status status = weft_roce_region_register(
            side->port, side->memory, net.options.memory_bytes, &side->region, &error);
        cr_assert_eq(status, WEFT_OK);
    }
    net_send(&net, 0, &work);
    expect_completion(&net, 0, 0, WEFT_REMOTE_ACCESS);
    net_fini(&net);
}

/* The refusal is lost, and said again when the request is repeated. */
Test(error, refusal_is_repeated)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 6});
    net_connect(&net);
    net.sides[1].mute = true;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 10);
    work.rkey ^= 0x100;
    net_send(&net, 0, &work);
    net_run(&net, net.now_ns + 50000);
    net.sides[1].mute = false;
    expect_completion(&net, 0, 0, WEFT_REMOTE_ACCESS);
    net_fini(&net);
}

Test(error, message_longer_than_the_receive)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 7, .mtu_bytes = 256});
    net_connect(&net);
    memset(net.sides[0].memory, 0x99, 600);
    net_receive(&net, 1, 30, 0, 599);
    net_receive(&net, 1, 31, 0, 599);
    send_one(&net, 1, WEFT_OPERATION_SEND, 600);
    expect_completion(&net, 0, 1, WEFT_REMOTE_INVALID_REQUEST);
    expect_completion(&net, 1, 30, WEFT_LOCAL_LENGTH);
    expect_completion(&net, 1, 31, WEFT_FLUSHED);
    cr_assert_eq(net.sides[1].memory[599], 0);
    cr_assert_eq(state_of(&net, 1, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_str_eq(error.text, "10.0.0.1 sent a message longer than the 599 bytes of the receive "
                                 "posted for it");
    net_fini(&net);
}

/* The work fails in its turn: those before it are done, those after it flushed. */
Test(error, lkey_of_a_send)
{
    struct net net;
    struct weft_error error = {0};
    net_init(&net, &(struct net_options){.seed = 8, .window_packets = 2, .mtu_bytes = 256});
    net_connect(&net);
    send_one(&net, 1, WEFT_OPERATION_WRITE, 3000);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 10);
    work.id = 2;
    work.lkey ^= 0x40000000;
    net_send(&net, 0, &work);
    send_one(&net, 3, WEFT_OPERATION_WRITE, 10);
    expect_completion(&net, 0, 1, WEFT_OK);
    expect_completion(&net, 0, 2, WEFT_LOCAL_PROTECTION);
    expect_completion(&net, 0, 3, WEFT_FLUSHED);
    cr_assert_eq(state_of(&net, 0, &error), WEFT_ENDPOINT_FAILED);
    cr_assert(strstr(error.text, "lkey"), "%s", error.text);
    net_fini(&net);
}

Test(error, lkey_of_a_receive)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 8});
    net_connect(&net);
    net_receive(&net, 1, 30, net.options.memory_bytes - 5, 10);
    send_one(&net, 1, WEFT_OPERATION_SEND, 3);
    expect_completion(&net, 0, 1, WEFT_REMOTE_OPERATION);
    expect_completion(&net, 1, 30, WEFT_LOCAL_PROTECTION);
    net_fini(&net);
}

/* Without frames to fill nothing goes out, nothing is lost, and no retry is counted. */
Test(error, no_frames_for_long)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 9, .retry_limit = 1});
    net_connect(&net);
    for (uint64_t id = 0; id < 10; id++)
        send_one(&net, id, WEFT_OPERATION_WRITE, 5000);
    net.sides[0].no_frames = true;
    net_run(&net, net.now_ns + 2000000);
    net.sides[0].no_frames = false;
    for (uint32_t i = 0; i < 3; i++)
        (void)net_step(&net);
    net.sides[0].no_frames = net.sides[1].no_frames = true;
    net_run(&net, net.now_ns + 2000000);
    net.sides[0].no_frames = net.sides[1].no_frames = false;
    for (uint64_t id = 0; id < 10; id++)
        expect_completion(&net, 0, id, WEFT_OK);
    net_fini(&net);
}

Test(error, posts_beyond_the_depth_are_not_taken)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 9, .depth = 5});
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    struct weft_work works[8];
    for (uint32_t i = 0; i < 8; i++)
        works[i] = work;
    cr_assert_eq(weft_roce_post_send(net.sides[0].qp, works, 8), 0, "not connected yet");
    net_connect(&net);
    cr_assert_eq(weft_roce_post_send(net.sides[0].qp, works, 8), 5);
    cr_assert_eq(weft_roce_post_receive(net.sides[0].qp, works, 8), 5);
    net_run(&net, net.now_ns + 100000);
    /* Done, but a slot is free only when its completion was taken: the queue cannot overflow. */
    cr_assert_eq(weft_roce_post_send(net.sides[0].qp, works, 8), 0);
    (void)net_wait(&net, 0);
    cr_assert_eq(weft_roce_post_send(net.sides[0].qp, works, 8), 1);
    net_fini(&net);
}

Test(error, queue_pair_destroyed_with_completions_unpolled)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 9});
    net_connect(&net);
    struct net_side *side = &net.sides[0];
    send_one(&net, 1, WEFT_OPERATION_WRITE, 8);
    net_run(&net, net.now_ns + 100000);
    send_one(&net, 2, WEFT_OPERATION_WRITE, 8);
    weft_roce_qp_destroy(side->port, side->qp);
    side->qp = NULL;
    net_run(&net, net.now_ns + 1000000);
    expect_none(&net, 0);
    net_fini(&net);
}
