/* SPDX-License-Identifier: BSD-3-Clause */
/* DCQCN's reaction point against values worked out by hand from the paper's formulas, and two of
 * them on one bottleneck. */
#include <criterion/criterion.h>
#include <string.h>

#include "drivers/roce/congestion/dcqcn.h"
#include "fabric/base/random.h"

#define GBPS UINT64_C(1000000000)
#define PERIOD_NS UINT64_C(55000)

static struct weft_congestion_options filled(const struct weft_congestion_options *options)
{
    struct weft_congestion_options ret;
    struct weft_error error = {0};
    cr_assert_eq(weft_dcqcn_check(options, &ret, &error), WEFT_OK, "%s", error.text);
    return ret;
}

static struct weft_congestion_options at_40g(void)
{
    return filled(&(struct weft_congestion_options){.control = WEFT_CONGESTION_DCQCN,
                                                    .line_rate_bps = 40 * GBPS});
}

Test(dcqcn, check__defaults)
{
    struct weft_congestion_options options = at_40g();
    cr_assert_eq(options.minimum_rate_bps, 100000000);
    cr_assert_eq(options.additive_rate_bps, 40000000);
    cr_assert_eq(options.hyper_rate_bps, 400000000);
    cr_assert_eq(options.alpha_period_ns, 55000);
    cr_assert_eq(options.increase_period_ns, 55000);
    cr_assert_eq(options.decrease_period_ns, 4000);
    cr_assert_eq(options.increase_bytes, 10000000);
    cr_assert_eq(options.fast_recovery_steps, 5);
    cr_assert_eq(options.alpha_shift, 8);
    cr_assert_eq(options.cnp_period_ns, 50000);
    options = filled(&(struct weft_congestion_options){
        .line_rate_bps = GBPS, .minimum_rate_bps = 5000000, .alpha_shift = 4});
    cr_assert_eq(options.minimum_rate_bps, 5000000);
    cr_assert_eq(options.alpha_shift, 4);
    options = filled(&(struct weft_congestion_options){.line_rate_bps = GBPS});
    cr_assert_eq(options.minimum_rate_bps, 10000000);
}

static void check_refused(const struct weft_congestion_options *options, const char *word)
{
    struct weft_congestion_options ret;
    struct weft_error error = {0};
    cr_assert_eq(weft_dcqcn_check(options, &ret, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, word), "%s", error.text);
}

Test(dcqcn, check__refuses)
{
    check_refused(&(struct weft_congestion_options){0}, "line rate is not known");
    check_refused(&(struct weft_congestion_options){.line_rate_bps = 1000}, "out of range");
    check_refused(&(struct weft_congestion_options){.line_rate_bps = UINT64_MAX}, "out of range");
    check_refused(
        &(struct weft_congestion_options){.line_rate_bps = GBPS, .minimum_rate_bps = 2 * GBPS},
        "minimum-rate");
    check_refused(
        &(struct weft_congestion_options){.line_rate_bps = GBPS, .minimum_rate_bps = 99999},
        "minimum-rate");
    check_refused(
        &(struct weft_congestion_options){.line_rate_bps = GBPS, .hyper_rate_bps = UINT64_MAX},
        "steps");
    check_refused(&(struct weft_congestion_options){.line_rate_bps = GBPS, .alpha_shift = 17},
                  "alpha-shift");
    check_refused(
        &(struct weft_congestion_options){.line_rate_bps = GBPS, .cnp_period_ns = UINT64_MAX},
        "cnp-period");
}

/* alpha is 1 at first: the rate is halved, and alpha stays 1. */
Test(dcqcn, notified__first_halves)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    weft_dcqcn_init(&dcqcn, &options);
    cr_assert_eq(dcqcn.current_bps, 40 * GBPS);
    weft_dcqcn_notified(&dcqcn, &options, 1000000);
    cr_assert_eq(dcqcn.current_bps, 20 * GBPS);
    cr_assert_eq(dcqcn.target_bps, 40 * GBPS);
    cr_assert_eq(dcqcn.alpha, WEFT_DCQCN_ALPHA_ONE);
    /* One more within the period is not heeded. */
    weft_dcqcn_notified(&dcqcn, &options, 1003999);
    cr_assert_eq(dcqcn.current_bps, 20 * GBPS);
    weft_dcqcn_notified(&dcqcn, &options, 1004000);
    cr_assert_eq(dcqcn.current_bps, 10 * GBPS);
    cr_assert_eq(dcqcn.target_bps, 20 * GBPS);
    cr_assert_eq(dcqcn.least_bps, 10 * GBPS);
}

/* (255/256)^2 = 65025/65536 after two periods; the cut is half of it, and then alpha rises by
 * 1/256 of what it lacks: (255/256)^3 + 1/256. */
Test(dcqcn, alpha__by_hand)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    weft_dcqcn_init(&dcqcn, &options);
    weft_dcqcn_notified(&dcqcn, &options, 0);
    weft_dcqcn_advance(&dcqcn, &options, PERIOD_NS - 1);
    cr_assert_eq(dcqcn.alpha, WEFT_DCQCN_ALPHA_ONE);
    weft_dcqcn_advance(&dcqcn, &options, PERIOD_NS);
    cr_assert_eq(dcqcn.alpha, WEFT_DCQCN_ALPHA_ONE / 256 * 255);
    weft_dcqcn_advance(&dcqcn, &options, 2 * PERIOD_NS);
    cr_assert_eq(dcqcn.alpha, WEFT_DCQCN_ALPHA_ONE / 65536 * 65025);
    /* Two steps of fast recovery: 20, 30, 35 Gb/s. */
    cr_assert_eq(dcqcn.current_bps, 35 * GBPS);
    weft_dcqcn_notified(&dcqcn, &options, 2 * PERIOD_NS + 1);
    cr_assert_eq(dcqcn.target_bps, 35 * GBPS);
    cr_assert_eq(dcqcn.current_bps, 35 * GBPS - UINT64_C(17363548278));
    cr_assert_eq(dcqcn.alpha,
                 WEFT_DCQCN_ALPHA_ONE / 16777216 * 16581375 + WEFT_DCQCN_ALPHA_ONE / 256);
    /* The CNP also put off the next decay. */
    uint64_t alpha = dcqcn.alpha;
    weft_dcqcn_advance(&dcqcn, &options, 3 * PERIOD_NS);
    cr_assert_eq(dcqcn.alpha, alpha);
}

/* Down to 10 of 20 Gb/s; F steps halve what is missing, then the target rises. */
static void cut_twice(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options)
{
    weft_dcqcn_init(dcqcn, options);
    weft_dcqcn_notified(dcqcn, options, 0);
    weft_dcqcn_notified(dcqcn, options, 4000);
}

static const uint64_t recovery_bps[] = {15000000000, 17500000000, 18750000000,
                                        19375000000, 19687500000, 19863750000};

Test(dcqcn, increase__timer)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    cut_twice(&dcqcn, &options);
    for (uint64_t i = 0; i < 6; i++) {
        weft_dcqcn_advance(&dcqcn, &options, 4000 + (i + 1) * PERIOD_NS - 1);
        cr_assert_eq(dcqcn.current_bps, i ? recovery_bps[i - 1] : 10 * GBPS);
        weft_dcqcn_advance(&dcqcn, &options, 4000 + (i + 1) * PERIOD_NS);
        cr_assert_eq(dcqcn.current_bps, recovery_bps[i]);
        cr_assert_eq(dcqcn.target_bps, i < 5 ? 20 * GBPS : 20 * GBPS + 40000000);
    }
}

/* The byte counter does the same, and a CNP starts it anew. */
Test(dcqcn, increase__bytes)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    options.increase_bytes = 10000;
    cut_twice(&dcqcn, &options);
    for (uint32_t i = 0; i < 6; i++) {
        weft_dcqcn_sent(&dcqcn, &options, 4000);
        weft_dcqcn_sent(&dcqcn, &options, 4000);
        cr_assert_eq(dcqcn.current_bps, i ? recovery_bps[i - 1] : 10 * GBPS);
        weft_dcqcn_sent(&dcqcn, &options, 2000);
        cr_assert_eq(dcqcn.current_bps, recovery_bps[i]);
    }
    weft_dcqcn_sent(&dcqcn, &options, 9999);
    weft_dcqcn_notified(&dcqcn, &options, 20000);
    uint64_t cut_bps = dcqcn.current_bps;
    weft_dcqcn_sent(&dcqcn, &options, 9999);
    cr_assert_eq(dcqcn.current_bps, cut_bps);
    weft_dcqcn_sent(&dcqcn, &options, 1);
    cr_assert_gt(dcqcn.current_bps, cut_bps);
}

/* Hyper increase needs both counts above F: the seventh step of the timer, six of bytes made. */
Test(dcqcn, increase__hyper)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    options.increase_bytes = 1000;
    cut_twice(&dcqcn, &options);
    for (uint32_t i = 0; i < 6; i++)
        weft_dcqcn_sent(&dcqcn, &options, 1000);
    cr_assert_eq(dcqcn.target_bps, 20 * GBPS + 40000000);
    weft_dcqcn_advance(&dcqcn, &options, 4000 + 6 * PERIOD_NS);
    cr_assert_eq(dcqcn.target_bps, 20 * GBPS + 7 * UINT64_C(40000000));
    weft_dcqcn_advance(&dcqcn, &options, 4000 + 7 * PERIOD_NS);
    cr_assert_eq(dcqcn.target_bps, 20 * GBPS + 7 * UINT64_C(40000000) + 400000000);
}

/* Left alone it comes back to the line rate exactly, and then nothing is due any more. */
Test(dcqcn, recovery__to_line_rate)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    cut_twice(&dcqcn, &options);
    uint64_t now_ns = 0;
    uint64_t last_bps = 0;
    for (; dcqcn.current_bps < 40 * GBPS; now_ns += PERIOD_NS) {
        cr_assert_geq(dcqcn.current_bps, last_bps);
        last_bps = dcqcn.current_bps;
        cr_assert_lt(now_ns, GBPS);
        weft_dcqcn_advance(&dcqcn, &options, now_ns);
    }
    cr_assert_eq(dcqcn.increase_due_ns, WEFT_DCQCN_NEVER);
    for (uint32_t i = 0; i < 1000; i++)
        weft_dcqcn_advance(&dcqcn, &options, 3600 * GBPS);
    cr_assert_eq(dcqcn.alpha_due_ns, WEFT_DCQCN_NEVER);
    cr_assert_lt(dcqcn.alpha, WEFT_DCQCN_ALPHA_ONE >> 20);
    cr_assert_eq(dcqcn.current_bps, 40 * GBPS);
    cr_assert_eq(dcqcn.least_bps, 10 * GBPS);
}

/* A late call comes out where calls in time do. */
Test(dcqcn, advance__late)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn early;
    struct weft_dcqcn late;
    cut_twice(&early, &options);
    late = early;
    uint64_t until_ns = 25 * PERIOD_NS + 7;
    for (uint64_t now_ns = 4000; now_ns <= until_ns; now_ns++)
        weft_dcqcn_advance(&early, &options, now_ns);
    weft_dcqcn_advance(&late, &options, until_ns);
    cr_assert_eq(memcmp(&early, &late, sizeof(late)), 0);
}

Test(dcqcn, notified__not_below_minimum)
{
    struct weft_congestion_options options = at_40g();
    struct weft_dcqcn dcqcn;
    weft_dcqcn_init(&dcqcn, &options);
    for (uint64_t i = 0; i < 40; i++)
        weft_dcqcn_notified(&dcqcn, &options, i * 4000);
    cr_assert_eq(dcqcn.current_bps, options.minimum_rate_bps);
    cr_assert_eq(dcqcn.least_bps, options.minimum_rate_bps);
}

/* ---- two flows on one link ---- */

#define LINK_BPS (40 * GBPS)
#define STEP_NS 1000u
#define PACKET_BYTES 1000.0
#define MARK_LOW_BYTES 5000.0
#define MARK_HIGH_BYTES 200000.0
#define MARK_MOST 0.01

struct flow {
    struct weft_dcqcn dcqcn;
    uint64_t notify_again_ns;
    double bytes;
};

/* The queue marks packets as the paper's switches do; the receiver sends a CNP each 50 us at most.
 * A microsecond of it. */
static void step(struct flow *flow, const struct weft_congestion_options *options,
                 double queue_bytes, struct weft_random *random, uint64_t now_ns)
{
    double bytes = (double)flow->dcqcn.current_bps * STEP_NS / 8e9;
    double share = (queue_bytes - MARK_LOW_BYTES) / (MARK_HIGH_BYTES - MARK_LOW_BYTES) * MARK_MOST;
    share = share < 0 ? 0 : queue_bytes > MARK_HIGH_BYTES ? 1 : share;
    double marked = share * bytes / PACKET_BYTES;
    flow->bytes += bytes;
    if (now_ns >= flow->notify_again_ns &&
        (double)weft_random_below(random, 1000000) < marked * 1e6) {
        flow->notify_again_ns = now_ns + options->cnp_period_ns;
        weft_dcqcn_notified(&flow->dcqcn, options, now_ns);
    }
    weft_dcqcn_advance(&flow->dcqcn, options, now_ns);
    weft_dcqcn_sent(&flow->dcqcn, options, (uint32_t)bytes);
}

static void check_fair(uint64_t seed)
{
    struct weft_congestion_options options = at_40g();
    struct flow flows[2] = {0};
    struct weft_random random;
    double queue_bytes = 0;
    weft_random_seed(&random, seed);
    for (uint32_t i = 0; i < 2; i++)
        weft_dcqcn_init(&flows[i].dcqcn, &options);
    /* An unfair start: the second has been cut to 2.5 Gb/s before. */
    for (uint64_t i = 0; i < 4; i++)
        weft_dcqcn_notified(&flows[1].dcqcn, &options, i * 4000);
    for (uint64_t now_ns = 20000; now_ns < 600000000; now_ns += STEP_NS) {
        if (now_ns == 200000000)
            flows[0].bytes = flows[1].bytes = 0;
        uint64_t sum_bps = flows[0].dcqcn.current_bps + flows[1].dcqcn.current_bps;
        queue_bytes += ((double)sum_bps - (double)LINK_BPS) * STEP_NS / 8e9;
        queue_bytes = queue_bytes < 0 ? 0 : queue_bytes;
        for (uint32_t i = 0; i < 2; i++)
            step(&flows[i], &options, queue_bytes, &random, now_ns);
    }
    for (uint32_t i = 0; i < 2; i++) {
        double rate_bps = flows[i].bytes * 8 / 0.4;
        cr_assert_float_eq(rate_bps, (double)LINK_BPS / 2, (double)LINK_BPS / 2 * 0.1,
                           "seed %llu, flow %u: %.3g bit/s", (unsigned long long)seed, i, rate_bps);
    }
}

Test(dcqcn, two_flows__fair)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        check_fair(seed);
}
