/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/figures.h"

#include "fabric/result/repeats.h"
#include "fabric/result/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MILLIONTHS 1000000u
#define TAIL_SAMPLES 10u

bool weft_figure_percentile(const struct weft_hist *hist, uint32_t millionths, uint64_t *ret_value)
{
    if ((weft_u128)hist->count * millionths < (weft_u128)TAIL_SAMPLES * WHOLE_MILLIONTHS)
        return false;
    return weft_hist_percentile(hist, millionths, ret_value);
}

/* "99.9" is 999000 millionths; false where the text is not a percentile. */
static bool parse_percentile(const char *text, uint32_t *ret_millionths)
{
    char *end = NULL;
    unsigned long whole = strtoul(text, &end, 10);
    if (end == text || whole >= 100)
        return false;
    uint32_t millionths = (uint32_t)whole * 10000u;
    if (*end == '.') {
        uint32_t scale = 1000;
        for (end++; *end >= '0' && *end <= '9' && scale > 0; end++, scale /= 10)
            millionths += (uint32_t)(*end - '0') * scale;
    }
    *ret_millionths = millionths;
    return *end == '\0' && millionths > 0;
}

bool weft_figure_stat(const struct weft_hist *hist, const char *name, double *ret_value)
{
    uint32_t millionths = 0;
    uint64_t value = 0;
    if (!hist->count)
        return false;
    if (strcmp(name, "mean") == 0)
        return weft_hist_mean(hist, ret_value);
    if (strcmp(name, "min") == 0)
        value = hist->min;
    else if (strcmp(name, "max") == 0)
        value = hist->max;
    else if (name[0] != 'p' || !parse_percentile(name + 1, &millionths) ||
             !weft_figure_percentile(hist, millionths, &value))
        return false;
    *ret_value = (double)value;
    return true;
}

/* Where several iterations run at once, what one takes says nothing of how often one ends. */
static bool one_by_one(const struct weft_test_result *result)
{
    return weft_test_in_flight(result->test) == 1;
}

bool weft_test_algbw(const struct weft_test_result *result, double *ret_bps)
{
    double mean_ns = 0;
    struct weft_pattern_options options =
        weft_pattern_resolve(result->test->pattern, &result->test->options);
    options.rank_count = result->rank_count;
    double len_bytes = result->test->pattern->algorithm_bytes(&options);
    if (!one_by_one(result) || len_bytes <= 0 || !weft_hist_mean(result->completion_ns, &mean_ns) ||
        mean_ns <= 0)
        return false;
    *ret_bps = len_bytes * 8.0 * 1e9 / mean_ns;
    return true;
}

bool weft_test_busbw(const struct weft_test_result *result, double *ret_bps)
{
    double algbw_bps = 0;
    double factor = result->test->pattern->bus_factor(result->rank_count);
    if (factor <= 0 || !weft_test_algbw(result, &algbw_bps))
        return false;
    *ret_bps = algbw_bps * factor;
    return true;
}

bool weft_test_ideal_share(const struct weft_test_result *result, double *ret_share)
{
    double mean_ns = 0;
    /* In an open loop a rank that only follows begins with what comes to it. */
    if (!result->ideal || !result->ideal->ideal_ns || result->test->rate_bps ||
        !one_by_one(result) || !weft_hist_mean(result->completion_ns, &mean_ns) || mean_ns <= 0)
        return false;
    *ret_share = (double)result->ideal->ideal_ns / mean_ns;
    return true;
}

bool weft_test_fairness(const struct weft_test_result *result, struct weft_test_fairness *ret)
{
    struct weft_test_fairness all = {0};
    double sum_bps = 0, squares = 0;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        const struct weft_flow_spread *spread = &result->ranks[i].spread;
        if (!spread->flows)
            continue;
        if (!all.flows || spread->worst_bps < all.worst_bps) {
            all.worst_bps = spread->worst_bps;
            all.worst_from = spread->worst_from;
            all.worst_to = result->ranks[i].rank;
        }
        all.flows += spread->flows;
        sum_bps += spread->sum_bps;
        squares += spread->squares;
    }
    if (all.flows < 2 || squares <= 0)
        return false;
    all.jain = sum_bps * sum_bps / ((double)all.flows * squares);
    *ret = all;
    return true;
}

static void add_counters(const struct weft_device_counters *counters,
                         struct weft_device_counters *sum)
{
#define ADD_COUNTER(name) sum->name += counters->name;
    WEFT_DEVICE_COUNTERS(ADD_COUNTER)
#undef ADD_COUNTER
    sum->counted &= counters->counted;
}

void weft_test_totals(const struct weft_test_result *result, struct weft_test_totals *ret_totals)
{
    struct weft_test_totals totals = {.lost_known = true, .devices.counted = WEFT_COUNTED_ALL};
    uint32_t devices = 0;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        const struct weft_rank_result *rank = &result->ranks[i];
        totals.lost_known = totals.lost_known && rank->reported;
        totals.sent_bytes += rank->sent_bytes;
        totals.received_bytes += rank->received_bytes;
        totals.sent_messages += rank->sent_messages;
        totals.received_messages += rank->received_messages;
        if (!rank->reported || rank->counters_shared)
            continue;
        add_counters(&rank->counters, &totals.devices);
        devices++;
    }
    if (!devices)
        totals.devices.counted = 0;
    if (totals.sent_messages > totals.received_messages)
        totals.lost = totals.sent_messages - totals.received_messages;
    *ret_totals = totals;
}

bool weft_test_open_loop(const struct weft_test_result *result,
                         struct weft_test_open_loop *ret_open_loop)
{
    uint64_t offered_ns = 0, achieved_ns = 0, missed = 0, sent_bytes = 0;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        const struct weft_rank_open_loop *rank = &result->ranks[i].open_loop;
        sent_bytes += result->ranks[i].sent_bytes;
        offered_ns = rank->offered_ns > offered_ns ? rank->offered_ns : offered_ns;
        achieved_ns = rank->achieved_ns > achieved_ns ? rank->achieved_ns : achieved_ns;
        missed = rank->missed > missed ? rank->missed : missed;
    }
    if (!offered_ns || !achieved_ns)
        return false;
    *ret_open_loop =
        (struct weft_test_open_loop){.offered_bps = (double)sent_bytes * 8e9 / (double)offered_ns,
                                     .achieved_bps = (double)sent_bytes * 8e9 / (double)achieved_ns,
                                     .missed = missed};
    return true;
}

int weft_test_verified(const struct weft_test_result *result)
{
    uint64_t compared_bytes = 0;
    bool all = true;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        const struct weft_rank_result *rank = &result->ranks[i];
        if (rank->verified_known && rank->verified.wrong_bytes > 0)
            return 0;
        all = all && rank->verified_known;
        compared_bytes += rank->verified.compared_bytes;
    }
    return all && compared_bytes > 0 ? 1 : -1;
}

uint64_t weft_figure_window_ns(const struct weft_test_result *result)
{
    uint64_t window_ns = 0;
    for (uint32_t i = 0; i < result->rank_count; i++) {
        if (result->ranks[i].window_ns > window_ns)
            window_ns = result->ranks[i].window_ns;
    }
    return window_ns;
}

#define NO_SAMPLES "too few samples or not of this pattern"

/* Of some ranks only, a count says nothing: what they sent may have arrived at a silent one. */
static bool total_of(const struct weft_test_result *result, const char *metric, double *ret_value,
                     const char **ret_why)
{
    struct weft_test_totals totals;
    *ret_why = "not every rank reported";
    if (result->ranks_reported < result->rank_count)
        return false;
    weft_test_totals(result, &totals);
    *ret_value = (double)totals.lost;
    if (strcmp(metric, "lost") == 0)
        return true;
    *ret_value = (double)totals.devices.retransmitted_packets;
    *ret_why = "not every rank's device counts that";
    return strcmp(metric, "retransmitted") == 0 &&
           weft_figure_counted(&totals.devices, WEFT_COUNTER_retransmitted_packets);
}

/* False: it is another metric. */
static bool open_loop_of(const struct weft_test_result *result, const char *metric,
                         double *ret_value, const char **ret_why)
{
    struct weft_test_open_loop open_loop = {0};
    bool known =
        result->ranks_reported == result->rank_count && weft_test_open_loop(result, &open_loop);
    if (strcmp(metric, "offered") == 0)
        *ret_value = open_loop.offered_bps;
    else if (strcmp(metric, "achieved") == 0)
        *ret_value = open_loop.achieved_bps;
    else if (strcmp(metric, "missed") == 0)
        *ret_value = (double)open_loop.missed;
    else
        return false;
    *ret_why = known ? NULL : "the test has no rate, or a rank did not report";
    return true;
}

/* The repeats' coefficient of variation. */
static bool variation_of(const struct weft_test_result *result, const char *metric,
                         double *ret_value, const char **ret_why)
{
    char of[32];
    struct weft_spread spread = {0};
    (void)snprintf(of, sizeof(of), "%.*s", (int)strlen(metric) - 3, metric);
    bool known = weft_repeat_spread(result, of, &spread);
    *ret_value = spread.variation;
    *ret_why = "only the last of several repeats has it, and only if all have the figure";
    return known;
}

bool weft_figure_metric(const struct weft_test_result *result, const char *metric,
                        double *ret_value, const char **ret_why)
{
    if (weft_metric_is_share(metric))
        return variation_of(result, metric, ret_value, ret_why);
    const struct {
        const char *prefix;
        const struct weft_hist *hist;
    } hists[] = {
        {"completion.", result->completion_ns},
        {"latency.", result->latency_ns},
        {"bandwidth.", result->bandwidth_bps},
        {"completion_intended.", result->completion_intended_ns},
        {"latency_intended.", result->latency_intended_ns},
    };
    *ret_why = NO_SAMPLES;
    for (size_t i = 0; i < sizeof(hists) / sizeof(hists[0]); i++) {
        size_t prefix_length = strlen(hists[i].prefix);
        if (strncmp(metric, hists[i].prefix, prefix_length) == 0)
            return weft_figure_stat(hists[i].hist, metric + prefix_length, ret_value);
    }
    if (weft_metric_is_interference(metric)) {
        *ret_why = "too few samples, alone or together, or not a job that ran together with others";
        return weft_interference_metric(result, metric, ret_value);
    }
    if (strcmp(metric, "throughput") == 0) {
        *ret_why = "the test has no search, or no rate passes";
        *ret_value = (double)result->found_bps;
        return result->found_bps != 0;
    }
    if (!one_by_one(result))
        *ret_why = "of one iteration at a time only";
    if (strcmp(metric, "algbw") == 0)
        return weft_test_algbw(result, ret_value);
    if (strcmp(metric, "busbw") == 0)
        return weft_test_busbw(result, ret_value);
    if (strcmp(metric, "ideal_share") == 0) {
        *ret_why = result->test->rate_bps                   ? "of a closed loop only"
                   : !one_by_one(result)                    ? *ret_why
                   : result->ideal && result->ideal->why[0] ? result->ideal->why
                                                            : NO_SAMPLES;
        if (!weft_test_ideal_share(result, ret_value))
            return false;
        *ret_why = WEFT_FIGURE_TOO_GOOD;
        return *ret_value <= WEFT_FIGURE_IDEAL_SHARE_MAX;
    }
    if (open_loop_of(result, metric, ret_value, ret_why))
        return *ret_why == NULL;
    return total_of(result, metric, ret_value, ret_why);
}

static const char *driver_of(const struct weft_result *result, const struct weft_test_result *test,
                             uint32_t rank)
{
    const struct weft_topology *topology = result->topology;
    const char *own =
        topology ? topology->nics[topology->rank_nics[weft_test_rank(test->test, rank)]].driver
                 : NULL;
    if (own)
        return own;
    return test->test->driver ? test->test->driver : "dpdk";
}

/* Is this rank's driver also that of an earlier one? */
static bool named_before(const struct weft_result *result, const struct weft_test_result *test,
                         uint32_t rank)
{
    for (uint32_t i = 0; i < rank; i++) {
        if (strcmp(driver_of(result, test, i), driver_of(result, test, rank)) == 0)
            return true;
    }
    return false;
}

char *weft_figure_drivers(const struct weft_result *result, const struct weft_test_result *test,
                          char text[WEFT_DRIVERS_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t rank = 0; rank < test->rank_count && used < WEFT_DRIVERS_TEXT; rank++) {
        if (named_before(result, test, rank))
            continue;
        used += (size_t)snprintf(text + used, WEFT_DRIVERS_TEXT - used, "%s%s", rank ? "+" : "",
                                 driver_of(result, test, rank));
    }
    return text;
}
