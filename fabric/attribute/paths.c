/* SPDX-License-Identifier: BSD-3-Clause */
/* Which links lie between two NICs. Which of several equal ways a flow takes is not known here, so
 * the links of a layer share it. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"
#include "fabric/topology/route.h"

struct weft_paths {
    uint32_t link_count;
    struct weft_routes *routes;
    struct weft_route_walk walk;
    uint32_t *distances, *queue; /* of switches */
    uint32_t *hops;              /* of NICs */
};

struct weft_paths *weft_paths_create(const struct weft_topology *topology)
{
    const struct weft_route_defaults defaults = {0};
    struct weft_paths *paths = calloc(1, sizeof(*paths));
    if (!paths)
        return NULL;
    paths->link_count = topology->link_count;
    paths->routes = weft_routes_create(topology, &defaults);
    if (paths->routes) {
        size_t switches = (size_t)paths->routes->switch_count + 1;
        paths->distances = calloc(switches, sizeof(uint32_t));
        paths->queue = calloc(switches, sizeof(uint32_t));
        paths->hops = calloc((size_t)paths->routes->nic_count + 1, sizeof(uint32_t));
    }
    if (paths->distances && paths->queue && paths->hops &&
        weft_route_walk_init(&paths->walk, paths->routes))
        return paths;
    weft_paths_destroy(paths);
    return NULL;
}

void weft_paths_destroy(struct weft_paths *paths)
{
    if (!paths)
        return;
    weft_route_walk_fini(&paths->walk);
    weft_routes_destroy(paths->routes);
    free(paths->distances);
    free(paths->queue);
    free(paths->hops);
    free(paths);
}

static bool are_joined(const struct weft_routes *routes, uint32_t nic, uint32_t other)
{
    return routes->wires[routes->nic_wires[nic]].to == other;
}

const uint32_t *weft_paths_hops(struct weft_paths *paths, uint32_t nic)
{
    const struct weft_routes *routes = paths->routes;
    uint32_t to = weft_routes_switch_of(routes, nic);
    if (to != WEFT_NODE_NONE)
        weft_routes_measure(routes, to, paths->distances, paths->queue);
    for (uint32_t other = 0; other < routes->nic_count; other++) {
        uint32_t from = weft_routes_switch_of(routes, other);
        if (other == nic)
            paths->hops[other] = 0;
        else if (to == WEFT_NODE_NONE || from == WEFT_NODE_NONE)
            paths->hops[other] = are_joined(routes, nic, other) ? 1 : WEFT_NODE_NONE;
        else
            paths->hops[other] = paths->distances[from] == WEFT_NODE_NONE
                                     ? WEFT_NODE_NONE
                                     : paths->distances[from] + 2;
    }
    return paths->hops;
}

/* NICs without a link hang on a switch that the topology does not name: those links are not its. */
static void add(const struct weft_paths *paths, uint32_t wire, double weight, double *link_weights)
{
    if (wire / 2 < paths->link_count)
        link_weights[wire / 2] += weight;
}

void weft_paths_add(struct weft_paths *paths, uint32_t from_nic, uint32_t to_nic, double weight,
                    double *link_weights)
{
    const struct weft_routes *routes = paths->routes;
    uint32_t from = weft_routes_switch_of(routes, from_nic);
    uint32_t to = weft_routes_switch_of(routes, to_nic);
    if (from_nic == to_nic)
        return;
    if (from == WEFT_NODE_NONE || to == WEFT_NODE_NONE) {
        if (are_joined(routes, from_nic, to_nic))
            add(paths, routes->nic_wires[from_nic], weight, link_weights);
        return;
    }
    weft_routes_measure(routes, to, paths->distances, paths->queue);
    if (paths->distances[from] == WEFT_NODE_NONE)
        return;
    add(paths, routes->nic_wires[from_nic], weight, link_weights);
    add(paths, routes->nic_wires[to_nic], weight, link_weights);
    weft_route_walk_start(&paths->walk, paths->distances, from);
    for (uint32_t count; (count = weft_route_walk_next(&paths->walk)) > 0;) {
        for (uint32_t i = 0; i < count; i++)
            add(paths, paths->walk.wires[i], weight / count, link_weights);
    }
}
