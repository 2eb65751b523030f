/* SPDX-License-Identifier: BSD-3-Clause */
/* Pacing and congestion control through a port: queue pairs side by side at their rates, CE marks,
 * the CNPs that answer them, and the rate that falls and recovers. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "drivers/roce/packet/icrc.h"
#include "tests/unit/roce/net.h"

#define FLOWS_MAX 4u
#define MESSAGE_BYTES 16384u
#define MS UINT64_C(1000000)
/* IPv4 */
#define IP(frame) ((frame) + WEFT_ETHERNET_BYTES)
#define BTH(frame) (IP(frame) + WEFT_IPV4_BYTES + WEFT_UDP_BYTES)

/* What went over the wire, by flow: the first of the net's queue pairs is flow 0. */
struct watch {
    struct weft_roce_qp *qps[FLOWS_MAX][2];
    uint32_t flows;
    uint64_t bytes[FLOWS_MAX];
    uint64_t last_ns[FLOWS_MAX];
    uint64_t gap_least_ns[FLOWS_MAX];
    uint64_t gap_most_ns[FLOWS_MAX];
    uint64_t steps;
    uint64_t frames;
    /* CNPs from side 1 */
    uint64_t cnps;
    uint64_t cnp_last_ns;
    uint64_t cnp_gap_least_ns;
    uint8_t cnp[128];
    uint32_t cnp_bytes;
    bool mark; /* data from side 0 */
    bool mark_acks;
    uint64_t not_capable; /* data or acknowledgements without ECT(0) */
};

static void mark(uint8_t *ip)
{
    ip[1] |= 3;
    uint32_t sum = 0;
    weft_wire_put16(ip + 10, 0);
    for (uint32_t i = 0; i < WEFT_IPV4_BYTES; i += 2)
        sum += weft_wire_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_wire_put16(ip + 10, (uint16_t)~sum);
}

static void watch_flow(struct watch *watch, uint32_t flow, uint32_t len_bytes, uint64_t now_ns)
{
    uint64_t gap_ns = now_ns - watch->last_ns[flow];
    if (watch->last_ns[flow] && gap_ns < watch->gap_least_ns[flow])
        watch->gap_least_ns[flow] = gap_ns;
    if (watch->last_ns[flow] && gap_ns > watch->gap_most_ns[flow])
        watch->gap_most_ns[flow] = gap_ns;
    watch->last_ns[flow] = now_ns;
    watch->bytes[flow] += len_bytes;
}

static void watch_cnp(struct watch *watch, const uint8_t *frame, uint32_t len_bytes,
                      uint64_t now_ns)
{
    cr_assert_leq(len_bytes, sizeof(watch->cnp));
    memcpy(watch->cnp, frame, len_bytes);
    watch->cnp_bytes = len_bytes;
    if (watch->cnps && now_ns - watch->cnp_last_ns < watch->cnp_gap_least_ns)
        watch->cnp_gap_least_ns = now_ns - watch->cnp_last_ns;
    watch->cnps++;
    watch->cnp_last_ns = now_ns;
}

static bool tap(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct watch *watch = net->tap_context;
    if (weft_wire_get16(frame + 12) != WEFT_ETHERTYPE_IPV4)
        return true;
    uint8_t *bth = BTH(frame);
    watch->frames++;
    if (bth[0] == WEFT_OPCODE_CNP) {
        cr_assert_eq(from, 1);
        watch_cnp(watch, frame, len_bytes, net->now_ns);
        return true;
    }
    watch->not_capable += (IP(frame)[1] & 3) != 2;
    if (from == 1) {
        if (watch->mark_acks)
            mark(IP(frame));
        return true;
    }
    for (uint32_t i = 0; i < watch->flows; i++)
        if (weft_wire_get24(bth + 4) == watch->qps[i][1]->qpn)
            watch_flow(watch, i, len_bytes, net->now_ns);
    if (watch->mark)
        mark(IP(frame));
    return true;
}

/* More queue pairs beside the net's own, connected. */
static void open_flows(struct net *net, struct watch *watch, uint32_t flows)
{
    net_connect(net);
    *watch = (struct watch){.flows = flows, .cnp_gap_least_ns = UINT64_MAX};
    watch->qps[0][0] = net->sides[0].qp;
    watch->qps[0][1] = net->sides[1].qp;
    for (uint32_t i = 0; i < flows; i++) {
        watch->gap_least_ns[i] = UINT64_MAX;
        struct weft_endpoint_address addresses[2];
        for (uint32_t side = 0; i && side < 2; side++) {
            struct weft_roce_qp_options options = {.transport = WEFT_TRANSPORT_RC,
                                                   .cq = net->sides[side].cq,
                                                   .send_depth = 8,
                                                   .receive_depth = 8};
            cr_assert_eq(
                weft_roce_qp_create(net->sides[side].port, &options, &watch->qps[i][side], NULL),
                WEFT_OK);
            weft_roce_qp_address(watch->qps[i][side], &addresses[side]);
        }
        for (uint32_t side = 0; i && side < 2; side++)
            cr_assert_eq(weft_roce_qp_connect(watch->qps[i][side], &addresses[1 - side], NULL),
                         WEFT_OK);
    }
    net->tap = tap;
    net->tap_context = watch;
}

static void close_flows(struct net *net, struct watch *watch)
{
    for (uint32_t i = 1; i < watch->flows; i++)
        for (uint32_t side = 0; side < 2; side++)
            weft_roce_qp_destroy(net->sides[side].port, watch->qps[i][side]);
    net_fini(net);
}

/* Keeps every flow supplied with WRITEs, as often as one completes. */
static void run_flows(struct net *net, struct watch *watch, uint64_t until_ns)
{
    struct weft_work work = net_work(net, 0, WEFT_OPERATION_WRITE, 0, MESSAGE_BYTES);
    struct weft_completion completions[8];
    while (net->now_ns < until_ns) {
        for (uint32_t i = 0; i < watch->flows; i++)
            while (watch->qps[i][0]->requester.outstanding < 8 &&
                   weft_roce_post_send(watch->qps[i][0], &work, 1))
                ;
        cr_assert(net_step(net));
        watch->steps++;
        while (weft_roce_cq_poll(net->sides[0].cq, completions, 8))
            ;
    }
}

static const struct weft_congestion_options dcqcn_10g = {
    .control = WEFT_CONGESTION_DCQCN,
    .line_rate_bps = 10000000000,
};

/* ---- pacing ---- */

/* 1082-byte frames at 1 Gb/s: one each 8656 ns in each of the flows, whatever the others do; and
 * what is asked of the port is in proportion to what it sends. */
Test(flow, rate__side_by_side)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 3, .rate_bps = 1000000000});
    open_flows(&net, &watch, FLOWS_MAX);
    uint64_t start_ns = net.now_ns;
    run_flows(&net, &watch, start_ns + 50 * MS);
    for (uint32_t i = 0; i < FLOWS_MAX; i++) {
        double rate_bps = (double)watch.bytes[i] * 8e9 / (double)(net.now_ns - start_ns);
        cr_assert_float_eq(rate_bps, 1e9, 1e6, "flow %u: %.6g", i, rate_bps);
        /* First packets of a WRITE are 16 bytes longer. */
        cr_assert_geq(watch.gap_least_ns[i], 8655);
        cr_assert_leq(watch.gap_most_ns[i], 8656 + 16 * 8 + 1);
    }
    cr_assert_lt(watch.steps, 4 * watch.frames);
    cr_assert_eq(weft_roce_qp_counters(watch.qps[0][0])->rate_bps, 0);
    close_flows(&net, &watch);
}

/* The event is the packet's own time, to the ns; not now, and not the timer wheel's tick. */
Test(flow, next_event__exact)
{
    struct net net;
    struct watch watch;
    net_init(&net,
             &(struct net_options){.seed = 4, .rate_bps = 10000000, .ack_timeout_ns = 1000 * MS});
    open_flows(&net, &watch, 1);
    /* The wheel forgets the neighbours' timers when their time comes. */
    net_run(&net, 100 * MS);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 4096);
    net_send(&net, 0, &work);
    uint64_t start_ns = net.now_ns;
    cr_assert_eq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns), net.now_ns);
    cr_assert(net_step(&net));
    cr_assert_eq(watch.frames, 1);
    cr_assert_eq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns),
                 start_ns + watch.bytes[0] * 800);
    while (watch.frames < 2)
        cr_assert(net_step(&net));
    cr_assert_eq(net.now_ns, start_ns + (watch.bytes[0] - 1082) * 800);
    close_flows(&net, &watch);
}

/* What had nothing to send for a while does not make up for it: its packets are as far apart as
 * ever.
 */
Test(flow, rate__after_a_rest)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 13, .rate_bps = 1000000000});
    open_flows(&net, &watch, 1);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, MESSAGE_BYTES);
    for (uint32_t i = 0; i < 3; i++) {
        net_send(&net, 0, &work);
        net_run(&net, net.now_ns + 100 * MS);
        net.now_ns += 10 * MS;
    }
    cr_assert_gt(watch.bytes[0], 3 * MESSAGE_BYTES);
    cr_assert_geq(watch.gap_least_ns[0], 8655);
    close_flows(&net, &watch);
}

/* So slow that packets are further apart than the acknowledgement timeout: nothing times out. */
Test(flow, rate__slower_than_timeout)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 12, .rate_bps = 10000000});
    open_flows(&net, &watch, 1);
    run_flows(&net, &watch, net.now_ns + 100 * MS);
    cr_assert_float_eq((double)watch.bytes[0] * 8e9 / 1e8, 1e7, 2e5);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    close_flows(&net, &watch);
}

/* Destroyed while they are parked, or failed. */
Test(flow, destroy__parked)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 5, .rate_bps = 1000000});
    open_flows(&net, &watch, FLOWS_MAX);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, MESSAGE_BYTES);
    for (uint32_t i = 0; i < FLOWS_MAX; i++)
        cr_assert_eq(weft_roce_post_send(watch.qps[i][0], &work, 1), 1);
    while (watch.frames < FLOWS_MAX)
        cr_assert(net_step(&net));
    cr_assert_eq(net.sides[0].port->flows.due.count, FLOWS_MAX);
    work.rkey ^= 0xffff;
    weft_roce_qp_destroy(net.sides[0].port, watch.qps[2][0]);
    cr_assert_eq(net.sides[0].port->flows.due.count, FLOWS_MAX - 1);
    weft_roce_qp_destroy(net.sides[1].port, watch.qps[2][1]);
    watch.qps[2][0] = watch.qps[3][0];
    watch.qps[2][1] = watch.qps[3][1];
    watch.flows = 3;
    net_run(&net, net.now_ns + 200 * MS);
    cr_assert(watch.bytes[2] > MESSAGE_BYTES);
    close_flows(&net, &watch);
}

Test(flow, rate__datagrams)
{
    struct net net;
    struct watch watch = {.gap_least_ns = {UINT64_MAX}};
    net_init(&net,
             &(struct net_options){
                 .seed = 6, .transport = WEFT_TRANSPORT_UD, .depth = 512, .rate_bps = 1000000000});
    watch.qps[0][1] = net.sides[1].qp;
    watch.flows = 1;
    struct weft_roce_destination *destination = NULL;
    cr_assert_eq(
        weft_roce_destination_create(net.sides[0].qp, &net.sides[1].address, &destination, NULL),
        WEFT_OK);
    while (weft_roce_destination_state(destination, NULL) != WEFT_ENDPOINT_READY)
        cr_assert(net_step(&net));
    net.tap = tap;
    net.tap_context = &watch;
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 1000);
    work.destination = (const struct weft_destination *)(void *)destination;
    for (uint32_t i = 0; i < 500; i++)
        net_send(&net, 0, &work);
    net_run(&net, net.now_ns + 100 * MS);
    /* 1000 and 66 bytes of headers, one each 8528 ns; datagrams are not ECN-capable. */
    cr_assert_eq(watch.bytes[0], 500 * 1066);
    cr_assert_geq(watch.gap_least_ns[0], 8528);
    cr_assert_leq(watch.gap_most_ns[0], 8529);
    cr_assert_eq(watch.not_capable, 500);
    weft_roce_destination_destroy(net.sides[0].qp, destination);
    net_fini(&net);
}

/* ---- congestion control ---- */

Test(flow, capable__all_of_a_connection)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 7, .congestion = dcqcn_10g});
    open_flows(&net, &watch, 1);
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_eq(watch.not_capable, 0);
    cr_assert_eq(watch.cnps, 0);
    cr_assert_eq(weft_roce_qp_counters(net.sides[0].qp)->rate_bps, 10000000000);
    cr_assert_eq(weft_roce_qp_counters(net.sides[0].qp)->least_rate_bps, 10000000000);
    double rate_bps = (double)watch.bytes[0] * 8e9 / (double)MS;
    cr_assert_float_eq(rate_bps, 1e10, 2e8, "%.4g", rate_bps);
    close_flows(&net, &watch);
    net_init(&net, &(struct net_options){.seed = 7});
    open_flows(&net, &watch, 1);
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_gt(watch.not_capable, 100);
    close_flows(&net, &watch);
}

/* BTH opcode 0x81 with BECN, PSN 0, sixteen zeros; DSCP 48 and not ECN-capable; to the sender's
 * queue pair, and 60 bytes of IP. */
static void check_cnp(const struct net *net, const struct watch *watch)
{
    static const uint8_t zeros[16] = {0};
    const uint8_t *ip = IP(watch->cnp);
    const uint8_t *bth = BTH(watch->cnp);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < WEFT_IPV4_BYTES; i += 2)
        sum += weft_wire_get16(ip + i);
    cr_assert_eq((sum & 0xffff) + (sum >> 16), 0xffff);
    cr_assert_eq(watch->cnp_bytes, WEFT_ETHERNET_BYTES + 60);
    cr_assert_eq(ip[1], 48 << 2);
    cr_assert_eq(weft_wire_get16(ip + 2), 60);
    cr_assert_eq(bth[0], 0x81);
    cr_assert_eq(bth[1], 0x40);
    cr_assert_eq(weft_wire_get16(bth + 2), 0xffff);
    cr_assert_eq(bth[4], 0x40);
    cr_assert_eq(weft_wire_get24(bth + 4), net->sides[0].qp->qpn);
    cr_assert_eq(weft_wire_get32(bth + 8), 0);
    cr_assert_eq(memcmp(bth + 12, zeros, 16), 0);
    uint32_t icrc = htole32(weft_icrc_packet(ip, WEFT_IPV4_BYTES, 56));
    cr_assert_eq(memcmp(ip + 56, &icrc, 4), 0);
}

/* Marks on everything for 2 ms: the rate falls by halves to the minimum, one CNP each 50 us. Then
 * none: it recovers to the line rate. */
Test(flow, marked__falls_and_recovers)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 8, .congestion = dcqcn_10g});
    open_flows(&net, &watch, 1);
    const struct weft_endpoint_counters *counters = weft_roce_qp_counters(net.sides[0].qp);
    run_flows(&net, &watch, net.now_ns + MS);
    watch.mark = true;
    run_flows(&net, &watch, net.now_ns + 120000);
    cr_assert_lt(counters->rate_bps, 3000000000);
    cr_assert_geq(counters->rate_bps, 1250000000);
    check_cnp(&net, &watch);
    run_flows(&net, &watch, net.now_ns + 2 * MS);
    cr_assert_eq(counters->least_rate_bps, 100000000);
    cr_assert_geq(watch.cnp_gap_least_ns, 50000);
    cr_assert_geq(watch.cnps, 20);
    cr_assert_leq(watch.cnps, 2120000 / 50000 + 1);
    const struct weft_device_counters *sender = weft_roce_port_counters(net.sides[0].port);
    const struct weft_device_counters *receiver = weft_roce_port_counters(net.sides[1].port);
    cr_assert_eq(receiver->cnps_sent, watch.cnps);
    cr_assert_geq(receiver->congestion_marked_packets, watch.cnps);
    cr_assert_eq(sender->congestion_marked_packets, 0);
    watch.mark = false;
    uint64_t bytes = watch.bytes[0];
    run_flows(&net, &watch, net.now_ns + 100000);
    cr_assert_lt(watch.bytes[0] - bytes, 100000 * 10 / 8 / 4);
    run_flows(&net, &watch, net.now_ns + 40 * MS);
    cr_assert_eq(counters->rate_bps, 10000000000);
    cr_assert_eq(counters->least_rate_bps, 100000000);
    cr_assert_eq(sender->cnps_received, watch.cnps);
    bytes = watch.bytes[0];
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_float_eq((double)(watch.bytes[0] - bytes) * 8e9 / (double)MS, 1e10, 2e8);
    cr_assert_eq(sender->retransmitted_packets, 0);
    close_flows(&net, &watch);
}

/* Of a READ the responder is the sender: it is paced, its packets are marked, and it slows down. */
Test(flow, read__responder_slows_down)
{
    struct net net;
    struct watch watch;
    net_init(&net,
             &(struct net_options){.seed = 14, .congestion = dcqcn_10g, .read_depth = {4, 4}});
    open_flows(&net, &watch, 1);
    const struct weft_endpoint_counters *asking = weft_roce_qp_counters(net.sides[1].qp);
    const struct weft_endpoint_counters *sending = weft_roce_qp_counters(net.sides[0].qp);
    struct weft_work work = net_work(&net, 1, WEFT_OPERATION_READ, 0, 65536);
    uint64_t start_ns = net.now_ns;
    net_send(&net, 1, &work);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_OK);
    uint64_t free_ns = net.now_ns - start_ns;
    watch.mark = true;
    for (uint32_t i = 0; i < 4; i++) {
        net_send(&net, 1, &work);
        cr_assert_eq(net_wait(&net, 1).status, WEFT_OK);
    }
    cr_assert_gt(watch.cnps, 1);
    cr_assert_lt(sending->rate_bps, 5000000001);
    cr_assert_eq(asking->least_rate_bps, 10000000000);
    start_ns = net.now_ns;
    net_send(&net, 1, &work);
    cr_assert_eq(net_wait(&net, 1).status, WEFT_OK);
    cr_assert_gt(net.now_ns - start_ns, 2 * free_ns);
    /* 64 packets of 1 KiB at 10 Gb/s, and the way there and back. */
    cr_assert_gt(free_ns, 54000);
    cr_assert_lt(free_ns, 60000);
    close_flows(&net, &watch);
}

/* UC: nothing is acknowledged, and yet CNPs come back. */
Test(flow, unacknowledged__slows_down)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){
                       .seed = 15, .congestion = dcqcn_10g, .transport = WEFT_TRANSPORT_UC});
    open_flows(&net, &watch, 1);
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_float_eq((double)watch.bytes[0] * 8e9 / (double)MS, 1e10, 2e8);
    cr_assert_eq(watch.not_capable, 0);
    watch.mark = true;
    run_flows(&net, &watch, net.now_ns + 120000);
    check_cnp(&net, &watch);
    cr_assert_lt(weft_roce_qp_counters(net.sides[0].qp)->rate_bps, 3000000000);
    cr_assert_geq(watch.cnp_gap_least_ns, 50000);
    close_flows(&net, &watch);
}

/* A mark on an acknowledgement is counted and draws no CNP; without control none is drawn. */
Test(flow, marked__draws_nothing)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 9, .congestion = dcqcn_10g});
    open_flows(&net, &watch, 1);
    watch.mark_acks = true;
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_gt(weft_roce_port_counters(net.sides[0].port)->congestion_marked_packets, 10);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->cnps_sent, 0);
    close_flows(&net, &watch);
    net_init(&net, &(struct net_options){.seed = 9});
    open_flows(&net, &watch, 1);
    watch.mark = true;
    run_flows(&net, &watch, net.now_ns + MS);
    cr_assert_gt(weft_roce_port_counters(net.sides[1].port)->congestion_marked_packets, 10);
    cr_assert_eq(watch.cnps, 0);
    close_flows(&net, &watch);
}

/* One that is slowed down does not hold up the other. */
Test(flow, notified__only_its_own)
{
    struct net net;
    struct watch watch;
    struct weft_congestion_options slow = dcqcn_10g;
    slow.increase_period_ns = 1000 * MS;
    slow.increase_bytes = UINT64_C(1) << 40;
    net_init(&net, &(struct net_options){.seed = 10, .congestion = slow});
    open_flows(&net, &watch, 2);
    run_flows(&net, &watch, net.now_ns + 100000);
    for (uint32_t i = 0; i < 10; i++) {
        uint8_t frame[WEFT_ETHERNET_BYTES + 60] = {0};
        watch.mark = true;
        while (watch.cnps == 0)
            run_flows(&net, &watch, net.now_ns + 1000);
        watch.mark = false;
        memcpy(frame, watch.cnp, sizeof(frame));
        weft_wire_put32(BTH(frame) + 4, watch.qps[1][0]->qpn);
        BTH(frame)[4] = 0x40;
        net_inject(&net, 0, frame, sizeof(frame), true);
        run_flows(&net, &watch, net.now_ns + 5000);
    }
    uint64_t before[2] = {watch.bytes[0], watch.bytes[1]};
    run_flows(&net, &watch, net.now_ns + 10 * MS);
    double first_bps = (double)(watch.bytes[0] - before[0]) * 8e9 / (double)(10 * MS);
    double second_bps = (double)(watch.bytes[1] - before[1]) * 8e9 / (double)(10 * MS);
    cr_assert_gt(first_bps, 1.2e9, "%.4g", first_bps);
    cr_assert_lt(second_bps, 1.1e8, "%.4g", second_bps);
    close_flows(&net, &watch);
}

/* Anything but the sixteen bytes is no CNP; what a stranger sends is for nobody. */
Test(flow, notified__malformed)
{
    struct net net;
    struct watch watch;
    net_init(&net, &(struct net_options){.seed = 11, .congestion = dcqcn_10g});
    open_flows(&net, &watch, 1);
    watch.mark = true;
    while (watch.cnps == 0)
        run_flows(&net, &watch, net.now_ns + 1000);
    watch.mark = false;
    run_flows(&net, &watch, net.now_ns + 10000);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->cnps_received, 1);
    uint8_t frame[WEFT_ETHERNET_BYTES + 60];
    memcpy(frame, watch.cnp, sizeof(frame));
    frame[sizeof(frame) - 1] ^= 1;
    net_inject(&net, 0, frame, sizeof(frame), false);
    cr_assert_eq(counters->icrc_errors, 1);
    memcpy(frame, watch.cnp, sizeof(frame));
    IP(frame)[15] ^= 4;
    IP(frame)[11] = (uint8_t)(IP(frame)[11] + (IP(frame)[15] & 4 ? -4 : 4));
    net_inject(&net, 0, frame, sizeof(frame), true);
    cr_assert_eq(counters->unexpected_packets + counters->malformed_packets, 1);
    memcpy(frame, watch.cnp, sizeof(frame));
    weft_wire_put16(IP(frame) + 2, 56);
    weft_wire_put16(IP(frame) + WEFT_IPV4_BYTES + 4, 36);
    mark(IP(frame));
    net_inject(&net, 0, frame, sizeof(frame) - 4, true);
    cr_assert_eq(counters->unexpected_packets + counters->malformed_packets, 2);
    cr_assert_eq(counters->cnps_received, 1);
    close_flows(&net, &watch);
}

Test(flow, options__refused)
{
    struct weft_roce_port_options options = {
        .mac = {2, 0, 0, 0, 0, 1},
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 1}},
        .mtu_bytes = 1024,
        .max_qps = 1,
        .congestion = {.control = WEFT_CONGESTION_DCQCN},
    };
    struct weft_roce_port *port = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_roce_port_create(&options, &port, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "line-rate: 100Gbps"), "%s", error.text);
    options.congestion.control = WEFT_CONGESTION_NONE;
    options.rate_bps = 99999;
    cr_assert_eq(weft_roce_port_create(&options, &port, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "at least 100kbps"), "%s", error.text);
    cr_assert_null(port);
}
