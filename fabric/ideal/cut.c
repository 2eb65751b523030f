/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of the fabric: each switch with the NICs on it and, tier by tier, what the switches up to
 * that tier join. A tier is how far a switch is from the nearest NIC. Whatever way a message takes
 * from one part to another, it crosses the links that lead out of the one and into the other. */
#include <stdlib.h>

#include "fabric/ideal/internal.h"

#define TIERS_MAX 8u

/* Distances from the NICs; the greatest plus one. */
static uint32_t find_tiers(const struct weft_routes *routes, uint32_t *tiers, uint32_t *queue)
{
    uint32_t head = 0, tail = 0, count = 1;
    for (uint32_t i = 0; i < routes->switch_count; i++) {
        tiers[i] = WEFT_NODE_NONE;
        for (uint32_t port = routes->first_ports[i]; port < routes->first_ports[i + 1]; port++) {
            if (routes->wires[routes->ports[port]].to < routes->nic_count)
                tiers[i] = 0;
        }
        if (tiers[i] == 0)
            queue[tail++] = i;
    }
    while (head < tail) {
        uint32_t at = queue[head++];
        count = tiers[at] + 1;
        for (uint32_t port = routes->first_ports[at]; port < routes->first_ports[at + 1]; port++) {
            uint32_t node = routes->wires[routes->ports[port]].to;
            if (node < routes->nic_count || tiers[node - routes->nic_count] != WEFT_NODE_NONE)
                continue;
            tiers[node - routes->nic_count] = tiers[at] + 1;
            queue[tail++] = node - routes->nic_count;
        }
    }
    return count < TIERS_MAX ? count : TIERS_MAX;
}

static void join(const struct weft_routes *routes, const uint32_t *tiers, uint32_t below,
                 uint32_t start, uint32_t *parts, uint32_t *queue)
{
    uint32_t head = 0, tail = 0;
    parts[start] = start;
    queue[tail++] = start;
    while (head < tail) {
        uint32_t at = queue[head++];
        for (uint32_t port = routes->first_ports[at]; port < routes->first_ports[at + 1]; port++) {
            uint32_t node = routes->wires[routes->ports[port]].to;
            if (node < routes->nic_count)
                continue;
            node -= routes->nic_count;
            if (tiers[node] >= below || parts[node] != WEFT_NODE_NONE)
                continue;
            parts[node] = start;
            queue[tail++] = node;
        }
    }
}

/* Tier 0: each switch alone; tier t: those nearer to a NIC than t. */
static void find_parts(struct weft_cuts *cuts, const struct weft_routes *routes,
                       const uint32_t *tiers, uint32_t *queue)
{
    for (uint32_t tier = 0; tier < cuts->tier_count; tier++) {
        uint32_t *parts = cuts->parts + (size_t)tier * cuts->switch_count;
        for (uint32_t i = 0; i < cuts->switch_count; i++)
            parts[i] = tier ? WEFT_NODE_NONE : i;
        for (uint32_t i = 0; tier && i < cuts->switch_count; i++) {
            if (tiers[i] < tier && parts[i] == WEFT_NODE_NONE)
                join(routes, tiers, tier, i, parts, queue);
        }
    }
}

static size_t place_of(const struct weft_cuts *cuts, uint32_t tier, uint32_t part, uint32_t way)
{
    return 2 * ((size_t)tier * cuts->switch_count + part) + way;
}

/* One link of unknown rate makes the whole unknown: it may carry all. */
static void add_rate(struct weft_cuts *cuts, size_t place, uint64_t rate_bps)
{
    uint64_t *sum_bps = &cuts->rates_bps[place];
    *sum_bps = !rate_bps || *sum_bps == UINT64_MAX ? UINT64_MAX : *sum_bps + rate_bps;
}

static void add_rates(struct weft_cuts *cuts, const struct weft_routes *routes)
{
    for (uint32_t i = 0; i < routes->wire_count; i++) {
        const struct weft_route_wire *wire = &routes->wires[i];
        if (wire->from < routes->nic_count || wire->to < routes->nic_count)
            continue;
        for (uint32_t tier = 0; tier < cuts->tier_count; tier++) {
            const uint32_t *parts = cuts->parts + (size_t)tier * cuts->switch_count;
            uint32_t from = parts[wire->from - routes->nic_count];
            uint32_t to = parts[wire->to - routes->nic_count];
            if (from != to && from != WEFT_NODE_NONE)
                add_rate(cuts, place_of(cuts, tier, from, 0), wire->rate_bps);
            if (from != to && to != WEFT_NODE_NONE)
                add_rate(cuts, place_of(cuts, tier, to, 1), wire->rate_bps);
        }
    }
}

bool weft_cuts_init(struct weft_cuts *cuts, const struct weft_loads *loads)
{
    const struct weft_routes *routes = loads->routes;
    uint32_t *tiers = calloc(2 * (size_t)routes->switch_count + 1, sizeof(*tiers));
    *cuts = (struct weft_cuts){.switch_count = routes->switch_count};
    if (!tiers)
        return false;
    cuts->tier_count = find_tiers(routes, tiers, tiers + routes->switch_count);
    size_t cells = (size_t)cuts->tier_count * cuts->switch_count;
    cuts->parts = calloc(cells + 1, sizeof(*cuts->parts));
    cuts->loads = calloc(2 * cells + 1, sizeof(*cuts->loads));
    cuts->rates_bps = calloc(2 * cells + 1, sizeof(*cuts->rates_bps));
    bool made = cuts->parts && cuts->loads && cuts->rates_bps;
    if (made) {
        find_parts(cuts, routes, tiers, tiers + routes->switch_count);
        add_rates(cuts, routes);
    }
    free(tiers);
    return made;
}

void weft_cuts_fini(struct weft_cuts *cuts)
{
    free(cuts->parts);
    free(cuts->loads);
    free(cuts->rates_bps);
}

void weft_cuts_add(struct weft_cuts *cuts, const struct weft_loads *loads,
                   const struct weft_ideal_message *message)
{
    uint32_t from_switch = loads->nic_switches[message->from_nic];
    uint32_t to_switch = loads->nic_switches[message->to_nic];
    const struct weft_load load = {.wire_bytes = message->wire_bytes,
                                   .payload_bytes = message->payload_bytes,
                                   .head_ps = message->start_ps,
                                   .tail_ps = message->tail_ps};
    if (from_switch == to_switch || from_switch == WEFT_NODE_NONE || to_switch == WEFT_NODE_NONE)
        return;
    for (uint32_t tier = 0; tier < cuts->tier_count; tier++) {
        const uint32_t *parts = cuts->parts + (size_t)tier * cuts->switch_count;
        uint32_t from = parts[from_switch], to = parts[to_switch];
        if (from == to)
            continue;
        if (from != WEFT_NODE_NONE)
            weft_load_add(&cuts->loads[place_of(cuts, tier, from, 0)], &load);
        if (to != WEFT_NODE_NONE)
            weft_load_add(&cuts->loads[place_of(cuts, tier, to, 1)], &load);
    }
}

void weft_cuts_bound(const struct weft_cuts *cuts, const struct weft_loads *loads,
                     struct weft_bound *bound)
{
    static const char *const ways[] = {"sends", "receives"};
    for (uint32_t tier = 0; tier < cuts->tier_count; tier++) {
        for (uint32_t part = 0; part < cuts->switch_count; part++) {
            for (uint32_t way = 0; way < 2; way++) {
                size_t place = place_of(cuts, tier, part, way);
                uint64_t rate_bps = cuts->rates_bps[place];
                bool named = part < loads->topology->switch_count;
                if (!cuts->loads[place].wire_bytes || !rate_bps || rate_bps == UINT64_MAX)
                    continue;
                weft_bound_take(bound, &cuts->loads[place], rate_bps, "the part below %s%.60s %s",
                                tier ? "the tier of " : "",
                                named ? loads->topology->switches[part].name : "the switch",
                                ways[way]);
            }
        }
    }
}
