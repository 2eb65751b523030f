/* SPDX-License-Identifier: BSD-3-Clause */
/* All ranks of a pattern in one thread, each on a device of its own, polled in an order that a seed
 * chooses while `now` rises. */
#ifndef WEFT_TESTS_CLUSTER_H
#define WEFT_TESTS_CLUSTER_H

#include "fabric/node/node.h"
#include "fabric/schedule/pattern.h"

struct cluster_options {
    const char *pattern;
    const struct weft_pattern *custom; /* instead of the name */
    struct weft_pattern_options options;
    const struct weft_driver *driver; /* NULL: null */
    enum weft_transfer transfer;
    uint32_t depth;
    uint32_t in_flight;
    const uint32_t *depths; /* instead: of each rank */
    const uint32_t *ranks;  /* what they are called in addresses; NULL: as they are */
    uint64_t interval_ns;
    bool trace;
    uint64_t rate_bps; /* 0: closed loop */
    uint64_t period_bytes;
    enum weft_arrivals_kind arrivals;
    uint64_t arrivals_seed;
    uint64_t seed; /* 0: strict round robin */
};

struct cluster {
    const struct weft_driver *driver;
    uint32_t rank_count;
    struct weft_schedule **schedules;
    struct weft_device **devices;
    struct weft_node **nodes;
    uint64_t now_ns;
    uint64_t step_ns; /* between two polls */
    uint64_t random;
};

/* Compiles, opens, creates, connects; asserts that each works. */
void cluster_init(struct cluster *cluster, const struct cluster_options *options);
void cluster_fini(struct cluster *cluster);

void cluster_start(struct cluster *cluster, enum weft_phase phase);
void cluster_grant(struct cluster *cluster, uint64_t iterations);
/* One poll of each node on average. Returns how much was done. */
uint32_t cluster_turn(struct cluster *cluster);
/* Polls until every node has done so many iterations. False: one failed, or nothing moves. */
bool cluster_reach(struct cluster *cluster, uint64_t iterations);
/* The sum over ranks. */
struct weft_verify_result cluster_verify(const struct cluster *cluster);

void *cluster_allocate(void *context, uint64_t len_bytes, int32_t numa_node);
void cluster_release(void *context, void *memory, uint64_t len_bytes);

#endif
