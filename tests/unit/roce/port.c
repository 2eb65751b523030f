/* SPDX-License-Identifier: BSD-3-Clause */
/* What the create functions take and refuse. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

static const struct weft_roce_port_options good = {
    .mac = {2, 0, 0, 0, 0, 1},
    .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 1}},
    .mtu_bytes = 1024,
    .max_qps = 3,
    .max_regions = 2,
    .seed = 1,
};

static void check_refused(const struct weft_roce_port_options *options, enum weft_status status,
                          const char *words)
{
    struct weft_roce_port *port = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_roce_port_create(options, &port, &error), status, "%s", words);
    cr_assert_null(port);
    cr_assert(strstr(error.text, words), "%s", error.text);
}

Test(port, options)
{
    struct weft_roce_port_options options = good;
    options.mtu_bytes = 1500;
    check_refused(&options, WEFT_INVALID, "path MTU of 1500");
    options = good;
    options.mac[0] = 1;
    check_refused(&options, WEFT_INVALID, "MAC");
    options = good;
    options.address.version = 0;
    check_refused(&options, WEFT_INVALID, "IP address");
    options = good;
    options.address.bytes[0] = 127;
    check_refused(&options, WEFT_INVALID, "IP address");
    options = good;
    options.gateway = (struct weft_ip){.version = 4, .bytes = {10, 0, 1, 1}};
    check_refused(&options, WEFT_INVALID, "10.0.1.1");
    options = good;
    options.max_qps = 0;
    check_refused(&options, WEFT_INVALID, "endpoints");
}

Test(port, limits_of_tables)
{
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_roce_qp *qps[4];
    struct weft_region regions[3];
    struct weft_error error = {0};
    uint8_t memory[16];
    cr_assert_eq(weft_roce_port_create(&good, &port, &error), WEFT_OK);
    cr_assert_eq(weft_roce_cq_create(port, 0, &cq, &error), WEFT_INVALID);
    cr_assert_eq(weft_roce_cq_create(port, 100, &cq, &error), WEFT_OK);
    struct weft_roce_qp_options options = {.cq = cq, .send_depth = 10, .receive_depth = 6};
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(weft_roce_qp_create(port, &options, &qps[i], &error), WEFT_OK);
    cr_assert_eq(weft_roce_qp_create(port, &options, &qps[3], &error), WEFT_NO_MEMORY);
    cr_assert(strstr(error.text, "max_endpoints"), "%s", error.text);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert_eq(weft_roce_region_register(port, memory, 16, &regions[i], &error), WEFT_OK);
    cr_assert_neq(regions[0].rkey, regions[1].rkey);
    cr_assert_eq(weft_roce_region_register(port, memory, 16, &regions[2], &error), WEFT_NO_MEMORY);
    weft_roce_region_deregister(port, &regions[0]);
    cr_assert_eq(weft_roce_region_register(port, memory, 16, &regions[0], &error), WEFT_OK);
    weft_roce_qp_destroy(port, qps[2]);
    options.send_depth = 80;
    cr_assert_eq(weft_roce_qp_create(port, &options, &qps[2], &error), WEFT_INVALID);
    cr_assert(strstr(error.text, "completion queue"), "%s", error.text);
    for (uint32_t i = 0; i < 2; i++) {
        weft_roce_qp_destroy(port, qps[i]);
        weft_roce_region_deregister(port, &regions[i]);
    }
    weft_roce_cq_destroy(port, cq);
    weft_roce_port_destroy(port);
}

/* A slot's next number is another, and numbers are never those of management or multicast. */
Test(port, numbers)
{
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_error error = {0};
    cr_assert_eq(weft_roce_port_create(&good, &port, &error), WEFT_OK);
    cr_assert_eq(weft_roce_cq_create(port, 16, &cq, &error), WEFT_OK);
    struct weft_roce_qp_options options = {.cq = cq, .send_depth = 10, .receive_depth = 6};
    uint32_t last = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct weft_roce_qp *qp;
        struct weft_endpoint_address address;
        cr_assert_eq(weft_roce_qp_create(port, &options, &qp, &error), WEFT_OK);
        weft_roce_qp_address(qp, &address);
        cr_assert_gt(address.qpn, 1);
        cr_assert_lt(address.qpn, 0xffffff);
        cr_assert_neq(address.qpn, last);
        cr_assert_leq(address.psn, 0xffffff);
        last = address.qpn;
        weft_roce_qp_destroy(port, qp);
    }
    weft_roce_cq_destroy(port, cq);
    weft_roce_port_destroy(port);
}

/* The smaller path MTU of the two counts. */
Test(port, path_mtu_is_the_smaller)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1, .mtu_bytes = 4096});
    net.sides[0].address.mtu_bytes = 512;
    net.sides[1].address.mtu_bytes = 512;
    net_connect(&net);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 4096);
    net_fill(work.memory, 4096, 1);
    uint64_t before = weft_roce_port_counters(net.sides[0].port)->sent_packets;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->sent_packets, before + 8);
    cr_assert(net_filled(net.sides[1].memory, 4096, 1));
    net_fini(&net);
}

/* With nothing to do it says so, and a transmit does nothing. */
Test(port, idle)
{
    struct net net;
    net_init(&net, &(struct net_options){.seed = 1});
    cr_assert_eq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns), UINT64_MAX);
    net_connect(&net);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 4096);
    net_send(&net, 0, &work);
    cr_assert_leq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns), net.now_ns);
    (void)net_wait(&net, 0);
    net_run(&net, UINT64_MAX);
    cr_assert_eq(weft_roce_next_event_ns(net.sides[0].port, net.now_ns), UINT64_MAX);
    cr_assert_eq(weft_roce_next_event_ns(net.sides[1].port, net.now_ns), UINT64_MAX);
    net_fini(&net);
}

#define PAIRS 6u

/* Counts the data packets of each queue pair among the first 96 sent. */
struct shares {
    uint32_t qpns[PAIRS];
    uint32_t packets[PAIRS];
    uint32_t total;
};

static bool count_shares(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct shares *shares = net->tap_context;
    (void)len_bytes;
    if (from != 0 || frame[42] > 0x0b || shares->total == 96)
        return true;
    for (uint32_t i = 0; i < PAIRS; i++)
        shares->packets[i] += shares->qpns[i] == weft_wire_get24(frame + 46);
    shares->total++;
    return true;
}

static void connect_pair(struct net *net, struct weft_roce_qp *pair[2])
{
    struct weft_endpoint_address addresses[2];
    struct weft_error error = {0};
    for (uint32_t side = 0; side < 2; side++) {
        struct weft_roce_qp_options options = {
            .cq = net->sides[side].cq, .send_depth = 4, .receive_depth = 4};
        cr_assert_eq(weft_roce_qp_create(net->sides[side].port, &options, &pair[side], &error),
                     WEFT_OK, "%s", error.text);
        weft_roce_qp_address(pair[side], &addresses[side]);
    }
    cr_assert_eq(weft_roce_qp_connect(pair[0], &addresses[1], &error), WEFT_OK);
    cr_assert_eq(weft_roce_qp_connect(pair[1], &addresses[0], &error), WEFT_OK);
}

/* Queue pairs that all have much to send get the same share, a quantum at a time. */
Test(port, queue_pairs_take_turns)
{
    struct net net;
    struct weft_roce_qp *pairs[PAIRS][2];
    struct shares shares = {.total = 0};
    net_init(&net, &(struct net_options){.seed = 1, .mtu_bytes = 256, .depth = 64});
    net_connect(&net);
    for (uint32_t i = 0; i < PAIRS; i++) {
        connect_pair(&net, pairs[i]);
        shares.qpns[i] = pairs[i][1]->qpn;
    }
    net.tap = count_shares;
    net.tap_context = &shares;
    for (uint32_t i = 0; i < PAIRS; i++) {
        struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, i * 10240, 10240);
        work.id = i;
        net_fill(work.memory, 10240, i);
        cr_assert_eq(weft_roce_post_send(pairs[i][0], &work, 1), 1);
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < PAIRS; i++) {
        struct weft_completion completion = net_wait(&net, 0);
        cr_assert_eq(completion.status, WEFT_OK);
        seen |= 1u << completion.id;
    }
    cr_assert_eq(seen, (1u << PAIRS) - 1);
    for (uint32_t i = 0; i < PAIRS; i++) {
        cr_assert(net_filled(net.sides[1].memory + i * 10240, 10240, i));
        cr_assert_eq(shares.packets[i], 96 / PAIRS);
    }
    for (uint32_t i = 0; i < PAIRS; i++)
        for (uint32_t side = 0; side < 2; side++)
            weft_roce_qp_destroy(net.sides[side].port, pairs[i][side]);
    net_fini(&net);
}
