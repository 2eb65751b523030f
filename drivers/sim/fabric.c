/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a fabric from a topology, and taking it down. */
#include <stdlib.h>
#include <string.h>

#include "drivers/sim/state.h"

#define MTU_BYTES 4096u
#define FRAMES_PER_NIC 1024u
#define FRAMES_MAX (1u << 16)
#define PAUSES_PER_WIRE 8u
#define PPM UINT64_C(1000000)
/* The switch that joins NICs without a link drops nothing. */
#define ENDLESS_BYTES (UINT64_MAX / 2)

static uint32_t default_switch(const struct weft_sim_fabric *fabric)
{
    return fabric->nic_count + fabric->switch_count - 1;
}

static void count_parts(const struct weft_topology *topology, struct weft_sim_fabric *fabric)
{
    uint32_t linked = 0;
    for (uint32_t i = 0; i < topology->link_count; i++)
        linked += (topology->links[i].ends[0].is_switch ? 0u : 1u) +
                  (topology->links[i].ends[1].is_switch ? 0u : 1u);
    fabric->nic_count = topology->nic_count;
    uint32_t unlinked = topology->nic_count - linked;
    fabric->switch_count = topology->switch_count + (unlinked ? 1 : 0);
    fabric->wire_count = 2 * (topology->link_count + unlinked);
}

static uint32_t node_of(const struct weft_sim_fabric *fabric, const struct weft_link_end *end)
{
    return end->is_switch ? fabric->nic_count + end->index : end->index;
}

struct link_description {
    uint32_t ends[2]; /* nodes */
    uint64_t rate_bps;
    uint64_t delay_ns;
};

static void make_wires(struct weft_sim_fabric *fabric, uint32_t link,
                       const struct link_description *description, uint64_t seed)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_sim_wire *wire = &fabric->wires[2 * link + i];
        wire->from = description->ends[i];
        wire->to = description->ends[1 - i];
        wire->rate_bps = description->rate_bps;
        wire->delay_ps = description->delay_ns * WEFT_SIM_PS_PER_NS;
        wire->sending = WEFT_SIM_NONE;
        wire->queue = (struct weft_sim_queue){.head = WEFT_SIM_NONE, .tail = WEFT_SIM_NONE};
        weft_random_seed(&wire->random, seed ^ (2 * link + i + UINT64_C(1)) << 20);
        if (wire->from < fabric->nic_count) {
            fabric->nics[wire->from].out = 2 * link + i;
            fabric->nics[wire->from].rate_bps = wire->rate_bps;
        }
    }
}

/* The link's rate, or that of the slower NIC at its ends, or the default. */
static uint64_t rate_of(const struct weft_topology *topology, const struct weft_link *link)
{
    uint64_t rate_bps = link->rate_bps;
    for (uint32_t i = 0; !link->rate_bps && i < 2; i++) {
        uint64_t own = link->ends[i].is_switch ? 0 : topology->nics[link->ends[i].index].rate_bps;
        if (own && (!rate_bps || own < rate_bps))
            rate_bps = own;
    }
    return rate_bps ? rate_bps : WEFT_SIM_RATE_BPS;
}

static void make_links(struct weft_sim_fabric *fabric, const struct weft_topology *topology,
                       uint64_t seed)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < fabric->nic_count; i++)
        fabric->nics[i].out = WEFT_SIM_NONE;
    for (; next < topology->link_count; next++) {
        const struct weft_link *link = &topology->links[next];
        const struct link_description description = {
            .ends = {node_of(fabric, &link->ends[0]), node_of(fabric, &link->ends[1])},
            .rate_bps = rate_of(topology, link),
            .delay_ns = link->delay_ns ? link->delay_ns : WEFT_SIM_DELAY_NS,
        };
        make_wires(fabric, next, &description, seed);
    }
    for (uint32_t i = 0; i < fabric->nic_count; i++) {
        uint64_t rate_bps = topology->nics[i].rate_bps;
        const struct link_description description = {
            .ends = {i, default_switch(fabric)},
            .rate_bps = rate_bps ? rate_bps : WEFT_SIM_RATE_BPS,
            .delay_ns = WEFT_SIM_DELAY_NS,
        };
        if (fabric->nics[i].out == WEFT_SIM_NONE)
            make_wires(fabric, next++, &description, seed);
    }
    assert(2 * next == fabric->wire_count);
}

static void fill_switch(struct weft_sim_switch *at, const struct weft_switch *from)
{
    at->counters.buffer_bytes = from->buffer_bytes ? from->buffer_bytes : WEFT_SIM_BUFFER_BYTES;
    at->ecn_min_bytes = from->ecn.min_bytes;
    at->ecn_max_bytes = from->ecn.max_bytes;
    at->ecn_probability = (from->ecn.probability_ppm << 32) / PPM;
    at->xoff_bytes = from->pfc.xoff_bytes;
    at->xon_bytes = from->pfc.xon_bytes;
}

static bool make_switches(struct weft_sim_fabric *fabric, const struct weft_topology *topology,
                          uint64_t seed)
{
    uint32_t next_port = 0;
    for (uint32_t i = 0; i < fabric->switch_count; i++) {
        struct weft_sim_switch *at = &fabric->switches[i];
        bool given = i < topology->switch_count;
        at->name = strdup(given ? topology->switches[i].name : "default");
        if (!at->name)
            return false;
        at->counters.buffer_bytes = ENDLESS_BYTES;
        if (given)
            fill_switch(at, &topology->switches[i]);
        weft_random_seed(&at->random, seed ^ (i + UINT64_C(1)) << 40);
        at->salt = weft_random_next(&at->random);
        at->first_port = next_port;
        for (uint32_t wire = 0; wire < fabric->wire_count; wire++) {
            if (fabric->wires[wire].from == fabric->nic_count + i)
                fabric->ports[next_port++] = wire;
        }
        at->port_count = next_port - at->first_port;
    }
    return true;
}

/* 198.19.0.0/16 (RFC 2544: for tests) counted up, where the topology gives none. */
static struct weft_ip address_of(const struct weft_topology *topology, uint32_t nic)
{
    if (topology->nics[nic].address.version)
        return topology->nics[nic].address;
    return (struct weft_ip){.version = 4,
                            .prefix_bits = 16,
                            .bytes = {198, 19, (uint8_t)(nic / 254), (uint8_t)(nic % 254 + 1)}};
}

static bool make_frames(struct weft_sim_fabric *fabric, const struct weft_sim_options *options)
{
    uint64_t wanted = (uint64_t)fabric->nic_count * FRAMES_PER_NIC;
    uint32_t data_frames = options->frames       ? options->frames
                           : wanted < FRAMES_MAX ? (uint32_t)wanted
                                                 : FRAMES_MAX;
    fabric->frames_reserved = PAUSES_PER_WIRE * fabric->wire_count;
    fabric->frame_count = data_frames + fabric->frames_reserved;
    fabric->mtu_bytes = options->mtu_bytes ? options->mtu_bytes : MTU_BYTES;
    fabric->frame_stride = (WEFT_ROCE_OVERHEAD_MAX + fabric->mtu_bytes + 63u) & ~63u;
    fabric->frames = calloc(fabric->frame_count, sizeof(*fabric->frames));
    fabric->frame_bytes = malloc((size_t)fabric->frame_count * fabric->frame_stride);
    if (!fabric->frames || !fabric->frame_bytes)
        return false;
    for (uint32_t i = 0; i < fabric->frame_count; i++)
        fabric->frames[i].next = i + 1;
    fabric->frames_left = fabric->frame_count;
    return true;
}

static bool make_parts(struct weft_sim_fabric *fabric, const struct weft_sim_options *options)
{
    const struct weft_topology *topology = options->topology;
    count_parts(topology, fabric);
    fabric->nics = calloc(fabric->nic_count, sizeof(*fabric->nics));
    fabric->switches = calloc(fabric->switch_count + 1u, sizeof(*fabric->switches));
    fabric->wires = calloc(fabric->wire_count, sizeof(*fabric->wires));
    fabric->ports = calloc(fabric->wire_count, sizeof(*fabric->ports));
    if (!fabric->nics || !fabric->switches || !fabric->wires || !fabric->ports)
        return false;
    for (uint32_t i = 0; i < fabric->nic_count; i++)
        fabric->nics[i].address = address_of(topology, i);
    make_links(fabric, topology, options->seed);
    return make_switches(fabric, topology, options->seed) && make_frames(fabric, options) &&
           weft_sim_route_build(fabric) &&
           weft_sim_events_init(&fabric->events,
                                fabric->nic_count + fabric->wire_count + fabric->frame_count);
}

enum weft_status weft_sim_create(const struct weft_sim_options *options,
                                 struct weft_sim_fabric **ret_fabric, struct weft_error *error)
{
    assert(options->topology && options->topology->nic_count);
    struct weft_sim_fabric *fabric = calloc(1, sizeof(*fabric));
    if (!fabric || !make_parts(fabric, options)) {
        weft_sim_destroy(fabric);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a fabric of %u NICs",
                              options->topology->nic_count);
    }
    weft_sim_set_trace(fabric, options->trace, options->trace_context);
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < fabric->switch_count; i++)
        status = weft_sim_switch_check(fabric, &fabric->switches[i], error);
    if (status == WEFT_OK)
        *ret_fabric = fabric;
    else
        weft_sim_destroy(fabric);
    return status;
}

void weft_sim_destroy(struct weft_sim_fabric *fabric)
{
    if (!fabric)
        return;
    for (uint32_t i = 0; fabric->nics && i < fabric->nic_count; i++)
        assert(!fabric->nics[i].port);
    for (uint32_t i = 0; fabric->switches && i < fabric->switch_count; i++)
        free(fabric->switches[i].name);
    weft_sim_events_fini(&fabric->events);
    free(fabric->nics);
    free(fabric->switches);
    free(fabric->wires);
    free(fabric->ports);
    free(fabric->route_starts);
    free(fabric->routes);
    free(fabric->frames);
    free(fabric->frame_bytes);
    free(fabric);
}

void weft_sim_set_trace(struct weft_sim_fabric *fabric, weft_sim_tracer trace, void *context)
{
    fabric->trace = trace;
    fabric->trace_context = context;
}
