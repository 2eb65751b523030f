/* SPDX-License-Identifier: BSD-3-Clause */
/* The injector between two ports. What it says that it did is compared with the frames themselves:
 * side 0's, as they come out of it. */
#include <criterion/criterion.h>
#include <math.h>

#include "drivers/roce/fault.h"
#include "drivers/roce/packet/icrc.h"
#include "tests/unit/roce/net.h"

enum {
    BURST = 16,
    BYTES = 700,
    MTU = 256,
    PACKETS = 3, /* of a message */
    /* After every frame that is held back has gone. */
    ACK_TIMEOUT_NS = 2 * (int)WEFT_FAULT_REORDER_NS
};

/* The injector at side 0 of a net whose own wire is not used: frames are handed over at once. */
struct rig {
    struct net net;
    struct weft_fault *fault;
    uint8_t buffers[BURST][WEFT_ROCE_FRAME_MAX];
    struct weft_roce_frame frames[BURST];
    uint32_t count;    /* came out in the last round */
    uint64_t came_out; /* in all */
};

static struct rig rig;

static const struct network {
    bool ipv6;
    uint16_t vlan_id;
} networks[] = {{false, 0}, {true, 0}, {false, 100}, {true, 100}};
#define NETWORKS (sizeof(networks) / sizeof(networks[0]))

static void rig_init_on(const struct network *network, const struct weft_fault_options *options)
{
    struct weft_error error = {0};
    rig = (struct rig){0};
    net_init(&rig.net, &(struct net_options){.seed = 1,
                                             .mtu_bytes = MTU,
                                             .ack_timeout_ns = ACK_TIMEOUT_NS,
                                             .ipv6 = network->ipv6,
                                             .vlan_id = network->vlan_id});
    net_connect(&rig.net);
    cr_assert_eq(weft_fault_create(options, WEFT_ROCE_OVERHEAD_MAX + MTU, &rig.fault, &error),
                 WEFT_OK);
    for (uint32_t i = 0; i < BURST; i++)
        rig.frames[i] = (struct weft_roce_frame){rig.buffers[i], WEFT_ROCE_FRAME_MAX, 0};
}

static void rig_init(const struct weft_fault_options *options)
{
    rig_init_on(&networks[0], options);
}

static void rig_fini(void)
{
    weft_fault_destroy(rig.fault);
    net_fini(&rig.net);
}

static const struct weft_device_counters *injected(void)
{
    return weft_fault_counters(rig.fault);
}

static const struct weft_device_counters *of_port(uint32_t side)
{
    return weft_roce_port_counters(rig.net.sides[side].port);
}

/* Takes what side 0 sends, faults and all, without giving it to anyone. */
static void take(uint32_t room)
{
    rig.count =
        weft_fault_transmit(rig.fault, rig.net.sides[0].port, rig.frames, room, rig.net.now_ns);
    cr_assert_leq(rig.count, room);
    rig.came_out += rig.count;
}

static void deliver(void)
{
    for (uint32_t i = 0; i < rig.count; i++)
        weft_roce_receive(rig.net.sides[1].port, rig.frames[i].data, rig.frames[i].len_bytes,
                          rig.net.now_ns);
}

/* Side 1 answers, without faults. */
static void answer(void)
{
    static uint8_t buffers[BURST][WEFT_ROCE_FRAME_MAX];
    struct weft_roce_frame frames[BURST];
    for (uint32_t i = 0; i < BURST; i++)
        frames[i] = (struct weft_roce_frame){buffers[i], WEFT_ROCE_FRAME_MAX, 0};
    uint32_t count = weft_roce_transmit(rig.net.sides[1].port, frames, BURST, rig.net.now_ns);
    for (uint32_t i = 0; i < count; i++)
        weft_roce_receive(rig.net.sides[0].port, frames[i].data, frames[i].len_bytes,
                          rig.net.now_ns);
}

/* Messages of 3 packets, one after the other, each until it is complete. */
static void send_messages(uint32_t count)
{
    struct weft_completion completion;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_work work = net_work(&rig.net, 0, WEFT_OPERATION_WRITE, 0, BYTES);
        work.id = i;
        net_fill(rig.net.sides[0].memory, BYTES, i);
        net_send(&rig.net, 0, &work);
        while (!weft_roce_cq_poll(rig.net.sides[0].cq, &completion, 1)) {
            take(1 + i % BURST);
            deliver();
            answer();
            rig.net.now_ns += 1000;
        }
        cr_assert_eq(completion.status, WEFT_OK);
        cr_assert_eq(completion.id, i);
        cr_assert(net_filled(rig.net.sides[1].memory, BYTES, i), "message %u arrived wrong", i);
    }
}

/* Until nothing is held back: within what a fault's own times allow. */
static void drain(void)
{
    uint64_t end_ns = rig.net.now_ns + 2 * WEFT_FAULT_REORDER_NS;
    while (weft_fault_held(rig.fault)) {
        cr_assert_lt(rig.net.now_ns, end_ns, "%u frames are held for ever",
                     weft_fault_held(rig.fault));
        take(BURST);
        deliver();
        rig.net.now_ns += 10000;
    }
}

static void check_conserved(uint64_t sent_before)
{
    uint64_t went_in = of_port(0)->sent_packets - sent_before;
    cr_assert_eq(went_in, rig.came_out + injected()->injected_dropped -
                              injected()->injected_duplicated + weft_fault_held(rig.fault));
}

static void survive_all(const struct network *network)
{
    rig_init_on(network, &(struct weft_fault_options){.drop = 0.02,
                                                      .corrupt = 0.02,
                                                      .duplicate = 0.02,
                                                      .reorder = 0.02,
                                                      .delay = 0.02,
                                                      .mark = 0.02,
                                                      .delay_ns = 20000,
                                                      .reorder_frames = 2,
                                                      .seed = 5});
    uint64_t sent_before = of_port(0)->sent_packets;
    uint64_t received_before = of_port(1)->received_packets;
    send_messages(3000);
    check_conserved(sent_before);
    drain();
    check_conserved(sent_before);
    cr_assert_eq(of_port(1)->received_packets - received_before, rig.came_out);
    const struct weft_device_counters *peer = of_port(1);
    cr_assert_eq(peer->icrc_errors + peer->malformed_packets + peer->unexpected_packets,
                 injected()->injected_corrupted, "what is corrupted is found, and nothing else");
    cr_assert_gt(of_port(0)->retransmitted_packets, 0);
    /* 9000 packets and more: the mean is 180, its deviation 13. */
    const uint64_t counts[] = {injected()->injected_dropped,    injected()->injected_corrupted,
                               injected()->injected_duplicated, injected()->injected_reordered,
                               injected()->injected_delayed,    injected()->injected_marked};
    double mean = 0.02 * (double)(of_port(0)->sent_packets - sent_before);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert(fabs((double)counts[i] - mean) < 5 * sqrt(mean), "fault %u: %lu where %g are due",
                  i, counts[i], mean);
    rig_fini();
}

Test(fault, data_arrive_whole_through_all_of_them_and_no_frame_goes_missing)
{
    for (uint32_t i = 0; i < NETWORKS; i++)
        survive_all(&networks[i]);
}

/* Posts one message and takes its 3 packets as they come out. */
static void one_message(void)
{
    struct weft_work work = net_work(&rig.net, 0, WEFT_OPERATION_WRITE, 0, BYTES);
    net_send(&rig.net, 0, &work);
    take(BURST);
}

static uint32_t psn_of(uint32_t frame)
{
    return weft_wire_get24(rig.frames[frame].data + 14 + 20 + 8 + 8);
}

static uint8_t *ip_of(const struct weft_roce_frame *frame)
{
    return frame->data + (rig.net.options.vlan_id ? 18 : 14);
}

static bool icrc_good(const struct weft_roce_frame *frame)
{
    const uint8_t *ip = ip_of(frame);
    uint32_t len_bytes = (uint32_t)(frame->data + frame->len_bytes - ip) - WEFT_ICRC_BYTES;
    uint32_t wire;
    memcpy(&wire, ip + len_bytes, sizeof(wire));
    return le32toh(wire) == weft_icrc_packet(ip, rig.net.options.ipv6 ? 40 : 20, len_bytes);
}

/* IPv6 has none. */
static bool checksum_good(const uint8_t *ip)
{
    uint32_t sum = 0;
    if (rig.net.options.ipv6)
        return true;
    for (uint32_t at = 0; at < 20; at += 2)
        sum += weft_wire_get16(ip + at);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

Test(fault, drops_all_when_told_to)
{
    rig_init(&(struct weft_fault_options){.drop = 1});
    one_message();
    cr_assert_eq(rig.count, 0);
    cr_assert_eq(injected()->injected_dropped, PACKETS);
    cr_assert_eq(weft_fault_held(rig.fault), 0);
    rig_fini();
}

Test(fault, duplicates_come_right_behind)
{
    rig_init(&(struct weft_fault_options){.duplicate = 1});
    one_message();
    cr_assert_eq(rig.count, 2 * PACKETS);
    for (uint32_t i = 0; i < PACKETS; i++) {
        const struct weft_roce_frame *pair = &rig.frames[2 * i];
        cr_assert_eq(pair[0].len_bytes, pair[1].len_bytes);
        cr_assert_eq(memcmp(pair[0].data, pair[1].data, pair[0].len_bytes), 0);
    }
    cr_assert_eq(injected()->injected_duplicated, PACKETS);
    rig_fini();
}

/* No frame is lost where the caller has room for fewer than there are. */
Test(fault, little_room_only_takes_longer)
{
    rig_init(&(struct weft_fault_options){.duplicate = 1});
    struct weft_work work = net_work(&rig.net, 0, WEFT_OPERATION_WRITE, 0, BYTES);
    net_send(&rig.net, 0, &work);
    for (uint32_t i = 0; i < 2 * PACKETS; i++) {
        take(0);
        cr_assert_eq(rig.count, 0);
        take(1);
        cr_assert_eq(rig.count, 1);
        cr_assert_eq(psn_of(0), (rig.net.sides[0].qp->initial_psn + i / 2) & 0xffffff);
    }
    take(BURST);
    cr_assert_eq(rig.count, 0);
    rig_fini();
}

Test(fault, delayed_frames_come_when_they_are_due)
{
    rig_init(&(struct weft_fault_options){.delay = 1, .delay_ns = 5000});
    one_message();
    cr_assert_eq(rig.count, 0);
    cr_assert_eq(weft_fault_held(rig.fault), PACKETS);
    rig.net.now_ns += 4999;
    take(BURST);
    cr_assert_eq(rig.count, 0);
    rig.net.now_ns += 1;
    take(BURST);
    cr_assert_eq(rig.count, PACKETS);
    cr_assert_eq(psn_of(0), rig.net.sides[0].qp->initial_psn);
    cr_assert_eq(injected()->injected_delayed, PACKETS);
    rig_fini();
}

/* With every frame put behind the next two, none overtakes: the bound of time lets them go. */
Test(fault, reordered_frames_go_though_none_overtakes)
{
    rig_init(&(struct weft_fault_options){.reorder = 1, .reorder_frames = 2});
    one_message();
    cr_assert_eq(rig.count, 0);
    rig.net.now_ns += WEFT_FAULT_REORDER_NS;
    take(BURST);
    cr_assert_eq(rig.count, PACKETS);
    cr_assert_eq(injected()->injected_reordered, PACKETS);
    rig_fini();
}

/* Finds a seed by which the first of 3 frames is held and the others are not. */
Test(fault, a_reordered_frame_is_overtaken_by_as_many_as_asked_for)
{
    uint64_t seed = 0;
    do {
        rig_init(&(struct weft_fault_options){.reorder = 0.3, .reorder_frames = 2, .seed = ++seed});
        one_message();
        if (injected()->injected_reordered == 1 && psn_of(0) != rig.net.sides[0].qp->initial_psn)
            break;
        rig_fini();
    } while (seed < 100);
    uint32_t first = rig.net.sides[0].qp->initial_psn;
    cr_assert_eq(rig.count, PACKETS);
    cr_assert_eq(psn_of(0), (first + 1) & 0xffffff);
    cr_assert_eq(psn_of(1), (first + 2) & 0xffffff);
    cr_assert_eq(psn_of(2), first);
    rig_fini();
}

static void mark_all(const struct network *network)
{
    rig_init_on(network, &(struct weft_fault_options){.mark = 1});
    one_message();
    cr_assert_eq(rig.count, PACKETS);
    for (uint32_t i = 0; i < PACKETS; i++) {
        const uint8_t *ip = ip_of(&rig.frames[i]);
        uint32_t traffic_class = network->ipv6 ? weft_wire_get32(ip) >> 20 & 0xff : ip[1];
        cr_assert_eq(traffic_class, 3);
        cr_assert(checksum_good(ip));
        cr_assert(icrc_good(&rig.frames[i]));
    }
    deliver();
    cr_assert_eq(rig.net.sides[1].qp->counters.received_payload_bytes, BYTES);
    cr_assert_eq(of_port(1)->congestion_marked_packets, PACKETS);
    cr_assert_eq(injected()->injected_marked, PACKETS);
    rig_fini();
}

Test(fault, marks_congestion_and_nothing_else)
{
    for (uint32_t i = 0; i < NETWORKS; i++)
        mark_all(&networks[i]);
}

/* The checks of the frame alone, not those of a receiver: every turned bit breaks one. */
static void corrupt_all(const struct network *network)
{
    rig_init_on(network, &(struct weft_fault_options){.corrupt = 1, .seed = 7});
    static uint8_t sent[PACKETS][WEFT_ROCE_FRAME_MAX];
    struct weft_roce_frame clean[PACKETS];
    for (uint32_t i = 0; i < PACKETS; i++)
        clean[i] = (struct weft_roce_frame){sent[i], WEFT_ROCE_FRAME_MAX, 0};
    struct weft_work work = net_work(&rig.net, 0, WEFT_OPERATION_WRITE, 0, BYTES);
    net_send(&rig.net, 0, &work);
    cr_assert_eq(weft_roce_transmit(rig.net.sides[0].port, clean, PACKETS, rig.net.now_ns),
                 PACKETS);
    for (uint32_t round = 0; round < 3000; round++) {
        rig.net.now_ns += 2 * ACK_TIMEOUT_NS; /* not acknowledged: sent again */
        rig.net.sides[0].qp->requester.retries = 0;
        take(BURST);
        cr_assert_eq(rig.count, PACKETS);
        for (uint32_t i = 0; i < PACKETS; i++) {
            const struct weft_roce_frame *frame = &rig.frames[i];
            uint32_t bits = 0;
            for (uint32_t at = 0; at < frame->len_bytes; at++)
                bits += (uint32_t)__builtin_popcount(frame->data[at] ^ clean[i].data[at]);
            cr_assert_eq(frame->len_bytes, clean[i].len_bytes);
            cr_assert_eq(bits, 1);
            cr_assert(!icrc_good(frame) || !checksum_good(ip_of(frame)));
        }
    }
    cr_assert_eq(injected()->injected_corrupted, 3000 * PACKETS);
    rig_fini();
}

Test(fault, a_corrupted_frame_is_one_bit_off_and_a_check_finds_it)
{
    for (uint32_t i = 0; i < NETWORKS; i++)
        corrupt_all(&networks[i]);
}

Test(fault, arp_is_left_alone)
{
    struct weft_error error = {0};
    net_init(&rig.net, &(struct net_options){.seed = 1});
    cr_assert_eq(weft_fault_create(&(struct weft_fault_options){.drop = 1}, WEFT_ROCE_FRAME_MAX,
                                   &rig.fault, &error),
                 WEFT_OK);
    for (uint32_t i = 0; i < BURST; i++)
        rig.frames[i] = (struct weft_roce_frame){rig.buffers[i], WEFT_ROCE_FRAME_MAX, 0};
    cr_assert_eq(weft_roce_qp_connect(rig.net.sides[0].qp, &rig.net.sides[1].address, &error),
                 WEFT_OK);
    take(BURST);
    cr_assert_eq(rig.count, 1);
    cr_assert_eq(weft_wire_get16(rig.frames[0].data + 12), WEFT_ETHERTYPE_ARP);
    cr_assert_eq(injected()->injected_dropped, 0);
    rig_fini();
}

/* What finds no room among the frames held back goes as it is. */
Test(fault, more_than_can_be_held_goes_on)
{
    rig_init(&(struct weft_fault_options){.delay = 1, .delay_ns = UINT64_C(1) << 40});
    uint32_t rounds = 0;
    do {
        if (rounds % 40 == 0)
            one_message();
        rig.net.sides[0].qp->requester.retries = 0;
        rig.net.now_ns += 2 * ACK_TIMEOUT_NS;
        take(BURST);
    } while (!rig.came_out && ++rounds < 100000);
    cr_assert_eq(weft_fault_held(rig.fault), WEFT_FAULT_HELD_MAX);
    cr_assert_eq(injected()->injected_delayed, WEFT_FAULT_HELD_MAX);
    rig_fini();
}

static uint64_t fates(uint64_t seed)
{
    rig_init(&(struct weft_fault_options){.drop = 0.1, .corrupt = 0.1, .seed = seed});
    send_messages(50);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rig.count; i++)
        for (uint32_t at = 0; at < rig.frames[i].len_bytes; at++)
            sum = sum * 31 + rig.frames[i].data[at];
    sum += injected()->injected_dropped * 1000 + injected()->injected_corrupted;
    rig_fini();
    return sum;
}

Test(fault, the_seed_decides)
{
    uint64_t once = fates(3);
    cr_assert_eq(fates(3), once);
    cr_assert_neq(fates(4), once);
}
