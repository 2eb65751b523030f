/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node does for one of several jobs: other names, grants that are waited for, a window. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"

static const uint32_t names[] = {30, 2, 17, 9};

static struct cluster_options four_ranks(void)
{
    return (struct cluster_options){
        .pattern = "all-reduce",
        .options = {.rank_count = 4, .size_bytes = 4096},
        .ranks = names,
        .interval_ns = 1000,
    };
}

Test(together, ranks_are_called_as_in_the_run)
{
    struct cluster cluster;
    struct cluster_options options = four_ranks();
    cluster_init(&cluster, &options);
    for (uint32_t rank = 0; rank < 4; rank++) {
        for (uint32_t i = 0; i < weft_node_channel_count(cluster.nodes[rank]); i++) {
            struct weft_channel_address address;
            struct weft_error error = {0};
            weft_node_channel_address(cluster.nodes[rank], i, &address);
            cr_assert_eq(address.from_rank, names[rank]);
            cr_assert(address.to_rank == names[(rank + 1) % 4] ||
                      address.to_rank == names[(rank + 3) % 4]);
            address.from_rank = 1;
            cr_assert_eq(weft_node_connect(cluster.nodes[rank], &address, &error), WEFT_INVALID);
            char begin[32];
            (void)snprintf(begin, sizeof(begin), "rank %u was given", names[rank]);
            cr_assert_eq(strncmp(error.text, begin, strlen(begin)), 0, "%s", error.text);
        }
    }
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    struct weft_verify_result verified = cluster_verify(&cluster);
    cr_assert_eq(verified.compared_bytes, 2 * 4 * 4096);
    cr_assert_eq(verified.wrong_bytes, 0);
    cluster_fini(&cluster);
}

Test(together, a_grant_is_wanted_close_to_the_end_of_one_that_is_not_the_last)
{
    struct cluster cluster;
    struct cluster_options options = four_ranks();
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    struct weft_node *node = cluster.nodes[0];
    cr_assert_not(weft_node_wants_grant(node));
    for (uint32_t rank = 0; rank < 4; rank++)
        weft_node_expect_grant(cluster.nodes[rank], true);
    cr_assert(weft_node_wants_grant(node));
    cluster_grant(&cluster, 10);
    cr_assert_not(weft_node_wants_grant(node));
    cr_assert(cluster_reach(&cluster, 10));
    cr_assert(weft_node_wants_grant(node));
    for (uint32_t rank = 0; rank < 4; rank++)
        weft_node_expect_grant(cluster.nodes[rank], false);
    cr_assert_not(weft_node_wants_grant(node), "this is all");
    cluster_fini(&cluster);
}

static void record(struct cluster *cluster, bool records)
{
    for (uint32_t rank = 0; rank < 4; rank++)
        weft_node_record(cluster->nodes[rank], records);
}

static uint64_t latencies(const struct cluster *cluster, uint32_t rank)
{
    struct weft_node_measured measured;
    weft_node_measured(cluster->nodes[rank], &measured);
    return measured.latency_ns->count;
}

Test(together, histograms_are_of_the_window_and_counts_of_the_phase)
{
    struct cluster cluster;
    struct cluster_options options = four_ranks();
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 5);
    cr_assert(cluster_reach(&cluster, 5));
    uint64_t each = latencies(&cluster, 0) / 5;
    cr_assert_eq(each, 6, "2(n-1) messages");
    record(&cluster, true);
    cr_assert_eq(latencies(&cluster, 0), 0, "what was before is forgotten");
    cluster_grant(&cluster, 8);
    cr_assert(cluster_reach(&cluster, 8));
    record(&cluster, false);
    struct weft_node_measured closed;
    weft_node_measured(cluster.nodes[1], &closed);
    uint64_t intervals = closed.bandwidth_bps->count;
    cluster_grant(&cluster, 20);
    cr_assert(cluster_reach(&cluster, 20));
    for (uint32_t rank = 0; rank < 4; rank++) {
        struct weft_node_measured measured;
        weft_node_measured(cluster.nodes[rank], &measured);
        cr_assert_eq(measured.latency_ns->count, 3 * each);
        cr_assert_eq(measured.sent_messages, 20 * each);
        cr_assert_eq(measured.received_messages, 20 * each);
        cr_assert_eq(measured.iterations, 20);
    }
    weft_node_measured(cluster.nodes[1], &closed);
    cr_assert_eq(closed.bandwidth_bps->count, intervals);
    /* The next phase records again. */
    uint64_t durations[64];
    for (uint32_t rank = 0; rank < 4; rank++)
        (void)weft_node_take_durations(cluster.nodes[rank], durations, 64);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    cr_assert_eq(latencies(&cluster, 3), 2 * each);
    cluster_fini(&cluster);
}
