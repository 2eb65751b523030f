/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios whose answers follow from arithmetic. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/wide.h"
#include "world.h"

/* On the line, for a WRITE with immediate of one packet: preamble, FCS and gap 24, Ethernet 14,
 * IPv4 20, UDP 8, BTH 12, RETH 16, immediate 4, ICRC 4. */
#define ONLY_BYTES(payload) (24u + 14u + 20u + 8u + 12u + 16u + 4u + (payload) + 4u)
#define MIDDLE_BYTES(payload) (24u + 14u + 20u + 8u + 12u + (payload) + 4u)
#define ACK_BYTES (24u + 14u + 20u + 8u + 12u + 4u + 4u)

static const char pair_text[] = "name: pair\n"
                                "hosts:\n"
                                "  - {name: a, nics: [{name: n, device: a}]}\n"
                                "  - {name: b, nics: [{name: n, device: b}]}\n"
                                "switches: [{name: s}]\n"
                                "links:\n"
                                "  - {between: [a/n, s], rate: 100Gbps, delay: 700ns}\n"
                                "  - {between: [b/n, s], rate: 40Gbps, delay: 300ns}\n"
                                "ranks: [a/n, b/n]\n";

static uint64_t ps_on(uint64_t bytes, uint64_t rate_bps)
{
    return (uint64_t)((weft_u128)bytes * 8 * UINT64_C(1000000000000) / rate_bps);
}

Test(sim, a_messages_latency_is_its_serialisations_and_delays)
{
    struct world world;
    world_init(&world, &(struct world_options){.topology = pair_text});
    struct world_pair *pair = world_connect(&world, 0, 1, 0);
    world_run(&world, WEFT_SIM_NEVER - 1);
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    world_write(&world, pair, 1000, 7);
    uint64_t there_ps = ps_on(ONLY_BYTES(1000), 100000000000) + 700000 +
                        ps_on(ONLY_BYTES(1000), 40000000000) + 300000;
    struct weft_completion received = world_wait(&world, 1);
    cr_assert_eq(received.status, WEFT_OK);
    cr_assert_eq(weft_sim_now_ps(world.fabric) - start_ps, there_ps);
    uint64_t back_ps =
        ps_on(ACK_BYTES, 40000000000) + 300000 + ps_on(ACK_BYTES, 100000000000) + 700000;
    struct weft_completion sent = world_wait(&world, 0);
    cr_assert_eq(sent.status, WEFT_OK);
    cr_assert_eq(weft_sim_now_ps(world.fabric) - start_ps, there_ps + back_ps);
    world_fini(&world);
}

struct span {
    uint32_t wire;
    uint64_t first_ps, last_ps;
    uint64_t frames;
};

static void note_span(void *context, const struct weft_sim_trace *trace)
{
    struct span *span = context;
    if (trace->wire != span->wire || trace->happening != WEFT_SIM_DELIVERED)
        return;
    if (!span->frames++)
        span->first_ps = trace->at_ps;
    span->last_ps = trace->at_ps;
}

/* 7 Gbps: no frame takes a whole number of picoseconds. */
static const char odd_text[] = "name: odd\n"
                               "hosts:\n"
                               "  - {name: a, nics: [{name: n, device: a}]}\n"
                               "  - {name: b, nics: [{name: n, device: b}]}\n"
                               "links: [{between: [a/n, b/n], rate: 7Gbps, delay: 1us}]\n"
                               "ranks: [a/n, b/n]\n";

Test(sim, a_busy_link_carries_what_its_rate_says)
{
    struct world world;
    struct span span = {.wire = 0};
    world_init(&world, &(struct world_options){.topology = odd_text});
    struct world_pair *pair = world_connect(&world, 0, 1, 0);
    world_run(&world, WEFT_SIM_NEVER - 1);
    weft_sim_set_trace(world.fabric, note_span, &span);
    enum {
        PACKETS = 4096
    };
    world_write(&world, pair, PACKETS * 1024, 1);
    (void)world_wait(&world, 1);
    cr_assert_eq(span.frames, PACKETS);
    /* All but the first, back to back, the last with its immediate: exact but for one rounding. */
    uint64_t bytes = (uint64_t)(PACKETS - 1) * MIDDLE_BYTES(1024) + 4;
    uint64_t ideal_ps = ps_on(bytes, 7000000000);
    uint64_t took_ps = span.last_ps - span.first_ps;
    cr_assert(took_ps >= ideal_ps && took_ps <= ideal_ps + 1, "%llu against %llu",
              (unsigned long long)took_ps, (unsigned long long)ideal_ps);
    double goodput_bps = (PACKETS - 1) * 1024.0 * 8 / ((double)took_ps * 1e-12);
    double wanted_bps = 7e9 * 1024 / (1024 + 82);
    cr_assert_float_eq(goodput_bps, wanted_bps, wanted_bps * 0.005);
    world_fini(&world);
}

static const char incast_text[] = "name: incast\n"
                                  "hosts:\n"
                                  "  - {name: a, nics: [{name: n, device: a}]}\n"
                                  "  - {name: b, nics: [{name: n, device: b}]}\n"
                                  "  - {name: c, nics: [{name: n, device: c}]}\n"
                                  "  - {name: d, nics: [{name: n, device: d}]}\n"
                                  "  - {name: e, nics: [{name: n, device: e}]}\n"
                                  "switches: [{name: s, buffer: %s%s}]\n"
                                  "links:\n"
                                  "  - {between: [a/n, s], rate: 100Gbps, delay: 500ns}\n"
                                  "  - {between: [b/n, s], rate: 100Gbps, delay: 500ns}\n"
                                  "  - {between: [c/n, s], rate: 100Gbps, delay: 500ns}\n"
                                  "  - {between: [d/n, s], rate: 100Gbps, delay: 500ns}\n"
                                  "  - {between: [e/n, s], rate: 100Gbps, delay: 500ns}\n"
                                  "ranks: [a/n, b/n, c/n, d/n, e/n]\n";

/* Four send a mebibyte each to the fifth. Returns how long it took. */
static uint64_t run_incast(struct world *world, const char *buffer, const char *more)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), incast_text, buffer, more);
    world_init(world, &(struct world_options){.topology = text, .ack_timeout_ns = 200000});
    struct world_pair *pairs[4];
    for (uint32_t i = 0; i < 4; i++)
        pairs[i] = world_connect(world, i + 1, 0, 0);
    world_run(world, WEFT_SIM_NEVER - 1);
    uint64_t start_ps = weft_sim_now_ps(world->fabric);
    for (uint32_t i = 0; i < 4; i++)
        world_write(world, pairs[i], 1 << 20, i);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(world_wait(world, 0).status, WEFT_OK);
    return weft_sim_now_ps(world->fabric) - start_ps;
}

Test(sim, an_incast_takes_as_long_as_the_last_link_needs)
{
    struct world world;
    uint64_t took_ps = run_incast(&world, "16MiB", "");
    double ideal_ps = (double)ps_on(UINT64_C(4) * 1024 * MIDDLE_BYTES(1024), 100000000000);
    cr_assert_float_eq((double)took_ps, ideal_ps, ideal_ps * 0.01);
    /* Each has a window of 128 packets. */
    struct weft_sim_wire_counters last = world_wire(&world, 1);
    cr_assert_gt(last.queue_most_bytes, UINT64_C(300) * 1024);
    cr_assert_leq(last.queue_most_bytes, UINT64_C(4) * 128 * (1024 + 116));
    cr_assert_eq(world_switch(&world, 0).overflown, 0);
    world_fini(&world);
}

Test(sim, a_small_buffer_overflows_and_the_transport_recovers)
{
    struct world world;
    (void)run_incast(&world, "128KiB", "");
    cr_assert_gt(world_switch(&world, 0).overflown, 0);
    cr_assert_leq(world_switch(&world, 0).most_bytes, 128 << 10);
    world_fini(&world);
}

Test(sim, pausing_loses_nothing_where_a_buffer_without_it_overflows)
{
    struct world world;
    uint64_t took_ps = run_incast(&world, "288KiB", ", pfc: {xoff: 32KiB, xon: 24KiB}");
    struct weft_sim_switch_counters at = world_switch(&world, 0);
    cr_assert_eq(at.overflown, 0);
    cr_assert_gt(world_wire(&world, 2).pauses, 10);
    cr_assert_eq(weft_roce_port_counters(world.sides[1].port)->retransmitted_packets, 0);
    /* The last link never runs dry. */
    double ideal_ps = (double)ps_on(UINT64_C(4) * 1024 * MIDDLE_BYTES(1024), 100000000000);
    cr_assert_float_eq((double)took_ps, ideal_ps, ideal_ps * 0.01);
    world_fini(&world);
    (void)run_incast(&world, "288KiB", "");
    cr_assert_gt(world_switch(&world, 0).overflown, 0);
    world_fini(&world);
}

Test(sim, a_buffer_too_small_for_its_pauses_is_refused)
{
    char text[1024];
    struct weft_error error = {0};
    struct weft_topology *topology = NULL;
    struct weft_sim_fabric *fabric = NULL;
    int len = snprintf(text, sizeof(text), incast_text, "288KiB", ", pfc: {xoff: 48KiB}");
    const struct weft_source source = {.name = "test", .text = text, .len_bytes = (size_t)len};
    cr_assert_eq(weft_topology_parse(&source, &topology, &error), WEFT_OK);
    const struct weft_sim_options options = {.topology = topology};
    cr_assert_eq(weft_sim_create(&options, &fabric, &error), WEFT_INVALID);
    cr_assert(strstr(error.text, "switch s: 5 ports"), "%s", error.text);
    weft_topology_destroy(topology);
}

/* Two leaves, four spines. */
static const char spines_text[] =
    "name: spines\n"
    "hosts:\n"
    "  - {name: a, nics: [{name: n, device: a}]}\n"
    "  - {name: b, nics: [{name: n, device: b}]}\n"
    "switches: [{name: l0}, {name: l1}, {name: s0}, {name: s1}, {name: s2}, {name: s3}]\n"
    "links:\n"
    "  - {between: [a/n, l0]}\n"
    "  - {between: [b/n, l1]}\n"
    "  - {between: [l0, s0]}\n"
    "  - {between: [l0, s1]}\n"
    "  - {between: [l0, s2]}\n"
    "  - {between: [l0, s3]}\n"
    "  - {between: [l1, s0]}\n"
    "  - {between: [l1, s1]}\n"
    "  - {between: [l1, s2]}\n"
    "  - {between: [l1, s3]}\n"
    "ranks: [a/n, b/n]\n";

static void uplinks(const struct world *world, uint64_t frames[4])
{
    for (uint32_t i = 0; i < 4; i++)
        frames[i] = world_wire(world, 2 * (2 + i)).entered;
}

Test(sim, equal_ways_are_shared_by_the_flows_and_a_flow_keeps_to_its_own)
{
    enum {
        FLOWS = 128
    };
    struct world world;
    uint64_t before[4], after[4], flows[4] = {0};
    world_init(&world, &(struct world_options){.topology = spines_text});
    for (uint32_t i = 0; i < FLOWS; i++) {
        struct world_pair *pair = world_connect(&world, 0, 1, 0);
        world_run(&world, WEFT_SIM_NEVER - 1);
        uplinks(&world, before);
        world_write(&world, pair, 8 * 1024, i);
        (void)world_wait(&world, 0);
        (void)world_wait(&world, 1);
        uplinks(&world, after);
        uint32_t used = 0;
        for (uint32_t j = 0; j < 4; j++) {
            used += after[j] != before[j];
            flows[j] += after[j] - before[j] == 8;
        }
        cr_assert_eq(used, 1, "flow %u takes %u ways", i, used);
    }
    /* 32 each are expected; 14 are four standard deviations fewer. */
    for (uint32_t j = 0; j < 4; j++)
        cr_assert_gt(flows[j], 14, "spine %u carries %llu flows", j, (unsigned long long)flows[j]);
    world_fini(&world);
}

static const char default_text[] = "name: unlinked\n"
                                   "hosts:\n"
                                   "  - {name: a, nics: [{name: n, device: a, rate: 200Gbps}]}\n"
                                   "  - {name: b, nics: [{name: n, device: b}]}\n"
                                   "  - {name: c, nics: [{name: n, device: c}]}\n"
                                   "ranks: [a/n, b/n, c/n]\n";

Test(sim, nics_without_a_link_are_joined_by_a_switch)
{
    struct world world;
    world_init(&world, &(struct world_options){.topology = default_text});
    struct world_pair *pair = world_connect(&world, 0, 2, 0);
    world_run(&world, WEFT_SIM_NEVER - 1);
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    world_write(&world, pair, 0, 1);
    (void)world_wait(&world, 2);
    cr_assert_eq(weft_sim_now_ps(world.fabric) - start_ps,
                 ps_on(ONLY_BYTES(0), 200000000000) + ps_on(ONLY_BYTES(0), 100000000000) +
                     2 * WEFT_SIM_DELAY_NS * WEFT_SIM_PS_PER_NS);
    world_fini(&world);
}

static const char slow_text[] = "name: slow\n"
                                "hosts:\n"
                                "  - {name: a, nics: [{name: n, device: a, rate: 10Gbps}]}\n"
                                "  - {name: b, nics: [{name: n, device: b, rate: 400Gbps}]}\n"
                                "switches: [{name: s}]\n"
                                "links:\n"
                                "  - {between: [a/n, s], rate: 100Gbps, delay: 700ns}\n"
                                "  - {between: [s, b/n], rate: 40Gbps, delay: 300ns}\n"
                                "ranks: [a/n, b/n]\n";

/* A link's rate does not make its NIC faster, nor a NIC's its link. */
Test(sim, the_slower_of_a_link_and_its_nic_decides)
{
    struct world world;
    world_init(&world, &(struct world_options){.topology = slow_text});
    cr_assert_eq(weft_sim_nic_rate_bps(world.fabric, 0), 10000000000);
    cr_assert_eq(weft_sim_nic_rate_bps(world.fabric, 1), 40000000000);
    struct world_pair *pair = world_connect(&world, 0, 1, 0);
    world_run(&world, WEFT_SIM_NEVER - 1);
    uint64_t start_ps = weft_sim_now_ps(world.fabric);
    world_write(&world, pair, 0, 1);
    (void)world_wait(&world, 1);
    cr_assert_eq(weft_sim_now_ps(world.fabric) - start_ps, ps_on(ONLY_BYTES(0), 10000000000) +
                                                               ps_on(ONLY_BYTES(0), 40000000000) +
                                                               1000 * WEFT_SIM_PS_PER_NS);
    world_fini(&world);
}
