/* SPDX-License-Identifier: BSD-3-Clause */
/* Two workers, each with half of the ranks, and a control thread that grants and takes: a plain
 * program, so that it runs under ThreadSanitizer. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

enum {
    WORKERS = 2
};

struct worker {
    struct cluster *cluster;
    uint32_t first;
    atomic_bool *stop;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct cluster *cluster = worker->cluster;
    uint64_t now_ns = 1000;
    while (!atomic_load_explicit(worker->stop, memory_order_acquire)) {
        uint32_t done = 0;
        for (uint32_t rank = worker->first; rank < cluster->rank_count; rank += WORKERS) {
            done += cluster->driver->progress(cluster->devices[rank], now_ns);
            done += weft_node_poll(cluster->nodes[rank], now_ns);
            now_ns += 10;
        }
        if (!done)
            sched_yield();
    }
    return NULL;
}

/* Waits for all ranks, and keeps their durations from piling up. */
static bool await(struct cluster *cluster, uint64_t iterations, uint64_t *taken)
{
    uint64_t durations_ns[64];
    for (uint32_t rank = 0; rank < cluster->rank_count;) {
        struct weft_error error = {0};
        if (weft_node_failure(cluster->nodes[rank], &error) != WEFT_OK) {
            printf("# %s\n", error.text);
            return false;
        }
        taken[rank] += weft_node_take_durations(cluster->nodes[rank], durations_ns, 64);
        if (weft_node_iterations_done(cluster->nodes[rank]) >= iterations)
            rank++;
        else
            sched_yield();
    }
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++)
        for (uint32_t more = 1; more; taken[rank] += more)
            more = weft_node_take_durations(cluster->nodes[rank], durations_ns, 64);
    return true;
}

static bool run_phase(struct cluster *cluster, enum weft_phase phase, uint64_t iterations,
                      uint64_t *taken)
{
    cluster_start(cluster, phase);
    for (uint64_t lease = 1; lease < iterations; lease += 7) {
        cluster_grant(cluster, lease);
        if (lease % 2 && !await(cluster, lease, taken))
            return false;
    }
    cluster_grant(cluster, iterations);
    return await(cluster, iterations, taken);
}

static bool run_all(struct cluster *cluster)
{
    enum {
        ITERATIONS = 300
    };
    uint64_t taken[16] = {0};
    if (!run_phase(cluster, WEFT_PHASE_VERIFY, 2, taken))
        return false;
    struct weft_verify_result result = cluster_verify(cluster);
    if (result.wrong_bytes || !result.compared_bytes) {
        printf("# %lu of %lu bytes are wrong\n", result.wrong_bytes, result.compared_bytes);
        return false;
    }
    if (!run_phase(cluster, WEFT_PHASE_WARMUP, 11, taken) ||
        !run_phase(cluster, WEFT_PHASE_MEASURE, ITERATIONS, taken))
        return false;
    uint64_t sent = 0, received = 0;
    for (uint32_t rank = 0; rank < cluster->rank_count; rank++) {
        struct weft_node_measured measured;
        weft_node_measured(cluster->nodes[rank], &measured);
        sent += measured.sent_bytes;
        received += measured.received_bytes;
        bool decides = cluster->schedules[rank]->decides_completion;
        if (measured.iterations != ITERATIONS || taken[rank] != (decides ? ITERATIONS : 0))
            return false;
    }
    return sent && sent == received;
}

static int check(const struct cluster_options *options)
{
    struct cluster cluster;
    cluster_init(&cluster, options);
    atomic_bool stop = false;
    pthread_t threads[WORKERS];
    struct worker workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.cluster = &cluster, .first = i, .stop = &stop};
        if (pthread_create(&threads[i], NULL, work, &workers[i]))
            abort();
    }
    bool passed = run_all(&cluster);
    atomic_store_explicit(&stop, true, memory_order_release);
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    cluster_fini(&cluster);
    printf("%s - %s, transfer %d, depth %u\n", passed ? "ok" : "not ok", options->pattern,
           (int)options->transfer, options->depth);
    return passed ? 0 : 1;
}

/* ---- several failures in one poll ---- */

/* Rank 0 sends to all others, and they await twice as much. */
static enum weft_status build_unlike(const struct weft_pattern_options *options, uint32_t rank,
                                     struct weft_schedule_builder *builder,
                                     struct weft_error *error)
{
    (void)error;
    struct weft_op message = {.kind = rank ? WEFT_OP_RECEIVE : WEFT_OP_SEND,
                              .len_bytes = options->size_bytes * (rank ? 2 : 1)};
    if (rank)
        (void)weft_schedule_add(builder, &message);
    for (message.peer = 1; !rank && message.peer < options->rank_count; message.peer++)
        (void)weft_schedule_add(builder, &message);
    weft_schedule_set_buffer(builder, 2 * options->size_bytes);
    return WEFT_OK;
}

static const struct weft_pattern unlike = {
    .min_ranks = 2, .default_size_bytes = 1, .build = build_unlike};

static void *poll_first(void *argument)
{
    struct cluster *cluster = argument;
    /* Starts, then fails on every channel. */
    for (uint64_t now_ns = 1000; now_ns < 1010; now_ns++)
        (void)weft_node_poll(cluster->nodes[0], now_ns);
    return NULL;
}

/* What the control thread reads as soon as there is a failure is what stays: the first. */
static bool keeps_first(struct cluster *cluster)
{
    struct weft_error seen = {0}, last = {0};
    pthread_t thread;
    cluster_start(cluster, WEFT_PHASE_MEASURE);
    cluster_grant(cluster, 1);
    for (uint32_t turn = 0; turn < 4; turn++) {
        for (uint32_t rank = 1; rank < cluster->rank_count; rank++) {
            (void)cluster->driver->progress(cluster->devices[rank], 0);
            (void)weft_node_poll(cluster->nodes[rank], turn);
        }
    }
    if (pthread_create(&thread, NULL, poll_first, cluster))
        abort();
    while (weft_node_failure(cluster->nodes[0], &seen) == WEFT_OK)
        ;
    pthread_join(thread, NULL);
    (void)weft_node_failure(cluster->nodes[0], &last);
    if (!strcmp(seen.text, last.text) && strstr(last.text, "peer 1:"))
        return true;
    printf("# %s\n# %s\n", seen.text, last.text);
    return false;
}

static int check_failures(void)
{
    bool passed = true;
    for (uint32_t i = 0; i < 20 && passed; i++) {
        const struct cluster_options options = {.custom = &unlike,
                                                .options = {.rank_count = 64, .size_bytes = 64}};
        struct cluster cluster;
        cluster_init(&cluster, &options);
        passed = keeps_first(&cluster);
        cluster_fini(&cluster);
    }
    printf("%s - of many failures the first is kept\n", passed ? "ok" : "not ok");
    return passed ? 0 : 1;
}

int main(void)
{
    static const char *const names[] = {"all-reduce", "incast", "pipeline"};
    int failed = 0;
    printf("1..13\n");
    for (uint32_t i = 0; i < 12; i++) {
        struct cluster_options options = {.pattern = names[i % 3],
                                          .transfer =
                                              i / 3 % 2 ? WEFT_TRANSFER_SEND : WEFT_TRANSFER_WRITE,
                                          .depth = i < 6 ? 0 : 1,
                                          .options = {.rank_count = 4, .size_bytes = 4000}};
        if (i % 3 < 2)
            options.options.chunk_bytes = 200;
        failed += check(&options);
    }
    failed += check_failures();
    return failed ? 1 : 0;
}
