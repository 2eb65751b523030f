/* SPDX-License-Identifier: BSD-3-Clause */
/* Which wires of a switch lead to a NIC the shortest way, and the tree for frames to all. */
#include <stdlib.h>

#include "drivers/sim/state.h"

struct search {
    uint32_t *distances; /* of each switch to the NIC's */
    uint32_t *queue;
};

/* False: the NIC is joined to another, and no switch leads to it. */
static bool measure(const struct weft_sim_fabric *fabric, const struct search *search, uint32_t nic)
{
    uint32_t to = weft_routes_switch_of(fabric->graph, nic);
    if (to != WEFT_NODE_NONE)
        weft_routes_measure(fabric->graph, to, search->distances, search->queue);
    return to != WEFT_NODE_NONE;
}

static uint32_t ways(const struct weft_sim_fabric *fabric, const struct search *search,
                     uint32_t nic, uint32_t index, uint32_t *ret_wires)
{
    const struct weft_sim_switch *at = &fabric->switches[index];
    uint32_t distance = search->distances[index], count = 0;
    for (uint32_t i = 0; distance != WEFT_NODE_NONE && i < at->port_count; i++) {
        uint32_t wire = fabric->ports[at->first_port + i], to = fabric->wires[wire].to;
        bool leads = to == nic;
        if (to >= fabric->nic_count && distance)
            leads = search->distances[to - fabric->nic_count] == distance - 1;
        if (!leads)
            continue;
        if (ret_wires)
            ret_wires[count] = wire;
        count++;
    }
    return count;
}

/* First how many ways there are, then which. */
static bool fill(struct weft_sim_fabric *fabric, const struct search *search)
{
    uint32_t cells = fabric->switch_count * fabric->nic_count;
    for (uint32_t nic = 0; nic < fabric->nic_count; nic++) {
        bool linked = measure(fabric, search, nic);
        for (uint32_t i = 0; linked && i < fabric->switch_count; i++)
            fabric->route_starts[i * fabric->nic_count + nic + 1] =
                ways(fabric, search, nic, i, NULL);
    }
    for (uint32_t i = 0; i < cells; i++)
        fabric->route_starts[i + 1] += fabric->route_starts[i];
    fabric->routes = calloc(fabric->route_starts[cells] + 1u, sizeof(*fabric->routes));
    if (!fabric->routes)
        return false;
    for (uint32_t nic = 0; nic < fabric->nic_count; nic++) {
        bool linked = measure(fabric, search, nic);
        for (uint32_t i = 0; linked && i < fabric->switch_count; i++)
            (void)ways(fabric, search, nic, i,
                       fabric->routes + fabric->route_starts[i * fabric->nic_count + nic]);
    }
    return true;
}

/* Breadth first: every NIC's wire, and the first that led to each switch. */
static void grow_from(struct weft_sim_fabric *fabric, struct search *search, uint32_t root)
{
    uint32_t head = 0, tail = 0;
    search->distances[root] = 0;
    search->queue[tail++] = root;
    while (head < tail) {
        const struct weft_sim_switch *at = &fabric->switches[search->queue[head++]];
        for (uint32_t i = 0; i < at->port_count; i++) {
            uint32_t wire = fabric->ports[at->first_port + i], to = fabric->wires[wire].to;
            bool is_nic = to < fabric->nic_count;
            if (!is_nic && search->distances[to - fabric->nic_count] != WEFT_NODE_NONE)
                continue;
            fabric->wires[wire].floods = fabric->wires[wire ^ 1u].floods = true;
            if (is_nic)
                continue;
            search->distances[to - fabric->nic_count] = 0;
            search->queue[tail++] = to - fabric->nic_count;
        }
    }
}

static void grow_tree(struct weft_sim_fabric *fabric, struct search *search)
{
    for (uint32_t i = 0; i < fabric->switch_count; i++)
        search->distances[i] = WEFT_NODE_NONE;
    for (uint32_t i = 0; i < fabric->switch_count; i++)
        if (search->distances[i] == WEFT_NODE_NONE)
            grow_from(fabric, search, i);
}

bool weft_sim_route_build(struct weft_sim_fabric *fabric)
{
    size_t switches = fabric->switch_count + (size_t)1;
    size_t cells = (size_t)fabric->switch_count * fabric->nic_count;
    struct search search = {.distances = calloc(switches, sizeof(uint32_t)),
                            .queue = calloc(switches, sizeof(uint32_t))};
    fabric->route_starts = calloc(cells + 1, sizeof(*fabric->route_starts));
    bool whole = search.distances && search.queue && fabric->route_starts && fill(fabric, &search);
    if (whole)
        grow_tree(fabric, &search);
    free(search.distances);
    free(search.queue);
    return whole;
}
