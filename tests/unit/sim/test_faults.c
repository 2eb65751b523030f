/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes wrong on the model's links, and what switches say of their queues. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

static const char line_text[] = "name: line\n"
                                "hosts:\n"
                                "  - {name: a, nics: [{name: n, device: a}]}\n"
                                "  - {name: b, nics: [{name: n, device: b}]}\n"
                                "links: [{between: [a/n, b/n], rate: 100Gbps, delay: 1us}]\n"
                                "ranks: [a/n, b/n]\n";

static struct world_pair *open_line(struct world *world)
{
    world_init(world, &(struct world_options){.topology = line_text, .ack_timeout_ns = 100000});
    struct world_pair *pair = world_connect(world, 0, 1, 0);
    world_run(world, WEFT_SIM_NEVER - 1);
    return pair;
}

static void send_all(struct world *world, const struct world_pair *pair, uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        world_write(world, pair, 64 * 1024, i);
        cr_assert_eq(world_wait(world, 1).id, i);
        cr_assert_eq(world_wait(world, 0).id, i);
    }
}

/* Within five standard deviations of a share of so many. */
static void assert_share(uint64_t count, uint64_t of, double share, const char *what)
{
    double mean = (double)of * share;
    double spread = 5 * __builtin_sqrt(mean * (1 - share));
    cr_assert((double)count > mean - spread && (double)count < mean + spread, "%s: %llu of %llu",
              what, (unsigned long long)count, (unsigned long long)of);
}

Test(sim_fault, each_fault_strikes_its_share_and_the_messages_arrive)
{
    struct world world;
    struct world_pair *pair = open_line(&world);
    const struct weft_fault_options fault = {.drop = 0.01,
                                             .corrupt = 0.02,
                                             .duplicate = 0.03,
                                             .reorder = 0.01,
                                             .delay = 0.005,
                                             .seed = 7};
    uint64_t before = world_wire(&world, 0).entered;
    weft_sim_set_fault(world.fabric, 0, &fault);
    send_all(&world, pair, 100);
    world_run(&world, WEFT_SIM_NEVER - 1);
    struct weft_sim_wire_counters wire = world_wire(&world, 0);
    uint64_t frames = wire.entered - before;
    cr_assert_gt(frames, 6400);
    assert_share(wire.lost, frames, 0.01, "lost");
    assert_share(wire.corrupted, frames - wire.lost, 0.02, "corrupted");
    assert_share(wire.duplicated, frames - wire.lost, 0.03, "duplicated");
    assert_share(wire.reordered, frames - wire.lost, 0.01, "reordered");
    assert_share(wire.delayed, frames - wire.lost, 0.005, "delayed");
    cr_assert_eq(wire.flying, 0);
    const struct weft_device_counters *port = weft_roce_port_counters(world.sides[1].port);
    struct weft_sim_nic_counters nic;
    weft_sim_nic_counters(world.fabric, 1, &nic);
    cr_assert_geq(nic.delivered_corrupted, wire.corrupted);
    cr_assert_eq(port->icrc_errors + port->malformed_packets + port->unexpected_packets,
                 nic.delivered_corrupted);
    cr_assert_gt(port->icrc_errors, 0);
    world_fini(&world);
}

Test(sim_fault, the_same_seed_strikes_the_same_frames)
{
    uint64_t ends_ps[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct world world;
        struct world_pair *pair = open_line(&world);
        weft_sim_set_fault(world.fabric, 0,
                           &(struct weft_fault_options){.drop = 0.02, .reorder = 0.02, .seed = 3});
        send_all(&world, pair, 20);
        ends_ps[i] = weft_sim_now_ps(world.fabric);
        world_fini(&world);
    }
    cr_assert_eq(ends_ps[0], ends_ps[1]);
}

Test(sim_fault, a_link_that_is_down_for_a_while_delays_and_one_for_good_fails)
{
    struct world world;
    struct world_pair *pair = open_line(&world);
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    weft_sim_cut_link(world.fabric, 0, start_ps, start_ps + 150000000);
    world_write(&world, pair, 4096, 1);
    cr_assert_eq(world_wait(&world, 0).status, WEFT_OK);
    /* Sent at 0, 100 and 200 us, each rounded up to a tick of 16. */
    cr_assert_gt(weft_sim_now_ps(world.fabric), start_ps + 200000000);
    cr_assert_lt(weft_sim_now_ps(world.fabric), start_ps + 240000000);
    (void)world_wait(&world, 1);
    start_ps = weft_sim_now_ps(world.fabric);
    weft_sim_cut_link(world.fabric, 0, start_ps, WEFT_SIM_NEVER);
    world_write(&world, pair, 4096, 2);
    cr_assert_eq(world_wait(&world, 0).status, WEFT_RETRY_EXCEEDED);
    /* Eight times. */
    cr_assert_gt(weft_sim_now_ps(world.fabric), start_ps + 800000000);
    cr_assert_lt(weft_sim_now_ps(world.fabric), start_ps + 950000000);
    world_fini(&world);
}

Test(sim_fault, a_dead_nic_neither_answers_nor_takes)
{
    struct world world;
    struct world_pair *pair = open_line(&world);
    weft_sim_kill(world.fabric, 1);
    world_write(&world, pair, 4096, 1);
    cr_assert_eq(world_wait(&world, 0).status, WEFT_RETRY_EXCEEDED);
    struct weft_sim_nic_counters nic;
    weft_sim_nic_counters(world.fabric, 1, &nic);
    cr_assert_geq(nic.stranded, 8 * 4);
    world_fini(&world);
}

/* ---- congestion ---- */

static const char merge_text[] =
    "name: merge\n"
    "hosts:\n"
    "  - {name: a, nics: [{name: n, device: a}]}\n"
    "  - {name: b, nics: [{name: n, device: b}]}\n"
    "  - {name: c, nics: [{name: n, device: c}]}\n"
    "switches: [{name: s, ecn: {min: 100KiB, max: 400KiB, probability: 0.01}}]\n"
    "links:\n"
    "  - {between: [a/n, s], rate: 100Gbps, delay: 1us}\n"
    "  - {between: [b/n, s], rate: 100Gbps, delay: 1us}\n"
    "  - {between: [c/n, s], rate: 100Gbps, delay: 1us}\n"
    "ranks: [a/n, b/n, c/n]\n";

enum {
    MESSAGE_BYTES = 1 << 20
};

/* Two flows into one NIC keep it busy until `until_ps`. Returns what each has delivered after
 * `from_ps`, in bytes. */
static void run_flows(struct world *world, struct world_pair *const pairs[2], uint64_t from_ps,
                      uint64_t until_ps, uint64_t bytes[2])
{
    uint64_t base[2] = {0};
    bool based = false;
    for (uint32_t flow = 0; flow < 2; flow++)
        for (uint32_t i = 0; i < 4; i++)
            world_write(world, pairs[flow], MESSAGE_BYTES, flow);
    while (weft_sim_now_ps(world->fabric) < until_ps) {
        struct weft_completion completion;
        for (uint32_t side = 0; side < 3; side++) {
            while (weft_roce_cq_poll(world->sides[side].cq, &completion, 1)) {
                cr_assert_eq(completion.status, WEFT_OK);
                if (side)
                    world_write(world, pairs[completion.id], MESSAGE_BYTES, completion.id);
            }
        }
        cr_assert(weft_sim_advance(world->fabric, until_ps));
        if (based || weft_sim_now_ps(world->fabric) < from_ps)
            continue;
        based = true;
        for (uint32_t flow = 0; flow < 2; flow++)
            base[flow] = weft_roce_qp_counters(pairs[flow]->qps[1])->received_payload_bytes;
    }
    for (uint32_t flow = 0; flow < 2; flow++)
        bytes[flow] =
            weft_roce_qp_counters(pairs[flow]->qps[1])->received_payload_bytes - base[flow];
}

static void open_merge(struct world *world, struct world_pair *pairs[2],
                       const struct weft_congestion_options *congestion)
{
    world_init(world, &(struct world_options){.topology = merge_text,
                                              .window_packets = 1024,
                                              .congestion = *congestion});
    pairs[0] = world_connect(world, 1, 0, 0);
    pairs[1] = world_connect(world, 2, 0, 0);
    world_run(world, weft_sim_now_ps(world->fabric) + 10000000);
}

Test(sim_fault, nothing_is_marked_of_what_is_not_ecn_capable)
{
    struct world world;
    struct world_pair *pairs[2];
    uint64_t bytes[2];
    open_merge(&world, pairs, &(struct weft_congestion_options){0});
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    run_flows(&world, pairs, start_ps, start_ps + 1000000000, bytes);
    cr_assert_gt(world_wire(&world, 1).queue_most_bytes, 400 * 1024);
    cr_assert_eq(world_switch(&world, 0).marked, 0);
    world_fini(&world);
}

Test(sim_fault, two_flows_under_dcqcn_come_to_equal_shares)
{
    struct world world;
    struct world_pair *pairs[2];
    uint64_t bytes[2];
    const struct weft_congestion_options congestion = {.control = WEFT_CONGESTION_DCQCN,
                                                       .line_rate_bps = UINT64_C(100000000000)};
    open_merge(&world, pairs, &congestion);
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    run_flows(&world, pairs, start_ps + UINT64_C(20000000000), start_ps + UINT64_C(60000000000),
              bytes);
    cr_assert_gt(world_switch(&world, 0).marked, 0);
    cr_assert_gt(weft_roce_port_counters(world.sides[1].port)->cnps_received, 0);
    double mean = (double)(bytes[0] + bytes[1]) / 2;
    cr_assert_float_eq((double)bytes[0], mean, 0.1 * mean, "%llu and %llu bytes",
                       (unsigned long long)bytes[0], (unsigned long long)bytes[1]);
    /* And the link is used: 40 ms of 100 Gbps are 500 MB. */
    cr_assert_gt(bytes[0] + bytes[1], UINT64_C(300000000), "%llu and %llu bytes",
                 (unsigned long long)bytes[0], (unsigned long long)bytes[1]);
    world_fini(&world);
}
