/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node does when its device cannot, will not, or breaks. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "faulty.h"

static struct cluster_options all_reduce_of_4(void)
{
    return (struct cluster_options){
        .pattern = "all-reduce",
        .driver = faulty(),
        .options = {.rank_count = 4, .size_bytes = 4096, .chunk_bytes = 256}};
}

/* The error of the first rank that failed; asserts that one did. */
static struct weft_error failure_of(const struct cluster *cluster, enum weft_status expected)
{
    struct weft_error error = {0};
    uint32_t rank = 0;
    while (rank < cluster->rank_count && weft_node_failure(cluster->nodes[rank], &error) == WEFT_OK)
        rank++;
    cr_assert_lt(rank, cluster->rank_count, "no rank failed");
    cr_assert_eq(error.status, expected, "%s", error.text);
    return error;
}

static void assert_text(const struct weft_error *error, const char *part)
{
    cr_assert_not_null(strstr(error->text, part), "'%s' is not in '%s'", part, error->text);
}

/* ---- refused before the start ---- */

static void refuse_node(const struct cluster_options *options, const char *first,
                        const char *second)
{
    struct weft_error error = {0};
    struct weft_schedule *schedule = NULL;
    const struct weft_pattern *pattern = weft_pattern_find(options->pattern, &error);
    cr_assert_eq(weft_pattern_compile(pattern, &options->options, 1, &schedule, &error), WEFT_OK);
    struct weft_device *device = NULL;
    struct weft_device_options device_options = {.max_endpoints = 8, .max_regions = 4};
    cr_assert_eq(options->driver->open(&device_options, &device, &error), WEFT_OK);
    struct weft_node_options node_options = {.driver = options->driver,
                                             .device = device,
                                             .schedule = schedule,
                                             .transfer = options->transfer,
                                             .depth = options->depth,
                                             .allocate = cluster_allocate,
                                             .release = cluster_release};
    struct weft_node *node = NULL;
    cr_assert_neq(weft_node_create(&node_options, &node, &error), WEFT_OK);
    cr_assert_null(node);
    assert_text(&error, first);
    assert_text(&error, second);
    options->driver->close(device);
    weft_schedule_destroy(schedule);
}

Test(refused, long_messages)
{
    struct cluster_options options = all_reduce_of_4();
    faults.max_message_bytes = 255;
    refuse_node(&options, "rank 1: operation 0 (send of 256 B to rank 2)", "smaller chunk");
}

Test(refused, depth)
{
    struct cluster_options options = all_reduce_of_4();
    options.depth = 64;
    faults.max_send_depth = 67;
    refuse_node(&options, "depth of 64", "smaller depth");
}

Test(refused, completion_queue)
{
    struct cluster_options options = all_reduce_of_4();
    options.depth = 1;
    faults.max_cq_depth = 2;
    refuse_node(&options, "over 2 channels", "smaller depth");
}

Test(refused, endpoints)
{
    struct cluster_options options = all_reduce_of_4();
    faults.max_endpoints = 1;
    refuse_node(&options, "rank 1 has 2 queue pairs to its peers", "fewer ranks");
}

Test(refused, operations)
{
    struct cluster_options options = all_reduce_of_4();
    faults.lacks_operations = WEFT_BIT(WEFT_OPERATION_WRITE_IMMEDIATE);
    refuse_node(&options, "driver faulty", "try the transfer 'send'");
}

Test(refused, memory)
{
    struct cluster_options options = all_reduce_of_4();
    options.options.size_bytes = UINT64_C(1) << 40;
    options.options.chunk_bytes = 0;
    refuse_node(&options, "rank 1", "smaller size");
}

/* The default depth, unlike one that was asked for, gives way. */
Test(accepted, default_depth_shrinks)
{
    faults.max_cq_depth = 20;
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    struct weft_channel_address address;
    weft_node_channel_address(cluster.nodes[0], 0, &address);
    cr_assert_eq(address.depth, 4);
    cluster_fini(&cluster);
}

/* ---- queues without room ---- */

static void run_and_verify(const struct cluster_options *options)
{
    struct cluster cluster;
    cluster_init(&cluster, options);
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    struct weft_verify_result result = cluster_verify(&cluster);
    cr_assert_eq(result.compared_bytes, 2 * 4 * 4096);
    cr_assert_eq(result.wrong_bytes, 0);
    cluster_fini(&cluster);
}

Test(accepted, full_queues)
{
    for (uint32_t transfer = 0; transfer < WEFT_TRANSFER_COUNT; transfer++) {
        for (uint32_t of = 2; of < 5; of++) {
            struct cluster_options options = all_reduce_of_4();
            options.transfer = (enum weft_transfer)transfer;
            options.seed = of;
            faults.refuse_send_of = of;
            faults.refuse_receive_of = 5 - of + 1;
            run_and_verify(&options);
        }
    }
}

Test(accepted, no_inline)
{
    struct cluster_options options = all_reduce_of_4();
    faults.max_inline_bytes_plus_1 = 1;
    options.seed = 4;
    run_and_verify(&options);
    options.depth = 1;
    run_and_verify(&options);
}

/* A device that takes long to read what it writes: the staging must not change under it. */
Test(accepted, slow_writes)
{
    static const uint32_t depths[] = {1, 2, 3, 8, 16};
    for (uint32_t i = 0; i < 10; i++) {
        struct cluster_options options = all_reduce_of_4();
        options.depth = depths[i / 2];
        options.seed = i + 1;
        faults.max_inline_bytes_plus_1 = i % 2;
        faults.hold_writes = 40;
        run_and_verify(&options);
    }
}

/* ---- broken on the way ---- */

static void break_at(enum weft_operation operation, uint32_t at, enum weft_status status,
                     struct weft_error *ret_error)
{
    faults.fail_at = at;
    faults.fail_operation = operation;
    faults.fail_status = status;
    faults.vendor_error = 0x81;
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 10);
    cr_assert_not(cluster_reach(&cluster, 10));
    *ret_error = failure_of(&cluster, status);
    cluster_fini(&cluster);
}

Test(broken, send)
{
    struct weft_error error;
    break_at(WEFT_OPERATION_WRITE_IMMEDIATE, 3, WEFT_RETRY_EXCEEDED, &error);
    assert_text(&error, "rank ");
    assert_text(&error, "send of 256 B to rank ");
    assert_text(&error, "retry limit exceeded");
    assert_text(&error, "0x81");
}

Test(broken, receive)
{
    struct weft_error error;
    break_at(WEFT_OPERATION_RECEIVE, 7, WEFT_LOCAL_PROTECTION, &error);
    assert_text(&error, "receive of 256 B from rank ");
    assert_text(&error, "local protection error");
}

Test(broken, announcement)
{
    struct weft_error error;
    break_at(WEFT_OPERATION_WRITE, 2, WEFT_REMOTE_ACCESS, &error);
    assert_text(&error, "announcing");
    assert_text(&error, "remote access error");
}

/* A node that failed does nothing more. */
Test(broken, stays_broken)
{
    faults.fail_at = 1;
    faults.fail_operation = WEFT_OPERATION_RECEIVE;
    faults.fail_status = WEFT_FLUSHED;
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    cluster_grant(&cluster, 100);
    cr_assert_not(cluster_reach(&cluster, 100));
    uint32_t failed = 0;
    for (uint32_t rank = 0; rank < 4; rank++) {
        if (weft_node_failure(cluster.nodes[rank], NULL) == WEFT_OK)
            continue;
        failed++;
        uint64_t before = weft_node_iterations_done(cluster.nodes[rank]);
        for (uint32_t i = 0; i < 100; i++) {
            cluster.driver->progress(cluster.devices[rank], cluster.now_ns);
            cr_assert_eq(weft_node_poll(cluster.nodes[rank], cluster.now_ns++), 0);
        }
        cr_assert_eq(weft_node_iterations_done(cluster.nodes[rank]), before);
    }
    cr_assert_eq(failed, 1);
    cluster_fini(&cluster);
}

Test(broken, endpoint)
{
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    faults.endpoint_failure = "no answer to ARP for 10.0.0.2";
    struct weft_error error = {0};
    cr_assert_eq(weft_node_connected(cluster.nodes[2], &error), WEFT_TIMEOUT);
    assert_text(&error, "rank 2 cannot reach rank 1: no answer to ARP");
    /* and while it waits for something to do */
    for (uint32_t i = 0; i < 4; i++)
        cluster_turn(&cluster);
    error = failure_of(&cluster, WEFT_PEER_LOST);
    assert_text(&error, "rank 0, peer 1");
    assert_text(&error, "no answer to ARP");
    cluster_fini(&cluster);
}

Test(broken, length)
{
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    faults.longer_by = 1;
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    cluster_grant(&cluster, 1);
    cr_assert_not(cluster_reach(&cluster, 1));
    struct weft_error error = failure_of(&cluster, WEFT_IO);
    assert_text(&error, "unexpected length (257)");
    cluster_fini(&cluster);
}

/* A peer that is torn down is lost to the others, whatever its phase. */
Test(broken, peer_gone)
{
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    weft_node_grant(cluster.nodes[0], 1000);
    weft_node_grant(cluster.nodes[1], 1000);
    weft_node_grant(cluster.nodes[2], 1);
    weft_node_grant(cluster.nodes[3], 1000);
    (void)cluster_reach(&cluster, 2);
    weft_node_destroy(cluster.nodes[2]);
    cluster.nodes[2] = NULL;
    bool failed = false;
    for (uint32_t i = 0; i < 100; i++) {
        for (uint32_t rank = 0; rank < 4; rank++) {
            cluster.driver->progress(cluster.devices[rank], cluster.now_ns);
            if (rank != 2)
                weft_node_poll(cluster.nodes[rank], cluster.now_ns++);
        }
        failed = weft_node_failure(cluster.nodes[3], NULL) != WEFT_OK ||
                 weft_node_failure(cluster.nodes[1], NULL) != WEFT_OK;
    }
    cr_assert(failed);
    cluster_fini(&cluster);
}

/* ---- addresses ---- */

Test(addresses, doubted)
{
    struct cluster_options options = all_reduce_of_4();
    struct cluster cluster;
    cluster_init(&cluster, &options);
    struct weft_channel_address address;
    struct weft_error error = {0};
    weft_node_channel_address(cluster.nodes[0], 0, &address);
    cr_assert_eq(weft_node_connect(cluster.nodes[1], &address, &error), WEFT_EXISTS);
    cr_assert_eq(weft_node_connect(cluster.nodes[2], &address, &error), WEFT_INVALID);
    assert_text(&error, "rank 2 was given the address of rank 0 for rank 1");
    address.queue_pair = 1;
    cr_assert_eq(weft_node_connect(cluster.nodes[1], &address, &error), WEFT_INVALID);
    assert_text(&error, "rank 0 for rank 1, queue pair 1, which");
    address.queue_pair = 0;
    address.from_rank = 77;
    cr_assert_eq(weft_node_connect(cluster.nodes[1], &address, &error), WEFT_INVALID);
    cluster_fini(&cluster);
}
