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

static void make_wires(struct weft_sim_fabric *fabric, uint64_t seed)
{
    for (uint32_t i = 0; i < fabric->wire_count; i++) {
        const struct weft_route_wire *from = &fabric->graph->wires[i];
        struct weft_sim_wire *wire = &fabric->wires[i];
        wire->from = from->from;
        wire->to = from->to;
        wire->rate_bps = from->rate_bps;
        wire->delay_ps = from->delay_ns * WEFT_SIM_PS_PER_NS;
        wire->sending = WEFT_SIM_NONE;
        wire->queue = (struct weft_sim_queue){.head = WEFT_SIM_NONE, .tail = WEFT_SIM_NONE};
        weft_random_seed(&wire->random, seed ^ (i + UINT64_C(1)) << 20);
    }
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
        at->first_port = fabric->graph->first_ports[i];
        at->port_count = fabric->graph->first_ports[i + 1] - at->first_port;
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

static void make_nics(struct weft_sim_fabric *fabric, const struct weft_topology *topology)
{
    for (uint32_t i = 0; i < fabric->nic_count; i++) {
        struct weft_sim_nic *nic = &fabric->nics[i];
        nic->address = address_of(topology, i);
        nic->out = fabric->graph->nic_wires[i];
        nic->rate_bps = fabric->wires[nic->out].rate_bps;
    }
}

static bool make_parts(struct weft_sim_fabric *fabric, const struct weft_sim_options *options)
{
    const struct weft_topology *topology = options->topology;
    const struct weft_route_defaults defaults = {.rate_bps = WEFT_SIM_RATE_BPS,
                                                 .delay_ns = WEFT_SIM_DELAY_NS};
    fabric->graph = weft_routes_create(topology, &defaults);
    if (!fabric->graph)
        return false;
    fabric->nic_count = fabric->graph->nic_count;
    fabric->switch_count = fabric->graph->switch_count;
    fabric->wire_count = fabric->graph->wire_count;
    fabric->ports = fabric->graph->ports;
    fabric->nics = calloc(fabric->nic_count, sizeof(*fabric->nics));
    fabric->switches = calloc(fabric->switch_count + 1u, sizeof(*fabric->switches));
    fabric->wires = calloc(fabric->wire_count, sizeof(*fabric->wires));
    if (!fabric->nics || !fabric->switches || !fabric->wires)
        return false;
    make_wires(fabric, options->seed);
    make_nics(fabric, topology);
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
    weft_routes_destroy(fabric->graph);
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
