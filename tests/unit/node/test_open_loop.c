/* SPDX-License-Identifier: BSD-3-Clause */
/* Iterations that begin when they are due. */
#include <criterion/criterion.h>
#include <math.h>

#include "cluster.h"

/* ---- arrivals ---- */

static struct weft_arrivals make(enum weft_arrivals_kind kind, uint64_t len_bytes,
                                 uint64_t rate_bps, uint64_t seed)
{
    struct weft_arrivals arrivals;
    struct weft_error error = {0};
    uint64_t gap = 0;
    cr_assert(weft_arrivals_gap(len_bytes, rate_bps, &gap));
    cr_assert_eq(weft_arrivals_init(&arrivals, kind, gap, seed, &error), WEFT_OK);
    return arrivals;
}

/* 1000 bytes at 3 Gbps are 2666.66... ns: a gap in whole nanoseconds would be 0.025 % off. */
Test(arrivals, constant_do_not_drift)
{
    struct weft_arrivals arrivals = make(WEFT_ARRIVALS_CONSTANT, 1000, UINT64_C(3000000000), 0);
    cr_assert_eq(weft_arrivals_start(&arrivals, 5000), 5000);
    uint64_t at = 0;
    for (uint64_t i = 1; i <= 3000000; i++) {
        at = weft_arrivals_next(&arrivals);
        uint64_t exact = 5000 + i * 8000 / 3;
        cr_assert(at == exact || at + 1 == exact, "%lu instead of %lu", at, exact);
    }
    cr_assert_leq(5000 + UINT64_C(8000000000) - at, 1);
    weft_arrivals_fini(&arrivals);
}

Test(arrivals, gaps)
{
    uint64_t gap = 0;
    cr_assert(weft_arrivals_gap(1000, 8000, &gap));
    cr_assert_eq(gap, UINT64_C(1000000000) << 32);
    cr_assert_not(weft_arrivals_gap(1000, 2000, &gap));
    cr_assert(weft_arrivals_gap(1, UINT64_MAX, &gap));
    cr_assert_eq(gap, 1);
}

/* Mean and standard deviation of exponential gaps are both the gap asked for, e^-1 of them exceed
 * it, and e^-9 exceed 9 times it: beyond the table's last part but one. */
Test(arrivals, poisson_is_exponential)
{
    enum {
        COUNT = 1000000
    };
    struct weft_arrivals arrivals = make(WEFT_ARRIVALS_POISSON, 1000, UINT64_C(8000000000), 7);
    uint64_t before = weft_arrivals_start(&arrivals, 0);
    double squares = 0;
    uint32_t above = 0, far = 0;
    uint64_t first = before;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t at = weft_arrivals_next(&arrivals);
        double gap_ns = (double)(at - before);
        squares += gap_ns * gap_ns;
        above += gap_ns > 1000;
        far += gap_ns > 9000;
        before = at;
    }
    double mean_ns = (double)(before - first) / COUNT;
    cr_assert_float_eq(mean_ns, 1000, 4);
    cr_assert_float_eq(sqrt(squares / COUNT - mean_ns * mean_ns), 1000, 6);
    cr_assert_float_eq((double)above / COUNT, 0.36788, 0.002);
    cr_assert_float_eq((double)far / COUNT, 0.0001234, 0.00004);
    weft_arrivals_fini(&arrivals);
}

Test(arrivals, seeds)
{
    struct weft_arrivals a = make(WEFT_ARRIVALS_POISSON, 1000, 8000000, 1);
    struct weft_arrivals b = make(WEFT_ARRIVALS_POISSON, 1000, 8000000, 2);
    uint64_t first = weft_arrivals_start(&a, 100);
    uint64_t second = weft_arrivals_next(&a);
    cr_assert_neq(weft_arrivals_start(&b, 100), first);
    cr_assert_eq(weft_arrivals_start(&a, 100), first);
    cr_assert_eq(weft_arrivals_next(&a), second);
    weft_arrivals_fini(&a);
    weft_arrivals_fini(&b);
}

/* ---- nodes ---- */

enum {
    PERIOD_NS = 10000, /* 1000 bytes at 800 Mbps */
    TURN_NS = 20,      /* of two nodes */
};

static const struct cluster_options ping_pong = {.pattern = "ping-pong",
                                                 .options = {.rank_count = 2, .size_bytes = 1000},
                                                 .rate_bps = UINT64_C(800000000)};

static void begin(struct cluster *cluster, const struct cluster_options *options, uint64_t count)
{
    cluster_init(cluster, options);
    cluster_start(cluster, WEFT_PHASE_MEASURE);
    cluster_grant(cluster, count);
}

static struct weft_node_measured measured(const struct cluster *cluster, uint32_t rank)
{
    struct weft_node_measured figures;
    weft_node_measured(cluster->nodes[rank], &figures);
    return figures;
}

/* Rank 1 only answers: it has no times of its own. */
Test(open_loop, begins_when_due)
{
    struct cluster cluster;
    begin(&cluster, &ping_pong, 100);
    cr_assert(cluster_reach(&cluster, 100));
    struct weft_node_measured first = measured(&cluster, 0);
    cr_assert(first.open_loop.paced);
    cr_assert_eq(first.open_loop.offered_ns, 100 * PERIOD_NS);
    cr_assert_eq(first.open_loop.achieved_ns, 100 * PERIOD_NS);
    cr_assert_eq(first.open_loop.missed, 0);
    uint64_t took_ns = first.last_end_ns - first.first_start_ns;
    cr_assert(took_ns > 99 * PERIOD_NS && took_ns < 99 * PERIOD_NS + 500);
    cr_assert_eq(first.open_loop.latency_intended_ns->count, 100);
    cr_assert_geq(first.open_loop.latency_intended_ns->min, first.latency_ns->min);
    cr_assert_leq(first.open_loop.latency_intended_ns->max, first.latency_ns->max + 2 * TURN_NS);
    uint64_t durations_ns[100], intended_ns[100];
    cr_assert_eq(weft_node_take_completions(cluster.nodes[0], durations_ns, intended_ns, 100), 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert(intended_ns[i] >= durations_ns[i] && intended_ns[i] < durations_ns[i] + TURN_NS);
    cr_assert_not(measured(&cluster, 1).open_loop.paced);
    cluster_fini(&cluster);
}

/* 800 Mbps come back to rank 0 too, which rests most of the time. */
Test(open_loop, bandwidth_counts_the_rest)
{
    struct cluster cluster;
    struct cluster_options options = ping_pong;
    options.interval_ns = 10 * PERIOD_NS;
    begin(&cluster, &options, 1000);
    cr_assert(cluster_reach(&cluster, 1000));
    const struct weft_hist *bandwidth_bps = measured(&cluster, 0).bandwidth_bps;
    cr_assert_geq(bandwidth_bps->count, 98);
    double mean_bps = 0;
    cr_assert(weft_hist_mean(bandwidth_bps, &mean_bps));
    cr_assert_float_eq(mean_bps, 8e8, 8e6);
    cluster_fini(&cluster);
}

/* A pause of 10 ms while nothing is under way: by post to completion nobody has waited. */
Test(open_loop, pause_is_not_omitted)
{
    struct cluster cluster;
    begin(&cluster, &ping_pong, 2000);
    cr_assert(cluster_reach(&cluster, 500));
    cluster.now_ns += 10000000;
    cr_assert(cluster_reach(&cluster, 2000));
    struct weft_node_measured first = measured(&cluster, 0);
    cr_assert_lt(first.latency_ns->max, 500);
    const struct weft_hist *intended_ns = first.open_loop.latency_intended_ns;
    cr_assert(intended_ns->max > 9900000 && intended_ns->max < 10000000);
    /* 1000 were due meanwhile; each catches up by what a period is longer than it takes. */
    uint64_t mean_ns = (uint64_t)(intended_ns->sum / intended_ns->count);
    cr_assert(mean_ns > 10000000 / 4 && mean_ns < 10000000 / 3, "%lu", mean_ns);
    cr_assert(first.open_loop.missed > 1000 && first.open_loop.missed < 1100, "%lu",
              first.open_loop.missed);
    cr_assert_eq(first.open_loop.offered_ns, 2000 * PERIOD_NS);
    cr_assert_eq(first.open_loop.achieved_ns, 2000 * PERIOD_NS, "caught up, and never ahead");
    cluster_fini(&cluster);
}

/* More is asked for than can be done: all begin late, and the rate achieved says so. */
Test(open_loop, overload)
{
    struct cluster cluster;
    struct cluster_options options = ping_pong;
    options.rate_bps = UINT64_C(800000000000);
    begin(&cluster, &options, 1000);
    cr_assert(cluster_reach(&cluster, 1000));
    struct weft_node_measured first = measured(&cluster, 0);
    cr_assert_eq(first.open_loop.offered_ns, 1000 * 10);
    cr_assert_eq(first.open_loop.achieved_ns, first.last_end_ns - first.first_start_ns);
    cr_assert_eq(first.open_loop.missed, 999);
    cr_assert_gt(first.open_loop.latency_intended_ns->max,
                 first.open_loop.achieved_ns - first.open_loop.offered_ns);
    cluster_fini(&cluster);
}

/* A rank that follows ends its iterations by what comes; the wait for it is not theirs. */
static enum weft_status build_one_way(const struct weft_pattern_options *options, uint32_t rank,
                                      struct weft_schedule_builder *builder,
                                      struct weft_error *error)
{
    (void)error;
    struct weft_op message = {.kind = rank ? WEFT_OP_RECEIVE : WEFT_OP_SEND,
                              .peer = 1 - rank,
                              .len_bytes = options->size_bytes};
    (void)weft_schedule_add(builder, &message);
    message.offset_bytes = options->size_bytes;
    (void)weft_schedule_add(builder, &message);
    weft_schedule_set_buffer(builder, 2 * options->size_bytes);
    weft_schedule_set_decides(builder, rank == 1);
    return WEFT_OK;
}

Test(open_loop, followers_begin_with_what_comes)
{
    struct cluster cluster;
    const struct weft_pattern pattern = {
        .min_ranks = 2, .default_size_bytes = 1, .build = build_one_way};
    struct cluster_options options = ping_pong;
    options.pattern = NULL;
    options.custom = &pattern;
    options.period_bytes = 1000;
    begin(&cluster, &options, 100);
    cr_assert(cluster_reach(&cluster, 100));
    cr_assert_eq(measured(&cluster, 0).open_loop.offered_ns, 100 * PERIOD_NS);
    uint64_t durations_ns[100];
    cr_assert_eq(weft_node_take_durations(cluster.nodes[1], durations_ns, 100), 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_lt(durations_ns[i], 500);
    cluster_fini(&cluster);
}

/* Verification is not kept waiting, and times begin anew with each phase. */
Test(open_loop, phases)
{
    struct cluster cluster;
    cluster_init(&cluster, &ping_pong);
    uint64_t before_ns = cluster.now_ns;
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    cr_assert_lt(cluster.now_ns - before_ns, PERIOD_NS);
    for (uint32_t i = 0; i < 2; i++) {
        cluster.now_ns += 50000000;
        cluster_start(&cluster, i ? WEFT_PHASE_MEASURE : WEFT_PHASE_WARMUP);
        cluster_grant(&cluster, 3);
        cr_assert(cluster_reach(&cluster, 3));
    }
    struct weft_node_measured first = measured(&cluster, 0);
    cr_assert_eq(first.open_loop.missed, 0);
    cr_assert_eq(first.open_loop.achieved_ns, 3 * PERIOD_NS);
    cluster_fini(&cluster);
}

/* A grant that comes late makes the iterations late that were due before it. */
Test(open_loop, late_grant)
{
    struct cluster cluster;
    begin(&cluster, &ping_pong, 2);
    cr_assert(cluster_reach(&cluster, 2));
    uint64_t until_ns = cluster.now_ns + 5 * PERIOD_NS;
    while (cluster.now_ns < until_ns)
        (void)cluster_turn(&cluster);
    cluster_grant(&cluster, 10);
    cr_assert(cluster_reach(&cluster, 10));
    struct weft_node_measured first = measured(&cluster, 0);
    cr_assert_eq(first.open_loop.missed, 5);
    cr_assert_eq(first.open_loop.achieved_ns, 10 * PERIOD_NS);
    cluster_fini(&cluster);
}

/* What time must reach, for who runs it in virtual time. */
Test(open_loop, next_event)
{
    struct cluster cluster;
    begin(&cluster, &ping_pong, 2);
    cr_assert(cluster_reach(&cluster, 1));
    uint64_t due_ns = measured(&cluster, 0).first_start_ns + PERIOD_NS;
    cr_assert_eq(weft_node_next_event_ns(cluster.nodes[0]), due_ns);
    cr_assert_eq(weft_node_next_event_ns(cluster.nodes[1]), UINT64_MAX);
    cr_assert(cluster_reach(&cluster, 2));
    cr_assert_eq(weft_node_next_event_ns(cluster.nodes[0]), UINT64_MAX);
    cluster_fini(&cluster);
}
