/* SPDX-License-Identifier: BSD-3-Clause */
/* Which wires of a switch lead to a NIC the shortest way, and the tree for frames to all. */
#include <stdlib.h>

#include "drivers/sim/state.h"

struct search {
    uint32_t *distances; /* of each node; NONE: not reached */
    uint32_t *queue;
};

static void clear(const struct weft_sim_fabric *fabric, struct search *search)
{
    for (uint32_t i = 0; i < fabric->nic_count + fabric->switch_count; i++)
        search->distances[i] = WEFT_SIM_NONE;
}

/* NICs pass nothing on. `take` is told of each wire that led to a node first. */
static void spread(struct weft_sim_fabric *fabric, struct search *search, uint32_t start, bool tree)
{
    uint32_t head = 0, tail = 0;
    search->distances[start] = 0;
    search->queue[tail++] = start;
    while (head < tail) {
        uint32_t node = search->queue[head++];
        if (node < fabric->nic_count && node != start)
            continue;
        bool is_nic = node < fabric->nic_count;
        const struct weft_sim_switch *at =
            is_nic ? NULL : &fabric->switches[node - fabric->nic_count];
        uint32_t count = at ? at->port_count : 1;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t wire = at ? fabric->ports[at->first_port + i] : fabric->nics[node].out;
            uint32_t to = fabric->wires[wire].to;
            if (search->distances[to] != WEFT_SIM_NONE)
                continue;
            search->distances[to] = search->distances[node] + 1;
            search->queue[tail++] = to;
            if (tree)
                fabric->wires[wire].floods = fabric->wires[wire ^ 1u].floods = true;
        }
    }
}

static uint32_t ways(const struct weft_sim_fabric *fabric, const struct search *search,
                     uint32_t index, uint32_t *ret_wires)
{
    const struct weft_sim_switch *at = &fabric->switches[index];
    uint32_t distance = search->distances[fabric->nic_count + index];
    uint32_t count = 0;
    for (uint32_t i = 0; distance != WEFT_SIM_NONE && i < at->port_count; i++) {
        uint32_t wire = fabric->ports[at->first_port + i];
        if (search->distances[fabric->wires[wire].to] + 1 != distance)
            continue;
        if (ret_wires)
            ret_wires[count] = wire;
        count++;
    }
    return count;
}

/* First how many ways there are, then which. */
static bool fill(struct weft_sim_fabric *fabric, struct search *search)
{
    uint32_t cells = fabric->switch_count * fabric->nic_count;
    for (uint32_t nic = 0; nic < fabric->nic_count; nic++) {
        clear(fabric, search);
        spread(fabric, search, nic, false);
        for (uint32_t i = 0; i < fabric->switch_count; i++)
            fabric->route_starts[i * fabric->nic_count + nic + 1] = ways(fabric, search, i, NULL);
    }
    for (uint32_t i = 0; i < cells; i++)
        fabric->route_starts[i + 1] += fabric->route_starts[i];
    fabric->routes = calloc(fabric->route_starts[cells] + 1u, sizeof(*fabric->routes));
    if (!fabric->routes)
        return false;
    for (uint32_t nic = 0; nic < fabric->nic_count; nic++) {
        clear(fabric, search);
        spread(fabric, search, nic, false);
        for (uint32_t i = 0; i < fabric->switch_count; i++) {
            uint32_t start = fabric->route_starts[i * fabric->nic_count + nic];
            (void)ways(fabric, search, i, fabric->routes + start);
        }
    }
    return true;
}

static void grow_tree(struct weft_sim_fabric *fabric, struct search *search)
{
    clear(fabric, search);
    for (uint32_t i = 0; i < fabric->switch_count; i++) {
        if (search->distances[fabric->nic_count + i] == WEFT_SIM_NONE)
            spread(fabric, search, fabric->nic_count + i, true);
    }
}

bool weft_sim_route_build(struct weft_sim_fabric *fabric)
{
    size_t nodes = fabric->nic_count + fabric->switch_count;
    size_t cells = (size_t)fabric->switch_count * fabric->nic_count;
    struct search search = {.distances = calloc(nodes, sizeof(uint32_t)),
                            .queue = calloc(nodes, sizeof(uint32_t))};
    fabric->route_starts = calloc(cells + 1, sizeof(*fabric->route_starts));
    bool whole = search.distances && search.queue && fabric->route_starts && fill(fabric, &search);
    if (whole)
        grow_tree(fabric, &search);
    free(search.distances);
    free(search.queue);
    return whole;
}
