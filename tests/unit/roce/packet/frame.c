/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets byte by byte, against what the specification says, written by hand. The ICRC has its own
 * tests. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

struct caught {
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
    uint32_t len_bytes;
    uint32_t from;
    uint32_t count;
};

/* Keeps the first frame of the side and lets all through. */
static bool catch_first(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct caught *caught = net->tap_context;
    if (from != caught->from || caught->count++)
        return true;
    memcpy(caught->frame, frame, len_bytes);
    caught->len_bytes = len_bytes;
    return true;
}

/* Two ports whose numbers are known. */
static void known_net(struct net *net, struct caught *caught, uint32_t from)
{
    net_init(net, &(struct net_options){.seed = 1, .mtu_bytes = 256});
    net->sides[0].qp->initial_psn = 0x0102fe;
    net->sides[1].qp->initial_psn = 0xfffffe;
    weft_roce_qp_address(net->sides[0].qp, &net->sides[0].address);
    weft_roce_qp_address(net->sides[1].qp, &net->sides[1].address);
    net_connect(net);
    *caught = (struct caught){.from = from};
    net->tap = catch_first;
    net->tap_context = caught;
}

static uint32_t be(const uint8_t *at, uint32_t bytes)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* The rule of Linux's rdma_get_udp_sport with no flow label. */
static uint32_t source_port(uint32_t local_qpn, uint32_t peer_qpn)
{
    uint64_t product = (uint64_t)local_qpn * peer_qpn;
    product ^= product >> 20;
    product ^= product >> 40;
    uint32_t label = (uint32_t)(product & 0xfffff);
    return 0xc000 | ((label & 0x3fff) ^ ((label & 0xfc000) >> 14));
}

static void check_ethernet_ip_udp(const struct net *net, const struct caught *caught,
                                  uint32_t ip_bytes)
{
    uint32_t from = caught->from;
    uint8_t own = (uint8_t)(from + 1);
    uint8_t other = (uint8_t)(2 - from);
    const uint8_t expected[] = {
        2,
        0,
        0,
        0,
        0,
        other, /* destination MAC */
        2,
        0,
        0,
        0,
        0,
        own, /* source MAC */
        0x08,
        0x00, /* IPv4 */
        0x45,
        0x00, /* version, IHL, type of service */
        (uint8_t)(ip_bytes >> 8),
        (uint8_t)ip_bytes, /* total length */
        0x00,
        0x00,
        0x40,
        0x00, /* ID, do not fragment */
        64,
        17, /* TTL, UDP */
    };
    const uint8_t *frame = caught->frame;
    cr_assert_eq(caught->len_bytes, 14 + ip_bytes);
    cr_assert_arr_eq(frame, expected, sizeof(expected));
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 20; i += 2)
        sum += be(frame + 14 + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    cr_assert_eq(sum, 0xffff, "IPv4 header checksum");
    cr_assert_eq(be(frame + 26, 4), 0x0a000000u + own);
    cr_assert_eq(be(frame + 30, 4), 0x0a000000u + other);
    cr_assert_eq(be(frame + 34, 2),
                 source_port(net->sides[from].qp->qpn, net->sides[1 - from].qp->qpn));
    cr_assert_eq(be(frame + 36, 2), 4791);
    cr_assert_eq(be(frame + 38, 2), ip_bytes - 20);
    cr_assert_eq(be(frame + 40, 2), 0, "UDP checksum");
}

static void check_bth(const struct net *net, const struct caught *caught, uint8_t opcode,
                      uint8_t pad_bytes, uint32_t psn_word)
{
    const uint8_t *bth = caught->frame + 42;
    cr_assert_eq(bth[0], opcode, "opcode %02x", bth[0]);
    cr_assert_eq(bth[1], 0x40 | pad_bytes << 4, "SE, M, pad, TVer: %02x", bth[1]);
    cr_assert_eq(be(bth + 2, 2), 0xffff, "P_Key");
    cr_assert_eq(be(bth + 4, 4), net->sides[1 - caught->from].qp->qpn, "F, B and QPN");
    cr_assert_eq(be(bth + 8, 4), psn_word, "A and PSN: %08x", be(bth + 8, 4));
}

Test(frame, send_only)
{
    struct net net;
    struct caught caught;
    known_net(&net, &caught, 0);
    memcpy(net.sides[0].memory, "hello", 5);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 5);
    net_receive(&net, 1, 0, 0, 64);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 8 + 4);
    check_bth(&net, &caught, 0x04, 3, 0x800102fe);
    cr_assert_arr_eq(caught.frame + 54, "hello\0\0\0", 8);
    net_fini(&net);
}

Test(frame, write_only_with_immediate)
{
    struct net net;
    struct caught caught;
    known_net(&net, &caught, 0);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE_IMMEDIATE, 16, 4);
    memcpy(work.memory, "\x11\x22\x33\x44", 4);
    work.immediate = 0xa1b2c3d4;
    net_receive(&net, 1, 0, 0, 0);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 16 + 4 + 4 + 4);
    check_bth(&net, &caught, 0x0b, 0, 0x800102fe);
    const uint8_t *reth = caught.frame + 54;
    cr_assert_eq((uint64_t)be(reth, 4) << 32 | be(reth + 4, 4), work.remote_address);
    cr_assert_eq(be(reth + 8, 4), net.sides[1].region.rkey);
    cr_assert_eq(be(reth + 12, 4), 4, "DMA length");
    cr_assert_eq(be(reth + 16, 4), 0xa1b2c3d4, "immediate follows RETH");
    cr_assert_eq(be(reth + 20, 4), 0x11223344);
    net_fini(&net);
}

/* Records opcode and length of each data packet. */
struct trace {
    uint8_t opcodes[16];
    uint32_t psn_words[16];
    uint32_t len_bytes[16];
    uint32_t count;
};

static bool trace_data(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct trace *trace = net->tap_context;
    if (from == 0 && trace->count < 16) {
        trace->opcodes[trace->count] = frame[42];
        trace->psn_words[trace->count] = be(frame + 50, 4);
        trace->len_bytes[trace->count++] = len_bytes;
    }
    return true;
}

/* A window of 8: an acknowledgement is asked for at each second packet and at the end. */
Test(frame, write_of_five_packets)
{
    struct net net;
    struct trace trace = {.count = 0};
    net_init(&net, &(struct net_options){.seed = 1, .mtu_bytes = 256, .window_packets = 8});
    net.sides[0].qp->initial_psn = 0xfffffe;
    weft_roce_qp_address(net.sides[0].qp, &net.sides[0].address);
    net_connect(&net);
    net.tap = trace_data;
    net.tap_context = &trace;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 4 * 256 + 1);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    const uint8_t opcodes[] = {0x06, 0x07, 0x07, 0x07, 0x08};
    const uint32_t psn_words[] = {0x00fffffe, 0x80ffffff, 0x00000000, 0x80000001, 0x80000002};
    const uint32_t len_bytes[] = {58 + 16 + 256, 58 + 256, 58 + 256, 58 + 256, 58 + 4};
    cr_assert_eq(trace.count, 5);
    cr_assert_arr_eq(trace.opcodes, opcodes, sizeof(opcodes));
    cr_assert_arr_eq(trace.psn_words, psn_words, sizeof(psn_words));
    cr_assert_arr_eq(trace.len_bytes, len_bytes, sizeof(len_bytes));
    net_fini(&net);
}

Test(frame, acknowledge)
{
    struct net net;
    struct caught caught;
    known_net(&net, &caught, 1);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 600);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 4 + 4);
    /* The last of three packets; no receives, so no credits; one message done. */
    check_bth(&net, &caught, 0x11, 0, 0x010300);
    cr_assert_eq(be(caught.frame + 54, 4), 0x00000001);
    net_fini(&net);
}

Test(frame, rnr_nak)
{
    struct net net;
    struct caught caught;
    known_net(&net, &caught, 1);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 5);
    net_send(&net, 0, &work);
    while (!caught.count)
        (void)net_step(&net);
    check_bth(&net, &caught, 0x11, 0, 0x0102fe);
    cr_assert_eq(be(caught.frame + 54, 4), 0x2c000000, "RNR, timer code 12, MSN 0");
    net_fini(&net);
}

Test(frame, arp_request_and_answer)
{
    struct net net;
    struct caught caught = {.from = 0};
    net_init(&net, &(struct net_options){.seed = 1});
    net.tap = catch_first;
    net.tap_context = &caught;
    net_connect(&net);
    const uint8_t request[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0, 1, 0x08, 0x06, /* Ethernet */
        0,    1,    8,    0,    6,    4,    0,  1,                         /* request */
        2,    0,    0,    0,    0,    1,    10, 0, 0, 1,                   /* sender */
        0,    0,    0,    0,    0,    0,    10, 0, 0, 2,                   /* target */
    };
    cr_assert_eq(caught.len_bytes, 60);
    cr_assert_arr_eq(caught.frame, request, 60);

    caught = (struct caught){.from = 1};
    uint8_t question[60];
    memcpy(question, request, 60);
    net_inject(&net, 1, question, 60, false);
    net_run(&net, net.now_ns + 100000);
    const uint8_t answer[60] = {
        2, 0, 0, 0, 0, 1, 2,  0, 0, 0, 0, 2, 0x08, 0x06, /* Ethernet */
        0, 1, 8, 0, 6, 4, 0,  2,                         /* reply */
        2, 0, 0, 0, 0, 2, 10, 0, 0, 2,                   /* sender */
        2, 0, 0, 0, 0, 1, 10, 0, 0, 1,                   /* target */
    };
    cr_assert_eq(caught.len_bytes, 60);
    cr_assert_arr_eq(caught.frame, answer, 60);
    net_fini(&net);
}

/* The first frame of the side that sends, for a work of 300 bytes from known numbers. */
static void catch_request(struct net *net, struct caught *caught, uint32_t from,
                          enum weft_operation operation, uint32_t len_bytes)
{
    known_net(net, caught, from);
    struct weft_work work = net_work(net, 0, operation, 16, len_bytes);
    work.compare = UINT64_C(0x1112131415161718);
    work.operand = UINT64_C(0x2122232425262728);
    work.immediate = 0xa1b2c3d4;
    uint64_t before = UINT64_C(0x3132333435363738);
    memcpy(net->sides[1].memory + 16, &before, 8);
    net_receive(net, 1, 0, 0, 1000);
    net_send(net, 0, &work);
    (void)net_wait(net, 0);
}

static void check_address(const struct net *net, const struct caught *caught)
{
    const uint8_t *header = caught->frame + 54;
    uint64_t address = (uint64_t)be(header, 4) << 32 | be(header + 4, 4);
    cr_assert_eq(address, (uint64_t)(uintptr_t)net->sides[1].memory + 16);
    cr_assert_eq(be(header + 8, 4), net->sides[1].region.rkey);
}

Test(frame, read_request)
{
    struct net net;
    struct caught caught;
    catch_request(&net, &caught, 0, WEFT_OPERATION_READ, 301);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 16 + 4);
    check_bth(&net, &caught, 0x0c, 0, 0x800102fe);
    check_address(&net, &caught);
    cr_assert_eq(be(caught.frame + 66, 4), 301, "DMA length");
    net_fini(&net);
}

Test(frame, read_response)
{
    struct net net;
    struct caught caught;
    catch_request(&net, &caught, 1, WEFT_OPERATION_READ, 301);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 4 + 256 + 4);
    check_bth(&net, &caught, 0x0d, 0, 0x0102fe);
    cr_assert_eq(be(caught.frame + 54, 4), 0x01000001, "one receive, one message");
    cr_assert_arr_eq(caught.frame + 58, net.sides[1].memory + 16, 256);
    net_fini(&net);
    catch_request(&net, &caught, 1, WEFT_OPERATION_READ, 7);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 4 + 8 + 4);
    check_bth(&net, &caught, 0x10, 1, 0x0102fe);
    net_fini(&net);
}

Test(frame, atomics)
{
    struct net net;
    struct caught caught;
    for (uint32_t i = 0; i < 2; i++) {
        enum weft_operation operation = i ? WEFT_OPERATION_FETCH_ADD : WEFT_OPERATION_COMPARE_SWAP;
        catch_request(&net, &caught, 0, operation, 8);
        check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 28 + 4);
        check_bth(&net, &caught, i ? 0x14 : 0x13, 0, 0x800102fe);
        check_address(&net, &caught);
        cr_assert_eq(be(caught.frame + 66, 4), 0x21222324, "swap or add");
        cr_assert_eq(be(caught.frame + 70, 4), 0x25262728);
        cr_assert_eq(be(caught.frame + 74, 4), 0x11121314, "compare");
        cr_assert_eq(be(caught.frame + 78, 4), 0x15161718);
        net_fini(&net);
        catch_request(&net, &caught, 1, operation, 8);
        check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 4 + 8 + 4);
        check_bth(&net, &caught, 0x12, 0, 0x0102fe);
        cr_assert_eq(be(caught.frame + 54, 4), 0x01000001);
        cr_assert_eq(be(caught.frame + 58, 4), 0x31323334, "what was there before");
        cr_assert_eq(be(caught.frame + 62, 4), 0x35363738);
        net_fini(&net);
    }
}

Test(frame, send_only_with_immediate)
{
    struct net net;
    struct caught caught;
    catch_request(&net, &caught, 0, WEFT_OPERATION_SEND_IMMEDIATE, 2);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 4 + 4 + 4);
    check_bth(&net, &caught, 0x05, 2, 0x800102fe);
    cr_assert_eq(be(caught.frame + 54, 4), 0xa1b2c3d4);
    net_fini(&net);
}

Test(frame, unreliable_connection)
{
    struct net net;
    struct caught caught = {.from = 0};
    net_init(&net, &(struct net_options){.seed = 1, .transport = WEFT_TRANSPORT_UC});
    net_connect(&net);
    net.tap = catch_first;
    net.tap_context = &caught;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE_IMMEDIATE, 16, 4);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    check_ethernet_ip_udp(&net, &caught, 20 + 8 + 12 + 16 + 4 + 4 + 4);
    check_bth(&net, &caught, 0x2b, 0, net.sides[0].qp->initial_psn);
    net_fini(&net);
}

Test(frame, source_port_as_given)
{
    struct net net;
    struct caught caught = {.from = 0};
    net_init(&net, &(struct net_options){.seed = 1, .source_port = 0xd123});
    net_connect(&net);
    net.tap = catch_first;
    net.tap_context = &caught;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 16, 4);
    net_send(&net, 0, &work);
    (void)net_wait(&net, 0);
    cr_assert_eq(be(caught.frame + 34, 2), 0xd123);
    net_fini(&net);
}
