/* SPDX-License-Identifier: BSD-3-Clause */
/* Several iterations at once. */
#include <criterion/criterion.h>

#include "cluster.h"

enum {
    COUNT = 400,
};

static const uint64_t gap_ns = 1000;    /* 1000 bytes at 8 Gbps */
static const uint64_t calc_ns = 20000;  /* of a worker */
static const uint64_t around_ns = 2000; /* what the polls of a request take beside it, and more */

/* A request to two workers every microsecond, which takes twenty of them. */
static struct cluster_options requests(uint64_t turns, uint32_t in_flight)
{
    return (struct cluster_options){.pattern = "fan-out",
                                    .options = {.rank_count = 3,
                                                .size_bytes = 500,
                                                .messages = turns,
                                                .calc_ns = calc_ns,
                                                .service = 1 /* parallel */},
                                    .rate_bps = UINT64_C(8000000000) * turns,
                                    .in_flight = in_flight};
}

static struct weft_node_measured run(struct cluster *cluster, const struct cluster_options *options,
                                     uint64_t intended_ns[COUNT])
{
    uint64_t durations_ns[COUNT];
    struct weft_node_measured figures;
    cluster_init(cluster, options);
    cluster_start(cluster, WEFT_PHASE_MEASURE);
    cluster_grant(cluster, COUNT);
    cr_assert(cluster_reach(cluster, COUNT));
    cr_assert_eq(weft_node_take_completions(cluster->nodes[0], durations_ns, intended_ns, COUNT),
                 COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert_leq(durations_ns[i], intended_ns[i]);
    weft_node_measured(cluster->nodes[0], &figures);
    return figures;
}

static uint64_t largest(const uint64_t *values)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

/* Twenty are under way at a time, and none has waited for another. */
Test(in_flight, requests_do_not_wait_for_each_other)
{
    struct cluster cluster;
    struct cluster_options options = requests(1, 32);
    uint64_t intended_ns[COUNT];
    struct weft_node_measured figures = run(&cluster, &options, intended_ns);
    cr_assert_eq(figures.open_loop.missed, 0);
    cr_assert_eq(figures.iterations, COUNT);
    cr_assert_eq(figures.open_loop.offered_ns, COUNT * gap_ns);
    cr_assert_lt(largest(intended_ns), calc_ns + around_ns);
    cr_assert_lt(figures.open_loop.achieved_ns, COUNT * gap_ns + calc_ns + around_ns);
    cluster_fini(&cluster);
}

/* Jobs of several turns: the first of one does not follow the last of the one before, for each has
 * a connection of its own. On one connection it must. */
Test(in_flight, turns_do_not_wait_for_each_other)
{
    struct cluster cluster;
    struct cluster_options options = requests(3, 80);
    uint64_t intended_ns[COUNT];
    struct weft_node_measured figures = run(&cluster, &options, intended_ns);
    cr_assert_eq(figures.open_loop.missed, 0);
    cr_assert_lt(largest(intended_ns), 3 * (calc_ns + around_ns));
    cluster_fini(&cluster);
    options.options.queue_pairs = 1;
    figures = run(&cluster, &options, intended_ns);
    cr_assert_gt(figures.open_loop.missed, COUNT / 2);
    cluster_fini(&cluster);
}

/* Four at a time take a fifth of what is offered, and what waits shows from when it was due. */
Test(in_flight, limit)
{
    struct cluster cluster;
    struct cluster_options options = requests(1, 4);
    uint64_t intended_ns[COUNT];
    struct weft_node_measured figures = run(&cluster, &options, intended_ns);
    uint64_t least_ns = COUNT / 4 * calc_ns;
    cr_assert_eq(figures.open_loop.missed, COUNT - 4);
    cr_assert_geq(figures.open_loop.achieved_ns, least_ns);
    cr_assert_leq(figures.open_loop.achieved_ns, least_ns + COUNT / 4 * around_ns);
    cr_assert_geq(intended_ns[COUNT - 1], least_ns - COUNT * gap_ns);
    cr_assert_gt(intended_ns[COUNT - 1], intended_ns[COUNT / 2]);
    cluster_fini(&cluster);
}

/* A closed loop of eight: as many as were asked for, and no more. */
Test(in_flight, closed_loop)
{
    struct cluster cluster;
    struct cluster_options options = requests(1, 8);
    options.rate_bps = 0;
    uint64_t intended_ns[COUNT];
    struct weft_node_measured figures = run(&cluster, &options, intended_ns);
    uint64_t took_ns = figures.last_end_ns - figures.first_start_ns;
    cr_assert_geq(took_ns, COUNT / 8 * calc_ns);
    cr_assert_leq(took_ns, COUNT / 8 * (calc_ns + around_ns));
    cluster_fini(&cluster);
}

static void verify(const char *pattern, uint32_t in_flight, uint64_t seed)
{
    struct cluster cluster;
    const struct cluster_options options = {.pattern = pattern,
                                            .options = {.rank_count = 4, .size_bytes = 4096},
                                            .transfer = (enum weft_transfer)(seed % 2),
                                            .in_flight = in_flight,
                                            .trace = seed % 3 == 0,
                                            .depth = seed % 5 == 0 ? 1 : 0,
                                            .seed = seed};
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    cluster_grant(&cluster, 7);
    cr_assert(cluster_reach(&cluster, 7), "%s, %u in flight", pattern, in_flight);
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, in_flight);
    cr_assert(cluster_reach(&cluster, in_flight));
    struct weft_verify_result all = cluster_verify(&cluster);
    cr_assert_eq(all.wrong_bytes, 0, "%s, %u in flight", pattern, in_flight);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 50);
    cr_assert(cluster_reach(&cluster, 50));
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, 1);
    cr_assert(cluster_reach(&cluster, 1));
    struct weft_verify_result one = cluster_verify(&cluster);
    cr_assert_eq(one.wrong_bytes, 0);
    cr_assert_gt(one.compared_bytes, 0);
    cr_assert_eq(all.compared_bytes, in_flight * one.compared_bytes);
    cluster_fini(&cluster);
}

/* What an iteration sends, sums and gets is its own, in whatever order ranks are polled. */
Test(in_flight, iterations_do_not_touch_each_other)
{
    static const char *const patterns[] = {"all-reduce", "fan-out", "pipeline", "all-to-all",
                                           "incast"};
    static const uint32_t counts[] = {1, 2, 3, 8, 13};
    uint64_t seed = 0;
    for (uint32_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        for (uint32_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++)
            for (uint32_t again = 0; again < 4; again++)
                verify(patterns[i], counts[j], ++seed);
}

/* Who runs it in virtual time must be woken for what is due, and not for what may not begin yet. */
Test(in_flight, next_event)
{
    struct cluster cluster;
    struct cluster_options options = requests(1, 2);
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, COUNT);
    uint64_t first_ns = 0;
    struct weft_node_measured figures;
    while (!first_ns) {
        (void)cluster_turn(&cluster);
        weft_node_measured(cluster.nodes[0], &figures);
        first_ns = figures.first_start_ns;
    }
    cr_assert_eq(weft_node_next_event_ns(cluster.nodes[0]), first_ns + gap_ns);
    while (cluster.now_ns < first_ns + 2 * gap_ns)
        (void)cluster_turn(&cluster);
    cr_assert_eq(weft_node_iterations_done(cluster.nodes[0]), 0);
    cr_assert_eq(weft_node_next_event_ns(cluster.nodes[0]), UINT64_MAX);
    cr_assert(cluster_reach(&cluster, COUNT));
    cluster_fini(&cluster);
}

/* Buffers are used in turn by the low bits of an iteration's number. */
Test(in_flight, lanes)
{
    cr_assert_eq(weft_node_lanes(1), 2);
    cr_assert_eq(weft_node_lanes(2), 2);
    cr_assert_eq(weft_node_lanes(3), 4);
    cr_assert_eq(weft_node_lanes(64), 64);
    cr_assert_eq(weft_node_lanes(WEFT_IN_FLIGHT_MAX), WEFT_IN_FLIGHT_MAX);
}

/* Each iteration's trace is its own, though many are written at a time. */
Test(in_flight, traces)
{
    struct cluster cluster;
    struct cluster_options options = requests(2, 50);
    options.trace = true;
    uint64_t intended_ns[COUNT];
    (void)run(&cluster, &options, intended_ns);
    cr_assert_geq(weft_node_trace_count(cluster.nodes[0]), COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct weft_op_trace ops[64];
        uint64_t duration_ns = 0;
        cr_assert_leq(cluster.schedules[0]->op_count, 64);
        cr_assert(weft_node_trace(cluster.nodes[0], i, ops, &duration_ns));
        cr_assert_leq(duration_ns, intended_ns[i]);
        int64_t last_ns = 0;
        for (uint32_t op = 0; op < cluster.schedules[0]->op_count; op++) {
            bool sends = cluster.schedules[0]->ops[op].kind == WEFT_OP_SEND;
            cr_assert(!sends || ops[op].started_ns >= 0);
            last_ns = ops[op].completed_ns > last_ns ? ops[op].completed_ns : last_ns;
        }
        cr_assert_eq((uint64_t)last_ns, duration_ns);
        cr_assert_geq(duration_ns, 2 * calc_ns);
    }
    cluster_fini(&cluster);
}
