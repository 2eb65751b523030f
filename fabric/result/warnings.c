/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/units.h"
#include "fabric/result/result.h"

#include "fabric/result/figures.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

WEFT_FORMAT(2, 3) static void warn(struct weft_warnings *warnings, const char *format, ...)
{
    if (warnings->count == WEFT_WARNINGS_MAX)
        return;
    char *text = warnings->texts[warnings->count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(warnings->texts[0]), format, arguments);
    va_end(arguments);
}

static bool above(double rate_bps, uint64_t line_rate_bps)
{
    return rate_bps > (double)line_rate_bps * 1.01;
}

#define INTERVAL_NS_DEFAULT 1000000u

/* A driver that counts whole messages credits one to the interval in which it ended, though most of
 * it may have come before: an interval shows up to a message more than the line carried. */
static double whole_message_bps(const struct weft_rank_result *rank, const struct weft_test *test)
{
    uint64_t interval_ns = test->interval_ns ? test->interval_ns : INTERVAL_NS_DEFAULT;
    if (!rank->received_messages)
        return 0;
    return (double)rank->received_bytes / (double)rank->received_messages * 8e9 /
           (double)interval_ns;
}

/* What came in over the whole window, and the fastest interval of a flow. */
static void check_rate(const struct weft_rank_result *rank, const struct weft_test *test,
                       uint64_t line_rate_bps, struct weft_warnings *warnings)
{
    char found[WEFT_UNITS_TEXT];
    char line[WEFT_UNITS_TEXT];
    double mean_bps =
        rank->window_ns ? (double)rank->received_bytes * 8e9 / (double)rank->window_ns : 0;
    if (above(mean_bps, line_rate_bps))
        warn(warnings,
             "rank %u received %s on average, above its NIC's line rate of %s: an error of the "
             "tool or of the topology's rate",
             rank->rank, weft_show_rate((uint64_t)mean_bps, found),
             weft_show_rate(line_rate_bps, line));
    else if (rank->bandwidth_bps && rank->bandwidth_bps->count &&
             above((double)rank->bandwidth_bps->max - whole_message_bps(rank, test), line_rate_bps))
        warn(warnings,
             "rank %u received a flow at %s in one interval, above its NIC's line rate of %s: an "
             "error of the tool or of the topology's rate",
             rank->rank, weft_show_rate(rank->bandwidth_bps->max, found),
             weft_show_rate(line_rate_bps, line));
}

/* Beyond the error of a histogram's bucket. */
#define DRIFT_MAX_PPB 1000000

static void check_clock(const struct weft_host_environment *host, struct weft_warnings *warnings)
{
    bool fast = host->clock_drift_ppb > 0;
    double drift_ppb = (double)host->clock_drift_ppb;
    if (host->clock_drift_ppb <= DRIFT_MAX_PPB && host->clock_drift_ppb >= -DRIFT_MAX_PPB)
        return;
    warn(warnings,
         "host %s: the processor's counter went %.2f %% %s against the system's clock: its times "
         "and rates are off by as much",
         host->host, (fast ? drift_ppb : -drift_ppb) / 1e7, fast ? "fast" : "slow");
}

/* The share of the window: weft's own control thread takes a CPU often, and for microseconds, so
 * the number of times tells nothing. */
#define PREEMPTED_PERCENT_MAX 5u

static bool often_preempted(const struct weft_rank_result *rank)
{
    return rank->reported && (weft_u128)rank->preempted_ns * 100u >
                                 (weft_u128)rank->window_ns * PREEMPTED_PERCENT_MAX;
}

/* One warning, of the worst: the ranks of one worker bear one number. */
static void check_preemptions(const struct weft_test_result *figures,
                              struct weft_warnings *warnings)
{
    char lost[WEFT_UNITS_TEXT];
    const struct weft_rank_result *worst = NULL;
    for (uint32_t i = 0; i < figures->rank_count; i++) {
        const struct weft_rank_result *rank = &figures->ranks[i];
        if (often_preempted(rank) && (!worst || rank->preempted_ns > worst->preempted_ns))
            worst = rank;
    }
    if (!worst)
        return;
    warn(warnings,
         "workers lost their CPU to other threads, up to %" PRIu64 " times and %s of the window "
         "(rank %u's): these times are partly the machine's, not the fabric's",
         worst->preemptions, weft_show_time(worst->preempted_ns, lost), worst->rank);
}

static void check_ideal(const struct weft_test_result *figures, struct weft_warnings *warnings)
{
    double share = 0;
    if (weft_test_ideal_share(figures, &share) && share > WEFT_FIGURE_IDEAL_SHARE_MAX)
        warn(warnings, "%.4g %% of ideal is %s", share * 100, WEFT_FIGURE_TOO_GOOD);
}

void weft_test_warnings(const struct weft_result *result, uint32_t test,
                        struct weft_warnings *ret_warnings)
{
    const struct weft_test_result *figures = &result->tests[test];
    const struct weft_topology *topology = result->topology;
    ret_warnings->count = 0;
    for (uint32_t i = 0; i < result->environment_count; i++)
        check_clock(&result->environments[i], ret_warnings);
    check_preemptions(figures, ret_warnings);
    check_ideal(figures, ret_warnings);
    for (uint32_t i = 0; i < figures->rank_count; i++) {
        const struct weft_rank_result *rank = &figures->ranks[i];
        if (rank->rank >= topology->rank_count)
            continue;
        uint64_t line_rate_bps = topology->nics[topology->rank_nics[rank->rank]].rate_bps;
        if (rank->reported && line_rate_bps)
            check_rate(rank, figures->test, line_rate_bps, ret_warnings);
        if (rank->stalled_iterations)
            warn(ret_warnings,
                 "rank %u held back %" PRIu64 " iterations until its figures were taken: the "
                 "control thread was late",
                 rank->rank, rank->stalled_iterations);
    }
}
