/* SPDX-License-Identifier: BSD-3-Clause */
/* A fabric with a port on every NIC, each with a queue and a region, for scenarios whose answers
 * are known. */
#ifndef WEFT_TEST_SIM_WORLD_H
#define WEFT_TEST_SIM_WORLD_H

#include "drivers/sim/fabric.h"

#define WORLD_SIDES 16u
#define WORLD_MEMORY_BYTES (16u << 20)

struct world_options {
    const char *topology; /* YAML */
    uint32_t mtu_bytes;   /* 0: 1024 */
    uint32_t window_packets;
    uint64_t ack_timeout_ns;
    uint8_t retry_limit;
    struct weft_congestion_options congestion;
    weft_sim_tracer trace;
    void *trace_context;
};

struct world_side {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    uint8_t *memory;
    struct weft_region region;
};

struct world {
    struct weft_sim_fabric *fabric;
    uint32_t count;
    struct world_side sides[WORLD_SIDES];
    struct world_pair *pairs; /* a list of those made, for the end */
};

/* A queue pair at each end. */
struct world_pair {
    uint32_t sides[2];
    struct weft_roce_qp *qps[2];
    struct world_pair *next;
};

void world_init(struct world *world, const struct world_options *options);
void world_fini(struct world *world);

/* Connects and runs until both are ready. A source port of 0: the queue pairs' own. */
struct world_pair *world_connect(struct world *world, uint32_t a, uint32_t b, uint16_t source_port);
/* RDMA WRITE with immediate of so many bytes from the first side to the second; the receive is
 * posted too. Its id is `id` at both ends. */
void world_write(struct world *world, const struct world_pair *pair, uint32_t len_bytes,
                 uint64_t id);
/* Runs until the side has a completion. */
struct weft_completion world_wait(struct world *world, uint32_t side);
/* Until nothing happens any more, or `until_ps`. */
void world_run(struct world *world, uint64_t until_ps);

struct weft_sim_wire_counters world_wire(const struct world *world, uint32_t wire);
struct weft_sim_switch_counters world_switch(const struct world *world, uint32_t index);

#endif
