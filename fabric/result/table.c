/* SPDX-License-Identifier: BSD-3-Clause */
/* The table that a person reads. */
#include "fabric/result/result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/plan/test.h"
#include "fabric/result/attribution.h"
#include "fabric/result/figures.h"
#include "fabric/result/together.h"

#define COLUMN_WIDTH 10

/* With one "s" for any number but one. */
static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static uint32_t host_count(const struct weft_topology *topology,
                           const struct weft_test_result *test)
{
    uint32_t count = 0;
    for (uint32_t host = 0; host < topology->host_count; host++) {
        for (uint32_t i = 0; i < test->rank_count; i++) {
            uint32_t rank = test->ranks[i].rank;
            if (rank < topology->rank_count &&
                topology->nics[topology->rank_nics[rank]].host == host) {
                count++;
                break;
            }
        }
    }
    return count;
}

static void print_head(FILE *out, const struct weft_result *result,
                       const struct weft_test_result *test)
{
    static const char *const transfers[WEFT_TRANSFER_COUNT] = {
        [WEFT_TRANSFER_WRITE] = "RC, RDMA WRITE",
        [WEFT_TRANSFER_SEND] = "RC, SEND",
    };
    char size[WEFT_UNITS_TEXT];
    char drivers[WEFT_DRIVERS_TEXT];
    uint32_t hosts = host_count(result->topology, test);
    fprintf(out, "weft %s · %s", WEFT_VERSION, test->test->pattern->name);
    if (test->test->together.name)
        fprintf(out, " (%s%s)", test->test->together.job,
                test->test->together.alone ? " alone" : " among others");
    if (weft_pattern_has_size(test->test->pattern, &test->test->options))
        fprintf(out, ", %s", weft_format_size(test->test->options.size_bytes, size));
    fprintf(out, " · %u rank%s on %u host%s · %s · %s", test->rank_count, plural(test->rank_count),
            hosts, plural(hosts), weft_figure_drivers(result, test, drivers),
            transfers[test->test->transfer]);
    if (test->test->mtu_bytes)
        fprintf(out, ", MTU %u", test->test->mtu_bytes);
    fprintf(out, "\n");
    if (test->ranks[0].device[0])
        fprintf(out, "rank %u on  %s\n", test->ranks[0].rank, test->ranks[0].device);
}

static void print_wrong_ranks(FILE *out, const struct weft_test_result *test)
{
    char wrong[WEFT_UNITS_TEXT];
    char compared[WEFT_UNITS_TEXT];
    for (uint32_t i = 0; i < test->rank_count; i++) {
        const struct weft_verify_result *verified = &test->ranks[i].verified;
        if (!test->ranks[i].verified_known || !verified->wrong_bytes)
            continue;
        fprintf(out,
                "           rank %u: %s of %s wrong, first at byte %" PRIu64
                ": expected %g, found %g\n",
                test->ranks[i].rank, weft_show_size(verified->wrong_bytes, wrong),
                weft_show_size(verified->compared_bytes, compared),
                verified->first_wrong_offset_bytes, (double)verified->expected,
                (double)verified->found);
    }
}

static void print_verified(FILE *out, const struct weft_test_result *test)
{
    uint64_t compared_bytes = 0;
    uint32_t compared_ranks = 0;
    uint32_t wrong_ranks = 0;
    char size[WEFT_UNITS_TEXT];
    for (uint32_t i = 0; i < test->rank_count; i++) {
        compared_bytes += test->ranks[i].verified.compared_bytes;
        compared_ranks += test->ranks[i].verified.compared_bytes > 0;
        wrong_ranks += test->ranks[i].verified.wrong_bytes > 0;
    }
    switch (weft_test_verified(test)) {
    case 1:
        fprintf(out, "verified   every element on %u rank%s, %s compared, none wrong\n",
                compared_ranks, plural(compared_ranks), weft_show_size(compared_bytes, size));
        return;
    case 0:
        fprintf(out, "verified   WRONG DATA on %u of %u rank%s\n", wrong_ranks, compared_ranks,
                plural(compared_ranks));
        print_wrong_ranks(out, test);
        return;
    default:
        break;
    }
    if (!test->test->verify)
        fprintf(out, "verified   not verified: --no-verify\n");
    else if (test->verdict == WEFT_VERDICT_BROKEN)
        fprintf(out, "verified   not verified: the test broke first\n");
    else
        fprintf(out, "verified   not verified: this pattern leaves nothing to compare\n");
}

/* In virtual time the seed alone makes the figures: with it they come again. */
static void print_measured(FILE *out, const struct weft_result *result,
                           const struct weft_test_result *test)
{
    char drivers[WEFT_DRIVERS_TEXT];
    char count[WEFT_UNITS_TEXT];
    char window[WEFT_UNITS_TEXT];
    fprintf(out, "measured   %s iteration%s", weft_show_count(test->iterations, count),
            plural(test->iterations));
    if (weft_figure_window_ns(test))
        fprintf(out, " in %s", weft_show_time(weft_figure_window_ns(test), window));
    fprintf(out, test->test->rate_bps ? ", open loop" : ", closed loop");
    if (strcmp(weft_figure_drivers(result, test, drivers), "sim") == 0)
        fprintf(out, ", seed %" PRIu64, result->seed);
    fprintf(out, "\n");
}

static void print_cell(FILE *out, bool known, uint64_t value_ns)
{
    char shown[WEFT_UNITS_TEXT] = "-";
    if (known)
        weft_show_time(value_ns, shown);
    fprintf(out, "%*s", COLUMN_WIDTH, shown);
}

static void print_times(FILE *out, const char *name, const struct weft_hist *hist,
                        const char *counted)
{
    static const uint32_t millionths[] = {500000, 990000, 999000};
    char count[WEFT_UNITS_TEXT];
    fprintf(out, "  %-12s", name);
    for (size_t i = 0; i < sizeof(millionths) / sizeof(millionths[0]); i++) {
        uint64_t value_ns = 0;
        bool known = weft_figure_percentile(hist, millionths[i], &value_ns);
        print_cell(out, known, value_ns);
    }
    print_cell(out, hist->count > 0, hist->max);
    fprintf(out, "    %s %s%s\n", weft_show_count(hist->count, count), counted,
            plural(hist->count));
}

/* Below the times that it belongs to: the same from when they were due. */
static void print_intended(FILE *out, const struct weft_hist *hist, const char *counted)
{
    if (hist->count)
        print_times(out, "  from due", hist, counted);
}

/* Of the completion's p99, which a first look misses most. */
static void print_dash(FILE *out, const struct weft_test_result *test)
{
    uint64_t value_ns = 0;
    if (test->completion_ns->count &&
        !weft_figure_percentile(test->completion_ns, 990000, &value_ns))
        fprintf(out, "  - : too few samples for that percentile; p99 needs 1,000 iterations\n");
}

/* "22.1 Gbps", or a dash. Returns `shown`. */
static const char *show_rate(bool known, uint64_t rate_bps, char shown[WEFT_UNITS_TEXT])
{
    (void)snprintf(shown, WEFT_UNITS_TEXT, "-");
    return known ? weft_show_rate(rate_bps, shown) : shown;
}

static const char *show_bandwidth(bool known, double rate_bps, char shown[WEFT_UNITS_TEXT])
{
    return show_rate(known, known ? (uint64_t)llround(rate_bps) : 0, shown);
}

/* The mean stands beside the median: a flow that rests in most intervals, as a pipeline's do, has a
 * median of 0. */
static void print_bandwidth(FILE *out, const struct weft_test_result *test)
{
    char mean[WEFT_UNITS_TEXT];
    char median[WEFT_UNITS_TEXT];
    char slowest[WEFT_UNITS_TEXT];
    char interval[WEFT_UNITS_TEXT];
    double mean_bps = 0;
    uint64_t p50_bps = 0;
    uint64_t p1_bps = 0;
    bool mean_known = weft_hist_mean(test->bandwidth_bps, &mean_bps);
    bool p50_known = weft_figure_percentile(test->bandwidth_bps, 500000, &p50_bps);
    bool p1_known = weft_figure_percentile(test->bandwidth_bps, 10000, &p1_bps);
    weft_show_time(test->test->interval_ns ? test->test->interval_ns : 1000000, interval);
    fprintf(out, "  bandwidth   mean %s · p50 %s · slowest 1 %% below %s    a flow in each %s\n",
            show_bandwidth(mean_known, mean_bps, mean), show_rate(p50_known, p50_bps, median),
            show_rate(p1_known, p1_bps, slowest), interval);
}

static void print_open_loop(FILE *out, const struct weft_test_result *test)
{
    char offered[WEFT_UNITS_TEXT], achieved[WEFT_UNITS_TEXT], missed[WEFT_UNITS_TEXT];
    struct weft_test_open_loop open_loop;
    if (!weft_test_open_loop(test, &open_loop))
        return;
    fprintf(out, "  offered %s · achieved %s · missed %s    all ranks' payload, %s arrivals\n",
            show_bandwidth(true, open_loop.offered_bps, offered),
            show_bandwidth(true, open_loop.achieved_bps, achieved),
            weft_show_count(open_loop.missed, missed), weft_arrivals_names[test->test->arrivals]);
}

static void print_totals(FILE *out, const struct weft_result *result,
                         const struct weft_test_result *test)
{
    char shown[WEFT_UNITS_TEXT];
    double rate_bps = 0;
    struct weft_test_totals totals;
    uint64_t noise_floor_ns = 0;
    weft_test_totals(test, &totals);
    for (uint32_t i = 0; i < result->environment_count; i++) {
        if (result->environments[i].noise_floor_ns > noise_floor_ns)
            noise_floor_ns = result->environments[i].noise_floor_ns;
    }
    fprintf(out, "  ");
    if (weft_test_busbw(test, &rate_bps))
        fprintf(out, "busbw %s · ", show_bandwidth(true, rate_bps, shown));
    if (weft_test_algbw(test, &rate_bps))
        fprintf(out, "algbw %s · ", show_bandwidth(true, rate_bps, shown));
    fprintf(out, "lost %s", totals.lost_known ? weft_show_count(totals.lost, shown) : "-");
    fprintf(out, " · retransmitted %s",
            weft_figure_counted(&totals.devices, WEFT_COUNTER_retransmitted_packets)
                ? weft_show_count(totals.devices.retransmitted_packets, shown)
                : "-");
    fprintf(out, " · noise floor %s\n", weft_show_time(noise_floor_ns, shown));
}

/* Nothing where it is not known: most who run on loopback do not ask. */
static void print_ideal(FILE *out, const struct weft_test_result *test)
{
    char shown[WEFT_UNITS_TEXT];
    double share = 0;
    if (weft_test_ideal_share(test, &share))
        fprintf(out, "  ideal %s · %.3g %% of ideal    (%s)\n",
                weft_show_time(test->ideal->ideal_ns, shown), share * 100, test->ideal->limit);
}

static void print_fairness(FILE *out, const struct weft_test_result *test)
{
    char shown[WEFT_UNITS_TEXT];
    struct weft_test_fairness fairness;
    if (weft_test_fairness(test, &fairness))
        fprintf(out, "  fairness    Jain %.3f over %s flows · worst %u to %u, %s\n", fairness.jain,
                weft_show_count(fairness.flows, shown), fairness.worst_from, fairness.worst_to,
                weft_show_rate((uint64_t)fairness.worst_bps, (char[WEFT_UNITS_TEXT]){0}));
}

/* What weft itself did to frames stands beside what became of them. */
static void print_injected(FILE *out, const struct weft_test_result *test)
{
    struct weft_test_totals totals;
    weft_test_totals(test, &totals);
    const struct weft_fault_options *fault = &test->test->fault;
    const struct {
        const char *name;
        double share;
        uint64_t count;
    } done[] = {
        {"dropped", fault->drop, totals.devices.injected_dropped},
        {"corrupted", fault->corrupt, totals.devices.injected_corrupted},
        {"duplicated", fault->duplicate, totals.devices.injected_duplicated},
        {"reordered", fault->reorder, totals.devices.injected_reordered},
        {"delayed", fault->delay, totals.devices.injected_delayed},
        {"ECN marked", fault->mark, totals.devices.injected_marked},
    };
    const char *before = "  injected: ";
    for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++) {
        char shown[WEFT_UNITS_TEXT];
        if (done[i].share <= 0)
            continue;
        fprintf(out, "%s%s %s", before, done[i].name, weft_show_count(done[i].count, shown));
        before = ", ";
    }
    if (weft_fault_is_on(fault))
        fprintf(out, "    frames sent, on purpose\n");
}

static void print_search(FILE *out, const struct weft_test_result *test)
{
    char rate[WEFT_UNITS_TEXT], achieved[WEFT_UNITS_TEXT];
    if (!test->test->search.to_bps)
        return;
    for (uint32_t i = 0; i < test->trial_count; i++) {
        const struct weft_trial *trial = &test->trials[i];
        fprintf(out, "  trial at %-11s %s%s    achieved %.2f %%, missed %" PRIu64 "\n",
                weft_show_rate(trial->rate_bps, rate), trial->passed ? "passes" : "fails",
                trial->confirms ? ", confirming" : "",
                trial->offered_bps > 0 ? trial->achieved_bps / trial->offered_bps * 100 : 0,
                trial->missed);
    }
    if (test->found_bps)
        fprintf(out, "throughput %s: the highest rate that passes, confirmed\n",
                weft_show_rate(test->found_bps, achieved));
    else if (!test->broken[0])
        fprintf(out, "FAILED     no rate passes\n");
}

static void print_figures(FILE *out, const struct weft_result *result,
                          const struct weft_test_result *test)
{
    fprintf(out, "  %-12s%*s%*s%*s%*s\n", "", COLUMN_WIDTH, "p50", COLUMN_WIDTH, "p99",
            COLUMN_WIDTH, "p99.9", COLUMN_WIDTH, "max");
    print_times(out, "completion", test->completion_ns, "iteration");
    print_intended(out, test->completion_intended_ns, "iteration");
    print_times(out, "message", test->latency_ns, "message");
    print_intended(out, test->latency_intended_ns, "message");
    print_bandwidth(out, test);
    print_open_loop(out, test);
    print_totals(out, result, test);
    weft_attribution_print(out, result, test);
    print_ideal(out, test);
    print_fairness(out, test);
    print_injected(out, test);
    print_dash(out, test);
}

/* As the metric counts: a time, a rate or a number. */
static void show_actual(const struct weft_expect_result *expect, char shown[WEFT_UNITS_TEXT])
{
    const char *metric = expect->expect->metric;
    uint64_t value = (uint64_t)llround(expect->actual);
    if (!expect->known)
        (void)snprintf(shown, WEFT_UNITS_TEXT, "unknown");
    else if (weft_metric_is_share(metric))
        (void)snprintf(shown, WEFT_UNITS_TEXT, "%.2f %%", expect->actual * 100);
    else if (weft_metric_is_time(metric))
        weft_show_time(value, shown);
    else if (weft_metric_is_rate(metric))
        weft_show_rate(value, shown);
    else if (weft_metric_is_interference(metric))
        (void)snprintf(shown, WEFT_UNITS_TEXT, "%.2f", expect->actual);
    else if (strcmp(metric, "ideal_share") == 0)
        (void)snprintf(shown, WEFT_UNITS_TEXT, "%.4g %%", expect->actual * 100);
    else
        weft_show_count(value, shown);
}

static void print_expects(FILE *out, const struct weft_test_result *test)
{
    char shown[WEFT_UNITS_TEXT];
    for (uint32_t i = 0; i < test->test->expect_count; i++) {
        const struct weft_expect_result *expect = &test->expects[i];
        show_actual(expect, shown);
        fprintf(out, "%s   %s: it is %s%s%s\n", expect->pass ? "expected" : "FAILED  ",
                expect->expect->text, shown, expect->unknown ? ", " : "",
                expect->unknown ? expect->unknown : "");
    }
}

/* The lines after the first stand under the first. */
static void print_broken(FILE *out, const char *why)
{
    fprintf(out, "BROKEN     ");
    for (; *why; why++) {
        fputc(*why, out);
        if (*why == '\n' && why[1] != '\n')
            fprintf(out, "           ");
    }
    fprintf(out, "\n");
}

static void print_test(FILE *out, const struct weft_result *result, uint32_t index)
{
    const struct weft_test_result *test = &result->tests[index];
    struct weft_warnings warnings;
    print_head(out, result, test);
    if (test->broken[0])
        print_broken(out, test->broken);
    if (test->broken[0] && !test->iterations)
        return;
    print_verified(out, test);
    print_measured(out, result, test);
    print_figures(out, result, test);
    print_search(out, test);
    print_expects(out, test);
    weft_test_warnings(result, index, &warnings);
    for (uint32_t i = 0; i < warnings.count; i++)
        fprintf(out, "warning    %s\n", warnings.texts[i]);
    weft_together_print(out, test);
}

char *weft_test_table(const struct weft_result *result, uint32_t test)
{
    char *table = NULL;
    size_t len_bytes = 0;
    FILE *out = open_memstream(&table, &len_bytes);
    if (!out)
        return NULL;
    print_test(out, result, test);
    bool failed = ferror(out) != 0;
    if (fclose(out) || failed) {
        free(table);
        return NULL;
    }
    return table;
}
