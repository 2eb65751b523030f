/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64u
#define PAIRS_MAX 512u

static void must(enum weft_status status, const struct weft_error *error)
{
    if (status != WEFT_OK)
        fprintf(stderr, "%s\n", error->text);
    assert(status == WEFT_OK);
}

static void init_side(struct world *world, const struct world_options *options, uint32_t index)
{
    struct weft_error error = {0};
    struct world_side *side = &world->sides[index];
    struct weft_roce_port_options port = {
        .address = weft_sim_nic_address(world->fabric, index),
        .mtu_bytes = options->mtu_bytes ? options->mtu_bytes : 1024,
        .max_qps = PAIRS_MAX,
        .max_regions = 1,
        .window_packets = options->window_packets,
        .seed = index + 1,
        .ack_timeout_ns = options->ack_timeout_ns,
        .retry_limit = options->retry_limit,
        .congestion = options->congestion,
    };
    weft_sim_nic_mac(index, port.mac);
    must(weft_roce_port_create(&port, &side->port, &error), &error);
    must(weft_roce_cq_create(side->port, 2 * DEPTH * PAIRS_MAX, &side->cq, &error), &error);
    side->memory = calloc(1, WORLD_MEMORY_BYTES);
    assert(side->memory);
    must(weft_roce_region_register(side->port, side->memory, WORLD_MEMORY_BYTES, &side->region,
                                   &error),
         &error);
    weft_sim_attach(world->fabric, index, side->port);
}

void world_init(struct world *world, const struct world_options *options)
{
    struct weft_error error = {0};
    struct weft_topology *topology = NULL;
    char *text = strdup(options->topology);
    assert(text);
    const struct weft_source source = {
        .name = "test", .text = text, .len_bytes = strlen(options->topology)};
    must(weft_topology_parse(&source, &topology, &error), &error);
    *world = (struct world){.count = topology->nic_count};
    assert(world->count <= WORLD_SIDES);
    const struct weft_sim_options sim = {.topology = topology,
                                         .mtu_bytes =
                                             options->mtu_bytes ? options->mtu_bytes : 1024,
                                         .seed = 1,
                                         .trace = options->trace,
                                         .trace_context = options->trace_context};
    must(weft_sim_create(&sim, &world->fabric, &error), &error);
    weft_topology_destroy(topology);
    free(text);
    for (uint32_t i = 0; i < world->count; i++)
        init_side(world, options, i);
}

void world_fini(struct world *world)
{
    struct weft_error error = {0};
    must(weft_sim_audit(world->fabric, &error), &error);
    while (world->pairs) {
        struct world_pair *pair = world->pairs;
        world->pairs = pair->next;
        for (uint32_t i = 0; i < 2; i++)
            weft_roce_qp_destroy(world->sides[pair->sides[i]].port, pair->qps[i]);
        free(pair);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        struct world_side *side = &world->sides[i];
        weft_sim_attach(world->fabric, i, NULL);
        weft_roce_region_deregister(side->port, &side->region);
        weft_roce_cq_destroy(side->port, side->cq);
        weft_roce_port_destroy(side->port);
        free(side->memory);
    }
    weft_sim_destroy(world->fabric);
}

static void run_until_ready(struct world *world, const struct weft_roce_qp *qp)
{
    struct weft_error error = {0};
    for (;;) {
        enum weft_endpoint_state state = weft_roce_qp_state(qp, &error);
        if (state == WEFT_ENDPOINT_READY)
            return;
        bool moved = weft_sim_advance(world->fabric, WEFT_SIM_NEVER);
        assert(state == WEFT_ENDPOINT_CONNECTING && moved);
    }
}

struct world_pair *world_connect(struct world *world, uint32_t a, uint32_t b, uint16_t source_port)
{
    struct weft_error error = {0};
    struct weft_endpoint_address addresses[2];
    struct world_pair *pair = calloc(1, sizeof(*pair));
    assert(pair);
    pair->sides[0] = a;
    pair->sides[1] = b;
    for (uint32_t i = 0; i < 2; i++) {
        const struct world_side *side = &world->sides[pair->sides[i]];
        const struct weft_roce_qp_options qp = {.transport = WEFT_TRANSPORT_RC,
                                                .cq = side->cq,
                                                .send_depth = DEPTH,
                                                .receive_depth = DEPTH,
                                                .source_port = source_port};
        must(weft_roce_qp_create(side->port, &qp, &pair->qps[i], &error), &error);
        weft_roce_qp_address(pair->qps[i], &addresses[i]);
    }
    for (uint32_t i = 0; i < 2; i++) {
        must(weft_roce_qp_connect(pair->qps[i], &addresses[1 - i], &error), &error);
        weft_sim_kick(world->fabric, pair->sides[i]);
    }
    for (uint32_t i = 0; i < 2; i++)
        run_until_ready(world, pair->qps[i]);
    pair->next = world->pairs;
    world->pairs = pair;
    return pair;
}

void world_write(struct world *world, const struct world_pair *pair, uint32_t len_bytes,
                 uint64_t id)
{
    const struct world_side *from = &world->sides[pair->sides[0]];
    const struct world_side *to = &world->sides[pair->sides[1]];
    const struct weft_work receive = {.id = id, .operation = WEFT_OPERATION_RECEIVE};
    const struct weft_work write = {.id = id,
                                    .memory = from->memory,
                                    .lkey = from->region.lkey,
                                    .len_bytes = len_bytes,
                                    .operation = WEFT_OPERATION_WRITE_IMMEDIATE,
                                    .remote_address = (uintptr_t)to->memory,
                                    .rkey = to->region.rkey};
    uint32_t taken = weft_roce_post_receive(pair->qps[1], &receive, 1);
    taken += weft_roce_post_send(pair->qps[0], &write, 1);
    assert(taken == 2);
    weft_sim_kick(world->fabric, pair->sides[0]);
}

struct weft_completion world_wait(struct world *world, uint32_t side)
{
    struct weft_completion completion;
    while (!weft_roce_cq_poll(world->sides[side].cq, &completion, 1)) {
        bool moved = weft_sim_advance(world->fabric, WEFT_SIM_NEVER);
        assert(moved);
    }
    return completion;
}

void world_run(struct world *world, uint64_t until_ps)
{
    while (weft_sim_next_ps(world->fabric) <= until_ps)
        (void)weft_sim_advance(world->fabric, until_ps);
}

struct weft_sim_wire_counters world_wire(const struct world *world, uint32_t wire)
{
    struct weft_sim_wire_counters counters;
    weft_sim_wire_counters(world->fabric, wire, &counters);
    return counters;
}

struct weft_sim_switch_counters world_switch(const struct world *world, uint32_t index)
{
    struct weft_sim_switch_counters counters;
    weft_sim_switch_counters(world->fabric, index, &counters);
    return counters;
}
