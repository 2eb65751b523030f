/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers/null/null.h"

/* Polls without a sign of life after which a run stands still. */
#define STILL_TURNS 20000u

void *cluster_allocate(void *context, uint64_t len_bytes, int32_t numa_node)
{
    (void)context;
    (void)numa_node;
    assert(len_bytes % 4096 == 0);
    return len_bytes < UINT64_C(1) << 32 ? aligned_alloc(4096, len_bytes) : NULL;
}

void cluster_release(void *context, void *memory, uint64_t len_bytes)
{
    (void)context;
    (void)len_bytes;
    free(memory);
}

static void must(enum weft_status status, const struct weft_error *error)
{
    if (status != WEFT_OK)
        fprintf(stderr, "%s\n", error->text);
    assert(status == WEFT_OK);
}

static void init_rank(struct cluster *cluster, const struct cluster_options *options, uint32_t rank)
{
    struct weft_error error = {0};
    const struct weft_pattern *pattern =
        options->custom ? options->custom : weft_pattern_find(options->pattern, &error);
    assert(pattern);
    must(weft_pattern_compile(pattern, &options->options, rank, &cluster->schedules[rank], &error),
         &error);
    struct weft_device_options device = {.max_regions = 1};
    free(weft_schedule_flows(cluster->schedules[rank], &device.max_endpoints));
    must(cluster->driver->open(&device, &cluster->devices[rank], &error), &error);
    struct weft_node_options node = {.driver = cluster->driver,
                                     .device = cluster->devices[rank],
                                     .schedule = cluster->schedules[rank],
                                     .ranks = options->ranks,
                                     .transfer = options->transfer,
                                     .depth =
                                         options->depths ? options->depths[rank] : options->depth,
                                     .in_flight = options->in_flight,
                                     .interval_ns = options->interval_ns,
                                     .trace = options->trace,
                                     .rate_bps = options->rate_bps,
                                     .period_bytes = options->period_bytes,
                                     .arrivals = options->arrivals,
                                     .arrivals_seed = options->arrivals_seed,
                                     .allocate = cluster_allocate,
                                     .release = cluster_release};
    must(weft_node_create(&node, &cluster->nodes[rank], &error), &error);
}

static uint32_t named(const struct cluster_options *options, uint32_t rank)
{
    return options->ranks ? options->ranks[rank] : rank;
}

static void connect_rank(struct cluster *cluster, const struct cluster_options *options,
                         uint32_t rank)
{
    for (uint32_t i = 0; i < weft_node_channel_count(cluster->nodes[rank]); i++) {
        struct weft_channel_address address;
        struct weft_error error = {0};
        weft_node_channel_address(cluster->nodes[rank], i, &address);
        assert(address.from_rank == named(options, rank));
        uint32_t to = 0;
        while (named(options, to) != address.to_rank)
            assert(++to < cluster->rank_count);
        must(weft_node_connect(cluster->nodes[to], &address, &error), &error);
    }
}

void cluster_init(struct cluster *cluster, const struct cluster_options *options)
{
    uint32_t count = options->options.rank_count;
    *cluster = (struct cluster){.driver = options->driver ? options->driver : &weft_driver_null,
                                .rank_count = count,
                                .now_ns = 1000,
                                .step_ns = 10,
                                .random = options->seed};
    cluster->schedules = calloc(count, sizeof(struct weft_schedule *));
    cluster->devices = calloc(count, sizeof(struct weft_device *));
    cluster->nodes = calloc(count, sizeof(struct weft_node *));
    assert(cluster->schedules && cluster->devices && cluster->nodes);
    for (uint32_t rank = 0; rank < count; rank++)
        init_rank(cluster, options, rank);
    for (uint32_t rank = 0; rank < count; rank++)
        connect_rank(cluster, options, rank);
    for (uint32_t rank = 0; rank < count; rank++)
        must(weft_node_connected(cluster->nodes[rank], NULL), &(struct weft_error){0});
}

void cluster_fini(struct cluster *cluster)
{
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++) {
        weft_node_destroy(cluster->nodes[rank]);
        cluster->driver->close(cluster->devices[rank]);
        weft_schedule_destroy(cluster->schedules[rank]);
    }
    free(cluster->schedules);
    free(cluster->devices);
    free(cluster->nodes);
}

void cluster_start(struct cluster *cluster, enum weft_phase phase)
{
    struct weft_phase_options options = {.phase = phase};
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        weft_node_start(cluster->nodes[rank], &options);
}

void cluster_grant(struct cluster *cluster, uint64_t iterations)
{
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        weft_node_grant(cluster->nodes[rank], iterations);
}

static uint32_t next_random(struct cluster *cluster)
{
    cluster->random =
        cluster->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(cluster->random >> 33);
}

uint32_t cluster_turn(struct cluster *cluster)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < cluster->rank_count; i++) {
        uint32_t rank = cluster->random ? next_random(cluster) % cluster->rank_count : i;
        /* Input and output now and then go without a poll after them. */
        done += cluster->driver->progress(cluster->devices[rank], cluster->now_ns);
        if (!cluster->random || next_random(cluster) % 4)
            done += weft_node_poll(cluster->nodes[rank], cluster->now_ns);
        cluster->now_ns += cluster->step_ns;
    }
    return done;
}

static bool reached(const struct cluster *cluster, uint64_t iterations)
{
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        if (weft_node_iterations_done(cluster->nodes[rank]) < iterations)
            return false;
    return true;
}

static bool failed(const struct cluster *cluster)
{
    struct weft_error error = {0};
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        if (weft_node_failure(cluster->nodes[rank], &error) != WEFT_OK)
            return true;
    return false;
}

bool cluster_reach(struct cluster *cluster, uint64_t iterations)
{
    uint32_t still = 0;
    while (!reached(cluster, iterations)) {
        still = cluster_turn(cluster) ? 0 : still + 1;
        if (still == STILL_TURNS || failed(cluster))
            return false;
    }
    return true;
}

struct weft_verify_result cluster_verify(const struct cluster *cluster)
{
    struct weft_verify_result sum = {0};
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++) {
        struct weft_verify_result result;
        weft_node_verify(cluster->nodes[rank], &result);
        sum.compared_bytes += result.compared_bytes;
        sum.wrong_bytes += result.wrong_bytes;
    }
    return sum;
}
