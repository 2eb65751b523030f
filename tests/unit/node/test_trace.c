/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node writes down of single iterations. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

#define OPS_MAX 256u

static void measure(struct cluster *cluster, const struct cluster_options *options,
                    uint64_t iterations)
{
    cluster_init(cluster, options);
    cluster_start(cluster, WEFT_PHASE_WARMUP);
    cluster_grant(cluster, 3);
    cr_assert(cluster_reach(cluster, 3));
    cluster_start(cluster, WEFT_PHASE_MEASURE);
    cluster_grant(cluster, iterations);
    cr_assert(cluster_reach(cluster, iterations));
}

static void check_op(const struct weft_schedule *schedule, const struct weft_op_trace *ops,
                     uint32_t op, uint64_t duration_ns)
{
    const struct weft_op *what = &schedule->ops[op];
    bool message = what->kind == WEFT_OP_SEND || what->kind == WEFT_OP_RECEIVE;
    cr_assert_leq(ops[op].completed_ns, (int64_t)duration_ns);
    if (message)
        cr_assert_leq(ops[op].started_ns, ops[op].completed_ns);
    if (what->kind == WEFT_OP_SEND)
        cr_assert_geq(ops[op].started_ns, 0);
    for (uint32_t i = 0; i < what->successor_count; i++) {
        uint32_t next = schedule->successors[what->first_successor + i];
        if (schedule->ops[next].kind == WEFT_OP_SEND)
            cr_assert_leq(ops[op].completed_ns, ops[next].started_ns);
        else if (schedule->ops[next].kind == WEFT_OP_REDUCE)
            cr_assert_leq(ops[op].completed_ns, ops[next].completed_ns);
    }
}

static void check_rank(const struct cluster *cluster, uint32_t rank, uint64_t iterations)
{
    const struct weft_schedule *schedule = cluster->schedules[rank];
    uint64_t durations_ns[64] = {0};
    cr_assert_eq(weft_node_take_durations(cluster->nodes[rank], durations_ns, 64), iterations);
    for (uint64_t i = 0; i < iterations; i++) {
        struct weft_op_trace ops[OPS_MAX];
        uint64_t duration_ns = 0;
        int64_t last_ns = 0;
        cr_assert(weft_node_trace(cluster->nodes[rank], i, ops, &duration_ns));
        cr_assert_eq(duration_ns, durations_ns[i]);
        for (uint32_t op = 0; op < schedule->op_count; op++) {
            check_op(schedule, ops, op, duration_ns);
            last_ns = ops[op].completed_ns > last_ns ? ops[op].completed_ns : last_ns;
        }
        cr_assert_eq((uint64_t)last_ns, duration_ns, "the last operation ends the iteration");
    }
}

Test(node_trace, times_agree_with_the_schedule)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cluster cluster;
        const struct cluster_options options = {
            .pattern = "all-reduce",
            .options = {.rank_count = 4, .size_bytes = 64 << 10},
            .trace = true,
            .depth = seed % 2 ? 1 : 0,
            .seed = seed};
        measure(&cluster, &options, 21);
        for (uint32_t rank = 0; rank < cluster.rank_count; rank++)
            check_rank(&cluster, rank, 21);
        cluster_fini(&cluster);
    }
}

/* The first that requires nothing. */
static uint32_t first_send(const struct weft_schedule *schedule)
{
    uint32_t op = 0;
    while (schedule->ops[op].kind != WEFT_OP_SEND || schedule->ops[op].requires_count)
        op++;
    return op;
}

Test(node_trace, a_send_that_waits_for_the_peer_says_so)
{
    struct cluster cluster;
    struct weft_op_trace early[OPS_MAX], late[OPS_MAX];
    uint64_t duration_ns = 0;
    const struct cluster_options options = {
        .pattern = "all-reduce", .options = {.rank_count = 2, .size_bytes = 4096}, .trace = true};
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    weft_node_grant(cluster.nodes[1], 1);
    for (uint32_t i = 0; i < 50; i++)
        cluster_turn(&cluster);
    weft_node_grant(cluster.nodes[0], 1);
    cr_assert(cluster_reach(&cluster, 1));
    cr_assert(weft_node_trace(cluster.nodes[1], 0, early, &duration_ns));
    cr_assert(weft_node_trace(cluster.nodes[0], 0, late, &duration_ns));
    uint32_t op = first_send(cluster.schedules[1]);
    cr_assert_eq(early[op].waits, WEFT_WAITED_RECEIVE);
    cr_assert_geq(early[op].started_ns, 50 * (int64_t)cluster.step_ns);
    op = first_send(cluster.schedules[0]);
    cr_assert_eq(late[op].waits, 0);
    cr_assert_eq(late[op].started_ns, 0);
    cluster_fini(&cluster);
}

Test(node_trace, the_ring_turns_and_what_is_kept_stays)
{
    struct cluster cluster;
    struct weft_op_trace early[OPS_MAX], kept[OPS_MAX];
    uint64_t early_ns = 0, kept_ns = 0;
    const struct cluster_options options = {
        .pattern = "ping-pong", .options = {.rank_count = 2, .size_bytes = 64}, .trace = true};
    measure(&cluster, &options, 10);
    struct weft_node *node = cluster.nodes[0];
    uint32_t held = weft_node_trace_count(node);
    cr_assert_gt(held, 100);
    cr_assert(weft_node_trace(node, 3, early, &early_ns));
    cr_assert(!weft_node_trace_keep(node, 5, 10), "the iteration has not ended");
    cr_assert(weft_node_trace_keep(node, 5, 3));
    for (uint64_t done = 10; done < 3 * (uint64_t)held; done += 100) {
        uint64_t taken_ns[128];
        cluster_grant(&cluster, done + 100);
        cr_assert(cluster_reach(&cluster, done + 100));
        for (uint32_t rank = 0; rank < 2; rank++)
            (void)weft_node_take_durations(cluster.nodes[rank], taken_ns, 128);
    }
    cr_assert(!weft_node_trace(node, 4, kept, &kept_ns), "it has been written over");
    cr_assert(weft_node_trace(node, 3, kept, &kept_ns));
    cr_assert_eq(kept_ns, early_ns);
    for (uint32_t i = 0; i < cluster.schedules[0]->op_count; i++)
        cr_assert_eq(kept[i].completed_ns, early[i].completed_ns);
    uint64_t last = weft_node_iterations_done(node) - 1;
    cr_assert(weft_node_trace(node, last, kept, &kept_ns));
    cr_assert(weft_node_trace(node, last - held + 1, kept, &kept_ns), "all that count says");
    /* Another phase knows nothing of it. */
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cr_assert(!weft_node_trace(node, 3, kept, &kept_ns));
    cluster_fini(&cluster);
}

Test(node_trace, none_unless_asked)
{
    struct cluster cluster;
    struct weft_op_trace ops[OPS_MAX];
    uint64_t duration_ns = 0;
    const struct cluster_options options = {.pattern = "ping-pong",
                                            .options = {.rank_count = 2, .size_bytes = 64}};
    measure(&cluster, &options, 5);
    cr_assert_eq(weft_node_trace_count(cluster.nodes[0]), 0);
    cr_assert(weft_node_trace_keep(cluster.nodes[0], 0, 1));
    cr_assert(!weft_node_trace(cluster.nodes[0], 1, ops, &duration_ns));
    cluster_fini(&cluster);
}
