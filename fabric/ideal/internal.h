/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of fabric/ideal share. Times are picoseconds. */
#ifndef WEFT_IDEAL_INTERNAL_H
#define WEFT_IDEAL_INTERNAL_H

#include "fabric/base/wide.h"
#include "fabric/ideal/ideal.h"

#define WEFT_IDEAL_PS_PER_NS UINT64_C(1000)
#define WEFT_IDEAL_NEVER UINT64_MAX

/* Bits over bits a second; 0 where the rate is not known. */
static inline uint64_t weft_ideal_time_ps(uint64_t len_bytes, uint64_t rate_bps)
{
    if (!rate_bps)
        return 0;
    return (uint64_t)((weft_u128)len_bytes * 8 * UINT64_C(1000000000000) / rate_bps);
}

/* What the messages of some kind add up to. */
struct weft_load {
    uint64_t wire_bytes, payload_bytes;
    uint64_t flows;
    uint64_t head_ps; /* the least time from the start of an iteration to the first bit */
    uint64_t tail_ps; /* the least from the last bit to the completion */
};

/* All that goes from one switch to another. */
struct weft_pair {
    uint32_t from, to;
    uint32_t layer_count;
    uint64_t rate_bps; /* of the narrowest layer; 0: not known */
    uint64_t delay_ps; /* of the shortest way */
    struct weft_load load;
};

/* Wires that some traffic must cross, whichever of them it takes. */
struct weft_layer {
    uint32_t wire_count, first_wire; /* into weft_loads.layer_wires */
    uint64_t rate_bps;               /* of all together; 0: not known */
    struct weft_load load;
};

struct weft_loads {
    const struct weft_topology *topology;
    struct weft_routes *routes;
    uint32_t *nic_switches;
    struct weft_load *out, *in; /* of each NIC */
    struct weft_pair *pairs;    /* an open-addressed table */
    uint32_t pair_count, pair_room;
    struct weft_layer *layers; /* the same */
    uint32_t layer_count, layer_room;
    uint32_t *layer_wires;
    size_t layer_wire_count, layer_wire_room;
    bool ways_known; /* no pair has a layer of several wires */
    bool out_of_memory;
};

/* A message of the schedules. */
struct weft_ideal_message {
    uint32_t from_nic, to_nic;
    uint64_t payload_bytes, wire_bytes;
    uint64_t start_ps; /* at the earliest, after the start of the iteration */
    uint64_t tail_ps;  /* at least, from its arrival to the completion */
    bool new_flow;
};

WEFT_CHECKED bool weft_loads_init(struct weft_loads *loads, const struct weft_topology *topology,
                                  const struct weft_route_defaults *defaults);
void weft_loads_fini(struct weft_loads *loads);
/* The pair of switches between two NICs, to be measured; NULL: they hang on the same one or on
 * none, or memory is out. A pointer holds until the next is added. */
struct weft_pair *weft_loads_pair(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic);
/* Fills rates and delays of all pairs. */
void weft_loads_measure(struct weft_loads *loads);
/* Of a way between two NICs; pairs measured. */
uint64_t weft_loads_delay_ps(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic);
uint64_t weft_loads_rate_bps(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic);
/* Messages within a NIC load nothing. */
void weft_loads_add(struct weft_loads *loads, const struct weft_ideal_message *message);
/* When all are added: brings the pairs' loads to the layers that they cross. */
void weft_loads_spread(struct weft_loads *loads);

/* The best of what is known. */
struct weft_bound {
    uint64_t time_ps, alone_ps;
    char limit[WEFT_IDEAL_TEXT];
};
void weft_bound_take(struct weft_bound *bound, const struct weft_load *load, uint64_t rate_bps,
                     const char *format, ...) WEFT_FORMAT(4, 5);
/* By NICs, layers and parts of the fabric. Payload that no rate is known for bounds nothing. */
void weft_loads_bound(const struct weft_loads *loads, struct weft_bound *bound);
double weft_loads_mmr(const struct weft_loads *loads);

/* ---- cut.c ---- */

/* Parts of the fabric that hold together without the switches of upper tiers. `add` is to be called
 * with each message, after init. */
struct weft_cuts {
    uint32_t tier_count;
    uint32_t switch_count;
    uint32_t *parts;         /* [tier][switch]: a switch that stands for the part; NONE: none */
    struct weft_load *loads; /* [tier][switch][out, in] */
    uint64_t *rates_bps;     /* the same; NONE known: 0 */
};
WEFT_CHECKED bool weft_cuts_init(struct weft_cuts *cuts, const struct weft_loads *loads);
void weft_cuts_fini(struct weft_cuts *cuts);
void weft_cuts_add(struct weft_cuts *cuts, const struct weft_loads *loads,
                   const struct weft_ideal_message *message);
void weft_cuts_bound(const struct weft_cuts *cuts, const struct weft_loads *loads,
                     struct weft_bound *bound);

static inline void weft_load_add(struct weft_load *load, const struct weft_load *more)
{
    if (!load->wire_bytes || more->head_ps < load->head_ps)
        load->head_ps = more->head_ps;
    if (!load->wire_bytes || more->tail_ps < load->tail_ps)
        load->tail_ps = more->tail_ps;
    load->wire_bytes += more->wire_bytes;
    load->payload_bytes += more->payload_bytes;
    load->flows += more->flows;
}

/* ---- chain.c ---- */

struct weft_chain;

struct weft_ideal_ranks {
    const struct weft_ideal_input *input;
    uint32_t count;
    uint64_t op_count;
    bool *decides;
    struct weft_schedule **schedules; /* NULL where they are not kept */
};

/* NULL and false: out of memory. NULL and true: the schedules do not match, which is for others to
 * say. */
WEFT_CHECKED bool weft_chain_create(const struct weft_ideal_ranks *ranks, struct weft_loads *loads,
                                    struct weft_chain **ret_chain);
void weft_chain_destroy(struct weft_chain *chain);
/* One message after the other that the completion waits for; false: that was all. */
bool weft_chain_message(struct weft_chain *chain, struct weft_ideal_message *ret_message);
void weft_chain_bound(const struct weft_chain *chain, struct weft_bound *bound);

static inline uint64_t weft_ideal_wire_bytes(const struct weft_ideal_input *input,
                                             uint64_t len_bytes)
{
    uint64_t mtu_bytes = input->mtu_bytes ? input->mtu_bytes : WEFT_IDEAL_MTU_BYTES;
    uint64_t packets = len_bytes ? (len_bytes + mtu_bytes - 1) / mtu_bytes : 1;
    return len_bytes + packets * input->overhead_bytes;
}

#endif
