/* SPDX-License-Identifier: BSD-3-Clause */
/* What messages add up to on NICs, between switches, and on the wires that they must cross. */
#include <stdlib.h>
#include <string.h>

#include "fabric/ideal/internal.h"

#define ROOM_FIRST 64u
/* Spreading is a walk for each pair of switches; a few seconds' worth. What is beyond bounds
 * nothing, which leaves the rest right. */
#define STEPS_MAX (UINT64_C(1) << 28)

bool weft_loads_init(struct weft_loads *loads, const struct weft_topology *topology,
                     const struct weft_route_defaults *defaults)
{
    uint32_t nics = topology->nic_count;
    *loads = (struct weft_loads){.topology = topology,
                                 .routes = weft_routes_create(topology, defaults),
                                 .nic_switches = calloc(nics, sizeof(uint32_t)),
                                 .out = calloc(nics, sizeof(*loads->out)),
                                 .in = calloc(nics, sizeof(*loads->in)),
                                 .pair_room = ROOM_FIRST,
                                 .pairs = calloc(ROOM_FIRST, sizeof(*loads->pairs)),
                                 .layer_room = ROOM_FIRST,
                                 .layers = calloc(ROOM_FIRST, sizeof(*loads->layers)),
                                 .ways_known = true};
    if (!loads->routes || !loads->nic_switches || !loads->out || !loads->in || !loads->pairs ||
        !loads->layers)
        return false;
    for (uint32_t i = 0; i < nics; i++)
        loads->nic_switches[i] = weft_routes_switch_of(loads->routes, i);
    return true;
}

void weft_loads_fini(struct weft_loads *loads)
{
    weft_routes_destroy(loads->routes);
    free(loads->nic_switches);
    free(loads->out);
    free(loads->in);
    free(loads->pairs);
    free(loads->layers);
    free(loads->layer_wires);
}

/* ---- pairs of switches ---- */

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return value ^ value >> 29;
}

/* A place is free where from == to: no pair is so. */
static struct weft_pair *find_pair(const struct weft_loads *loads, uint32_t from, uint32_t to)
{
    uint32_t at = (uint32_t)mix((uint64_t)from << 32 | to) & (loads->pair_room - 1);
    struct weft_pair *pair = &loads->pairs[at];
    while (pair->from != pair->to && (pair->from != from || pair->to != to)) {
        at = (at + 1) & (loads->pair_room - 1);
        pair = &loads->pairs[at];
    }
    return pair;
}

static bool grow_pairs(struct weft_loads *loads)
{
    struct weft_pair *old = loads->pairs;
    uint32_t old_room = loads->pair_room;
    struct weft_pair *pairs = calloc(2 * (size_t)old_room, sizeof(*pairs));
    if (!pairs)
        return false;
    loads->pairs = pairs;
    loads->pair_room = 2 * old_room;
    for (uint32_t i = 0; i < old_room; i++) {
        if (old[i].from != old[i].to)
            *find_pair(loads, old[i].from, old[i].to) = old[i];
    }
    free(old);
    return true;
}

struct weft_pair *weft_loads_pair(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic)
{
    uint32_t from = loads->nic_switches[from_nic], to = loads->nic_switches[to_nic];
    if (from == to || from == WEFT_NODE_NONE || to == WEFT_NODE_NONE)
        return NULL;
    struct weft_pair *pair = find_pair(loads, from, to);
    if (pair->from != pair->to)
        return pair;
    if (2 * loads->pair_count >= loads->pair_room) {
        if (!grow_pairs(loads)) {
            loads->out_of_memory = true;
            return NULL;
        }
        pair = find_pair(loads, from, to);
    }
    loads->pair_count++;
    *pair = (struct weft_pair){.from = from, .to = to};
    return pair;
}

/* ---- layers ---- */

static uint64_t hash_wires(const uint32_t *wires, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = mix(hash ^ wires[i]);
    return hash;
}

static struct weft_layer *find_layer(const struct weft_loads *loads, const uint32_t *wires,
                                     uint32_t count)
{
    uint32_t at = (uint32_t)hash_wires(wires, count) & (loads->layer_room - 1);
    struct weft_layer *layer = &loads->layers[at];
    while (layer->wire_count &&
           (layer->wire_count != count ||
            memcmp(&loads->layer_wires[layer->first_wire], wires, count * sizeof(*wires)) != 0)) {
        at = (at + 1) & (loads->layer_room - 1);
        layer = &loads->layers[at];
    }
    return layer;
}

static bool grow_layers(struct weft_loads *loads)
{
    struct weft_layer *old = loads->layers;
    uint32_t old_room = loads->layer_room;
    struct weft_layer *layers = calloc(2 * (size_t)old_room, sizeof(*layers));
    if (!layers)
        return false;
    loads->layers = layers;
    loads->layer_room = 2 * old_room;
    for (uint32_t i = 0; i < old_room; i++) {
        if (old[i].wire_count)
            *find_layer(loads, &loads->layer_wires[old[i].first_wire], old[i].wire_count) = old[i];
    }
    free(old);
    return true;
}

static bool keep_wires(struct weft_loads *loads, const uint32_t *wires, uint32_t count)
{
    if (loads->layer_wire_count + count > loads->layer_wire_room) {
        size_t room = 2 * (loads->layer_wire_room + count);
        uint32_t *more = realloc(loads->layer_wires, room * sizeof(*more));
        if (!more)
            return false;
        loads->layer_wires = more;
        loads->layer_wire_room = room;
    }
    memcpy(&loads->layer_wires[loads->layer_wire_count], wires, count * sizeof(*wires));
    return true;
}

static uint64_t rate_of(const struct weft_routes *routes, const uint32_t *wires, uint32_t count)
{
    uint64_t rate_bps = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!routes->wires[wires[i]].rate_bps)
            return 0;
        rate_bps += routes->wires[wires[i]].rate_bps;
    }
    return rate_bps;
}

static void add_layer(struct weft_loads *loads, const uint32_t *wires, uint32_t count,
                      const struct weft_load *load)
{
    if (2 * loads->layer_count >= loads->layer_room && !grow_layers(loads)) {
        loads->out_of_memory = true;
        return;
    }
    struct weft_layer *layer = find_layer(loads, wires, count);
    if (!layer->wire_count) {
        if (!keep_wires(loads, wires, count)) {
            loads->out_of_memory = true;
            return;
        }
        *layer = (struct weft_layer){.wire_count = count,
                                     .first_wire = (uint32_t)loads->layer_wire_count,
                                     .rate_bps = rate_of(loads->routes, wires, count)};
        loads->layer_wire_count += count;
        loads->layer_count++;
    }
    weft_load_add(&layer->load, load);
}

/* ---- walks ---- */

static uint64_t least_delay_ps(const struct weft_routes *routes, const uint32_t *wires,
                               uint32_t count)
{
    uint64_t delay_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (routes->wires[wires[i]].delay_ns < delay_ns)
            delay_ns = routes->wires[wires[i]].delay_ns;
    }
    return delay_ns * WEFT_IDEAL_PS_PER_NS;
}

static uint32_t measure_pair(struct weft_loads *loads, struct weft_route_walk *walk,
                             struct weft_pair *pair)
{
    uint32_t count, steps = 0;
    while ((count = weft_route_walk_next(walk)) > 0) {
        uint64_t rate_bps = rate_of(loads->routes, walk->wires, count);
        pair->delay_ps += least_delay_ps(loads->routes, walk->wires, count);
        if (rate_bps && (!pair->rate_bps || rate_bps < pair->rate_bps))
            pair->rate_bps = rate_bps;
        pair->layer_count++;
        loads->ways_known = loads->ways_known && count == 1;
        steps += count;
    }
    return steps;
}

/* A bit that is late in one layer is late in all that follow. */
static uint32_t spread_pair(struct weft_loads *loads, struct weft_route_walk *walk,
                            struct weft_pair *pair)
{
    uint64_t before_ps = 0;
    uint32_t count, steps = 0;
    while ((count = weft_route_walk_next(walk)) > 0) {
        struct weft_load load = pair->load;
        load.head_ps += before_ps;
        load.tail_ps += pair->delay_ps - before_ps;
        before_ps += least_delay_ps(loads->routes, walk->wires, count);
        if (load.wire_bytes)
            add_layer(loads, walk->wires, count, &load);
        steps += count;
    }
    return steps;
}

static int by_destination(const void *left, const void *right)
{
    const struct weft_pair *a = *(struct weft_pair *const *)left;
    const struct weft_pair *b = *(struct weft_pair *const *)right;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* All pairs, those to one switch together: the way there is measured once. */
static void walk_pairs(struct weft_loads *loads,
                       uint32_t (*visit)(struct weft_loads *loads, struct weft_route_walk *walk,
                                         struct weft_pair *pair))
{
    struct weft_route_walk walk;
    uint32_t switches = loads->routes->switch_count;
    uint32_t *distances = calloc(2 * (size_t)switches + 1, sizeof(*distances));
    struct weft_pair **order = calloc(loads->pair_count + 1u, sizeof(*order));
    bool made = weft_route_walk_init(&walk, loads->routes) && distances && order;
    uint32_t count = 0;
    uint64_t steps = 0;
    for (uint32_t i = 0; made && i < loads->pair_room; i++) {
        if (loads->pairs[i].from != loads->pairs[i].to)
            order[count++] = &loads->pairs[i];
    }
    if (made && count)
        qsort(order, count, sizeof(struct weft_pair *), by_destination);
    for (uint32_t i = 0; made && i < count && steps < STEPS_MAX; i++) {
        if (i == 0 || order[i]->to != order[i - 1]->to) {
            weft_routes_measure(loads->routes, order[i]->to, distances, distances + switches);
            steps += loads->routes->wire_count;
        }
        weft_route_walk_start(&walk, distances, order[i]->from);
        steps += visit(loads, &walk, order[i]);
    }
    loads->ways_known = loads->ways_known && steps < STEPS_MAX;
    loads->out_of_memory = loads->out_of_memory || !made;
    weft_route_walk_fini(&walk);
    free(distances);
    free(order);
}

void weft_loads_measure(struct weft_loads *loads)
{
    walk_pairs(loads, measure_pair);
}

void weft_loads_spread(struct weft_loads *loads)
{
    walk_pairs(loads, spread_pair);
}

/* ---- messages ---- */

static const struct weft_route_wire *wire_of(const struct weft_loads *loads, uint32_t nic)
{
    return &loads->routes->wires[loads->routes->nic_wires[nic]];
}

uint64_t weft_loads_delay_ps(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic)
{
    if (from_nic == to_nic)
        return 0;
    uint64_t delay_ps = wire_of(loads, from_nic)->delay_ns * WEFT_IDEAL_PS_PER_NS;
    if (loads->nic_switches[from_nic] == WEFT_NODE_NONE)
        return delay_ps;
    const struct weft_pair *pair = weft_loads_pair(loads, from_nic, to_nic);
    delay_ps += wire_of(loads, to_nic)->delay_ns * WEFT_IDEAL_PS_PER_NS;
    return pair ? delay_ps + pair->delay_ps : delay_ps;
}

static uint64_t lesser(uint64_t left_bps, uint64_t right_bps)
{
    if (!left_bps || !right_bps)
        return left_bps + right_bps;
    return left_bps < right_bps ? left_bps : right_bps;
}

uint64_t weft_loads_rate_bps(struct weft_loads *loads, uint32_t from_nic, uint32_t to_nic)
{
    if (from_nic == to_nic)
        return 0;
    uint64_t rate_bps =
        lesser(wire_of(loads, from_nic)->rate_bps, wire_of(loads, to_nic)->rate_bps);
    const struct weft_pair *pair = weft_loads_pair(loads, from_nic, to_nic);
    return pair ? lesser(rate_bps, pair->rate_bps) : rate_bps;
}

void weft_loads_add(struct weft_loads *loads, const struct weft_ideal_message *message)
{
    if (message->from_nic == message->to_nic)
        return;
    uint64_t delay_ps = weft_loads_delay_ps(loads, message->from_nic, message->to_nic);
    struct weft_load load = {.wire_bytes = message->wire_bytes,
                             .payload_bytes = message->payload_bytes,
                             .flows = message->new_flow ? 1 : 0,
                             .head_ps = message->start_ps,
                             .tail_ps = message->tail_ps + delay_ps};
    weft_load_add(&loads->out[message->from_nic], &load);
    load.head_ps += delay_ps;
    load.tail_ps -= delay_ps;
    weft_load_add(&loads->in[message->to_nic], &load);
    struct weft_pair *pair = weft_loads_pair(loads, message->from_nic, message->to_nic);
    if (!pair)
        return;
    load.head_ps =
        message->start_ps + wire_of(loads, message->from_nic)->delay_ns * WEFT_IDEAL_PS_PER_NS;
    load.tail_ps =
        message->tail_ps + wire_of(loads, message->to_nic)->delay_ns * WEFT_IDEAL_PS_PER_NS;
    weft_load_add(&pair->load, &load);
}
