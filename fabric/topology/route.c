/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/route.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint64_t weft_link_rate_bps(const struct weft_topology *topology, const struct weft_link *link)
{
    uint64_t rate_bps = link->rate_bps;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t own = link->ends[i].is_switch ? 0 : topology->nics[link->ends[i].index].rate_bps;
        if (own && (!rate_bps || own < rate_bps))
            rate_bps = own;
    }
    return rate_bps;
}

static uint32_t node_of(const struct weft_routes *routes, const struct weft_link_end *end)
{
    return end->is_switch ? routes->nic_count + end->index : end->index;
}

static void add_wires(struct weft_routes *routes, uint32_t link, const uint32_t ends[2],
                      uint64_t rate_bps, uint64_t delay_ns)
{
    for (uint32_t i = 0; i < 2; i++) {
        routes->wires[2 * link + i] = (struct weft_route_wire){
            .from = ends[i], .to = ends[1 - i], .rate_bps = rate_bps, .delay_ns = delay_ns};
        if (ends[i] < routes->nic_count)
            routes->nic_wires[ends[i]] = 2 * link + i;
    }
}

static void add_links(struct weft_routes *routes, const struct weft_topology *topology,
                      const struct weft_route_defaults *defaults)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < routes->nic_count; i++)
        routes->nic_wires[i] = WEFT_NODE_NONE;
    for (; next < topology->link_count; next++) {
        const struct weft_link *link = &topology->links[next];
        const uint32_t ends[2] = {node_of(routes, &link->ends[0]), node_of(routes, &link->ends[1])};
        uint64_t rate_bps = weft_link_rate_bps(topology, link);
        add_wires(routes, next, ends, rate_bps ? rate_bps : defaults->rate_bps,
                  link->delay_ns == WEFT_DELAY_NONE ? defaults->delay_ns : link->delay_ns);
    }
    for (uint32_t i = 0; i < routes->nic_count; i++) {
        const uint32_t ends[2] = {i, routes->nic_count + routes->switch_count - 1};
        uint64_t rate_bps = topology->nics[i].rate_bps;
        if (routes->nic_wires[i] == WEFT_NODE_NONE)
            add_wires(routes, next++, ends, rate_bps ? rate_bps : defaults->rate_bps,
                      defaults->delay_ns);
    }
    assert(2 * next == routes->wire_count);
}

static void sort_ports(struct weft_routes *routes)
{
    uint32_t *firsts = routes->first_ports;
    for (uint32_t i = 0; i < routes->wire_count; i++)
        if (routes->wires[i].from >= routes->nic_count)
            firsts[routes->wires[i].from - routes->nic_count + 1]++;
    for (uint32_t i = 0; i < routes->switch_count; i++)
        firsts[i + 1] += firsts[i];
    for (uint32_t i = routes->wire_count; i-- > 0;) {
        if (routes->wires[i].from >= routes->nic_count)
            routes->ports[--firsts[routes->wires[i].from - routes->nic_count + 1]] = i;
    }
    /* Counted down, each stands one place too far. */
    memmove(firsts, firsts + 1, routes->switch_count * sizeof(*firsts));
    firsts[routes->switch_count] = 0;
    for (uint32_t i = 0; i < routes->wire_count; i++)
        firsts[routes->switch_count] += routes->wires[i].from >= routes->nic_count;
}

static uint32_t count_unlinked(const struct weft_topology *topology)
{
    uint32_t linked = 0;
    for (uint32_t i = 0; i < topology->link_count; i++)
        linked += (topology->links[i].ends[0].is_switch ? 0u : 1u) +
                  (topology->links[i].ends[1].is_switch ? 0u : 1u);
    return topology->nic_count - linked;
}

struct weft_routes *weft_routes_create(const struct weft_topology *topology,
                                       const struct weft_route_defaults *defaults)
{
    struct weft_routes *routes = calloc(1, sizeof(*routes));
    uint32_t unlinked = count_unlinked(topology);
    if (!routes)
        return NULL;
    routes->nic_count = topology->nic_count;
    routes->switch_count = topology->switch_count + (unlinked ? 1 : 0);
    routes->wire_count = 2 * (topology->link_count + unlinked);
    routes->wires = calloc(routes->wire_count + 1u, sizeof(*routes->wires));
    routes->nic_wires = calloc(routes->nic_count + 1u, sizeof(*routes->nic_wires));
    routes->first_ports = calloc(routes->switch_count + 2u, sizeof(*routes->first_ports));
    routes->ports = calloc(routes->wire_count + 1u, sizeof(*routes->ports));
    if (!routes->wires || !routes->nic_wires || !routes->first_ports || !routes->ports) {
        weft_routes_destroy(routes);
        return NULL;
    }
    add_links(routes, topology, defaults);
    sort_ports(routes);
    return routes;
}

void weft_routes_destroy(struct weft_routes *routes)
{
    if (!routes)
        return;
    free(routes->wires);
    free(routes->nic_wires);
    free(routes->first_ports);
    free(routes->ports);
    free(routes);
}

uint32_t weft_routes_switch_of(const struct weft_routes *routes, uint32_t nic)
{
    uint32_t to = routes->wires[routes->nic_wires[nic]].to;
    return to < routes->nic_count ? WEFT_NODE_NONE : to - routes->nic_count;
}

void weft_routes_measure(const struct weft_routes *routes, uint32_t to, uint32_t *distances,
                         uint32_t *queue)
{
    uint32_t head = 0, tail = 0;
    for (uint32_t i = 0; i < routes->switch_count; i++)
        distances[i] = WEFT_NODE_NONE;
    distances[to] = 0;
    queue[tail++] = to;
    while (head < tail) {
        uint32_t at = queue[head++];
        for (uint32_t i = routes->first_ports[at]; i < routes->first_ports[at + 1]; i++) {
            uint32_t node = routes->wires[routes->ports[i]].to;
            if (node < routes->nic_count || distances[node - routes->nic_count] != WEFT_NODE_NONE)
                continue;
            distances[node - routes->nic_count] = distances[at] + 1;
            queue[tail++] = node - routes->nic_count;
        }
    }
}

bool weft_route_walk_init(struct weft_route_walk *walk, const struct weft_routes *routes)
{
    *walk = (struct weft_route_walk){.routes = routes};
    walk->at = calloc(routes->switch_count + 1u, sizeof(*walk->at));
    walk->next = calloc(routes->switch_count + 1u, sizeof(*walk->next));
    walk->seen = calloc(routes->switch_count + 1u, sizeof(*walk->seen));
    walk->wires = calloc(routes->wire_count + 1u, sizeof(*walk->wires));
    return walk->at && walk->next && walk->seen && walk->wires;
}

void weft_route_walk_fini(struct weft_route_walk *walk)
{
    free(walk->at);
    free(walk->next);
    free(walk->seen);
    free(walk->wires);
}

void weft_route_walk_start(struct weft_route_walk *walk, const uint32_t *distances, uint32_t from)
{
    walk->distances = distances;
    walk->at[0] = from;
    walk->at_count = distances[from] == WEFT_NODE_NONE ? 0 : 1;
}

static uint32_t leave(struct weft_route_walk *walk, uint32_t at, uint32_t *next_count,
                      uint32_t wire_count)
{
    const struct weft_routes *routes = walk->routes;
    for (uint32_t i = routes->first_ports[at]; i < routes->first_ports[at + 1]; i++) {
        uint32_t wire = routes->ports[i];
        uint32_t to = routes->wires[wire].to;
        if (to < routes->nic_count || !walk->distances[at] ||
            walk->distances[to - routes->nic_count] != walk->distances[at] - 1)
            continue;
        walk->wires[wire_count++] = wire;
        to -= routes->nic_count;
        if (!walk->seen[to])
            walk->next[(*next_count)++] = to;
        walk->seen[to] = true;
    }
    return wire_count;
}

uint32_t weft_route_walk_next(struct weft_route_walk *walk)
{
    uint32_t wire_count = 0, next_count = 0;
    for (uint32_t i = 0; i < walk->at_count; i++)
        wire_count = leave(walk, walk->at[i], &next_count, wire_count);
    for (uint32_t i = 0; i < next_count; i++)
        walk->seen[walk->next[i]] = false;
    uint32_t *left = walk->at;
    walk->at = walk->next;
    walk->next = left;
    walk->at_count = next_count;
    return wire_count;
}
