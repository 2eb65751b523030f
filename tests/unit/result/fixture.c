/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static double bus_factor(uint32_t rank_count)
{
    return 2.0 * (rank_count - 1) / rank_count;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    assert(options->rank_count == FIXTURE_RANKS);
    return (double)options->size_bytes;
}

static char host_a[] = "a", host_b[] = "b", test_name[] = "first", nic_name[] = "nic";
static char expects_text[3][32] = {"completion.p99 <= 2ms", "busbw >= 1Gbps", "lost = 4"};
static char metrics[3][32] = {"completion.p99", "busbw", "lost"};

static void init_topology(struct fixture *fixture)
{
    fixture->hosts[0] = (struct weft_host){.name = host_a, .first_nic = 0, .nic_count = 2};
    fixture->hosts[1] = (struct weft_host){.name = host_b, .first_nic = 2, .nic_count = 2};
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++) {
        fixture->nics[i] = (struct weft_nic){.name = nic_name, .host = i / 2};
        fixture->rank_nics[i] = i;
    }
    fixture->topology = (struct weft_topology){
        .host_count = 2,
        .nic_count = FIXTURE_RANKS,
        .rank_count = FIXTURE_RANKS,
        .hosts = fixture->hosts,
        .nics = fixture->nics,
        .rank_nics = fixture->rank_nics,
    };
}

static void init_test(struct fixture *fixture)
{
    const enum weft_relation relations[3] = {WEFT_RELATION_LESS_EQUAL, WEFT_RELATION_GREATER_EQUAL,
                                             WEFT_RELATION_EQUAL};
    const double values[3] = {2e6, 1e9, 4};
    for (uint32_t i = 0; i < 3; i++)
        fixture->expects[i] =
            (struct weft_expect){expects_text[i], metrics[i], relations[i], values[i]};
    fixture->pattern = (struct weft_pattern){
        .name = "all-reduce",
        .default_size_bytes = 1u << 20,
        .bus_factor = bus_factor,
        .algorithm_bytes = algorithm_bytes,
    };
    fixture->test = (struct weft_test){
        .name = test_name,
        .pattern = &fixture->pattern,
        .options = {.size_bytes = 1u << 20},
        .iterations = 1000,
        .verify = true,
        .expect_count = 3,
        .expects = fixture->expects,
    };
    fixture->plan = (struct weft_plan){.test_count = 1, .tests = &fixture->test};
}

static void init_environments(struct weft_result *result)
{
    result->environment_count = 2;
    result->environments = calloc(2, sizeof(*result->environments));
    assert(result->environments);
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_host_environment *environment = &result->environments[i];
        *environment = (struct weft_host_environment){.cpu = "Xeon",
                                                      .kernel = "6.1.0",
                                                      .version = "0.1.0",
                                                      .clock_source = "tsc",
                                                      .clock_drift_ppb = -(int64_t)i,
                                                      .clock_resolution_ns = 20,
                                                      .noise_floor_ns = 200 + i,
                                                      .record_cost_ns = 3};
        (void)snprintf(environment->host, sizeof(environment->host), "host-%u", i);
    }
}

void fixture_init(struct fixture *fixture)
{
    struct weft_error error = {0};
    *fixture = (struct fixture){0};
    init_topology(fixture);
    init_test(fixture);
    enum weft_status status =
        weft_result_create(&fixture->plan, &fixture->topology, &fixture->result, &error);
    assert(!status);
    status = weft_result_begin(fixture->result, FIXTURE_RANKS, &fixture->figures, &error);
    assert(!status);
    init_environments(fixture->result);
}

void fixture_fini(struct fixture *fixture)
{
    weft_result_destroy(fixture->result);
}

static void fill_rank(struct weft_rank_result *rank, uint32_t index)
{
    rank->reported = true;
    rank->host = index / 2;
    (void)snprintf(rank->driver, sizeof(rank->driver), "dpdk");
    (void)snprintf(rank->device, sizeof(rank->device), "loopback %u", index);
    rank->verified_known = true;
    rank->verified.compared_bytes = 1u << 20;
    rank->latency_ns = weft_hist_create();
    rank->bandwidth_bps = weft_hist_create();
    assert(rank->latency_ns && rank->bandwidth_bps);
    for (uint64_t i = 0; i < 100; i++)
        weft_hist_record(rank->latency_ns, (10 + i) * 1000);
    for (uint64_t i = 0; i < 1000; i++)
        weft_hist_record(rank->bandwidth_bps, (10000 + i) * 1000000);
    rank->sent_messages = 100;
    rank->sent_bytes = 102400;
    rank->received_messages = 99;
    rank->received_bytes = 101376;
    rank->iterations = 1000;
    rank->window_ns = 1500000000u + index;
    rank->preemptions = 3u + index;
    rank->counters.counted = WEFT_COUNTED_ALL;
    rank->counters.retransmitted_packets = index;
    rank->counters.duplicate_packets = 10u * index;
    rank->counters.out_of_order_packets = 100u * index;
    rank->counters.timeouts = 1000u * index;
    rank->counters.rnr_naks_received = 2u * index;
    rank->counters.receive_dropped = 3u * index;
    rank->counters.icrc_errors = 4u * index;
}

void fixture_fill(struct fixture *fixture)
{
    fixture->figures->iterations = 1000;
    for (uint64_t i = 0; i < 1000; i++)
        weft_hist_record(fixture->figures->completion_ns, (1000 + i) * 1000);
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++)
        fill_rank(&fixture->figures->ranks[i], i);
}
