/* SPDX-License-Identifier: BSD-3-Clause */
/* What a seed stands for: a fabric, what goes wrong on it, and what is sent. */
#ifndef WEFT_TESTS_SIM_SCENARIO_H
#define WEFT_TESTS_SIM_SCENARIO_H

#include "drivers/sim/fabric.h"
#include "fabric/base/random.h"

#define SCENARIO_NICS_MAX 8u
#define SCENARIO_SWITCHES_MAX 3u
#define SCENARIO_LINKS_MAX 20u

enum scenario_harm {
    SCENARIO_CLEAN = 0,
    SCENARIO_FAULTY,  /* frames are lost, doubled, late, corrupted */
    SCENARIO_CUT,     /* a link is down for a while */
    SCENARIO_SEVERED, /* a link goes down for good */
    SCENARIO_DEAD,    /* a NIC falls silent */
    SCENARIO_HARM_COUNT
};

struct scenario {
    uint64_t seed;
    bool is_pattern; /* nodes that run a schedule; else endpoints with works at random */
    uint32_t nics, switches, links;
    struct weft_topology topology;
    struct weft_nic nic_rows[SCENARIO_NICS_MAX];
    struct weft_switch switch_rows[SCENARIO_SWITCHES_MAX];
    struct weft_link link_rows[SCENARIO_LINKS_MAX];
    uint32_t wires;
    bool pauses; /* every switch has PFC */
    enum scenario_harm harm;
    bool survivable; /* so little goes wrong that nothing may fail for good */
    struct weft_fault_options faults[2 * (SCENARIO_LINKS_MAX + SCENARIO_NICS_MAX)];
    uint32_t harmed; /* the link or the NIC */
    uint64_t harm_start_ps, harm_end_ps;
    uint32_t mtu_bytes;
    uint32_t window_packets;
    uint64_t ack_timeout_ns;
    struct weft_congestion_options congestion;
    bool near_wrap;
    bool ipv6;
    uint16_t vlan_id;
    uint64_t rate_bps;         /* of an endpoint; 0: no limit */
    struct weft_random random; /* for what the workload draws */
};

void scenario_draw(struct scenario *scenario, uint64_t seed);
/* Faults and cuts, on the fabric made of its topology. */
void scenario_apply(const struct scenario *scenario, struct weft_sim_fabric *fabric);
/* A NIC that is to die does so when its time has come. */
void scenario_step(const struct scenario *scenario, struct weft_sim_fabric *fabric);
/* One line in words. */
void scenario_describe(const struct scenario *scenario, char *text, size_t len_bytes);

/* Uniform in least .. most. */
uint64_t draw_between(struct weft_random *random, uint64_t least, uint64_t most);
/* One in so many. */
bool draw_once_in(struct weft_random *random, uint64_t times);

#endif
