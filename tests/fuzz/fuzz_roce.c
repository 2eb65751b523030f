/* SPDX-License-Identifier: BSD-3-Clause */
/* Any frames for a RoCE port, between posts and transmits: nothing crashes, nothing outside what
 * was registered or posted is written, and every work completes once at most. The input is a script
 * of steps; see enum step. Frames that are to reach the depths get headers that fit and a right
 * ICRC. */
#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/packet/icrc.h"
#include "drivers/roce/packet/opcode.h"
#include "drivers/roce/transport/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

#define DEPTH 8u
#define READ_DEPTH 3u
#define REGION_BYTES 2048u
#define FRAME_BYTES 512u
#define STEPS_MAX 200u
#define VLAN 100u

enum step {
    STEP_RAW = 0,     /* a frame of the bytes given */
    STEP_REQUEST,     /* from the BTH's opcode on; PSN near the one expected */
    STEP_WRITE,       /* the same, with a RETH that points into the region */
    STEP_ACKNOWLEDGE, /* PSN near those outstanding */
    STEP_DATAGRAM,    /* to the UD queue pair, with its Q_Key */
    STEP_ARP,         /* or, over IPv6, neighbour discovery */
    STEP_POST_SEND,
    STEP_POST_RECEIVE,
    STEP_TRANSMIT,
    STEP_ATOMIC,     /* a request with an AtomicETH that points into the region */
    STEP_RESPONSE,   /* from the opcode on; PSN near those outstanding */
    STEP_UNRELIABLE, /* to the UC queue pair; with a RETH into the region where it has one */
    STEP_REGION,     /* goes, and comes back with other keys: what is posted is good no more */
    STEP_COUNT
};

struct input {
    const uint8_t *at;
    size_t left;
};

struct world {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_roce_qp *rc;
    struct weft_roce_qp *ud;
    struct weft_roce_qp *uc;
    uint8_t *memory;
    struct weft_region region;
    uint64_t now_ns;
    bool ipv6;
    bool vlan;
    uint32_t ip_bytes;
    uint32_t posted; /* receives */
    uint32_t completed;
    uint32_t sends;
    uint32_t sent;
};

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};

static uint8_t take(struct input *input)
{
    if (!input->left)
        return 0;
    input->left--;
    return *input->at++;
}

static uint32_t take_some(struct input *input, uint8_t *bytes, uint32_t max_bytes)
{
    uint32_t wanted = (uint32_t)take(input) * 2;
    uint32_t len_bytes = wanted < max_bytes ? wanted : max_bytes;
    if (len_bytes > input->left)
        len_bytes = (uint32_t)input->left;
    memcpy(bytes, input->at, len_bytes);
    input->at += len_bytes;
    input->left -= len_bytes;
    return len_bytes;
}

/* In memory of exactly its size, so that a read beyond the frame is seen. */
static void give(struct world *world, const uint8_t *frame, uint32_t len_bytes)
{
    uint8_t *exact = malloc(len_bytes ? len_bytes : 1);
    assert(exact);
    memcpy(exact, frame, len_bytes);
    weft_roce_receive(world->port, exact, len_bytes, world->now_ns);
    free(exact);
}

static const uint8_t own_ipv6[16] = {0xfd, [15] = 1};
static const uint8_t peer_ipv6[16] = {0xfd, [15] = 2};

static void put_ipv6(uint8_t *ip, uint32_t len_bytes, uint8_t protocol)
{
    ip[0] = 0x60;
    weft_wire_put16(ip + 4, (uint16_t)(len_bytes - WEFT_IPV6_BYTES));
    ip[6] = protocol;
    ip[7] = protocol == WEFT_IP_PROTOCOL_UDP ? 64 : 255;
    memcpy(ip + 8, peer_ipv6, 16);
    memcpy(ip + 24, own_ipv6, 16);
}

/* Returns where the payload goes. */
static uint8_t *put_ethernet(const struct world *world, uint8_t *frame, uint16_t ethertype)
{
    memcpy(frame, own_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    uint8_t *at = frame + 12;
    if (world->vlan) {
        weft_wire_put16(at, WEFT_ETHERTYPE_VLAN);
        weft_wire_put16(at + 2, VLAN);
        at += WEFT_VLAN_TAG_BYTES;
    }
    weft_wire_put16(at, ethertype);
    return at + 2;
}

static uint32_t headers_bytes(const struct world *world)
{
    return WEFT_ETHERNET_BYTES + (world->vlan ? WEFT_VLAN_TAG_BYTES : 0) + world->ip_bytes +
           WEFT_UDP_BYTES;
}

static void put_ip(uint8_t *ip, uint32_t len_bytes)
{
    ip[0] = 0x45;
    weft_wire_put16(ip + 2, (uint16_t)len_bytes);
    ip[8] = 64;
    ip[9] = WEFT_IP_PROTOCOL_UDP;
    memcpy(ip + 12, (const uint8_t[]){10, 0, 0, 2, 10, 0, 0, 1}, 8);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < WEFT_IPV4_BYTES; i += 2)
        sum += weft_wire_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_wire_put16(ip + 10, (uint16_t)~sum);
}

/* Puts all before the BTH, its fixed fields, and the ICRC. `bth_bytes` is a multiple of 4. */
static void give_packet(struct world *world, uint8_t *frame, uint32_t bth_bytes, uint32_t qpn,
                        uint32_t psn)
{
    uint8_t *ip =
        put_ethernet(world, frame, world->ipv6 ? WEFT_ETHERTYPE_IPV6 : WEFT_ETHERTYPE_IPV4);
    uint8_t *udp = ip + world->ip_bytes;
    uint8_t *bth = udp + WEFT_UDP_BYTES;
    uint32_t udp_bytes = WEFT_UDP_BYTES + bth_bytes + WEFT_ICRC_BYTES;
    if (world->ipv6)
        put_ipv6(ip, WEFT_IPV6_BYTES + udp_bytes, WEFT_IP_PROTOCOL_UDP);
    else
        put_ip(ip, WEFT_IPV4_BYTES + udp_bytes);
    weft_wire_put16(udp, 0xc000);
    weft_wire_put16(udp + 2, WEFT_ROCE_UDP_PORT);
    weft_wire_put16(udp + 4, (uint16_t)udp_bytes);
    bth[1] &= 0xf0;
    weft_wire_put16(bth + 2, WEFT_ROCE_PKEY);
    weft_wire_put32(bth + 4, qpn);
    weft_wire_put32(bth + 8, (weft_wire_get32(bth + 8) & 0xff000000u) | (psn & 0xffffff));
    uint32_t covered_bytes = world->ip_bytes + WEFT_UDP_BYTES + bth_bytes;
    uint32_t icrc = htole32(weft_icrc_packet(ip, world->ip_bytes, covered_bytes));
    memcpy(ip + covered_bytes, &icrc, sizeof(icrc));
    give(world, frame, (uint32_t)(ip - frame) + covered_bytes + WEFT_ICRC_BYTES);
}

/* A RETH that points into the region. */
static void put_reth(const struct world *world, uint8_t *reth)
{
    uint64_t offset = weft_wire_get16(reth);
    weft_wire_put64(reth, (uint64_t)(uintptr_t)world->memory + offset);
    weft_wire_put32(reth + 8, world->region.rkey);
    weft_wire_put32(reth + 12, weft_wire_get32(reth + 12) & 0xfff);
}

static bool has_reth(const uint8_t *bth)
{
    return (weft_opcodes[bth[0]].headers & WEFT_HEADER_RETH) != 0;
}

static void step_packet(struct world *world, struct input *input, enum step step)
{
    uint8_t frame[FRAME_BYTES] = {0};
    uint8_t *bth = frame + headers_bytes(world);
    bth[0] = take(input);
    bth[1] = take(input);
    bth[8] = take(input);
    uint32_t delta = (uint32_t)(int8_t)take(input);
    uint32_t bytes = take_some(input, bth + WEFT_BTH_BYTES, 400) & ~3u;
    uint32_t psn = world->rc->responder.expected_psn + delta;
    const struct weft_roce_qp *qp = world->rc;
    if (step == STEP_WRITE) {
        put_reth(world, bth + WEFT_BTH_BYTES);
        bytes = bytes < WEFT_RETH_BYTES ? WEFT_RETH_BYTES : bytes;
    } else if (step == STEP_ACKNOWLEDGE) {
        bth[0] = WEFT_OPCODE_RC_ACKNOWLEDGE;
        bth[1] = 0;
        bytes = WEFT_AETH_BYTES;
        psn = (uint32_t)world->rc->requester.acked_sequence + delta;
    } else if (step == STEP_ATOMIC) {
        bth[0] = (bth[0] & 1) ? WEFT_OPCODE_RC_COMPARE_SWAP : WEFT_OPCODE_RC_FETCH_ADD;
        bth[1] = 0;
        put_reth(world, bth + WEFT_BTH_BYTES);
        bytes = WEFT_ATOMIC_ETH_BYTES;
    } else if (step == STEP_RESPONSE) {
        psn = (uint32_t)world->rc->requester.acked_sequence + delta;
    } else if (step == STEP_UNRELIABLE) {
        psn = world->uc->responder.expected_psn + delta;
        qp = world->uc;
        if (has_reth(bth))
            put_reth(world, bth + WEFT_BTH_BYTES);
        bytes = has_reth(bth) && bytes < WEFT_RETH_BYTES ? WEFT_RETH_BYTES : bytes;
    } else if (step == STEP_DATAGRAM) {
        qp = world->ud;
        bth[0] = (bth[0] & 1) ? WEFT_OPCODE_UD_SEND_ONLY : WEFT_OPCODE_UD_SEND_ONLY_IMMEDIATE;
        weft_wire_put32(bth + WEFT_BTH_BYTES, world->ud->qkey);
    }
    give_packet(world, frame, WEFT_BTH_BYTES + bytes, qp->qpn, psn);
}

static void step_arp(struct world *world, struct input *input)
{
    uint8_t frame[64] = {0};
    uint8_t *arp = put_ethernet(world, frame, WEFT_ETHERTYPE_ARP);
    memset(frame, 0xff, 6);
    memcpy(arp, (const uint8_t[]){0, 1, 8, 0, 6, 4}, 6);
    arp[7] = 1 + (take(input) & 1);
    (void)take_some(input, arp + 8, 20);
    give(world, frame, sizeof(frame));
}

static void put_checksum(uint8_t *ip, uint32_t len_bytes)
{
    uint8_t *icmp = ip + WEFT_IPV6_BYTES;
    uint32_t sum = len_bytes + WEFT_IP_PROTOCOL_ICMPV6;
    weft_wire_put16(icmp + 2, 0);
    for (uint32_t i = 8; i < WEFT_IPV6_BYTES + len_bytes; i += 2)
        sum += weft_wire_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_wire_put16(icmp + 2, (uint16_t)~sum);
}

/* A solicitation or an advertisement: its flags, then its target and options as given. Two bits say
 * who sends it and to whom. */
static void step_discovery(struct world *world, struct input *input)
{
    uint8_t frame[FRAME_BYTES] = {0};
    uint8_t *ip = put_ethernet(world, frame, WEFT_ETHERTYPE_IPV6);
    uint8_t *icmp = ip + WEFT_IPV6_BYTES;
    uint8_t choice = take(input);
    icmp[0] = 135 + (choice & 1);
    icmp[4] = take(input);
    memcpy(icmp + 8, (choice & 2) ? own_ipv6 : peer_ipv6, 16);
    uint32_t len_bytes = 24 + (take_some(input, icmp + 24, 80) & ~1u);
    put_ipv6(ip, WEFT_IPV6_BYTES + len_bytes, WEFT_IP_PROTOCOL_ICMPV6);
    if (choice & 4)
        memset(ip + 8, 0, 16);
    if (choice & 8)
        memcpy(ip + 24, (const uint8_t[16]){0xff, 2, [11] = 1, [12] = 0xff, [15] = 1}, 16);
    put_checksum(ip, len_bytes);
    give(world, frame, (uint32_t)(ip - frame) + WEFT_IPV6_BYTES + len_bytes);
}

static void step_post(struct world *world, struct input *input, enum step step)
{
    uint8_t choice = take(input);
    uint32_t offset = take(input) * 8u;
    uint32_t len_bytes = (uint32_t)take(input) * 8u;
    if (len_bytes > REGION_BYTES - offset)
        len_bytes = REGION_BYTES - offset;
    struct weft_work work = {
        .memory = world->memory + offset,
        .lkey = world->region.lkey ^ (choice >> 7),
        .len_bytes = len_bytes,
        .operation = (enum weft_operation)((choice & 7) % WEFT_OPERATION_RECEIVE),
        .immediate = offset,
        .remote_address = offset,
        .unsignaled = (choice & 0x40) != 0,
    };
    if (step == STEP_POST_RECEIVE) {
        struct weft_roce_qp *connected = (choice & 8) ? world->uc : world->rc;
        world->posted += weft_roce_post_receive((choice & 4) ? world->ud : connected, &work, 1);
        return;
    }
    if (work.operation >= WEFT_OPERATION_COMPARE_SWAP)
        work.len_bytes = 8;
    if ((choice & 8) && work.operation < WEFT_OPERATION_READ)
        world->sends += weft_roce_post_send(world->uc, &work, 1);
    else
        world->sends += weft_roce_post_send(world->rc, &work, 1);
}

static void step_transmit(struct world *world, struct input *input)
{
    static uint8_t buffers[16][WEFT_ROCE_OVERHEAD_MAX + 256];
    struct weft_roce_frame frames[16];
    uint32_t count = take(input) & 15;
    world->now_ns += (uint64_t)1 << (take(input) & 31);
    for (uint32_t i = 0; i < count; i++)
        frames[i] = (struct weft_roce_frame){buffers[i], sizeof(buffers[i]), 0};
    uint32_t filled = weft_roce_transmit(world->port, frames, count, world->now_ns);
    assert(filled <= count);
    for (uint32_t i = 0; i < filled; i++)
        assert(frames[i].len_bytes >= 58 && frames[i].len_bytes <= frames[i].capacity_bytes);
}

static void step_region(struct world *world)
{
    weft_roce_region_deregister(world->port, &world->region);
    enum weft_status status =
        weft_roce_region_register(world->port, world->memory, REGION_BYTES, &world->region, NULL);
    assert(status == WEFT_OK);
}

static void poll(struct world *world)
{
    struct weft_completion completion;
    while (weft_roce_cq_poll(world->cq, &completion, 1)) {
        if (completion.operation == WEFT_OPERATION_RECEIVE)
            world->completed++;
        else
            world->sent++;
        assert(world->completed <= world->posted && world->sent <= world->sends);
    }
}

static void check(const struct world *world)
{
    const struct weft_requester *requester = &world->rc->requester;
    assert(requester->cursor - requester->completed <= DEPTH);
    assert(requester->posted - requester->cursor <= DEPTH);
    assert(requester->acked_sequence <= requester->next_sequence);
    assert(requester->next_sequence <= requester->sent_sequence);
    assert(requester->sent_sequence <= requester->posted_sequence);
    assert(requester->reads <= requester->reads_max && requester->reads <= requester->unanswered);
    assert(requester->read_span <= requester->next_sequence - requester->acked_sequence);
    assert(world->rc->responding <= READ_DEPTH);
}

static void run_step(struct world *world, struct input *input)
{
    uint8_t frame[FRAME_BYTES];
    enum step step = (enum step)(take(input) % STEP_COUNT);
    switch (step) {
    case STEP_RAW:
        give(world, frame, take_some(input, frame, sizeof(frame)));
        break;
    case STEP_REQUEST:
    case STEP_WRITE:
    case STEP_ACKNOWLEDGE:
    case STEP_DATAGRAM:
    case STEP_ATOMIC:
    case STEP_RESPONSE:
    case STEP_UNRELIABLE:
        step_packet(world, input, step);
        break;
    case STEP_ARP:
        if (world->ipv6)
            step_discovery(world, input);
        else
            step_arp(world, input);
        break;
    case STEP_POST_SEND:
    case STEP_POST_RECEIVE:
        step_post(world, input, step);
        break;
    case STEP_REGION:
        step_region(world);
        break;
    case STEP_TRANSMIT:
    case STEP_COUNT:
        step_transmit(world, input);
        break;
    }
}

static struct weft_roce_qp *make_qp(struct world *world, enum weft_transport transport)
{
    struct weft_roce_qp *qp = NULL;
    struct weft_roce_qp_options options = {.transport = transport,
                                           .cq = world->cq,
                                           .send_depth = DEPTH,
                                           .receive_depth = DEPTH,
                                           .read_depth = READ_DEPTH};
    enum weft_status status = weft_roce_qp_create(world->port, &options, &qp, NULL);
    assert(status == WEFT_OK);
    return qp;
}

/* The kinds of world, by bits of the script's first byte. */
enum kind {
    KIND_KNOWN = 1, /* the neighbour is known from the start */
    KIND_IPV6 = 2,
    KIND_VLAN = 4,
    KIND_CONTROLLED = 8, /* paced, and DCQCN on */
};

static void make_world(struct world *world, uint8_t kind)
{
    struct weft_roce_port_options options = {
        .mac = {2, 0, 0, 0, 0, 1},
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 1}},
        .mtu_bytes = 256,
        .max_qps = 3,
        .max_regions = 1,
        .window_packets = 8,
        .seed = 1,
    };
    *world = (struct world){
        .now_ns = 1000,
        .ipv6 = (kind & KIND_IPV6) != 0,
        .vlan = (kind & KIND_VLAN) != 0,
        .ip_bytes = (kind & KIND_IPV6) ? WEFT_IPV6_BYTES : WEFT_IPV4_BYTES,
    };
    if (world->ipv6) {
        options.address = (struct weft_ip){.version = 6, .prefix_bits = 64};
        memcpy(options.address.bytes, own_ipv6, 16);
    }
    options.vlan_id = world->vlan ? VLAN : WEFT_VLAN_NONE;
    if (kind & KIND_CONTROLLED) {
        options.rate_bps = 1000000000;
        options.congestion = (struct weft_congestion_options){.control = WEFT_CONGESTION_DCQCN,
                                                              .line_rate_bps = 2000000000};
    }
    enum weft_status status = weft_roce_port_create(&options, &world->port, NULL);
    assert(status == WEFT_OK);
    status = weft_roce_cq_create(world->port, 6 * DEPTH, &world->cq, NULL);
    assert(status == WEFT_OK);
    world->memory = calloc(1, REGION_BYTES);
    assert(world->memory);
    status =
        weft_roce_region_register(world->port, world->memory, REGION_BYTES, &world->region, NULL);
    assert(status == WEFT_OK);
    world->rc = make_qp(world, WEFT_TRANSPORT_RC);
    world->ud = make_qp(world, WEFT_TRANSPORT_UD);
    world->uc = make_qp(world, WEFT_TRANSPORT_UC);
    struct weft_endpoint_address peer = {
        .gid = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2},
        .qpn = 0x123456,
        .psn = 0xfffff0,
        .mtu_bytes = 256,
        .read_depth = 2,
    };
    if (world->ipv6)
        memcpy(peer.gid, peer_ipv6, 16);
    status = weft_roce_qp_connect(world->rc, &peer, NULL);
    assert(status == WEFT_OK);
    status = weft_roce_qp_connect(world->uc, &peer, NULL);
    assert(status == WEFT_OK);
}

static void end_world(struct world *world)
{
    weft_roce_qp_destroy(world->port, world->rc);
    weft_roce_qp_destroy(world->port, world->ud);
    weft_roce_qp_destroy(world->port, world->uc);
    weft_roce_cq_destroy(world->port, world->cq);
    weft_roce_region_deregister(world->port, &world->region);
    weft_roce_port_destroy(world->port);
    free(world->memory);
}

/* Its answer to a question that is not there. */
static void make_known(struct world *world)
{
    static const uint8_t arp[] = {1, 18, 2, 0, 0, 0, 0, 2,  10, 0, 0,
                                  2, 2,  0, 0, 0, 0, 1, 10, 0,  0, 1};
    static const uint8_t discovery[] = {1, 0x60, 4, 2, 1, 2, 0, 0, 0, 0, 2};
    struct input answer = {arp, sizeof(arp)};
    if (world->ipv6) {
        answer = (struct input){discovery, sizeof(discovery)};
        step_discovery(world, &answer);
    } else {
        step_arp(world, &answer);
    }
    assert(weft_roce_qp_state(world->rc, NULL) == WEFT_ENDPOINT_READY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
    struct world world;
    struct input input = {data, len_bytes};
    uint8_t kind = take(&input);
    make_world(&world, kind);
    if (kind & KIND_KNOWN)
        make_known(&world);
    for (uint32_t i = 0; i < STEPS_MAX && input.left; i++) {
        run_step(&world, &input);
        poll(&world);
        check(&world);
    }
    struct weft_error error = {0};
    if (weft_roce_qp_state(world.rc, &error) == WEFT_ENDPOINT_FAILED)
        assert(error.text[0]);
    end_world(&world);
    return 0;
}
