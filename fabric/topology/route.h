/* SPDX-License-Identifier: BSD-3-Clause */
/* The topology as a graph, and its shortest ways.
 *
 * A link is two wires, one in each direction: wire 2l goes from the first end of link l to the
 * second, wire 2l + 1 back. A node is a NIC (its index) or a switch (its index behind the NICs').
 * NICs without a link hang on one more switch, which no topology names, by links of their own.
 *
 * A message may take any shortest way. Those from one switch to another lie in layers: each way
 * takes exactly one wire of each layer, and each wire of a layer is on some way. So all that goes
 * from the one to the other crosses each layer, whichever ways it takes. */
#ifndef WEFT_TOPOLOGY_ROUTE_H
#define WEFT_TOPOLOGY_ROUTE_H

#include "fabric/topology/topology.h"

#define WEFT_NODE_NONE UINT32_MAX

/* Where the topology says nothing; 0: it is not known. */
struct weft_route_defaults {
    uint64_t rate_bps;
    uint64_t delay_ns;
};

struct weft_route_wire {
    uint32_t from, to; /* nodes */
    uint64_t rate_bps; /* of the link or the slower NIC at its ends, the least; 0: not known */
    uint64_t delay_ns; /* 0: not known, or none */
};

struct weft_routes {
    uint32_t nic_count, switch_count; /* with the switch that is not named, where there is one */
    uint32_t wire_count;
    struct weft_route_wire *wires;
    uint32_t *nic_wires;   /* that each NIC sends by; it receives by this ^ 1 */
    uint32_t *first_ports; /* of each switch, and one behind the last: in `ports` */
    uint32_t *ports;       /* wires that leave switches */
};

/* NULL: out of memory. */
struct weft_routes *weft_routes_create(const struct weft_topology *topology,
                                       const struct weft_route_defaults *defaults);
void weft_routes_destroy(struct weft_routes *routes);

/* What a link carries: its own rate, but no more than a NIC at its ends has; 0: neither is given.
 */
uint64_t weft_link_rate_bps(const struct weft_topology *topology, const struct weft_link *link);

/* The switch that a NIC hangs on; NONE: it is joined to another NIC. */
uint32_t weft_routes_switch_of(const struct weft_routes *routes, uint32_t nic);

/* How many wires each switch is away from switch `to`; NONE: there is no way. `queue` is room for
 * as many as there are switches. */
void weft_routes_measure(const struct weft_routes *routes, uint32_t to, uint32_t *distances,
                         uint32_t *queue);

/* One walk from a switch to the one that `distances` are measured to, layer by layer. */
struct weft_route_walk {
    const struct weft_routes *routes;
    const uint32_t *distances;
    uint32_t at_count, *at; /* the switches that the layer's wires leave; */
    uint32_t *next;         /* that they lead to: each room for all switches */
    bool *seen;             /* of each switch; false before and after */
    uint32_t *wires;        /* of the layer: room for all wires */
};
WEFT_CHECKED bool weft_route_walk_init(struct weft_route_walk *walk,
                                       const struct weft_routes *routes);
void weft_route_walk_fini(struct weft_route_walk *walk);
void weft_route_walk_start(struct weft_route_walk *walk, const uint32_t *distances, uint32_t from);
/* How many wires the next layer has, which then stand in walk->wires; 0: arrived. */
uint32_t weft_route_walk_next(struct weft_route_walk *walk);

#endif
