/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_init(&fixture);
}

static void teardown(void)
{
    fixture_fini(&fixture);
}

TestSuite(result, .init = setup, .fini = teardown);

static void finish(void)
{
    weft_test_result_finish(fixture.figures);
    weft_result_finish(fixture.result);
}

/* ---- JSON ---- */

static json_t *root_json(void)
{
    json_error_t error;
    char *text = weft_result_json(fixture.result);
    cr_assert_not_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s at line %d of %s", error.text, error.line, text);
    free(text);
    return root;
}

/* By a path such as "tests/0/completion_ns/p99". */
static const json_t *at(const json_t *json, const char *path)
{
    char copy[128];
    char *rest = NULL;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *key = strtok_r(copy, "/", &rest); key; key = strtok_r(NULL, "/", &rest)) {
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(key))
                                   : json_object_get(json, key);
        cr_assert_not_null(json, "no '%s' in %s", key, path);
    }
    return json;
}

static void is_whole(const json_t *root, const char *path, long long value)
{
    const json_t *found = at(root, path);
    cr_assert(json_is_integer(found), "%s is not a whole number", path);
    cr_assert_eq(json_integer_value(found), value, "%s is %lld, not %lld", path,
                 (long long)json_integer_value(found), value);
}

/* Percentiles are the middles of buckets: off by less than 0.05 %. */
static void is_near(const json_t *root, const char *path, double value)
{
    double found = json_number_value(at(root, path));
    cr_assert_lt(fabs(found - value), value * 0.0006, "%s is %f, not %f", path, found, value);
}

static void is_text(const json_t *root, const char *path, const char *value)
{
    const char *found = json_string_value(at(root, path));
    cr_assert_str_eq(found ? found : "(not a text)", value, "%s", path);
}

static void is_null(const json_t *root, const char *path)
{
    cr_assert(json_is_null(at(root, path)), "%s is not null", path);
}

Test(result, json_has_every_part_of_the_schema)
{
    fixture_fill(&fixture);
    finish();
    json_t *root = root_json();
    is_text(root, "weft", WEFT_VERSION);
    is_whole(root, "schema", 1);
    is_text(root, "verdict", "pass");
    is_text(root, "environment/hosts/1/host", "host-1");
    is_text(root, "environment/hosts/0/cpu", "Xeon");
    is_text(root, "environment/hosts/0/kernel", "6.1.0");
    is_text(root, "environment/hosts/0/clock/source", "tsc");
    is_whole(root, "environment/hosts/1/clock/drift_ppb", -1);
    is_whole(root, "environment/hosts/1/clock/resolution_ns", 20);
    is_whole(root, "environment/hosts/1/noise_floor_ns", 201);
    is_text(root, "environment/ranks/3/driver", "dpdk");
    is_text(root, "environment/ranks/3/device", "loopback 3");
    is_text(root, "tests/0/name", "first");
    is_text(root, "tests/0/pattern", "all-reduce");
    is_text(root, "tests/0/driver", "dpdk");
    is_whole(root, "tests/0/ranks", 4);
    is_whole(root, "tests/0/size_bytes", 1 << 20);
    is_whole(root, "tests/0/iterations", 1000);
    is_near(root, "tests/0/duration_s", 1.500000003);
    cr_assert(json_is_true(at(root, "tests/0/verified")));
    is_null(root, "tests/0/ideal_ns");
    is_null(root, "tests/0/ideal_share");
    is_null(root, "tests/0/broken");
    cr_assert_eq(json_array_size(at(root, "tests/0/warnings")), 0);
    json_decref(root);
}

Test(result, json_figures_are_those_recorded)
{
    fixture_fill(&fixture);
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/completion_ns/count", 1000);
    is_whole(root, "tests/0/completion_ns/min", 1000000);
    is_whole(root, "tests/0/completion_ns/max", 1999000);
    is_near(root, "tests/0/completion_ns/mean", 1499500);
    is_near(root, "tests/0/completion_ns/p50", 1499000);
    is_near(root, "tests/0/completion_ns/p95", 1949000);
    is_near(root, "tests/0/completion_ns/p99", 1989000);
    is_text(root, "tests/0/completion_ns/histogram", "0-completion_ns.csv");
    is_whole(root, "tests/0/latency_ns/count", 400);
    is_near(root, "tests/0/latency_ns/p50", 59000);
    is_text(root, "tests/0/latency_ns/histogram", "0-latency_ns.csv");
    is_whole(root, "tests/0/bandwidth_bps/count", 4000);
    is_near(root, "tests/0/bandwidth_bps/p50", 10.499e9);
    is_text(root, "tests/0/bandwidth_bps/histogram", "0-bandwidth_bps.csv");
    /* 1 MiB in 1499.5 us, and 1.5 times that */
    is_whole(root, "tests/0/algbw_bps", 5594270090);
    is_whole(root, "tests/0/busbw_bps", 8391405135);
    json_decref(root);
}

Test(result, json_counters_are_the_ranks_sums)
{
    fixture_fill(&fixture);
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/counters/sent_messages", 400);
    is_whole(root, "tests/0/counters/sent_bytes", 409600);
    is_whole(root, "tests/0/counters/received_messages", 396);
    is_whole(root, "tests/0/counters/received_bytes", 405504);
    is_whole(root, "tests/0/counters/lost", 4);
    is_whole(root, "tests/0/counters/retransmitted", 6);
    is_whole(root, "tests/0/counters/duplicated", 60);
    is_whole(root, "tests/0/counters/reordered", 600);
    is_whole(root, "tests/0/counters/timeouts", 6000);
    is_whole(root, "tests/0/counters/rnr_naks", 12);
    is_whole(root, "tests/0/counters/receive_dropped", 18);
    is_whole(root, "tests/0/counters/icrc_errors", 24);
    json_decref(root);
}

Test(result, json_rank_detail_holds_one_ranks_own)
{
    fixture_fill(&fixture);
    finish();
    json_t *root = root_json();
    cr_assert_eq(json_array_size(at(root, "tests/0/ranks_detail")), FIXTURE_RANKS);
    is_whole(root, "tests/0/ranks_detail/2/rank", 2);
    is_text(root, "tests/0/ranks_detail/2/host", "host-1");
    is_text(root, "tests/0/ranks_detail/2/driver", "dpdk");
    is_text(root, "tests/0/ranks_detail/2/device", "loopback 2");
    is_whole(root, "tests/0/ranks_detail/2/verified/compared_bytes", 1 << 20);
    is_whole(root, "tests/0/ranks_detail/2/verified/wrong_bytes", 0);
    is_null(root, "tests/0/ranks_detail/2/verified/found");
    is_whole(root, "tests/0/ranks_detail/2/iterations", 1000);
    is_whole(root, "tests/0/ranks_detail/2/window_ns", 1500000002);
    is_whole(root, "tests/0/ranks_detail/2/worker_preemptions", 5);
    is_whole(root, "tests/0/ranks_detail/2/sent_messages", 100);
    is_whole(root, "tests/0/ranks_detail/2/latency_ns/count", 100);
    is_whole(root, "tests/0/ranks_detail/2/latency_ns/max", 109000);
    is_null(root, "tests/0/ranks_detail/2/latency_ns/p99");
    is_whole(root, "tests/0/ranks_detail/2/device_counters/retransmitted_packets", 2);
    is_whole(root, "tests/0/ranks_detail/2/device_counters/icrc_errors", 8);
    is_null(root, "tests/0/ranks_detail/2/congestion_rates");
    json_decref(root);
}

Test(result, json_says_what_congestion_control_did)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[1].rates = (struct weft_flow_rates){
        .flows = 3, .slowest_bps = 20, .fastest_bps = 40, .lowest_bps = 10};
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/ranks_detail/1/congestion_rates/flows", 3);
    is_whole(root, "tests/0/ranks_detail/1/congestion_rates/slowest_bps", 20);
    is_whole(root, "tests/0/ranks_detail/1/congestion_rates/fastest_bps", 40);
    is_whole(root, "tests/0/ranks_detail/1/congestion_rates/lowest_bps", 10);
    json_decref(root);
}

Test(result, json_is_null_where_samples_are_too_few)
{
    fixture_fill(&fixture);
    finish();
    json_t *root = root_json();
    /* 1000 iterations: p99 wants 1000, p99.9 wants 10,000 */
    cr_assert(json_is_integer(at(root, "tests/0/completion_ns/p99")));
    is_null(root, "tests/0/completion_ns/p99_9");
    is_null(root, "tests/0/completion_ns/p99_99");
    /* 400 messages */
    cr_assert(json_is_integer(at(root, "tests/0/latency_ns/p95")));
    is_null(root, "tests/0/latency_ns/p99");
    json_decref(root);
}

Test(result, json_of_a_test_without_a_sample)
{
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/completion_ns/count", 0);
    is_null(root, "tests/0/completion_ns/min");
    is_null(root, "tests/0/completion_ns/mean");
    is_null(root, "tests/0/completion_ns/max");
    is_null(root, "tests/0/completion_ns/histogram");
    is_null(root, "tests/0/algbw_bps");
    is_null(root, "tests/0/verified");
    cr_assert_eq(json_array_size(at(root, "tests/0/ranks_detail")), 0);
    json_decref(root);
}

Test(result, json_survives_text_that_is_not_utf8)
{
    fixture_fill(&fixture);
    memcpy(fixture.figures->ranks[0].device, "\xff\xfeNIC", 6);
    finish();
    json_t *root = root_json();
    is_text(root, "tests/0/ranks_detail/0/device",
            "?"
            "?NIC");
    json_decref(root);
}

Test(result, csv_names_the_buckets_that_hold_something)
{
    struct weft_hist *hist = weft_hist_create();
    weft_hist_record(hist, 7);
    weft_hist_record(hist, 7);
    weft_hist_record(hist, 4096);
    weft_hist_record(hist, UINT64_C(1) << 50);
    char *csv = weft_hist_csv(hist, "ns");
    cr_assert_str_eq(csv, "low_ns,high_ns,count\n7,7,2\n4096,4099,1\n"
                          "281337537757184,1125899906842624,1\n");
    free(csv);
    weft_hist_destroy(hist);
}

/* ---- the verdict ---- */

Test(result, an_expectation_that_fails_fails_the_test)
{
    fixture_fill(&fixture);
    fixture.expects[1].value = 9e9;
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
    cr_assert_eq(fixture.result->verdict, WEFT_VERDICT_FAIL);
    json_t *root = root_json();
    is_text(root, "verdict", "fail");
    is_text(root, "tests/0/expect/1/expression", "busbw >= 1Gbps");
    is_near(root, "tests/0/expect/1/actual", 8391405135.0);
    cr_assert(json_is_false(at(root, "tests/0/expect/1/pass")));
    cr_assert(json_is_true(at(root, "tests/0/expect/0/pass")));
    cr_assert(json_is_true(at(root, "tests/0/expect/2/pass")));
    json_decref(root);
}

Test(result, a_figure_that_is_not_there_fails)
{
    static char metric[] = "completion.p99.9";
    fixture_fill(&fixture);
    fixture.expects[0].metric = metric;
    fixture.expects[0].value = 1e18;
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
    cr_assert_not(fixture.figures->expects[0].known);
    json_t *root = root_json();
    is_null(root, "tests/0/expect/0/actual");
    cr_assert(json_is_false(at(root, "tests/0/expect/0/pass")));
    json_decref(root);
}

Test(result, every_relation_is_decided_at_its_edge)
{
    const bool at_edge[WEFT_RELATION_COUNT] = {false, true, false, true, true};
    const bool below[WEFT_RELATION_COUNT] = {true, true, false, false, false};
    fixture_fill(&fixture);
    for (int i = 0; i < WEFT_RELATION_COUNT; i++) {
        fixture.expects[2].relation = (enum weft_relation)i;
        fixture.expects[2].value = 4;
        finish();
        cr_assert_eq(fixture.figures->expects[2].pass, at_edge[i], "relation %d", i);
        fixture.expects[2].value = 5;
        finish();
        cr_assert_eq(fixture.figures->expects[2].pass, below[i], "relation %d", i);
    }
}

Test(result, wrong_data_fails_whatever_else_is_expected)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[2].verified.wrong_bytes = 4;
    finish();
    cr_assert_eq(weft_test_verified(fixture.figures), 0);
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
}

Test(result, verified_only_where_every_rank_was_and_something_was_compared)
{
    fixture_fill(&fixture);
    cr_assert_eq(weft_test_verified(fixture.figures), 1);
    fixture.figures->ranks[3].verified_known = false;
    cr_assert_eq(weft_test_verified(fixture.figures), -1);
    fixture.figures->ranks[3].verified_known = true;
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++)
        fixture.figures->ranks[i].verified.compared_bytes = 0;
    cr_assert_eq(weft_test_verified(fixture.figures), -1);
}

Test(result, a_broken_test_passes_no_expectation)
{
    fixture_fill(&fixture);
    (void)snprintf(fixture.figures->broken, sizeof(fixture.figures->broken), "agent 2 was lost");
    finish();
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_BROKEN);
    json_t *root = root_json();
    is_text(root, "verdict", "broken");
    is_text(root, "tests/0/broken", "agent 2 was lost");
    is_whole(root, "tests/0/completion_ns/count", 1000);
    is_null(root, "tests/0/expect/0/actual");
    cr_assert(json_is_false(at(root, "tests/0/expect/0/pass")));
    json_decref(root);
}

Test(result, losses_of_silent_ranks_are_unknown)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[3].reported = false;
    finish();
    cr_assert_eq(fixture.figures->ranks_reported, 3);
    cr_assert_not(fixture.figures->expects[2].known);
}

Test(result, a_shared_devices_counters_count_once)
{
    struct weft_test_totals totals;
    fixture_fill(&fixture);
    fixture.figures->ranks[3].counters_shared = true;
    weft_test_totals(fixture.figures, &totals);
    cr_assert_eq(totals.devices.retransmitted_packets, 3);
    cr_assert_eq(totals.sent_messages, 400);
}

static char retransmitted_text[] = "retransmitted <= 100", retransmitted[] = "retransmitted";

/* Rank 3 shares its device, so says nothing of it; rank 2's counts fewer. */
Test(result, what_a_device_does_not_count_is_null)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[2].counters.counted = WEFT_BIT(WEFT_COUNTER_icrc_errors);
    fixture.figures->ranks[3].counters.counted = 0;
    fixture.figures->ranks[3].counters_shared = true;
    fixture.expects[2] = (struct weft_expect){.text = retransmitted_text,
                                              .metric = retransmitted,
                                              .relation = WEFT_RELATION_LESS_EQUAL,
                                              .value = 100};
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/counters/icrc_errors", 12);
    is_whole(root, "tests/0/counters/devices/icrc_errors", 12);
    is_null(root, "tests/0/counters/retransmitted");
    is_null(root, "tests/0/counters/devices/retransmitted_packets");
    is_whole(root, "tests/0/counters/lost", 4);
    is_whole(root, "tests/0/ranks_detail/1/device_counters/retransmitted_packets", 1);
    is_null(root, "tests/0/ranks_detail/2/device_counters/retransmitted_packets");
    is_whole(root, "tests/0/ranks_detail/2/device_counters/icrc_errors", 8);
    is_null(root, "tests/0/ranks_detail/3/device_counters/icrc_errors");
    is_null(root, "tests/0/expect/2/actual");
    is_text(root, "tests/0/expect/2/unknown", "not every rank's device counts that");
    is_null(root, "tests/0/expect/1/unknown");
    is_text(root, "verdict", "fail");
    json_decref(root);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "lost 4 · retransmitted - · "), "%s", table);
    cr_assert_not_null(strstr(table, "FAILED     retransmitted <= 100: it is unknown, not every "
                                     "rank's device counts that\n"),
                       "%s", table);
    free(table);
}

Test(result, what_was_injected_stands_beside_what_was_suffered)
{
    fixture_fill(&fixture);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_null(strstr(table, "injected"), "%s", table);
    free(table);
    fixture.test.fault = (struct weft_fault_options){.drop = 1e-3, .mark = 0.5, .seed = 9};
    fixture.figures->ranks[1].counters.injected_dropped = 1200;
    fixture.figures->ranks[2].counters.injected_dropped = 34;
    finish();
    json_t *root = root_json();
    is_near(root, "tests/0/fault/drop", 1e-3);
    is_near(root, "tests/0/fault/ecn", 0.5);
    is_whole(root, "tests/0/fault/seed", 9);
    is_text(root, "tests/0/fault/text", "drop=0.001,ecn=0.5,seed=9");
    is_whole(root, "tests/0/counters/devices/injected_dropped", 1234);
    is_whole(root, "tests/0/counters/devices/injected_marked", 0);
    json_decref(root);
    table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "\n  injected: dropped 1,234, ECN marked 0 "), "%s", table);
    free(table);
}

Test(result, more_received_than_sent_is_no_loss)
{
    struct weft_test_totals totals;
    fixture_fill(&fixture);
    fixture.figures->ranks[0].received_messages = 1000;
    weft_test_totals(fixture.figures, &totals);
    cr_assert_eq(totals.lost, 0);
}

/* An incast leaves data to compare on rank 0 alone. */
Test(result, ranks_with_nothing_to_compare_are_not_called_verified)
{
    fixture_fill(&fixture);
    for (uint32_t i = 1; i < FIXTURE_RANKS; i++)
        fixture.figures->ranks[i].verified.compared_bytes = 0;
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "every element on 1 rank, 1 MiB compared, none wrong"), "%s",
                       table);
    free(table);
}

/* What some sent may have arrived at those that said nothing. */
Test(result, of_some_ranks_nothing_is_said_lost)
{
    fixture_fill(&fixture);
    fixture.figures->ranks[3].reported = false;
    (void)snprintf(fixture.figures->broken, sizeof(fixture.figures->broken), "gone");
    finish();
    json_t *root = root_json();
    is_null(root, "tests/0/counters/lost");
    is_whole(root, "tests/0/counters/sent_messages", 400);
    json_decref(root);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "lost - · "), "%s", table);
    free(table);
}

/* ---- warnings ---- */

/* Off by more than a histogram's bucket, a clock spoils every time there is. */
Test(result, a_clock_that_drifts_is_warned_of)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    fixture.result->environments[1].clock_drift_ppb = -1000000;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
    fixture.result->environments[1].clock_drift_ppb = -1000001;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    cr_assert_str_eq(warnings.texts[0],
                     "host host-1: the processor's counter went 0.10 % slow against the system's "
                     "clock: its times and rates are off by as much");
}

Test(result, an_interval_may_hold_a_message_more_than_the_line_carried)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    fixture.nics[1].rate_bps = UINT64_C(10000000000);
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    /* 1 MiB in 1 ms is 8.4 Gbps: what 10.999 Gbps has beyond 10 may be part of one message. */
    fixture.figures->ranks[1].received_bytes = fixture.figures->ranks[1].received_messages << 20;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
}

Test(result, a_bandwidth_above_the_line_rate_is_the_tools_error)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    /* The fastest interval is at 10.999 Gbps: within 1 % of 10.9 Gbps, and not of 10.8. */
    fixture.nics[1].rate_bps = UINT64_C(10900000000);
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
    fixture.nics[1].rate_bps = UINT64_C(10800000000);
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    cr_assert_str_eq(warnings.texts[0],
                     "rank 1 received a flow at 11.0 Gbps in one interval, above its NIC's line "
                     "rate of 10.8 Gbps: an error of the tool or of the topology's rate");
    finish();
    json_t *root = root_json();
    is_text(root, "tests/0/warnings/0", warnings.texts[0]);
    json_decref(root);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, warnings.texts[0]));
    free(table);
}

Test(result, the_mean_over_the_window_is_held_to_the_line_rate_too)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    weft_hist_clear(fixture.figures->ranks[0].bandwidth_bps);
    fixture.nics[0].rate_bps = 1000000;
    fixture.figures->ranks[0].received_bytes = 126300;
    fixture.figures->ranks[0].window_ns = 1000000000;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    fixture.figures->ranks[0].received_bytes = 126200;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
}

Test(result, stalled_iterations_are_told)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    fixture.figures->ranks[2].stalled_iterations = 7;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    cr_assert_not_null(strstr(warnings.texts[0], "rank 2 held back 7 iterations"));
}

/* Five per cent of the time are any machine's; of the ranks with more, the worst is named. */
Test(result, workers_that_lose_their_cpu_are_told)
{
    struct weft_warnings warnings;
    fixture_fill(&fixture);
    fixture.figures->ranks[0].preempted_ns = 75000000;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
    fixture.figures->ranks[0].preempted_ns = 75000001;
    fixture.figures->ranks[2].preempted_ns = 900000000;
    fixture.figures->ranks[3].preempted_ns = 800000000;
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    cr_assert_str_eq(warnings.texts[0],
                     "workers lost their CPU to other threads, up to 5 times and 900 ms of the "
                     "window (rank 2's): these times are partly the machine's, not the fabric's");
    finish();
    json_t *root = root_json();
    is_text(root, "tests/0/warnings/0", warnings.texts[0]);
    is_whole(root, "tests/0/ranks_detail/2/worker_preempted_ns", 900000000);
    json_decref(root);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, warnings.texts[0]));
    free(table);
}

/* ---- the open loop ---- */

/* 4 ranks sent 102400 bytes each; two of them have times of their own. */
static void open_the_loop(void)
{
    fixture_fill(&fixture);
    fixture.test.rate_bps = 1000000;
    fixture.test.arrivals = WEFT_ARRIVALS_POISSON;
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_rank_open_loop *rank = &fixture.figures->ranks[i].open_loop;
        *rank = (struct weft_rank_open_loop){.paced = true,
                                             .latency_intended_ns = weft_hist_create(),
                                             .missed = 7 + i,
                                             .offered_ns = 2000000000,
                                             .achieved_ns = 2500000000 - i};
        weft_hist_record_times(rank->latency_intended_ns, 123000000, 20);
    }
    weft_hist_record(fixture.figures->completion_intended_ns, 99000000);
}

Test(result, an_open_loop_says_what_was_asked_and_what_came_of_it)
{
    static char metrics[3][32] = {"achieved", "latency_intended.p50", "missed"};
    open_the_loop();
    for (uint32_t i = 0; i < 3; i++)
        fixture.expects[i].metric = metrics[i];
    fixture.expects[0].value = 1.3e6;
    fixture.expects[1].value = 123e6;
    fixture.expects[2].value = 8;
    finish();
    json_t *root = root_json();
    is_whole(root, "tests/0/rate_bps", 1000000);
    is_text(root, "tests/0/arrivals", "poisson");
    is_whole(root, "tests/0/offered_bps", 1638400);
    is_whole(root, "tests/0/achieved_bps", 1310720);
    is_whole(root, "tests/0/missed", 8);
    is_whole(root, "tests/0/latency_intended_ns/count", 40);
    is_whole(root, "tests/0/completion_intended_ns/max", 99000000);
    is_whole(root, "tests/0/ranks_detail/1/missed", 8);
    json_decref(root);
    cr_assert_not(fixture.figures->expects[0].pass);
    cr_assert_float_eq(fixture.figures->expects[0].actual, 1310720, 1);
    cr_assert(fixture.figures->expects[1].pass);
    cr_assert(fixture.figures->expects[2].pass);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, " s, open loop\n"));
    cr_assert_not_null(strstr(table, "  offered 1.64 Mbps · achieved 1.31 Mbps · missed 8    "
                                     "all ranks' payload, poisson arrivals\n"),
                       "%s", table);
    cr_assert_not_null(strstr(table, "  message        59.0 us         -         -    109 us"));
    cr_assert_not_null(strstr(table, "\n    from due      123 ms "));
    free(table);
}

Test(result, a_closed_loop_has_none_of_it)
{
    static char metric[] = "missed";
    fixture_fill(&fixture);
    fixture.expects[2].metric = metric;
    finish();
    json_t *root = root_json();
    static const char *const absent[] = {"rate_bps", "arrivals", "offered_bps", "missed",
                                         "completion_intended_ns"};
    json_t *test = json_array_get(json_object_get(root, "tests"), 0);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        cr_assert(json_is_null(json_object_get(test, absent[i])), "%s", absent[i]);
    json_decref(root);
    cr_assert_not(fixture.figures->expects[2].known);
    cr_assert_not_null(strstr(fixture.figures->expects[2].unknown, "closed"));
}

/* ---- the table ---- */

static void table_is(const char *golden)
{
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_str_eq(table, golden, "the table is\n%sand not\n%s", table, golden);
    free(table);
}

Test(result, table)
{
    fixture_fill(&fixture);
    finish();
    table_is("weft " WEFT_VERSION " · all-reduce, 1MiB · 4 ranks on 2 hosts · dpdk · "
             "RC, RDMA WRITE\n"
             "rank 0 on  loopback 0\n"
             "verified   every element on 4 ranks, 4 MiB compared, none wrong\n"
             "measured   1,000 iterations in 1.50 s, closed loop\n"
             "                     p50       p99     p99.9       max\n"
             "  completion     1.50 ms   1.99 ms         -   2.00 ms    1,000 iterations\n"
             "  message        59.0 us         -         -    109 us    400 messages\n"
             "  bandwidth   mean 10.5 Gbps · p50 10.5 Gbps · slowest 1 % below 10.0 Gbps    "
             "a flow in each 1 ms\n"
             "  busbw 8.39 Gbps · algbw 5.59 Gbps · lost 4 · retransmitted 6 · "
             "noise floor 201 ns\n"
             "expected   completion.p99 <= 2ms: it is 1.99 ms\n"
             "expected   busbw >= 1Gbps: it is 8.39 Gbps\n"
             "expected   lost = 4: it is 4\n");
}

/* One iteration fewer than a p99 needs, and as many. */
Test(result, table_explains_a_dash)
{
    static const char said[] =
        "\n  - : too few samples for that percentile; p99 needs 1,000 iterations\n";
    fixture_fill(&fixture);
    weft_hist_clear(fixture.figures->completion_ns);
    for (int i = 0; i < 999; i++)
        weft_hist_record(fixture.figures->completion_ns, 1500000);
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, said), "%s", table);
    free(table);
    weft_hist_record(fixture.figures->completion_ns, 1500000);
    table = weft_test_table(fixture.result, 0);
    cr_assert_null(strstr(table, said), "%s", table);
    free(table);
}

Test(result, table_of_failures)
{
    struct weft_verify_result wrong = {.compared_bytes = 1u << 20,
                                       .wrong_bytes = 64,
                                       .first_wrong_offset_bytes = 4096,
                                       .expected = 12,
                                       .found = 0};
    static char metric[] = "completion.p99.9";
    fixture_fill(&fixture);
    fixture.figures->ranks[1].verified = wrong;
    fixture.expects[0].metric = metric;
    fixture.expects[1].value = 9e9;
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "verified   WRONG DATA on 1 of 4 ranks\n"
                                     "           rank 1: 64 B of 1 MiB wrong, first at byte "
                                     "4096: expected 12, found 0\n"),
                       "%s", table);
    cr_assert_not_null(strstr(table, "FAILED     completion.p99 <= 2ms: it is unknown, too few "
                                     "samples or not of this pattern\n"));
    cr_assert_not_null(strstr(table, "FAILED     busbw >= 1Gbps: it is 8.39 Gbps\n"));
    free(table);
}

Test(result, table_says_when_nothing_was_verified)
{
    fixture_fill(&fixture);
    fixture.test.verify = false;
    for (uint32_t i = 0; i < FIXTURE_RANKS; i++)
        fixture.figures->ranks[i].verified_known = false;
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_not_null(strstr(table, "verified   not verified: --no-verify\n"));
    free(table);
}

Test(result, table_of_a_test_that_broke_before_it_began)
{
    (void)snprintf(fixture.figures->broken, sizeof(fixture.figures->broken),
                   "host b: no device\nand no remedy");
    finish();
    table_is("weft " WEFT_VERSION " · all-reduce, 1MiB · 4 ranks on 2 hosts · dpdk · "
             "RC, RDMA WRITE\n"
             "BROKEN     host b: no device\n"
             "           and no remedy\n");
}

Test(result, table_has_no_trailing_space)
{
    fixture_fill(&fixture);
    finish();
    char *table = weft_test_table(fixture.result, 0);
    cr_assert_null(strstr(table, " \n"));
    free(table);
}

/* Two flows of 10, one of 5: (25 * 25) / (3 * 225). */
Test(result, fairness_is_jains_index_and_the_worst_flow)
{
    struct weft_test_fairness fairness;
    fixture_fill(&fixture);
    cr_assert(!weft_test_fairness(fixture.figures, &fairness));
    fixture.figures->ranks[0].spread = (struct weft_flow_spread){
        .flows = 2, .worst_from = 2, .worst_bps = 5e9, .sum_bps = 15e9, .squares = 125e18};
    fixture.figures->ranks[3].spread = (struct weft_flow_spread){
        .flows = 1, .worst_from = 1, .worst_bps = 10e9, .sum_bps = 10e9, .squares = 100e18};
    cr_assert(weft_test_fairness(fixture.figures, &fairness));
    cr_assert_eq(fairness.flows, 3);
    cr_assert_float_eq(fairness.jain, 625.0 / 675.0, 1e-12);
    cr_assert_eq(fairness.worst_from, 2);
    cr_assert_eq(fairness.worst_to, 0);
    cr_assert_float_eq(fairness.worst_bps, 5e9, 1);
}
