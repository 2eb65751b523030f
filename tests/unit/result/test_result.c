/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/result/figures.h"
#include "fabric/result/repeats.h"
#include "fabric/result/victims.h"
#include "fixture.h"
#include "json.h"

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
    return json_of(fixture.result);
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

/* Nothing is faster than its ideal: it is a warning, and no figure to pass an expectation by. */
Test(result, a_share_far_above_the_ideal_does_not_pass)
{
    struct weft_warnings warnings;
    double share = 0;
    const char *why = NULL;
    fixture_fill(&fixture);
    struct weft_test_result *test = &fixture.result->tests[0];
    double mean_ns = 0;
    cr_assert(weft_hist_mean(test->completion_ns, &mean_ns));
    struct weft_ideal ideal = {.ideal_ns = (uint64_t)(mean_ns * 1.02)};
    test->ideal = &ideal;
    cr_assert(weft_figure_metric(test, "ideal_share", &share, &why));
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 0);
    ideal.ideal_ns = (uint64_t)(mean_ns * 3.3);
    cr_assert_not(weft_figure_metric(test, "ideal_share", &share, &why));
    cr_assert_not_null(strstr(why, "the topology or the measurement is wrong"), "%s", why);
    weft_test_warnings(fixture.result, 0, &warnings);
    cr_assert_eq(warnings.count, 1);
    cr_assert_not_null(strstr(warnings.texts[0], "330 % of ideal is above"), "%s",
                       warnings.texts[0]);
}

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

/* ---- repeats ---- */

/* 10, 12, 14, 16, 18: a standard deviation of sqrt(10), and t of 4 degrees is 2.776. */
Test(result, a_spread_is_that_of_the_books)
{
    const double values[] = {10, 12, 14, 16, 18};
    struct weft_spread spread;
    cr_assert(weft_spread(values, 5, &spread));
    cr_assert_float_eq(spread.mean, 14, 1e-9);
    cr_assert_float_eq(spread.deviation, 3.16227766, 1e-8);
    cr_assert_float_eq(spread.variation, 0.225876976, 1e-8);
    cr_assert_float_eq(spread.high - spread.mean, 2.776 * 1.41421356, 1e-6);
    cr_assert_float_eq(spread.mean - spread.low, 2.776 * 1.41421356, 1e-6);
    cr_assert_not(weft_spread(values, 1, &spread));
}

Test(result, only_the_last_repeat_has_the_spread)
{
    struct weft_spread spread;
    struct weft_test tests[2] = {fixture.test, fixture.test};
    fixture_fill(&fixture);
    struct weft_test_result results[2] = {*fixture.figures, *fixture.figures};
    for (uint32_t i = 0; i < 2; i++) {
        tests[i].repeats = 2;
        tests[i].repeat = i;
        results[i].test = &tests[i];
    }
    results[0].completion_ns = weft_hist_create();
    weft_hist_record_times(results[0].completion_ns, 2000, 100);
    cr_assert_not(weft_repeat_spread(&results[0], "completion.p50", &spread));
    cr_assert(weft_repeat_spread(&results[1], "completion.p50", &spread));
    double median = 0;
    cr_assert(weft_figure_stat(results[1].completion_ns, "p50", &median));
    cr_assert_float_eq(spread.mean, (2000 + median) / 2, 1);
    const char *why = NULL;
    double variation = 0;
    cr_assert(weft_figure_metric(&results[1], "completion.p50.cv", &variation, &why));
    cr_assert_float_eq(variation, spread.variation, 1e-12);
    weft_hist_clear(results[0].completion_ns);
    cr_assert_not(weft_repeat_spread(&results[1], "completion.p50", &spread));
    weft_hist_destroy(results[0].completion_ns);
}

/* ---- the open loop ---- */

/* 4 ranks sent 102400 bytes each; two of them have times of their own. */
static void open_the_loop(void)
{
    fixture_fill(&fixture);
    fixture.test.rate_bps = 1000000;
    fixture.figures->rate_bps = 1000000;
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

/* 1.31 of 1.64 Mbps, and four of the messages are lost. */
Test(result, a_trial_passes_by_rate_and_condition)
{
    static char text[] = "missed <= 8", metric[] = "missed";
    open_the_loop();
    fixture.test.search.to_bps = 1000000;
    fixture.figures->rate_bps = 500000;
    fixture.test.expect_count = 0;
    weft_test_result_finish(fixture.figures);
    cr_assert_not(weft_test_result_try(fixture.figures, false), "achieved too little");
    fixture.test.search.tolerance = 0.3;
    cr_assert_not(weft_test_result_try(fixture.figures, false), "lost some");
    fixture.test.until = (struct weft_expect){text, metric, WEFT_RELATION_LESS_EQUAL, 8};
    cr_assert(weft_test_result_try(fixture.figures, true));
    fixture.test.until.value = 7;
    cr_assert_not(weft_test_result_try(fixture.figures, false), "missed too many");
    fixture.test.until = (struct weft_expect){0};
    cr_assert_eq(fixture.figures->trial_count, 4);
    cr_assert(fixture.figures->trials[2].confirms && fixture.figures->trials[2].passed);
    cr_assert_eq(fixture.figures->trials[2].missed, 8);
    cr_assert_eq(fixture.figures->trials[2].lost, 4);
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_FAIL);
    fixture.figures->found_bps = 500000;
    weft_test_result_judge(fixture.figures);
    cr_assert_eq(fixture.figures->verdict, WEFT_VERDICT_PASS);
    json_t *root = root_json();
    is_whole(root, "tests/0/search/throughput_bps", 500000);
    is_whole(root, "tests/0/search/trials/3/lost", 4);
    json_decref(root);
    weft_test_result_again(fixture.figures);
    cr_assert_eq(fixture.figures->latency_ns->count, 0);
    cr_assert_not(fixture.figures->ranks[0].reported);
    cr_assert_eq(fixture.figures->trial_count, 4);
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
    cr_assert_not_null(strstr(fixture.figures->expects[2].unknown, "no rate"));
}

/* One sender and a victim: rank 2 to rank 3, 1 MiB in four messages of which the last is the
 * slowest. */
Test(result, victims_of_an_incast_are_summed_up)
{
    struct weft_test_victims victims;
    fixture_fill(&fixture);
    cr_assert_not(weft_test_victims(fixture.result, fixture.figures, &victims));
    fixture.test.pattern = weft_pattern_find("incast", NULL);
    fixture.test.options = (struct weft_pattern_options){
        .rank_count = 4, .size_bytes = 1u << 20, .chunk_bytes = 1u << 18, .victims = 1};
    struct weft_hist *latency_ns = fixture.figures->ranks[2].latency_ns;
    weft_hist_clear(latency_ns);
    for (uint32_t round = 0; round < 101; round++)
        for (uint32_t message = 1; message <= 4; message++)
            weft_hist_record(latency_ns, message < 4 ? 1000 * message : 8192 + (round == 7) * 8192);
    fixture.nics[fixture.rank_nics[2]].rate_bps = 2u << 30;
    fixture.nics[fixture.rank_nics[3]].rate_bps = 1u << 30;
    cr_assert(weft_test_victims(fixture.result, fixture.figures, &victims));
    cr_assert_eq(victims.flows, 1);
    cr_assert(victims.median_known);
    cr_assert_float_eq(victims.median_bps, 1024e9, 5e9); /* 8 Mibit in 8.192 us */
    cr_assert_float_eq(victims.worst_bps, 512e9, 1);
    cr_assert_eq(victims.line_rate_bps, 1u << 30);
    weft_hist_clear(latency_ns);
    cr_assert_not(weft_test_victims(fixture.result, fixture.figures, &victims));
}

/* The slowest of 600,001 messages is a thinner tail than millionths can say. */
Test(result, victims_whose_flows_have_many_messages)
{
    struct weft_test_victims victims;
    fixture_fill(&fixture);
    fixture.test.pattern = weft_pattern_find("incast", NULL);
    fixture.test.options = (struct weft_pattern_options){
        .rank_count = 4, .size_bytes = 600001, .chunk_bytes = 1, .victims = 1};
    struct weft_hist *latency_ns = fixture.figures->ranks[2].latency_ns;
    weft_hist_clear(latency_ns);
    weft_hist_record_times(latency_ns, 100, UINT64_C(600000) * 20);
    cr_assert(weft_test_victims(fixture.result, fixture.figures, &victims));
    cr_expect_not(victims.median_known, "of 19 flows at most");
    weft_hist_record_times(latency_ns, 8192, 20);
    cr_assert(weft_test_victims(fixture.result, fixture.figures, &victims));
    cr_expect(victims.median_known);
    cr_expect_float_eq(victims.median_bps, 600001.0 * 8e9 / 8192, 1e-2 * 600001.0 * 8e9 / 8192);
}

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
