/* SPDX-License-Identifier: BSD-3-Clause */
/* End-to-end credits: the code, what an acknowledgement says, and who waits for whom. */
#include <criterion/criterion.h>

#include "drivers/roce/transport/credit.h"
#include "tests/unit/roce/net.h"

Test(credit, code)
{
    /* IBTA vol. 1, table 54. */
    const uint32_t counts[31] = {0,    1,    2,    3,     4,     6,     8,    12,
                                 16,   24,   32,   48,    64,    96,    128,  192,
                                 256,  384,  512,  768,   1024,  1536,  2048, 3072,
                                 4096, 6144, 8192, 12288, 16384, 24576, 32768};
    for (uint32_t code = 0; code < 31; code++)
        cr_assert_eq(weft_credit_count(code), counts[code], "code %u", code);
    uint32_t code = 0;
    for (uint32_t count = 0; count <= 1u << 17; count++) {
        if (code < 30 && counts[code + 1] <= count)
            code++;
        cr_assert_eq(weft_credit_code(count), code, "%u", count);
    }
    cr_assert_eq(weft_credit_code(UINT32_MAX), 30);
}

/* What was on the wire. */
struct trace {
    uint32_t sends; /* packets that take a receive */
    uint32_t acks;  /* of the other side */
    uint32_t syndromes[64];
};

static bool trace_frame(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct trace *trace = net->tap_context;
    (void)len_bytes;
    if (weft_wire_get16(frame + 12) != WEFT_ETHERTYPE_IPV4)
        return true;
    uint8_t opcode = frame[42];
    if (from == 0)
        trace->sends += opcode == WEFT_OPCODE_RC_SEND_ONLY;
    else if (opcode == WEFT_OPCODE_RC_ACKNOWLEDGE)
        trace->syndromes[trace->acks++ & 63] = frame[54];
    return true;
}

static void start(struct net *net, struct trace *trace)
{
    *trace = (struct trace){0};
    net_init(net, &(struct net_options){.seed = 5, .depth = 32});
    net_connect(net);
    net->tap = trace_frame;
    net->tap_context = trace;
}

static void send_many(struct net *net, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct weft_work work = net_work(net, 0, WEFT_OPERATION_SEND, 0, 16);
        work.id = i;
        net_send(net, 0, &work);
    }
}

static void expect_sent(struct net *net, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct weft_completion done = net_wait(net, 0);
        cr_assert_eq(done.status, WEFT_OK);
        cr_assert_eq(done.id, i);
        struct weft_completion received = net_wait(net, 1);
        cr_assert_eq(received.status, WEFT_OK);
    }
}

/* Nothing is known at first: one message asks. Its acknowledgement lets the others go. */
Test(credit, first_message_asks)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    for (uint32_t i = 0; i < 20; i++)
        net_receive(&net, 1, i, 0, 64);
    send_many(&net, 20);
    while (!trace.acks)
        cr_assert(net_step(&net));
    cr_assert_eq(trace.sends, 1);
    cr_assert_eq(trace.syndromes[0], 8, "19 receives are told as 16");
    expect_sent(&net, 20);
    cr_assert_eq(trace.sends, 20, "none came before its receive");
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->rnr_naks_received, 0);
    net_fini(&net);
}

/* Without credits one message goes, not all: one NAK, and nothing else is sent for nothing. */
Test(credit, without_credits_one_message_asks)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    send_many(&net, 20);
    while (!weft_roce_port_counters(net.sides[0].port)->rnr_naks_received)
        cr_assert(net_step(&net));
    cr_assert_eq(trace.sends, 1);
    cr_assert_eq(trace.acks, 1);
    for (uint32_t i = 0; i < 20; i++)
        net_receive(&net, 1, i, 0, 64);
    expect_sent(&net, 20);
    cr_assert_eq(trace.sends, 21);
    net_fini(&net);
}

/* The peer was told that there is none left. Receives that are posted then are told unasked. */
Test(credit, late_receives_are_told)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    net_receive(&net, 1, 0, 0, 64);
    send_many(&net, 1);
    expect_sent(&net, 1);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(trace.acks, 1);
    cr_assert_eq(trace.syndromes[0], 0);
    for (uint32_t i = 0; i < 12; i++)
        net_receive(&net, 1, i, 0, 64);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(trace.acks, 2, "one for all of them");
    cr_assert_eq(trace.syndromes[1], 7);
    net_receive(&net, 1, 12, 0, 64);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(trace.acks, 2, "it has credits: there is no hurry");
    /* All go at once: no acknowledgement is waited for. */
    uint32_t before = trace.acks;
    send_many(&net, 12);
    while (trace.acks == before)
        cr_assert(net_step(&net));
    cr_assert_eq(trace.sends, 13);
    expect_sent(&net, 12);
    net_fini(&net);
}

/* A peer that has heard nothing yet may not be there: it is told nothing unasked. */
Test(credit, strangers_are_not_told)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    net_receive(&net, 1, 0, 0, 64);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(trace.acks, 0);
    net_fini(&net);
}

static bool unlimit(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    (void)trace_frame(net, from, frame, len_bytes);
    if (from == 0 || frame[42] != WEFT_OPCODE_RC_ACKNOWLEDGE || (frame[54] & 0xe0))
        return true;
    frame[54] = 0x1f;
    net_inject(net, 0, frame, len_bytes, true);
    return false;
}

/* As the kernel's rxe does it: it says that there is no limit, so none is kept. */
Test(credit, a_peer_that_does_not_count)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    net.tap = unlimit;
    net_receive(&net, 1, 0, 0, 64);
    send_many(&net, 1);
    expect_sent(&net, 1);
    trace = (struct trace){0};
    send_many(&net, 20);
    net_run(&net, net.now_ns + 100000);
    cr_assert_eq(trace.sends, 20);
    for (uint32_t i = 0; i < 20; i++)
        net_receive(&net, 1, i, 0, 64);
    expect_sent(&net, 20);
    net_fini(&net);
}

/* WRITEs need none: they pass, and count as messages all the same. */
Test(credit, writes_need_none)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    for (uint32_t i = 0; i < 30; i++) {
        struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 16);
        net_send(&net, 0, &work);
    }
    for (uint32_t i = 0; i < 30; i++)
        cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    for (uint32_t i = 0; i < 20; i++)
        net_receive(&net, 1, i, 0, 64);
    send_many(&net, 20);
    expect_sent(&net, 20);
    cr_assert_eq(trace.sends, 20);
    net_fini(&net);
}

/* The message number wraps with the limit. */
Test(credit, numbers_wrap)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    net.sides[0].qp->requester.posted_ssn = 0xfffff9;
    net.sides[0].qp->requester.credit_limit = 0xfffff9;
    net.sides[1].qp->responder.msn = 0xfffff9;
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 3; i++)
            net_receive(&net, 1, i, 0, 64);
        send_many(&net, 3);
        expect_sent(&net, 3);
    }
    cr_assert_eq(trace.sends, 30);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->rnr_naks_received, 0);
    net_fini(&net);
}

/* Whatever nonsense a peer tells, one message at a time goes on. */
static bool lie(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    if (from == 0 || frame[42] != WEFT_OPCODE_RC_ACKNOWLEDGE || (frame[54] & 0xe0))
        return true;
    weft_wire_put32(frame + 54, (uint32_t)weft_random_below(&net->random, 31) << 24 |
                                    (uint32_t)weft_random_below(&net->random, 1u << 24));
    net_inject(net, 0, frame, len_bytes, true);
    return false;
}

Test(credit, a_peer_that_lies)
{
    struct net net;
    struct trace trace;
    start(&net, &trace);
    net.tap = lie;
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t i = 0; i < 3; i++)
            net_receive(&net, 1, i, 0, 64);
        send_many(&net, 3);
        expect_sent(&net, 3);
    }
    net_fini(&net);
}
