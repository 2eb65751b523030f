/* SPDX-License-Identifier: BSD-3-Clause */
/* Every pattern, whole, through the phases of a test. */
#include <criterion/criterion.h>

#include "cluster.h"

struct amounts {
    uint64_t sent_messages, sent_bytes, received_messages, received_bytes;
};

/* What the schedules say that one iteration moves. */
static struct amounts scheduled(const struct cluster *cluster, uint32_t rank)
{
    struct amounts sum = {0};
    const struct weft_schedule *schedule = cluster->schedules[rank];
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (schedule->ops[i].kind == WEFT_OP_SEND) {
            sum.sent_messages++;
            sum.sent_bytes += schedule->ops[i].len_bytes;
        } else if (schedule->ops[i].kind == WEFT_OP_RECEIVE) {
            sum.received_messages++;
            sum.received_bytes += schedule->ops[i].len_bytes;
        }
    }
    return sum;
}

static void run(struct cluster *cluster, enum weft_phase phase, uint64_t iterations)
{
    cluster_start(cluster, phase);
    cluster_grant(cluster, iterations);
    struct weft_error error = {0};
    bool done = cluster_reach(cluster, iterations);
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        cr_assert_eq(weft_node_failure(cluster->nodes[rank], &error), WEFT_OK, "%s", error.text);
    cr_assert(done, "stands still in phase %d", (int)phase);
}

static void verify(struct cluster *cluster, uint64_t iterations)
{
    run(cluster, WEFT_PHASE_VERIFY, iterations);
    struct weft_verify_result result = cluster_verify(cluster);
    uint64_t expected = 0;
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        for (uint32_t i = 0; i < cluster->schedules[rank]->expectation_count; i++)
            expected += cluster->schedules[rank]->expectations[i].len_bytes;
    cr_assert_eq(result.compared_bytes, iterations * expected);
    cr_assert_eq(result.wrong_bytes, 0, "%lu of %lu bytes are wrong", result.wrong_bytes,
                 result.compared_bytes);
}

static void check_measured(struct cluster *cluster, uint64_t iterations)
{
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++) {
        struct amounts once = scheduled(cluster, rank);
        struct weft_node_measured measured;
        weft_node_measured(cluster->nodes[rank], &measured);
        cr_assert_eq(measured.iterations, iterations);
        cr_assert_eq(measured.sent_messages, iterations * once.sent_messages);
        cr_assert_eq(measured.sent_bytes, iterations * once.sent_bytes);
        cr_assert_eq(measured.received_messages, iterations * once.received_messages);
        cr_assert_eq(measured.received_bytes, iterations * once.received_bytes);
        cr_assert_eq(measured.latency_ns->count, measured.sent_messages);
        cr_assert_eq(measured.stalled_iterations, 0);
        cr_assert_lt(measured.first_start_ns, measured.last_end_ns);
        uint64_t durations[64], taken;
        taken = weft_node_take_durations(cluster->nodes[rank], durations, 64);
        cr_assert_eq(taken, cluster->schedules[rank]->decides_completion ? iterations : 0);
        uint64_t sum_ns = 0;
        for (uint32_t i = 0; i < taken; i++)
            sum_ns += durations[i];
        cr_assert_leq(sum_ns, measured.last_end_ns - measured.first_start_ns);
        if (taken)
            cr_assert_eq(sum_ns, measured.last_end_ns - measured.first_start_ns,
                         "iterations follow without a gap");
    }
}

/* Odd counts, so that phases end in either lane. */
static void try_all(const struct cluster_options *options)
{
    struct cluster cluster;
    cluster_init(&cluster, options);
    verify(&cluster, 1);
    run(&cluster, WEFT_PHASE_WARMUP, 3);
    run(&cluster, WEFT_PHASE_MEASURE, 5);
    check_measured(&cluster, 5);
    verify(&cluster, 2);
    run(&cluster, WEFT_PHASE_MEASURE, 2);
    check_measured(&cluster, 2);
    cluster_fini(&cluster);
}

static void try_transfers_and_depths(const struct cluster_options *like)
{
    static const uint32_t depths[] = {0, 1, 2, 3, 5};
    for (uint32_t i = 0; i < 2 * sizeof(depths) / sizeof(depths[0]); i++) {
        struct cluster_options options = *like;
        options.transfer = i % 2 ? WEFT_TRANSFER_SEND : WEFT_TRANSFER_WRITE;
        options.depth = depths[i / 2];
        options.seed = i % 3 ? like->options.rank_count * 1000 + i : 0;
        try_all(&options);
    }
}

Test(run, ping_pong)
{
    static const uint64_t sizes[] = {1, 8, 129, 70001};
    for (uint32_t i = 0; i < 4; i++) {
        struct cluster_options options = {.pattern = "ping-pong",
                                          .options = {.rank_count = 2, .size_bytes = sizes[i]}};
        try_transfers_and_depths(&options);
    }
}

Test(run, all_reduce)
{
    for (uint32_t ranks = 2; ranks <= 9; ranks++) {
        struct cluster_options options = {
            .pattern = "all-reduce",
            .options = {.rank_count = ranks, .size_bytes = 4004, .chunk_bytes = ranks * 16}};
        try_transfers_and_depths(&options);
    }
}

Test(run, all_reduce_of_many)
{
    static const uint32_t counts[] = {16, 33};
    for (uint32_t i = 0; i < 2; i++) {
        struct cluster_options options = {
            .pattern = "all-reduce",
            .seed = i,
            .options = {.rank_count = counts[i], .size_bytes = 40004, .chunk_bytes = 512}};
        try_all(&options);
    }
}

/* Ranks whose rings are of different lengths, as on different devices. */
Test(run, depths_differ)
{
    static const uint32_t depths[] = {3, 16, 1, 5, 7};
    static const char *const names[] = {"all-reduce", "incast", "pipeline"};
    for (uint32_t i = 0; i < 12; i++) {
        struct cluster_options options = {.pattern = names[i % 3],
                                          .transfer =
                                              i % 2 ? WEFT_TRANSFER_SEND : WEFT_TRANSFER_WRITE,
                                          .depths = depths,
                                          .seed = i,
                                          .options = {.rank_count = 5, .size_bytes = 2000}};
        if (i % 3 < 2)
            options.options.chunk_bytes = 40;
        try_all(&options);
    }
}

/* Chunks above the slice of one poll. */
Test(run, all_reduce_of_large_chunks)
{
    struct cluster_options options = {
        .pattern = "all-reduce",
        .options = {.rank_count = 3, .size_bytes = 900012, .chunk_bytes = 1u << 20}};
    try_all(&options);
}

Test(run, incast)
{
    for (uint32_t ranks = 2; ranks <= 9; ranks++) {
        struct cluster_options options = {
            .pattern = "incast",
            .options = {.rank_count = ranks, .size_bytes = 1001, .chunk_bytes = ranks * 30}};
        try_transfers_and_depths(&options);
    }
}

Test(run, pipeline)
{
    for (uint32_t ranks = 2; ranks <= 9; ranks++) {
        struct cluster_options options = {.pattern = "pipeline",
                                          .options = {.rank_count = ranks,
                                                      .size_bytes = 516,
                                                      .microbatches = ranks,
                                                      .calc_ns = ranks * 100}};
        try_transfers_and_depths(&options);
    }
}

/* A channel a peer in more than one word of bits. */
Test(run, incast_of_many)
{
    struct cluster_options options = {
        .pattern = "incast", .seed = 3, .options = {.rank_count = 131, .size_bytes = 8}};
    try_all(&options);
}

/* Grants of one iteration at a time, which reach the ranks at different times. */
static void run_in_leases(struct cluster *cluster, enum weft_phase phase, uint64_t iterations)
{
    cluster_start(cluster, phase);
    for (uint64_t lease = 1; lease <= iterations; lease++) {
        for (uint32_t rank = 0; rank < cluster->rank_count; rank++) {
            weft_node_grant(cluster->nodes[(rank * 5 + lease) % cluster->rank_count], lease);
            for (uint32_t turn = 0; turn < 20; turn++)
                cluster_turn(cluster);
        }
        if (lease % 3 == 0)
            cr_assert(cluster_reach(cluster, lease));
    }
    cr_assert(cluster_reach(cluster, iterations));
}

Test(run, leases)
{
    static const char *const names[] = {"all-reduce", "incast", "pipeline"};
    for (uint32_t i = 0; i < 6; i++) {
        struct cluster_options options = {.pattern = names[i % 3],
                                          .depth = i < 3 ? 0 : 1,
                                          .seed = i + 1,
                                          .options = {.rank_count = 7, .size_bytes = 280}};
        struct cluster cluster;
        cluster_init(&cluster, &options);
        run_in_leases(&cluster, WEFT_PHASE_VERIFY, 2);
        cr_assert_eq(cluster_verify(&cluster).wrong_bytes, 0);
        cr_assert_gt(cluster_verify(&cluster).compared_bytes, 0);
        run_in_leases(&cluster, WEFT_PHASE_MEASURE, 9);
        for (uint32_t rank = 0; rank < 7; rank++) {
            struct weft_node_measured measured;
            weft_node_measured(cluster.nodes[rank], &measured);
            cr_assert_eq(measured.sent_messages, 9 * scheduled(&cluster, rank).sent_messages);
            cr_assert_eq(measured.received_bytes, 9 * scheduled(&cluster, rank).received_bytes);
        }
        cluster_fini(&cluster);
    }
}

/* No node runs ahead of its grant. */
Test(run, waits_for_the_grant)
{
    struct cluster_options options = {.pattern = "incast",
                                      .options = {.rank_count = 4, .size_bytes = 64}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(cluster_turn(&cluster), 0);
    cluster_grant(&cluster, 3);
    cr_assert(cluster_reach(&cluster, 3));
    for (uint32_t i = 0; i < 100; i++)
        cluster_turn(&cluster);
    for (uint32_t rank = 0; rank < 4; rank++)
        cr_assert_eq(weft_node_iterations_done(cluster.nodes[rank]), 3);
    cr_assert_eq(cluster_turn(&cluster), 0, "idle");
    cluster_fini(&cluster);
}

/* A byte that changes on the way is found. */
Test(run, corruption_is_found)
{
    struct cluster_options options = {.pattern = "pipeline",
                                      .options = {.rank_count = 3, .size_bytes = 64}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    verify(&cluster, 2);
    struct weft_channel_address address;
    weft_node_channel_address(cluster.nodes[1], 0, &address);
    /* The buffers lie before the slots: this is in lane 0 or 1 of rank 1. */
    uint8_t *memory = (uint8_t *)(uintptr_t)(address.slots_address & ~UINT64_C(4095)) - 4096;
    memory[100] ^= 1;
    cr_assert_eq(cluster_verify(&cluster).wrong_bytes, 1);
    cluster_fini(&cluster);
}

/* A ring of durations that nobody empties holds the next iteration back; none is lost. */
Test(run, full_durations_stall)
{
    enum {
        RING = 1 << 16,
        MORE = 1000
    };
    struct cluster_options options = {.pattern = "ping-pong",
                                      .options = {.rank_count = 2, .size_bytes = 8}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, RING + MORE);
    cr_assert_not(cluster_reach(&cluster, RING + MORE));
    cr_assert_eq(weft_node_iterations_done(cluster.nodes[0]), RING);
    static uint64_t durations_ns[RING];
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], durations_ns, MORE / 2), MORE / 2);
    cr_assert_not(cluster_reach(&cluster, RING + MORE));
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], durations_ns, RING), RING);
    cr_assert(cluster_reach(&cluster, RING + MORE));
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], durations_ns, RING), MORE / 2);
    struct weft_node_measured measured;
    weft_node_measured(cluster.nodes[0], &measured);
    cr_assert_eq(measured.iterations, RING + MORE);
    cr_assert_eq(measured.stalled_iterations, 2);
    cluster_fini(&cluster);
}

/* A receive that requires something is not announced before: rank 1 computes first. */
static enum weft_status build_late_receive(const struct weft_pattern_options *options,
                                           uint32_t rank, struct weft_schedule_builder *builder,
                                           struct weft_error *error)
{
    (void)error;
    struct weft_op message = {.kind = rank ? WEFT_OP_RECEIVE : WEFT_OP_SEND,
                              .peer = 1 - rank,
                              .len_bytes = options->size_bytes};
    uint32_t moved = weft_schedule_add(builder, &message);
    if (rank) {
        struct weft_op calc = {.kind = WEFT_OP_CALC, .duration_ns = 10000};
        weft_schedule_require(builder, moved, weft_schedule_add(builder, &calc));
    }
    weft_schedule_set_buffer(builder, options->size_bytes);
    weft_schedule_set_decides(builder, rank == 0);
    return WEFT_OK;
}

Test(run, receives_wait_for_what_they_require)
{
    struct weft_pattern pattern = {
        .min_ranks = 2, .default_size_bytes = 1, .build = build_late_receive};
    struct cluster_options options = {.custom = &pattern,
                                      .options = {.rank_count = 2, .size_bytes = 64}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    run(&cluster, WEFT_PHASE_MEASURE, 5);
    uint64_t durations_ns[5];
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], durations_ns, 5), 5);
    /* From the second on, rank 0 has waited for an iteration of rank 1. */
    for (uint32_t i = 1; i < 5; i++)
        cr_assert_geq(durations_ns[i], 9900);
    cluster_fini(&cluster);
}

/* One way, and a receiver that computes on what came: its sender may run ahead as far as receives
 * are posted, but no calculation starts before its iteration, nor does an iteration end early. */
static enum weft_status build_one_way(const struct weft_pattern_options *options, uint32_t rank,
                                      struct weft_schedule_builder *builder,
                                      struct weft_error *error)
{
    (void)error;
    struct weft_op message = {.kind = rank ? WEFT_OP_RECEIVE : WEFT_OP_SEND,
                              .peer = 1 - rank,
                              .len_bytes = options->size_bytes};
    uint32_t moved = weft_schedule_add(builder, &message);
    if (rank) {
        struct weft_op calc = {.kind = WEFT_OP_CALC, .duration_ns = 10000};
        weft_schedule_require(builder, weft_schedule_add(builder, &calc), moved);
    }
    weft_schedule_set_buffer(builder, options->size_bytes);
    weft_schedule_set_decides(builder, rank == 1);
    return WEFT_OK;
}

/* Three messages of two lengths to a peer on three queue pairs; on one of them the other way. */
static enum weft_status build_queue_pairs(const struct weft_pattern_options *options, uint32_t rank,
                                          struct weft_schedule_builder *builder,
                                          struct weft_error *error)
{
    (void)error;
    weft_schedule_set_element(builder, WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t number = rank ? 2 - i : i;
        bool sends = (number == 1) == (rank == 1);
        uint64_t len_bytes = options->size_bytes + number;
        struct weft_op op = {.kind = sends ? WEFT_OP_SEND : WEFT_OP_RECEIVE,
                             .peer = 1 - rank,
                             .queue_pair = 7 * number,
                             .offset_bytes = number * 100,
                             .len_bytes = len_bytes};
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                        .rank = 1 - rank,
                                        .offset_bytes = number * 100,
                                        .from_offset_bytes = number * 100,
                                        .len_bytes = len_bytes};
        (void)weft_schedule_add(builder, &op);
        if (!sends)
            weft_schedule_expect(builder, &copy);
    }
    weft_schedule_set_buffer(builder, 300);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

/* Each queue pair is a channel of its own: the order on one is nothing to another. */
Test(run, queue_pairs)
{
    struct weft_pattern pattern = {
        .min_ranks = 2, .default_size_bytes = 1, .build = build_queue_pairs};
    struct cluster_options options = {.custom = &pattern,
                                      .options = {.rank_count = 2, .size_bytes = 60}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cr_assert_eq(weft_node_channel_count(cluster.nodes[0]), 3);
    verify(&cluster, 2);
    cr_assert_eq(cluster_verify(&cluster).compared_bytes, 2 * (60 + 61 + 62));
    run(&cluster, WEFT_PHASE_MEASURE, 20);
    cluster_fini(&cluster);
}

Test(run, nothing_starts_before_its_iteration)
{
    struct weft_pattern pattern = {.min_ranks = 2, .default_size_bytes = 1, .build = build_one_way};
    struct cluster_options options = {.custom = &pattern,
                                      .options = {.rank_count = 2, .size_bytes = 64}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    run(&cluster, WEFT_PHASE_MEASURE, 9);
    uint64_t durations_ns[9];
    cr_assert_eq(weft_node_take_durations(cluster.nodes[1], durations_ns, 9), 9);
    for (uint32_t i = 0; i < 9; i++)
        cr_assert_geq(durations_ns[i], 10000);
    struct weft_node_measured measured;
    weft_node_measured(cluster.nodes[1], &measured);
    cr_assert_eq(measured.received_messages, 9);
    cluster_fini(&cluster);
}

/* Computation takes its time: 2 M calculations a stage, one after the other. */
Test(run, calculations_take_their_time)
{
    struct cluster_options options = {
        .pattern = "pipeline",
        .options = {.rank_count = 2, .size_bytes = 4, .microbatches = 4, .calc_ns = 10000}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    run(&cluster, WEFT_PHASE_MEASURE, 1);
    uint64_t duration_ns;
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], &duration_ns, 1), 1);
    /* 4 forward, 1 and 1 of the last stage in the shadow, 4 backward */
    cr_assert_geq(duration_ns, 10 * 10000);
    cr_assert_leq(duration_ns, 11 * 10000);
    cluster_fini(&cluster);
}

/* Both ways between two ranks, each message on the next of `queue_pairs` queue pairs, which are not
 * numbered without gaps. */
static enum weft_status build_both_ways(const struct weft_pattern_options *options, uint32_t rank,
                                        struct weft_schedule_builder *builder,
                                        struct weft_error *error)
{
    (void)error;
    for (uint32_t i = 0; i < 2 * options->messages; i++) {
        uint32_t message = i / 2;
        struct weft_op op = {.kind = i % 2 ? WEFT_OP_RECEIVE : WEFT_OP_SEND,
                             .peer = 1 - rank,
                             .queue_pair = 5 * (uint32_t)(message % options->queue_pairs),
                             .offset_bytes = i * options->size_bytes,
                             .len_bytes = options->size_bytes};
        (void)weft_schedule_add(builder, &op);
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                        .rank = 1 - rank,
                                        .offset_bytes = op.offset_bytes,
                                        .from_offset_bytes = op.offset_bytes - op.len_bytes,
                                        .len_bytes = op.len_bytes};
        if (op.kind == WEFT_OP_RECEIVE)
            weft_schedule_expect(builder, &copy);
    }
    weft_schedule_set_element(builder, WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM);
    weft_schedule_set_buffer(builder, 2 * options->messages * options->size_bytes);
    weft_schedule_set_decides(builder, true);
    return WEFT_OK;
}

static const struct weft_pattern queue_pairs = {
    .name = "queue-pairs",
    .min_ranks = 2,
    .default_size_bytes = 1,
    .take_count = 2,
    .takes = (const struct weft_pattern_take[]){{.option = WEFT_OPTION_QUEUE_PAIRS},
                                                {.option = WEFT_OPTION_MESSAGES}},
    .build = build_both_ways,
};

Test(run, many_queue_pairs)
{
    static const uint32_t counts[] = {1, 2, 7, 51};
    for (uint32_t i = 0; i < 4; i++) {
        struct cluster_options options = {
            .custom = &queue_pairs,
            .options = {
                .rank_count = 2, .size_bytes = 129, .messages = 80, .queue_pairs = counts[i]}};
        try_transfers_and_depths(&options);
    }
}

/* Each queue pair is an endpoint of its own. */
Test(run, queue_pairs_are_endpoints)
{
    struct cluster_options options = {
        .custom = &queue_pairs,
        .options = {.rank_count = 2, .size_bytes = 1, .messages = 9, .queue_pairs = 3}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cr_assert_eq(weft_node_channel_count(cluster.nodes[0]), 3);
    struct weft_channel_address one, other;
    for (uint32_t i = 0; i < 3; i++) {
        weft_node_channel_address(cluster.nodes[0], i, &one);
        weft_node_channel_address(cluster.nodes[0], (i + 1) % 3, &other);
        cr_assert_eq(one.queue_pair, 5 * i);
        cr_assert_eq(one.to_rank, 1);
        cr_assert_neq(one.endpoint.qpn, other.endpoint.qpn);
        cr_assert_neq(one.slots_address, other.slots_address);
    }
    cluster_fini(&cluster);
}

/* Whatever there is, as it is unless told, but smaller. What a file is has a test of its own. */
Test(run, every_pattern)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++) {
        if (*at == weft_pattern_find("goal", NULL))
            continue;
        struct cluster_options options = {
            .custom = *at,
            .options = {.rank_count = (*at)->default_ranks, .size_bytes = 404},
            .seed = 7};
        try_all(&options);
        options.transfer = WEFT_TRANSFER_SEND;
        options.depth = 2;
        try_all(&options);
    }
}

/* Bursts begin when they are due, however long the bursts before took. */
Test(run, bursts_keep_their_period)
{
    struct cluster_options options = {
        .pattern = "bursts",
        .options = {.rank_count = 3, .size_bytes = 40, .bursts = 5, .period_ns = 50000}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    run(&cluster, WEFT_PHASE_MEASURE, 3);
    uint64_t durations_ns[3];
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], durations_ns, 3), 3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_geq(durations_ns[i], 4 * 50000);
        cr_assert_leq(durations_ns[i], 4 * 50000 + 2000);
    }
    cluster_fini(&cluster);
}

/* Those of one cpu run one after another, in the order in which they could begin; those of others,
 * and those of none, at the same time. */
Test(run, calculations_of_a_cpu)
{
    static const char text[] = "num_ranks 1\n//@ weft 1\nrank 0 {\n//@ buffer 0 decides\n"
                               "calc 10000 cpu 0\ncalc 40000\ncalc 45000 cpu 7\n"
                               "a: calc 1000 cpu 7\nb: calc 2000 cpu 0\nb requires a\n}\n";
    const struct cluster_options options = {
        .pattern = "goal", .options = {.rank_count = 1, .text = text, .text_bytes = strlen(text)}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    run(&cluster, WEFT_PHASE_MEASURE, 1);
    uint64_t duration_ns;
    cr_assert_eq(weft_node_take_durations(cluster.nodes[0], &duration_ns, 1), 1);
    cr_assert_geq(duration_ns, 48000);
    cr_assert_lt(duration_ns, 48500);
    cluster_fini(&cluster);
}
