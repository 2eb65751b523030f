/* SPDX-License-Identifier: BSD-3-Clause */
/* result.json, schema 1, and the histogram files beside it. */
#include "fabric/result/result.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/plan/sweep.h"
#include "fabric/plan/test.h"
#include "fabric/result/attribution.h"
#include "fabric/result/figures.h"
#include "fabric/result/repeats.h"
#include "fabric/result/together_json.h"
#include "fabric/result/victims.h"

#define SCHEMA 1

/* jansson's calls fail only for want of memory; the first to fail is remembered. */
struct maker {
    bool failed;
};

static void put(struct maker *maker, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value))
        maker->failed = true;
}

static void append(struct maker *maker, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value))
        maker->failed = true;
}

static json_t *whole(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *rounded(bool known, double value)
{
    return known ? whole(value < 9e18 ? (uint64_t)llround(value) : INT64_MAX) : json_null();
}

/* A driver's description may hold any bytes; JSON holds UTF-8 only. */
static json_t *text(const char *words)
{
    json_t *value = json_string(words);
    if (value)
        return value;
    char *plain = strdup(words);
    for (char *at = plain; at && *at; at++) {
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    }
    value = plain ? json_string(plain) : NULL;
    free(plain);
    return value;
}

static json_t *stat_of(const struct weft_hist *hist, const char *name)
{
    double value = 0;
    bool known = weft_figure_stat(hist, name, &value);
    return rounded(known, value);
}

/* `file` NULL: the histogram has no file of its own. */
static json_t *figures_json(struct maker *maker, const struct weft_hist *hist, const char *file)
{
    static const char *const stats[][2] = {
        {"p1", "p1"},   {"p50", "p50"},     {"p95", "p95"},
        {"p99", "p99"}, {"p99_9", "p99.9"}, {"p99_99", "p99.99"},
    };
    json_t *object = json_object();
    double mean = 0;
    put(maker, object, "count", whole(hist->count));
    put(maker, object, "min", stat_of(hist, "min"));
    put(maker, object, "mean", weft_hist_mean(hist, &mean) ? json_real(mean) : json_null());
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
        put(maker, object, stats[i][0], stat_of(hist, stats[i][1]));
    put(maker, object, "max", stat_of(hist, "max"));
    put(maker, object, "histogram", file && hist->count ? json_string(file) : json_null());
    return object;
}

static void put_figures(struct maker *maker, json_t *object, const char *key,
                        const struct weft_hist *hist, uint32_t test)
{
    char file[64];
    (void)snprintf(file, sizeof(file), "%u-%s.csv", test, key);
    put(maker, object, key, figures_json(maker, hist, file));
}

static json_t *host_json(struct maker *maker, const struct weft_host_environment *environment)
{
    json_t *object = json_object();
    json_t *clock = json_object();
    put(maker, clock, "source", text(environment->clock_source));
    put(maker, clock, "resolution_ns", whole(environment->clock_resolution_ns));
    put(maker, clock, "drift_ppb", json_integer((json_int_t)environment->clock_drift_ppb));
    put(maker, object, "host", text(environment->host));
    put(maker, object, "cpu", text(environment->cpu));
    put(maker, object, "kernel", text(environment->kernel));
    put(maker, object, "weft", text(environment->version));
    put(maker, object, "clock", clock);
    put(maker, object, "noise_floor_ns", whole(environment->noise_floor_ns));
    put(maker, object, "record_cost_ns", whole(environment->record_cost_ns));
    return object;
}

static json_t *host_name(const struct weft_result *result, const struct weft_rank_result *rank)
{
    return rank->host < result->environment_count ? text(result->environments[rank->host].host)
                                                  : json_null();
}

static void put_identity(struct maker *maker, json_t *object, const struct weft_result *result,
                         const struct weft_rank_result *rank)
{
    put(maker, object, "rank", whole(rank->rank));
    put(maker, object, "host", host_name(result, rank));
    put(maker, object, "driver", text(rank->driver));
    put(maker, object, "device", text(rank->device));
}

/* Tests of one plan may use several drivers: each device of a rank is named once. */
static bool named_before(const struct weft_result *result, uint32_t test, uint32_t index)
{
    const struct weft_rank_result *rank = &result->tests[test].ranks[index];
    for (uint32_t i = 0; i < test; i++) {
        if (index >= result->tests[i].rank_count)
            continue;
        const struct weft_rank_result *earlier = &result->tests[i].ranks[index];
        if (earlier->reported && strcmp(earlier->driver, rank->driver) == 0 &&
            strcmp(earlier->device, rank->device) == 0)
            return true;
    }
    return false;
}

static json_t *environment_json(struct maker *maker, const struct weft_result *result)
{
    json_t *object = json_object();
    json_t *hosts = json_array();
    json_t *ranks = json_array();
    for (uint32_t i = 0; i < result->environment_count; i++)
        append(maker, hosts, host_json(maker, &result->environments[i]));
    for (uint32_t test = 0; test < result->test_count; test++) {
        for (uint32_t i = 0; i < result->tests[test].rank_count; i++) {
            const struct weft_rank_result *rank = &result->tests[test].ranks[i];
            if (!rank->reported || named_before(result, test, i))
                continue;
            json_t *identity = json_object();
            put_identity(maker, identity, result, rank);
            append(maker, ranks, identity);
        }
    }
    put(maker, object, "hosts", hosts);
    put(maker, object, "ranks", ranks);
    return object;
}

static json_t *counter(const struct weft_device_counters *counters, enum weft_device_counter index,
                       uint64_t value)
{
    return weft_figure_counted(counters, index) ? whole(value) : json_null();
}

/* Each by its name; null where the device does not count it. */
static json_t *device_json(struct maker *maker, const struct weft_device_counters *counters)
{
    json_t *object = json_object();
#define PUT_COUNTER(name) \
    put(maker, object, #name, counter(counters, WEFT_COUNTER_##name, counters->name));
    WEFT_DEVICE_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    return object;
}

/* What readers of schema 1 look for stands first; `devices` has all that devices count. */
static json_t *totals_json(struct maker *maker, const struct weft_test_result *test)
{
    struct weft_test_totals totals;
    weft_test_totals(test, &totals);
    const struct weft_device_counters *devices = &totals.devices;
    json_t *object = json_object();
    put(maker, object, "sent_bytes", whole(totals.sent_bytes));
    put(maker, object, "received_bytes", whole(totals.received_bytes));
    put(maker, object, "sent_messages", whole(totals.sent_messages));
    put(maker, object, "received_messages", whole(totals.received_messages));
    put(maker, object, "lost", totals.lost_known ? whole(totals.lost) : json_null());
#define PUT_TOTAL(key, name) \
    put(maker, object, key, counter(devices, WEFT_COUNTER_##name, devices->name))
    PUT_TOTAL("duplicated", duplicate_packets);
    PUT_TOTAL("reordered", out_of_order_packets);
    PUT_TOTAL("retransmitted", retransmitted_packets);
    PUT_TOTAL("timeouts", timeouts);
    PUT_TOTAL("rnr_naks", rnr_naks_received);
    PUT_TOTAL("receive_dropped", receive_dropped);
    PUT_TOTAL("icrc_errors", icrc_errors);
#undef PUT_TOTAL
    put(maker, object, "devices", device_json(maker, devices));
    return object;
}

static json_t *verified_json(struct maker *maker, const struct weft_rank_result *rank)
{
    if (!rank->verified_known)
        return json_null();
    json_t *object = json_object();
    bool wrong = rank->verified.wrong_bytes > 0;
    put(maker, object, "compared_bytes", whole(rank->verified.compared_bytes));
    put(maker, object, "wrong_bytes", whole(rank->verified.wrong_bytes));
    put(maker, object, "first_wrong_offset_bytes",
        wrong ? whole(rank->verified.first_wrong_offset_bytes) : json_null());
    /* What was found may be any bytes, and JSON has no NaN. */
    put(maker, object, "expected",
        wrong && isfinite(rank->verified.expected) ? json_real((double)rank->verified.expected)
                                                   : json_null());
    put(maker, object, "found",
        wrong && isfinite(rank->verified.found) ? json_real((double)rank->verified.found)
                                                : json_null());
    return object;
}

/* Null where no congestion control was on. */
static json_t *rates_json(struct maker *maker, const struct weft_flow_rates *rates)
{
    if (!rates->flows)
        return json_null();
    json_t *object = json_object();
    put(maker, object, "flows", whole(rates->flows));
    put(maker, object, "slowest_bps", whole(rates->slowest_bps));
    put(maker, object, "fastest_bps", whole(rates->fastest_bps));
    put(maker, object, "lowest_bps", whole(rates->lowest_bps));
    return object;
}

static json_t *rank_json(struct maker *maker, const struct weft_result *result,
                         const struct weft_rank_result *rank)
{
    json_t *object = json_object();
    put_identity(maker, object, result, rank);
    put(maker, object, "verified", verified_json(maker, rank));
    put(maker, object, "iterations", whole(rank->iterations));
    put(maker, object, "stalled_iterations", whole(rank->stalled_iterations));
    put(maker, object, "window_ns", whole(rank->window_ns));
    put(maker, object, "worker_preemptions", whole(rank->preemptions));
    put(maker, object, "worker_preempted_ns", whole(rank->preempted_ns));
    put(maker, object, "sent_messages", whole(rank->sent_messages));
    put(maker, object, "sent_bytes", whole(rank->sent_bytes));
    put(maker, object, "received_messages", whole(rank->received_messages));
    put(maker, object, "received_bytes", whole(rank->received_bytes));
    put(maker, object, "latency_ns",
        rank->latency_ns ? figures_json(maker, rank->latency_ns, NULL) : json_null());
    put(maker, object, "bandwidth_bps",
        rank->bandwidth_bps ? figures_json(maker, rank->bandwidth_bps, NULL) : json_null());
    put(maker, object, "missed",
        rank->open_loop.paced ? whole(rank->open_loop.missed) : json_null());
    put(maker, object, "congestion_rates", rates_json(maker, &rank->rates));
    put(maker, object, "device_counters", device_json(maker, &rank->counters));
    put(maker, object, "device_shared", json_boolean(rank->counters_shared));
    return object;
}

static json_t *ranks_json(struct maker *maker, const struct weft_result *result,
                          const struct weft_test_result *test)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < test->rank_count; i++) {
        if (test->ranks[i].reported)
            append(maker, array, rank_json(maker, result, &test->ranks[i]));
    }
    return array;
}

static json_t *expects_json(struct maker *maker, const struct weft_test_result *test)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < test->test->expect_count; i++) {
        const struct weft_expect_result *expect = &test->expects[i];
        json_t *object = json_object();
        put(maker, object, "expression", text(expect->expect->text));
        put(maker, object, "actual", expect->known ? json_real(expect->actual) : json_null());
        put(maker, object, "unknown", expect->unknown ? text(expect->unknown) : json_null());
        put(maker, object, "pass", json_boolean(expect->pass));
        append(maker, array, object);
    }
    return array;
}

static json_t *warnings_json(struct maker *maker, const struct weft_result *result, uint32_t test)
{
    struct weft_warnings warnings;
    json_t *array = json_array();
    weft_test_warnings(result, test, &warnings);
    for (uint32_t i = 0; i < warnings.count; i++)
        append(maker, array, text(warnings.texts[i]));
    return array;
}

static json_t *verdict_json(enum weft_verdict verdict)
{
    static const char *const names[] = {
        [WEFT_VERDICT_PASS] = "pass",
        [WEFT_VERDICT_FAIL] = "fail",
        [WEFT_VERDICT_BROKEN] = "broken",
    };
    return json_string(names[verdict]);
}

static void put_ideal(struct maker *maker, json_t *object, const struct weft_test_result *test)
{
    static const struct weft_ideal none = {.why = "not computed"};
    const struct weft_ideal *ideal = test->ideal ? test->ideal : &none;
    bool known = ideal->ideal_ns > 0;
    double share = 0;
    put(maker, object, "ideal_ns", known ? whole(ideal->ideal_ns) : json_null());
    put(maker, object, "ideal_alone_ns", known ? whole(ideal->alone_ns) : json_null());
    put(maker, object, "ideal_limit", known ? text(ideal->limit) : json_null());
    put(maker, object, "ideal_unknown", known ? json_null() : text(ideal->why));
    put(maker, object, "ideal_share",
        weft_test_ideal_share(test, &share) ? json_real(share) : json_null());
}

/* Null in a closed loop. */
static void put_open_loop(struct maker *maker, json_t *object, const struct weft_test_result *test,
                          uint32_t index)
{
    struct weft_test_open_loop open_loop = {0};
    bool open = test->test->rate_bps != 0;
    bool known = weft_test_open_loop(test, &open_loop);
    put(maker, object, "rate_bps", open ? whole(test->rate_bps) : json_null());
    put(maker, object, "in_flight", whole(weft_test_in_flight(test->test)));
    put(maker, object, "arrivals",
        open ? json_string(weft_arrivals_names[test->test->arrivals]) : json_null());
    put(maker, object, "offered_bps", rounded(known, open_loop.offered_bps));
    put(maker, object, "achieved_bps", rounded(known, open_loop.achieved_bps));
    put(maker, object, "missed", known ? whole(open_loop.missed) : json_null());
    if (open) {
        put_figures(maker, object, "completion_intended_ns", test->completion_intended_ns, index);
        put_figures(maker, object, "latency_intended_ns", test->latency_intended_ns, index);
        return;
    }
    put(maker, object, "completion_intended_ns", json_null());
    put(maker, object, "latency_intended_ns", json_null());
}

/* Null where there are fewer than two flows. */
static json_t *fairness_json(struct maker *maker, const struct weft_test_result *test)
{
    struct weft_test_fairness fairness;
    if (!weft_test_fairness(test, &fairness))
        return json_null();
    json_t *object = json_object();
    json_t *worst = json_object();
    double mmr = test->ideal ? test->ideal->mmr : 0;
    put(maker, worst, "from", whole(fairness.worst_from));
    put(maker, worst, "to", whole(fairness.worst_to));
    put(maker, worst, "bps", rounded(true, fairness.worst_bps));
    put(maker, object, "flows", whole(fairness.flows));
    put(maker, object, "jain", json_real(fairness.jain));
    put(maker, object, "worst_flow", worst);
    put(maker, object, "mmr", mmr > 0 ? json_real(mmr) : json_null());
    return object;
}

static void put_measured(struct maker *maker, json_t *object, const struct weft_test_result *test,
                         uint32_t index)
{
    double bandwidth_bps = 0;
    bool known = weft_test_algbw(test, &bandwidth_bps);
    put_figures(maker, object, "completion_ns", test->completion_ns, index);
    put_figures(maker, object, "latency_ns", test->latency_ns, index);
    put_figures(maker, object, "bandwidth_bps", test->bandwidth_bps, index);
    put_open_loop(maker, object, test, index);
    put(maker, object, "algbw_bps", rounded(known, bandwidth_bps));
    known = weft_test_busbw(test, &bandwidth_bps);
    put(maker, object, "busbw_bps", rounded(known, bandwidth_bps));
    put_ideal(maker, object, test);
    put(maker, object, "fairness", fairness_json(maker, test));
}

/* What was asked for; what was done stands in the devices' counters. */
static json_t *fault_json(struct maker *maker, const struct weft_fault_options *fault)
{
    if (!weft_fault_is_on(fault))
        return json_null();
    char words[WEFT_FAULT_TEXT];
    json_t *object = json_object();
    put(maker, object, "text", text(weft_fault_format(fault, words)));
    put(maker, object, "drop", json_real(fault->drop));
    put(maker, object, "corrupt", json_real(fault->corrupt));
    put(maker, object, "duplicate", json_real(fault->duplicate));
    put(maker, object, "reorder", json_real(fault->reorder));
    put(maker, object, "delay", json_real(fault->delay));
    put(maker, object, "ecn", json_real(fault->mark));
    put(maker, object, "seed", whole(fault->seed));
    return object;
}

static json_t *spread_json(struct maker *maker, const struct weft_test_result *test,
                           const char *metric)
{
    double values[WEFT_REPEATS_MAX];
    struct weft_spread spread;
    if (!weft_repeat_spread(test, metric, &spread))
        return json_null();
    json_t *object = json_object();
    json_t *array = json_array();
    uint32_t count = weft_repeat_values(test, metric, values);
    for (uint32_t i = 0; i < count; i++)
        append(maker, array, json_real(values[i]));
    put(maker, object, "values", array);
    put(maker, object, "mean", json_real(spread.mean));
    put(maker, object, "standard_deviation", json_real(spread.deviation));
    put(maker, object, "coefficient_of_variation", json_real(spread.variation));
    put(maker, object, "confidence_95_low", json_real(spread.low));
    put(maker, object, "confidence_95_high", json_real(spread.high));
    return object;
}

/* Null where a test is run once; the last repeat has the figures of all. */
static json_t *repeats_json(struct maker *maker, const struct weft_test_result *test)
{
    if (test->test->repeats < 2)
        return json_null();
    json_t *object = json_object();
    put(maker, object, "repeat", whole(test->test->repeat + UINT64_C(1)));
    put(maker, object, "of", whole(test->test->repeats));
    for (const char *const *metric = weft_repeat_metrics; *metric; metric++)
        put(maker, object, *metric, spread_json(maker, test, *metric));
    return object;
}

/* Null where the rate was not searched for. */
static json_t *search_json(struct maker *maker, const struct weft_test_result *test)
{
    if (!test->test->search.to_bps)
        return json_null();
    json_t *object = json_object();
    json_t *trials = json_array();
    for (uint32_t i = 0; i < test->trial_count; i++) {
        const struct weft_trial *trial = &test->trials[i];
        json_t *item = json_object();
        put(maker, item, "rate_bps", whole(trial->rate_bps));
        put(maker, item, "confirms", json_boolean(trial->confirms));
        put(maker, item, "passed", json_boolean(trial->passed));
        put(maker, item, "offered_bps", json_real(trial->offered_bps));
        put(maker, item, "achieved_bps", json_real(trial->achieved_bps));
        put(maker, item, "lost", whole(trial->lost));
        put(maker, item, "missed", whole(trial->missed));
        append(maker, trials, item);
    }
    put(maker, object, "throughput_bps", test->found_bps ? whole(test->found_bps) : json_null());
    put(maker, object, "trials", trials);
    return object;
}

/* The pattern's and the test's, as a plan has them; one that was not told and has no default is
 * left out. */
static json_t *options_json(struct maker *maker, const struct weft_test *test)
{
    struct weft_pattern_options options = weft_pattern_resolve(test->pattern, &test->options);
    json_t *object = json_object();
    for (uint32_t i = 0; i < test->pattern->take_count; i++) {
        enum weft_pattern_option_id id = test->pattern->takes[i].option;
        uint64_t value = weft_pattern_option_get(&options, id);
        char formatted[WEFT_UNITS_TEXT];
        if (value >= weft_pattern_option_table[id].least)
            put(maker, object, weft_pattern_option_table[id].name,
                text(weft_pattern_option_format(test->pattern, id, value, formatted)));
    }
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        enum weft_test_option_id id = (enum weft_test_option_id)i;
        char formatted[WEFT_UNITS_TEXT];
        bool apart = id == WEFT_TEST_SIZE || id == WEFT_TEST_RANKS; /* as size_bytes and ranks */
        if (!apart && weft_test_option_holds(test, id))
            put(maker, object, weft_test_option_table[id].key,
                text(weft_test_option_format(id, weft_test_option_get(test, id), formatted)));
    }
    return object;
}

static json_t *test_json(struct maker *maker, const struct weft_result *result, uint32_t index)
{
    const struct weft_test_result *test = &result->tests[index];
    int verified = weft_test_verified(test);
    char drivers[WEFT_DRIVERS_TEXT];
    json_t *object = json_object();
    put(maker, object, "name", text(test->test->name));
    put(maker, object, "pattern", text(test->test->pattern->name));
    put(maker, object, "driver", text(weft_figure_drivers(result, test, drivers)));
    put(maker, object, "ranks", whole(test->rank_count));
    put(maker, object, "size_bytes", whole(test->test->options.size_bytes));
    put(maker, object, "options", options_json(maker, test->test));
    put(maker, object, "fault", fault_json(maker, &test->test->fault));
    put(maker, object, "iterations", whole(test->iterations));
    put(maker, object, "duration_s", json_real((double)weft_figure_window_ns(test) / 1e9));
    put(maker, object, "verdict", verdict_json(test->verdict));
    put(maker, object, "broken", test->broken[0] ? text(test->broken) : json_null());
    put(maker, object, "verified", verified < 0 ? json_null() : json_boolean(verified));
    put_measured(maker, object, test, index);
    put(maker, object, "together", weft_together_json(test));
    put(maker, object, "victims", weft_victims_json(result, test));
    put(maker, object, "search", search_json(maker, test));
    put(maker, object, "repeats", repeats_json(maker, test));
    put(maker, object, "slow_iterations", weft_attribution_chains_json(test));
    put(maker, object, "deciders", weft_attribution_deciders_json(result, test));
    put(maker, object, "counters", totals_json(maker, test));
    put(maker, object, "ranks_detail", ranks_json(maker, result, test));
    put(maker, object, "expect", expects_json(maker, test));
    put(maker, object, "warnings", warnings_json(maker, result, index));
    return object;
}

char *weft_result_json(const struct weft_result *result)
{
    struct maker maker = {0};
    json_t *root = json_object();
    json_t *tests = json_array();
    for (uint32_t i = 0; i < result->test_count; i++)
        append(&maker, tests, test_json(&maker, result, i));
    put(&maker, root, "weft", json_string(WEFT_VERSION));
    put(&maker, root, "schema", json_integer(SCHEMA));
    put(&maker, root, "seed", whole(result->seed));
    put(&maker, root, "verdict", verdict_json(result->verdict));
    put(&maker, root, "environment", environment_json(&maker, result));
    put(&maker, root, "tests", tests);
    char *json = maker.failed ? NULL : json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return json;
}

char *weft_hist_csv(const struct weft_hist *hist, const char *unit)
{
    char *csv = NULL;
    size_t len_bytes = 0;
    FILE *stream = open_memstream(&csv, &len_bytes);
    if (!stream)
        return NULL;
    (void)fprintf(stream, "low_%s,high_%s,count\n", unit, unit);
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++) {
        if (!hist->buckets[i])
            continue;
        /* The last bucket holds all that is larger. */
        uint64_t high = weft_hist_lowest(i + 1) - 1;
        if (i == WEFT_HIST_BUCKETS - 1 && hist->max > high)
            high = hist->max;
        (void)fprintf(stream, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", weft_hist_lowest(i), high,
                      hist->buckets[i]);
    }
    bool failed = ferror(stream) != 0;
    if (fclose(stream) || failed) {
        free(csv);
        return NULL;
    }
    return csv;
}
