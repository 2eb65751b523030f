/* SPDX-License-Identifier: BSD-3-Clause */
#include "transport.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* Neighbours are asked for seconds, and each retry of a dead peer takes up to a millisecond. */
#define LIMIT_PS (UINT64_C(60) * 1000000000000)
#define REST_PS UINT64_C(1000000000000)
#define STEPS_MAX 4000000u
#define STEPS_PER_AUDIT 256u
#define FRAMES 1536u
#define DATAGRAM_USER 1000u
#define REGION_GAP_BYTES 64u

static void must(const struct transport *transport, enum weft_status status,
                 const struct weft_error *error)
{
    if (status != WEFT_OK)
        record_broken(transport->record, "the scenario cannot be made: %s", error->text);
}

/* ---- making ---- */

static void fill(struct transport *transport, struct end *end)
{
    uint64_t word = weft_random_next(&transport->random) | 1;
    uint64_t *words = (uint64_t *)(void *)end->memory;
    for (uint32_t i = 0; i < (end->used_bytes + 128u) / sizeof(word); i++) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        words[i] = word;
    }
}

static void make_port(struct transport *transport, uint32_t nic)
{
    const struct scenario *scenario = transport->scenario;
    struct end *end = &transport->ends[nic];
    struct weft_error error = {0};
    struct weft_roce_port_options port = {
        .address = weft_sim_nic_address(transport->fabric, nic),
        .mtu_bytes = scenario->mtu_bytes,
        .max_qps = 2 * FLOWS_MAX + 1,
        .max_regions = 2,
        .window_packets = scenario->window_packets,
        .seed = weft_random_next(&transport->random),
        .ack_timeout_ns = scenario->ack_timeout_ns,
        .congestion = scenario->congestion,
        .vlan_id = scenario->vlan_id,
        .rate_bps = scenario->rate_bps,
    };
    port.congestion.line_rate_bps = weft_sim_nic_rate_bps(transport->fabric, nic);
    weft_sim_nic_mac(nic, port.mac);
    must(transport, weft_roce_port_create(&port, &end->port, &error), &error);
    if (!end->port)
        return;
    uint32_t depth =
        2 * FLOWS_MAX * 2 * (MESSAGES_MAX + 1) + DATAGRAMS_MAX + DATAGRAMS_MAX * SCENARIO_NICS_MAX;
    must(transport, weft_roce_cq_create(end->port, depth, &end->cq, &error), &error);
    must(transport,
         weft_roce_region_register(end->port, end->memory + REGION_GAP_BYTES,
                                   END_BYTES - 2 * REGION_GAP_BYTES, &end->region, &error),
         &error);
    weft_sim_attach(transport->fabric, nic, end->port);
}

static void make_qp(struct transport *transport, uint32_t index)
{
    struct way *way = &transport->ways[index];
    struct end *end = &transport->ends[way->from];
    struct weft_error error = {0};
    const struct weft_roce_qp_options options = {
        .transport = way->transport,
        .cq = end->cq,
        .send_depth = way->depth,
        .receive_depth = MESSAGES_MAX,
        .inline_bytes = 0,
        .read_depth = (uint32_t)draw_between(&transport->random, 1, WEFT_ROCE_READ_DEPTH_MAX),
        .user = index,
    };
    must(transport, weft_roce_qp_create(end->port, &options, &way->qp, &error), &error);
    uint64_t psn = UINT64_C(0x1000000) - draw_between(&transport->random, 1, 64);
    if (transport->scenario->near_wrap)
        transport_set_psn(way->qp, (uint32_t)psn);
}

static void connect_flow(struct transport *transport, uint32_t flow)
{
    struct weft_error error = {0};
    struct weft_endpoint_address addresses[2];
    struct way *ways = &transport->ways[2 * flow];
    for (uint32_t i = 0; i < 2; i++) {
        weft_roce_qp_address(ways[i].qp, &addresses[i]);
        ways[i].peer = ways[1 - i].qp;
    }
    for (uint32_t i = 0; i < 2; i++) {
        must(transport, weft_roce_qp_connect(ways[i].qp, &addresses[1 - i], &error), &error);
        weft_sim_kick(transport->fabric, ways[i].from);
    }
}

static void draw_flow(struct transport *transport, uint32_t flow)
{
    struct weft_random *random = &transport->random;
    struct way *ways = &transport->ways[2 * flow];
    uint32_t nics = transport->scenario->nics;
    bool is_uc = (WEFT_SIM_TRANSPORTS & WEFT_BIT(WEFT_TRANSPORT_UC)) && draw_once_in(random, 4);
    uint32_t from = (uint32_t)weft_random_below(random, nics);
    uint32_t to = draw_once_in(random, 10) ? from : (uint32_t)weft_random_below(random, nics);
    for (uint32_t i = 0; i < 2; i++) {
        ways[i].transport = is_uc ? WEFT_TRANSPORT_UC : WEFT_TRANSPORT_RC;
        ways[i].from = i ? to : from;
        ways[i].to = i ? from : to;
        ways[i].depth = (uint32_t)draw_between(random, 1, 16);
    }
    way_draw(transport, 2 * flow);
    way_draw(transport, 2 * flow + 1);
}

static void make_datagrams(struct transport *transport)
{
    struct weft_endpoint_address addresses[SCENARIO_NICS_MAX];
    struct weft_error error = {0};
    uint32_t nics = transport->scenario->nics;
    for (uint32_t nic = 0; nic < nics; nic++) {
        struct end *end = &transport->ends[nic];
        const struct weft_roce_qp_options options = {
            .transport = WEFT_TRANSPORT_UD,
            .cq = end->cq,
            .send_depth = DATAGRAMS_MAX,
            .receive_depth = DATAGRAMS_MAX * SCENARIO_NICS_MAX,
            .user = DATAGRAM_USER,
        };
        must(transport, weft_roce_qp_create(end->port, &options, &end->qp, &error), &error);
        weft_roce_qp_address(end->qp, &addresses[nic]);
    }
    for (uint32_t nic = 0; nic < nics; nic++) {
        struct end *end = &transport->ends[nic];
        for (uint32_t i = 0; i < nics; i++)
            must(
                transport,
                weft_roce_destination_create(end->qp, &addresses[i], &end->destinations[i], &error),
                &error);
        weft_sim_kick(transport->fabric, nic);
    }
}

static void make(struct transport *transport)
{
    const struct scenario *scenario = transport->scenario;
    struct weft_error error = {0};
    const struct weft_sim_options options = {.topology = &scenario->topology,
                                             .mtu_bytes = scenario->mtu_bytes,
                                             .frames = FRAMES,
                                             .seed = scenario->seed,
                                             .trace = record_trace,
                                             .trace_context = transport->record};
    must(transport, weft_sim_create(&options, &transport->fabric, &error), &error);
    if (transport->record->broken)
        return;
    scenario_apply(scenario, transport->fabric);
    arena_reset();
    for (uint32_t nic = 0; nic < scenario->nics; nic++)
        places_init(&transport->ends[nic]);
    transport->flow_count = (uint32_t)draw_between(&transport->random, 1, FLOWS_MAX);
    transport->has_datagrams = draw_once_in(&transport->random, 3);
    for (uint32_t flow = 0; flow < transport->flow_count; flow++)
        draw_flow(transport, flow);
    for (uint32_t nic = 0; transport->has_datagrams && nic < scenario->nics; nic++)
        datagrams_draw(transport, nic);
    for (uint32_t nic = 0; nic < scenario->nics; nic++)
        fill(transport, &transport->ends[nic]);
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++)
        way_tag(transport, i);
    for (uint32_t nic = 0; nic < scenario->nics; nic++) {
        struct end *end = &transport->ends[nic];
        end->shadow = malloc(end->used_bytes + 128u);
        assert(end->shadow);
        memcpy(end->shadow, end->memory, end->used_bytes + 128u);
        make_port(transport, nic);
    }
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++) {
        struct way *way = &transport->ways[i];
        memcpy(&way->word_value, transport->ends[way->to].memory + way->word,
               sizeof(way->word_value));
        make_qp(transport, i);
    }
    for (uint32_t flow = 0; flow < transport->flow_count; flow++)
        connect_flow(transport, flow);
    if (transport->has_datagrams)
        make_datagrams(transport);
}

static void unmake(struct transport *transport)
{
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++) {
        if (transport->ways[i].qp)
            weft_roce_qp_destroy(transport->ends[transport->ways[i].from].port,
                                 transport->ways[i].qp);
    }
    for (uint32_t nic = 0; nic < transport->scenario->nics; nic++) {
        struct end *end = &transport->ends[nic];
        for (uint32_t i = 0; i < transport->scenario->nics; i++)
            weft_roce_destination_destroy(end->qp, end->destinations[i]);
        if (end->port) {
            weft_roce_qp_destroy(end->port, end->qp);
            weft_sim_attach(transport->fabric, nic, NULL);
            weft_roce_region_deregister(end->port, &end->region);
            weft_roce_cq_destroy(end->port, end->cq);
        }
        weft_roce_port_destroy(end->port);
        places_fini(end);
    }
    weft_sim_destroy(transport->fabric);
}

/* ---- running ---- */

static uint32_t take_completions(struct transport *transport)
{
    struct weft_completion completions[16];
    uint32_t total = 0;
    for (uint32_t nic = 0; nic < transport->scenario->nics; nic++) {
        uint32_t count = weft_roce_cq_poll(transport->ends[nic].cq, completions, 16);
        total += count;
        for (uint32_t i = 0; i < count && !transport->record->broken; i++) {
            record_completion(transport->record, weft_sim_now_ps(transport->fabric), nic,
                              &completions[i]);
            if (completions[i].user == DATAGRAM_USER)
                datagrams_complete(transport, nic, &completions[i]);
            else
                way_complete(transport, (uint32_t)completions[i].user, &completions[i]);
        }
    }
    return total;
}

static uint32_t post(struct transport *transport, bool eager)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++)
        done += way_post(transport, i, eager);
    for (uint32_t nic = 0; transport->has_datagrams && nic < transport->scenario->nics; nic++)
        done += datagrams_post(transport, nic);
    return done;
}

static void audit(const struct transport *transport)
{
    struct weft_error error = {0};
    if (weft_sim_audit(transport->fabric, &error) != WEFT_OK)
        record_broken(transport->record, "%s", error.text);
}

static bool all_done(const struct transport *transport)
{
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++) {
        if (!way_is_done(transport, i))
            return false;
    }
    return true;
}

static void run(struct transport *transport)
{
    struct weft_sim_fabric *fabric = transport->fabric;
    uint64_t limit_ps = LIMIT_PS;
    bool resting = false;
    for (uint32_t step = 0; !transport->record->broken; step++) {
        scenario_step(transport->scenario, fabric);
        uint32_t done = take_completions(transport) + post(transport, false);
        if (step % STEPS_PER_AUDIT == 0)
            audit(transport);
        if (!resting && all_done(transport)) {
            /* What is still under way comes to its end. */
            resting = true;
            limit_ps = weft_sim_now_ps(fabric) + REST_PS;
        }
        if (step == STEPS_MAX) {
            record_broken(transport->record, "no end in sight after %u steps", step);
            return;
        }
        uint64_t next_ps = weft_sim_next_ps(fabric);
        if (next_ps <= limit_ps)
            (void)weft_sim_advance(fabric, limit_ps);
        else if (!done && !post(transport, true))
            return;
    }
}

/* ---- the end ---- */

static void check_nic(struct transport *transport, uint32_t nic)
{
    struct weft_sim_nic_counters at;
    weft_sim_nic_counters(transport->fabric, nic, &at);
    const struct weft_device_counters *port = weft_roce_port_counters(transport->ends[nic].port);
    uint64_t refused = port->icrc_errors + port->malformed_packets + port->unexpected_packets;
    /* IPv6: what others ask and report goes to all, and is not for this one. */
    uint64_t bystanding = transport->scenario->ipv6 && refused > at.delivered_corrupted
                              ? port->unexpected_packets
                              : 0;
    if (refused < at.delivered_corrupted || refused - at.delivered_corrupted > bystanding)
        record_broken(transport->record,
                      "NIC %u: %llu corrupted frames came, but %llu were refused (%llu ICRC, %llu "
                      "malformed, %llu unexpected)",
                      nic, (unsigned long long)at.delivered_corrupted, (unsigned long long)refused,
                      (unsigned long long)port->icrc_errors,
                      (unsigned long long)port->malformed_packets,
                      (unsigned long long)port->unexpected_packets);
    if (port->received_packets != at.delivered)
        record_broken(transport->record, "NIC %u: %llu frames came, but the port saw %llu", nic,
                      (unsigned long long)at.delivered, (unsigned long long)port->received_packets);
}

static void check_fabric(const struct transport *transport)
{
    bool harmless = transport->scenario->harm == SCENARIO_CLEAN;
    for (uint32_t i = 0; i < weft_sim_switch_count(transport->fabric); i++) {
        struct weft_sim_switch_counters at;
        weft_sim_switch_counters(transport->fabric, i, &at);
        if (transport->scenario->pauses && at.overflown)
            record_broken(transport->record, "switch %u lost %llu frames in spite of PFC", i,
                          (unsigned long long)at.overflown);
        if (harmless && at.stranded)
            record_broken(transport->record, "switch %u had no way for %llu frames", i,
                          (unsigned long long)at.stranded);
        if (at.queued)
            record_broken(transport->record, "switch %u still holds %llu frames at the end", i,
                          (unsigned long long)at.queued);
    }
    for (uint32_t i = 0; i < weft_sim_wire_count(transport->fabric); i++) {
        struct weft_sim_wire_counters wire;
        weft_sim_wire_counters(transport->fabric, i, &wire);
        if (wire.flying)
            record_broken(transport->record, "%llu frames still fly on wire %u at the end",
                          (unsigned long long)wire.flying, i);
    }
}

static void finish(struct transport *transport)
{
    for (uint32_t i = 0; i < 2 * transport->flow_count; i++)
        way_finish(transport, i);
    if (transport->has_datagrams)
        datagrams_finish(transport);
    for (uint32_t nic = 0; transport->has_datagrams && nic < transport->scenario->nics; nic++) {
        const struct end *end = &transport->ends[nic];
        for (uint32_t i = 0; i < end->landing_count; i++)
            place_doubted(transport,
                          &(struct place_rule){nic, end->landing[i],
                                               WEFT_GRH_BYTES + transport->scenario->mtu_bytes,
                                               NOWHERE, 0});
    }
    audit(transport);
    check_fabric(transport);
    for (uint32_t nic = 0; nic < transport->scenario->nics; nic++)
        check_nic(transport, nic);
    places_check(transport);
}

void transport_run(const struct scenario *scenario, struct record *record)
{
    struct transport *transport = calloc(1, sizeof(*transport));
    assert(transport);
    transport->scenario = scenario;
    transport->record = record;
    transport->random = scenario->random;
    make(transport);
    if (!record->broken)
        run(transport);
    if (!record->broken)
        finish(transport);
    if (transport->fabric)
        unmake(transport);
    free(transport);
}
