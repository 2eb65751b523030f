/* SPDX-License-Identifier: BSD-3-Clause */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

#define KIB UINT64_C(1024)
#define GBPS UINT64_C(1000000000)
#define PPM 1000000u
#define SHARE(parts) ((double)(parts) / 1e6)

uint64_t draw_between(struct weft_random *random, uint64_t least, uint64_t most)
{
    return least + weft_random_below(random, most - least + 1);
}

bool draw_once_in(struct weft_random *random, uint64_t times)
{
    return weft_random_below(random, times) == 0;
}

/* ---- the fabric ---- */

static void add_link(struct scenario *scenario, struct weft_link_end a, struct weft_link_end b)
{
    static const uint64_t rates_bps[] = {10 * GBPS, 25 * GBPS, 40 * GBPS, 100 * GBPS, 7 * GBPS};
    struct weft_random *random = &scenario->random;
    scenario->link_rows[scenario->links++] = (struct weft_link){
        .ends = {a, b},
        .rate_bps = rates_bps[weft_random_below(random, sizeof(rates_bps) / sizeof(rates_bps[0]))],
        .delay_ns = draw_between(random, 0, draw_once_in(random, 4) ? 20000 : 1000),
    };
}

static struct weft_link_end nic_end(uint32_t nic)
{
    return (struct weft_link_end){.index = nic};
}

static struct weft_link_end switch_end(uint32_t index)
{
    return (struct weft_link_end){.is_switch = true, .index = index};
}

/* Switches in a row or a ring, sometimes with several links between two; NICs anywhere. */
static void draw_links(struct scenario *scenario)
{
    struct weft_random *random = &scenario->random;
    if (!scenario->switches) {
        if (scenario->nics == 2 && !draw_once_in(random, 3))
            add_link(scenario, nic_end(0), nic_end(1));
        return;
    }
    for (uint32_t i = 1; i < scenario->switches; i++) {
        uint64_t times = draw_between(random, 1, 3);
        for (uint64_t j = 0; j < times; j++)
            add_link(scenario, switch_end(i - 1), switch_end(i));
    }
    if (scenario->switches == 3 && draw_once_in(random, 2))
        add_link(scenario, switch_end(0), switch_end(2));
    for (uint32_t i = 0; i < scenario->nics; i++)
        add_link(scenario, nic_end(i),
                 switch_end((uint32_t)weft_random_below(random, scenario->switches)));
}

static void draw_switches(struct scenario *scenario)
{
    struct weft_random *random = &scenario->random;
    scenario->pauses = scenario->switches && draw_once_in(random, 3);
    for (uint32_t i = 0; i < scenario->switches; i++) {
        struct weft_switch *row = &scenario->switch_rows[i];
        *row = (struct weft_switch){.name = (char *)(uintptr_t) "s",
                                    .buffer_bytes = draw_between(random, 16, 512) * KIB};
        if (scenario->pauses) {
            row->pfc.xoff_bytes = draw_between(random, 1, 32) * KIB;
            row->pfc.xon_bytes = weft_random_below(random, row->pfc.xoff_bytes);
        }
        if (draw_once_in(random, 2)) {
            row->ecn.max_bytes = draw_between(random, 4, 64) * KIB;
            row->ecn.min_bytes = weft_random_below(random, row->ecn.max_bytes + 1);
            row->ecn.probability_ppm = weft_random_below(random, PPM + 1);
        }
    }
}

/* As small as its promise allows: what each neighbour may store, and what comes after a pause. */
static void size_buffers(struct scenario *scenario)
{
    for (uint32_t i = 0; scenario->pauses && i < scenario->switches; i++)
        scenario->switch_rows[i].buffer_bytes = 0;
    for (uint32_t i = 0; scenario->pauses && i < 2 * scenario->links; i++) {
        const struct weft_link *link = &scenario->link_rows[i / 2];
        if (!link->ends[i % 2].is_switch)
            continue;
        struct weft_switch *row = &scenario->switch_rows[link->ends[i % 2].index];
        uint64_t frame_bytes = WEFT_ROCE_FRAME_MAX + 64;
        uint64_t flying_bytes = 2 * link->delay_ns * (link->rate_bps / GBPS) / 8;
        row->buffer_bytes += row->pfc.xoff_bytes + flying_bytes + 3 * frame_bytes + 256;
    }
}

static void draw_fabric(struct scenario *scenario)
{
    struct weft_random *random = &scenario->random;
    scenario->nics = (uint32_t)draw_between(random, 2, SCENARIO_NICS_MAX);
    scenario->switches = (uint32_t)draw_between(random, 0, SCENARIO_SWITCHES_MAX);
    draw_switches(scenario);
    draw_links(scenario);
    size_buffers(scenario);
    for (uint32_t i = 0; i < scenario->nics; i++)
        scenario->nic_rows[i] = (struct weft_nic){
            .name = (char *)(uintptr_t) "n",
            .device = (char *)(uintptr_t) "sim",
            .address = {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 0, (uint8_t)(i + 1)}}};
    scenario->topology = (struct weft_topology){.nic_count = scenario->nics,
                                                .switch_count = scenario->switches,
                                                .link_count = scenario->links,
                                                .nics = scenario->nic_rows,
                                                .switches = scenario->switch_rows,
                                                .links = scenario->link_rows};
    scenario->wires = 2 * (scenario->links ? scenario->links : scenario->nics);
}

/* ---- what goes wrong ---- */

static double draw_share(struct weft_random *random, uint64_t most_ppm)
{
    return draw_once_in(random, 2) ? 0 : SHARE(weft_random_below(random, most_ppm));
}

static void draw_faults(struct scenario *scenario)
{
    struct weft_random *random = &scenario->random;
    bool heavy = draw_once_in(random, 4);
    uint64_t most_ppm = heavy ? 150000 : 20000;
    scenario->survivable = scenario->harm == SCENARIO_FAULTY && !heavy;
    for (uint32_t i = 0; i < scenario->wires; i++) {
        if (draw_once_in(random, 3))
            continue;
        scenario->faults[i] = (struct weft_fault_options){
            .drop = draw_share(random, most_ppm),
            .corrupt = draw_share(random, most_ppm),
            .duplicate = draw_share(random, most_ppm),
            .reorder = draw_share(random, most_ppm),
            .delay = draw_share(random, most_ppm),
            .mark = draw_share(random, most_ppm),
            .delay_ns = draw_between(random, 100, 100000),
            .reorder_frames = (uint32_t)draw_between(random, 1, 20),
            .seed = weft_random_next(random),
        };
    }
}

static void draw_harm(struct scenario *scenario)
{
    struct weft_random *random = &scenario->random;
    static const enum scenario_harm kinds[] = {SCENARIO_CLEAN,  SCENARIO_CLEAN,   SCENARIO_CLEAN,
                                               SCENARIO_FAULTY, SCENARIO_FAULTY,  SCENARIO_FAULTY,
                                               SCENARIO_FAULTY, SCENARIO_FAULTY,  SCENARIO_CUT,
                                               SCENARIO_CUT,    SCENARIO_SEVERED, SCENARIO_DEAD};
    scenario->harm = kinds[weft_random_below(random, sizeof(kinds) / sizeof(kinds[0]))];
    if (scenario->harm != SCENARIO_CLEAN &&
        (scenario->harm == SCENARIO_FAULTY || draw_once_in(random, 3)))
        draw_faults(scenario);
    scenario->harm_start_ps = weft_random_below(random, UINT64_C(200000000));
    scenario->harm_end_ps = WEFT_SIM_NEVER;
    if (scenario->harm == SCENARIO_CUT)
        scenario->harm_end_ps =
            scenario->harm_start_ps + weft_random_below(random, UINT64_C(1000000000));
    scenario->harmed = (uint32_t)weft_random_below(
        random, scenario->harm == SCENARIO_DEAD ? scenario->nics : scenario->wires / 2);
}

/* How endpoints' packets look, and how fast each may send. */
static void draw_ports(struct scenario *scenario)
{
    static const uint64_t rates_bps[] = {1 * GBPS, 2 * GBPS, 5 * GBPS, 10 * GBPS};
    struct weft_random *random = &scenario->random;
    scenario->ipv6 = draw_once_in(random, 3);
    if (draw_once_in(random, 4))
        scenario->vlan_id = (uint16_t)draw_between(random, 1, 4094);
    if (draw_once_in(random, 5))
        scenario->rate_bps =
            rates_bps[weft_random_below(random, sizeof(rates_bps) / sizeof(rates_bps[0]))];
    for (uint32_t i = 0; scenario->ipv6 && i < scenario->nics; i++)
        scenario->nic_rows[i].address = (struct weft_ip){
            .version = 6, .prefix_bits = 64, .bytes = {[0] = 0xfd, [15] = (uint8_t)(i + 1)}};
}

void scenario_draw(struct scenario *scenario, uint64_t seed)
{
    *scenario = (struct scenario){.seed = seed};
    struct weft_random *random = &scenario->random;
    weft_random_seed(random, seed);
    scenario->is_pattern = draw_once_in(random, 4);
    draw_fabric(scenario);
    draw_harm(scenario);
    scenario->survivable |= scenario->harm == SCENARIO_CLEAN;
    scenario->mtu_bytes = 256u << weft_random_below(random, 5);
    scenario->window_packets = (uint32_t)draw_between(random, 1, draw_once_in(random, 2) ? 8 : 256);
    scenario->ack_timeout_ns = draw_between(random, 50000, 1000000);
    scenario->near_wrap = draw_once_in(random, 2);
    if (draw_once_in(random, 3))
        scenario->congestion.control = WEFT_CONGESTION_DCQCN;
    if (!scenario->is_pattern)
        draw_ports(scenario);
}

void scenario_apply(const struct scenario *scenario, struct weft_sim_fabric *fabric)
{
    for (uint32_t i = 0; i < scenario->wires; i++)
        weft_sim_set_fault(fabric, i, &scenario->faults[i]);
    if (scenario->harm == SCENARIO_CUT || scenario->harm == SCENARIO_SEVERED)
        weft_sim_cut_link(fabric, scenario->harmed, scenario->harm_start_ps, scenario->harm_end_ps);
}

void scenario_step(const struct scenario *scenario, struct weft_sim_fabric *fabric)
{
    if (scenario->harm == SCENARIO_DEAD && weft_sim_now_ps(fabric) >= scenario->harm_start_ps)
        weft_sim_kill(fabric, scenario->harmed);
}

void scenario_describe(const struct scenario *scenario, char *text, size_t len_bytes)
{
    static const char *const harms[SCENARIO_HARM_COUNT] = {
        "nothing goes wrong", "frames suffer", "a link is down for a while",
        "a link goes down for good", "a NIC dies"};
    (void)snprintf(text, len_bytes,
                   "%s, %u NICs, %u switches, %u links%s, MTU %u, window %u, timeout %llu "
                   "ns%s%s%s%s%s; %s",
                   scenario->is_pattern ? "nodes" : "endpoints", scenario->nics, scenario->switches,
                   scenario->links, scenario->pauses ? " with PFC" : "", scenario->mtu_bytes,
                   scenario->window_packets, (unsigned long long)scenario->ack_timeout_ns,
                   scenario->near_wrap ? ", PSNs about to wrap" : "",
                   scenario->congestion.control ? ", DCQCN" : "", scenario->ipv6 ? ", IPv6" : "",
                   scenario->vlan_id ? ", a VLAN" : "", scenario->rate_bps ? ", paced" : "",
                   harms[scenario->harm]);
}
