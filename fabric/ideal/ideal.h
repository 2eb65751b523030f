/* SPDX-License-Identifier: BSD-3-Clause */
/* The time that a pattern takes at least on a topology, from its schedules alone.
 *
 * Two bounds, of which the larger holds:
 * - bytes over capacity, for each NIC's sending and receiving, each layer of equal ways from switch
 *   to switch (one link where there is no other way), and each part of the fabric that switches of
 *   a lower tier hold together. Bytes are those on an Ethernet line: each packet has its headers
 *   and what the line adds, acknowledgements and weft's own writes are left out.
 * - the longest chain of operations that wait for each other: a message takes its links' delays and
 *   its bytes over the narrowest layer of its way; messages of one flow follow each other; a
 *   sender's operation ends an acknowledgement's way later; computation takes its time. Switches
 *   add nothing, as if each bit went on at once.
 *
 * Only what the completion waits for is counted: messages from which a chain leads to a rank that
 * decides it.
 *
 * `alone_ns` is for one iteration that all ranks start at the same instant. Iterations that follow
 * each other overlap: a rank that is done goes on, while others still wait for what it sent. Then
 * the delays before and after a full link cost nothing, and `ideal_ns`, the least mean time of an
 * iteration, is lower: bytes over capacity, or the chain of the rank that is done first. (Were
 * every rank to take at least so long whenever all start at 0, each would take at least so long
 * whenever they start.) Where one rank alone decides, a chain that leads from it back to it counts,
 * too: that lies within each of its iterations. The mean of measured iterations is never below it,
 * single ones may be. */
#ifndef WEFT_IDEAL_IDEAL_H
#define WEFT_IDEAL_IDEAL_H

#include "fabric/schedule/pattern.h"
#include "fabric/topology/route.h"

/* What a packet takes on the line beside its payload: preamble, FCS and gap 24, Ethernet 14, IPv4
 * 20, UDP 8, BTH 12, ICRC 4. RETH and immediate, which some packets have, are left out. */
#define WEFT_IDEAL_OVERHEAD_BYTES 82u
#define WEFT_IDEAL_IPV6_BYTES 20u /* more, with IPv6 */
/* InfiniBand: LRH 8, BTH 12, ICRC 4, VCRC 2. */
#define WEFT_IDEAL_INFINIBAND_BYTES 26u
#define WEFT_IDEAL_MTU_BYTES 4096u

/* Beyond so many operations of an iteration in all nothing is computed; beyond the second number
 * there is no chain, for that holds all ranks' schedules at once. */
#define WEFT_IDEAL_OPS_MAX (UINT64_C(1) << 24)
#define WEFT_IDEAL_CHAIN_OPS_MAX (UINT64_C(1) << 21)

struct weft_ideal_input {
    const struct weft_pattern *pattern;
    const struct weft_pattern_options *options;
    const struct weft_topology *topology;
    struct weft_route_defaults defaults;
    uint32_t mtu_bytes;      /* 0: the largest there is */
    uint32_t overhead_bytes; /* of a packet */
};

#define WEFT_IDEAL_TEXT 200

struct weft_ideal {
    uint64_t ideal_ns; /* 0: not known, and `why` says why */
    uint64_t alone_ns;
    uint64_t algbw_bps, busbw_bps; /* at ideal_ns; 0: the pattern has none */
    char limit[WEFT_IDEAL_TEXT];   /* what decides ideal_ns: "NIC a/n sends 1.75 MiB at 100 Gbps" */
    char why[WEFT_IDEAL_TEXT];
    bool has_chain;
    /* The most flows on a wire between two switches over the mean of those that carry any; 0: there
     * are none, or some flow has several ways, so that who takes which is not known. */
    double mmr;
};

/* What is not known for want of rates is no error. Options checked. */
WEFT_CHECKED enum weft_status weft_ideal_compute(const struct weft_ideal_input *input,
                                                 struct weft_ideal *ret_ideal,
                                                 struct weft_error *error);

#endif
