/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/repeats.h"

#include <math.h>

#include "fabric/plan/sweep.h"
#include "fabric/result/figures.h"

/* Student's t, two-sided 95 %, by degrees of freedom from 1 on. Beyond the table the next smaller
 * one is taken: an interval is too wide rather than too narrow. */
static const double quantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                   2.060,  2.056, 2.052, 2.048, 2.045, 2.042};

static double quantile(uint32_t freedom)
{
    uint32_t last = sizeof(quantiles) / sizeof(quantiles[0]);
    if (freedom >= 60)
        return 2.000;
    return quantiles[(freedom < last ? freedom : last) - 1];
}

bool weft_spread(const double *values, uint32_t count, struct weft_spread *ret_spread)
{
    double sum = 0, squares = 0;
    if (count < 2)
        return false;
    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    double mean = sum / count;
    for (uint32_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    double deviation = sqrt(squares / (count - 1));
    double half = quantile(count - 1) * deviation / sqrt((double)count);
    *ret_spread = (struct weft_spread){.count = count,
                                       .mean = mean,
                                       .deviation = deviation,
                                       .variation = mean > 0 ? deviation / mean : 0,
                                       .low = mean - half,
                                       .high = mean + half};
    return true;
}

const char *const weft_repeat_metrics[] = {
    "completion.p50", "completion.p99", "latency.p50", "latency.p99",
    "bandwidth.mean", "busbw",          "achieved",    NULL,
};

uint32_t weft_repeat_values(const struct weft_test_result *result, const char *metric,
                            double *values)
{
    uint32_t count = 0;
    /* The repeats of a test stand one behind the other. */
    for (uint32_t back = result->test->repeat + 1; back-- > 0;) {
        const char *why = NULL;
        count += weft_figure_metric(result - back, metric, &values[count], &why);
    }
    return count;
}

bool weft_repeat_spread(const struct weft_test_result *result, const char *metric,
                        struct weft_spread *ret_spread)
{
    double values[WEFT_REPEATS_MAX];
    uint32_t repeats = result->test->repeats;
    if (repeats < 2 || repeats > WEFT_REPEATS_MAX || result->test->repeat + 1 != repeats)
        return false;
    return weft_repeat_values(result, metric, values) == repeats &&
           weft_spread(values, repeats, ret_spread);
}
