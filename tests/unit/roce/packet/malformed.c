/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that no honest peer sends: dropped and counted, or refused as the specification says. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define PAYLOAD_AT 54u

struct kept {
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
    uint32_t len_bytes;
};

static bool keep(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct kept *kept = net->tap_context;
    if (from == 0) {
        memcpy(kept->frame, frame, len_bytes);
        kept->len_bytes = len_bytes;
    }
    return false;
}

/* A packet of side 0, caught before it reaches side 1. Side 1 holds two receives. */
static void catch_packet(struct net *net, struct kept *kept, enum weft_operation operation,
                         uint32_t len_bytes)
{
    net_init(net, &(struct net_options){.seed = 21, .mtu_bytes = 256});
    net_connect(net);
    net_receive(net, 1, 30, 0, 1000);
    net_receive(net, 1, 31, 0, 1000);
    net->tap = keep;
    net->tap_context = kept;
    kept->len_bytes = 0;
    struct weft_work work = net_work(net, 0, operation, 0, len_bytes);
    net_send(net, 0, &work);
    while (!kept->len_bytes)
        (void)net_step(net);
}

static uint64_t dropped(const struct net *net)
{
    const struct weft_device_counters *counters = weft_roce_port_counters(net->sides[1].port);
    return counters->malformed_packets + counters->unexpected_packets + counters->icrc_errors;
}

static bool untouched(const struct net *net)
{
    return weft_roce_qp_counters(net->sides[1].qp)->received_payload_bytes == 0 &&
           weft_roce_qp_state(net->sides[1].qp, NULL) == WEFT_ENDPOINT_READY;
}

/* As it came it is taken: the tests below start from a good packet. */
Test(malformed, the_packet_is_good)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes, 50);
    net_fini(&net);
}

Test(malformed, cut_short_at_every_length)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    for (uint32_t len_bytes = 0; len_bytes < kept.len_bytes; len_bytes++) {
        uint64_t before = dropped(&net);
        net_inject(&net, 1, kept.frame, len_bytes, false);
        cr_assert_eq(dropped(&net), before + 1, "at %u", len_bytes);
    }
    cr_assert(untouched(&net));
    net_fini(&net);
}

/* The bits that routers may change: type of service, TTL, header checksum (which must then fit),
 * UDP checksum, FECN and its neighbours. And the MACs of the sender. */
static bool may_change(uint32_t byte)
{
    return (byte >= 6 && byte < 12) || byte == 40 || byte == 41 || byte == 46;
}

Test(malformed, every_bit_flipped)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    for (uint32_t bit = 0; bit < kept.len_bytes * 8; bit++) {
        if (may_change(bit >> 3))
            continue;
        uint64_t before = dropped(&net);
        kept.frame[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
        net_inject(&net, 1, kept.frame, kept.len_bytes, false);
        kept.frame[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
        cr_assert_eq(dropped(&net), before + 1, "bit %u of byte %u", bit & 7, bit >> 3);
    }
    cr_assert(untouched(&net));
    net_fini(&net);
}

Test(malformed, what_routers_change_is_taken)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    kept.frame[15] ^= 3; /* ECN; the header's checksum follows */
    uint16_t checksum = weft_wire_get16(kept.frame + 24);
    weft_wire_put16(kept.frame + 24, (uint16_t)(checksum - 3));
    kept.frame[41] = 0x12;
    kept.frame[46] = 0xc0;
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes, 50);
    net_fini(&net);
}

/* Behind the IP packet Ethernet may have padding. */
Test(malformed, padding_of_ethernet_is_taken)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 4);
    memset(kept.frame + kept.len_bytes, 0x5a, 20);
    net_inject(&net, 1, kept.frame, kept.len_bytes + 20, false);
    cr_assert_eq(weft_roce_qp_counters(net.sides[1].qp)->received_payload_bytes, 4);
    net_fini(&net);
}

/* The packet with an altered byte and a right ICRC: side 1 must refuse with `syndrome`, fail, and
 * leave its memory alone. */
static void check_refused(enum weft_operation operation, uint32_t len_bytes, uint32_t byte,
                          uint8_t value, uint8_t syndrome)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, operation, len_bytes);
    memset(net.sides[0].memory, 0x77, 256);
    kept.frame[byte] = value;
    net_inject(&net, 1, kept.frame, kept.len_bytes, true);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_FAILED, "opcode %02x",
                 value);
    cr_assert_eq(net.sides[1].qp->responder.fatal_syndrome, syndrome);
    cr_assert_eq(net.sides[1].memory[0], 0);
    cr_assert_eq(net_wait(&net, 1).id, 30);
    cr_assert_eq(net_wait(&net, 1).id, 31);
    net_fini(&net);
}

Test(malformed, sequences_refused)
{
    const uint32_t opcode_at = 42;
    /* MIDDLE and LAST without a FIRST. */
    check_refused(WEFT_OPERATION_SEND, 256, opcode_at, 0x01, 0x61);
    check_refused(WEFT_OPERATION_SEND, 50, opcode_at, 0x02, 0x61);
    check_refused(WEFT_OPERATION_SEND, 256, opcode_at, 0x07, 0x61);
    check_refused(WEFT_OPERATION_SEND, 50, opcode_at, 0x08, 0x61);
    /* FIRST that is no full packet. */
    check_refused(WEFT_OPERATION_SEND, 50, opcode_at, 0x00, 0x61);
    check_refused(WEFT_OPERATION_WRITE, 50, opcode_at, 0x06, 0x61);
    /* A READ request without its payload cannot be made here; SEND with invalidate can. */
    check_refused(WEFT_OPERATION_SEND, 50, opcode_at, 0x17, 0x61);
    /* WRITE whose length says more, or less, than the packet holds. */
    check_refused(WEFT_OPERATION_WRITE, 50, PAYLOAD_AT + 15, 51, 0x61);
    check_refused(WEFT_OPERATION_WRITE, 50, PAYLOAD_AT + 15, 49, 0x61);
    check_refused(WEFT_OPERATION_WRITE, 50, PAYLOAD_AT + 12, 1, 0x61);
}

/* A FIRST while a message is under way. */
Test(malformed, first_within_a_message)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 256);
    kept.frame[42] = WEFT_OPCODE_RC_SEND_FIRST;
    net_inject(&net, 1, kept.frame, kept.len_bytes, true);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_READY);
    uint32_t psn = (weft_wire_get24(kept.frame + 50) + 1) & 0xffffff;
    weft_wire_put32(kept.frame + 50, psn);
    net_inject(&net, 1, kept.frame, kept.len_bytes, true);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_FAILED);
    net_fini(&net);
}

/* A LAST that carries nothing. */
Test(malformed, empty_last)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 256);
    kept.frame[42] = WEFT_OPCODE_RC_SEND_FIRST;
    net_inject(&net, 1, kept.frame, kept.len_bytes, true);
    uint32_t psn = (weft_wire_get24(kept.frame + 50) + 1) & 0xffffff;
    weft_wire_put32(kept.frame + 50, psn);
    kept.frame[42] = WEFT_OPCODE_RC_SEND_LAST;
    weft_wire_put16(kept.frame + 16, 44);
    uint16_t checksum = weft_wire_get16(kept.frame + 24);
    weft_wire_put16(kept.frame + 24, (uint16_t)(checksum + 256));
    weft_wire_put16(kept.frame + 38, 24);
    net_inject(&net, 1, kept.frame, 58, true);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->malformed_packets, 0);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_FAILED);
    net_fini(&net);
}

/* An answer of "not ready" is due when the same packet comes again and finds a receive: what came
 * in between was dropped, so the peer must go on right behind this packet, and at once. */
Test(malformed, not_ready_is_overtaken)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    struct weft_responder *responder = &net.sides[1].qp->responder;
    uint32_t posted = responder->posted;
    responder->posted = responder->completed;
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(responder->answer, WEFT_ANSWER_RNR);
    responder->posted = posted;
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(responder->answer, WEFT_ANSWER_NAK_SEQUENCE);
    cr_assert_eq(net_wait(&net, 1).len_bytes, 50);
    net_fini(&net);
}

/* Acknowledgements of what was never sent, reserved syndromes, NAKs from the past. */
Test(malformed, acknowledgements)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_WRITE, 4);
    struct weft_roce_qp *qp = net.sides[0].qp;
    uint32_t psn = (uint32_t)qp->requester.acked_sequence & 0xffffff;
    struct caught {
        uint8_t syndrome;
        uint32_t psn;
    } cases[] = {
        {0x1f, psn + 1}, {0x1f, psn - 1}, {0x60, psn + 2}, {0x60, psn - 5}, {0x62, psn + 1},
        {0x2c, psn - 1}, {0x40, psn},     {0x64, psn},     {0x9f, psn},     {0xff, psn},
    };
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t frame[62];
        memcpy(frame, qp->path.header, 54);
        /* From side 1 to side 0, made of the other direction's headers. */
        memcpy(frame, net.sides[1].qp->path.header, 54);
        weft_wire_put16(frame + 16, 48);
        frame[15] = 0;
        frame[22] = 64;
        weft_wire_put16(frame + 24, 0);
        uint32_t sum = 0;
        for (uint32_t at = 14; at < 34; at += 2)
            sum += weft_wire_get16(frame + at);
        sum = (sum & 0xffff) + (sum >> 16);
        weft_wire_put16(frame + 24, (uint16_t)~sum);
        weft_wire_put16(frame + 38, 28);
        frame[42] = WEFT_OPCODE_RC_ACKNOWLEDGE;
        frame[43] = 0;
        weft_wire_put32(frame + 50, cases[i].psn & 0xffffff);
        weft_wire_put32(frame + 54, (uint32_t)cases[i].syndrome << 24);
        uint64_t icrc_errors = weft_roce_port_counters(net.sides[0].port)->icrc_errors;
        uint64_t unexpected = weft_roce_port_counters(net.sides[0].port)->unexpected_packets;
        net_inject(&net, 0, frame, sizeof(frame), true);
        cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->icrc_errors, icrc_errors);
        cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->unexpected_packets, unexpected);
        cr_assert_eq(weft_roce_qp_state(qp, NULL), WEFT_ENDPOINT_READY, "case %u", i);
        cr_assert_eq(qp->requester.completed, 0, "case %u", i);
        cr_assert(!qp->requester.rnr_waiting, "case %u", i);
    }
    net_fini(&net);
}

/* Good packets of a stranger, and to a queue pair that is gone. */
Test(malformed, stranger)
{
    struct net net;
    static struct kept kept;
    catch_packet(&net, &kept, WEFT_OPERATION_SEND, 50);
    uint64_t before = weft_roce_port_counters(net.sides[1].port)->unexpected_packets;
    kept.frame[29] = 7; /* from 10.0.0.7 */
    uint16_t checksum = weft_wire_get16(kept.frame + 24);
    weft_wire_put16(kept.frame + 24, (uint16_t)(checksum - 6));
    net_inject(&net, 1, kept.frame, kept.len_bytes, true);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->unexpected_packets, before + 1);
    cr_assert(untouched(&net));
    net_fini(&net);
}
