/* SPDX-License-Identifier: BSD-3-Clause */
/* What a message costs in weft itself: ranks on one thread over the null driver, by the processor
 * time of the thread. And what an idle node with many peers costs a poll. Prints; asserts nothing.
 */
#include <stdio.h>
#include <time.h>

#include "cluster.h"

static uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void drain(const struct cluster *cluster)
{
    static uint64_t durations_ns[1 << 16];
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        (void)weft_node_take_durations(cluster->nodes[rank], durations_ns, 1 << 16);
}

static void messages(const char *pattern, uint32_t ranks, uint64_t size_bytes, uint64_t chunk_bytes,
                     uint64_t iterations)
{
    struct cluster_options options = {
        .pattern = pattern,
        .options = {.rank_count = ranks, .size_bytes = size_bytes, .chunk_bytes = chunk_bytes}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    cluster_grant(&cluster, iterations / 10 + 1);
    bool done = cluster_reach(&cluster, iterations / 10 + 1);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, iterations);
    uint64_t start_ns = clock_ns();
    done = done && cluster_reach(&cluster, iterations);
    uint64_t elapsed_ns = clock_ns() - start_ns;
    uint64_t count = 0;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        struct weft_node_measured measured;
        weft_node_measured(cluster.nodes[rank], &measured);
        count += measured.sent_messages;
    }
    printf("%-10s %3u ranks %8lu B in %6lu B: %7.1f ns a message, both ends and the driver%s\n",
           pattern, ranks, size_bytes, chunk_bytes, (double)elapsed_ns / (double)count,
           done ? "" : " (it stood still)");
    drain(&cluster);
    cluster_fini(&cluster);
}

static void idle(uint32_t ranks)
{
    enum {
        POLLS = 2000000
    };
    struct cluster_options options = {.pattern = "incast",
                                      .options = {.rank_count = ranks, .size_bytes = 8}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    /* Rank 0 has begun and waits for all of its peers' slots. */
    weft_node_grant(cluster.nodes[0], 1);
    uint64_t start_ns = clock_ns();
    for (uint32_t i = 0; i < POLLS; i++)
        weft_node_poll(cluster.nodes[0], i);
    uint64_t waiting_ns = clock_ns() - start_ns;
    start_ns = clock_ns();
    for (uint32_t i = 0; i < POLLS; i++)
        weft_node_poll(cluster.nodes[1], i);
    uint64_t idle_ns = clock_ns() - start_ns;
    printf("an empty poll: %.1f ns; one that waits for %u peers: %.1f ns\n",
           (double)idle_ns / POLLS, ranks - 1, (double)waiting_ns / POLLS);
    cluster_fini(&cluster);
}

int main(void)
{
    messages("ping-pong", 2, 8, 0, 60000);
    messages("incast", 2, 8192, 8, 2000);
    messages("incast", 8, 8192, 8, 400);
    messages("all-reduce", 8, 65536, 1024, 400);
    messages("all-reduce", 64, 65536, 256, 20);
    idle(64);
    return 0;
}
