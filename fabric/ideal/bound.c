/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes over capacity, and the words for it. */
#include <stdarg.h>
#include <stdio.h>

#include "fabric/base/units.h"
#include "fabric/ideal/internal.h"

void weft_bound_take(struct weft_bound *bound, const struct weft_load *load, uint64_t rate_bps,
                     const char *format, ...)
{
    char size[WEFT_UNITS_TEXT], rate[WEFT_UNITS_TEXT], who[WEFT_IDEAL_TEXT - 80];
    uint64_t time_ps = weft_ideal_time_ps(load->wire_bytes, rate_bps);
    uint64_t alone_ps = time_ps ? time_ps + load->head_ps + load->tail_ps : 0;
    if (alone_ps > bound->alone_ps)
        bound->alone_ps = alone_ps;
    if (time_ps <= bound->time_ps)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(who, sizeof(who), format, arguments);
    va_end(arguments);
    bound->time_ps = time_ps;
    (void)snprintf(bound->limit, sizeof(bound->limit), "%s %s at %s", who,
                   weft_show_size(load->payload_bytes, size), weft_show_rate(rate_bps, rate));
}

static const char *node_name(const struct weft_loads *loads, uint32_t node, char text[80])
{
    const struct weft_topology *topology = loads->topology;
    if (node < topology->nic_count)
        (void)snprintf(text, 80, "%.38s/%.38s", topology->hosts[topology->nics[node].host].name,
                       topology->nics[node].name);
    else if (node - topology->nic_count < topology->switch_count)
        (void)snprintf(text, 80, "%.79s", topology->switches[node - topology->nic_count].name);
    else
        (void)snprintf(text, 80, "the switch");
    return text;
}

static void bound_layer(const struct weft_loads *loads, const struct weft_layer *layer,
                        struct weft_bound *bound)
{
    char from[80], to[80];
    const struct weft_route_wire *wire =
        &loads->routes->wires[loads->layer_wires[layer->first_wire]];
    (void)node_name(loads, wire->from, from);
    (void)node_name(loads, wire->to, to);
    if (layer->wire_count == 1)
        weft_bound_take(bound, &layer->load, layer->rate_bps, "link %.40s to %.40s carries", from,
                        to);
    else
        weft_bound_take(bound, &layer->load, layer->rate_bps,
                        "%u links, the first of them %.30s to %.30s, carry", layer->wire_count,
                        from, to);
}

void weft_loads_bound(const struct weft_loads *loads, struct weft_bound *bound)
{
    char name[80];
    for (uint32_t i = 0; i < loads->topology->nic_count; i++) {
        uint64_t rate_bps = loads->routes->wires[loads->routes->nic_wires[i]].rate_bps;
        weft_bound_take(bound, &loads->out[i], rate_bps, "NIC %s sends", node_name(loads, i, name));
        weft_bound_take(bound, &loads->in[i], rate_bps, "NIC %s receives",
                        node_name(loads, i, name));
    }
    for (uint32_t i = 0; i < loads->layer_room; i++) {
        if (loads->layers[i].wire_count)
            bound_layer(loads, &loads->layers[i], bound);
    }
}

double weft_loads_mmr(const struct weft_loads *loads)
{
    uint64_t most = 0, sum = 0, count = 0;
    for (uint32_t i = 0; loads->ways_known && i < loads->layer_room; i++) {
        const struct weft_layer *layer = &loads->layers[i];
        if (!layer->wire_count)
            continue;
        most = layer->load.flows > most ? layer->load.flows : most;
        sum += layer->load.flows;
        count++;
    }
    return sum ? (double)most * (double)count / (double)sum : 0;
}
