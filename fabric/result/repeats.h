/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the repeats of a test differ. */
#ifndef WEFT_RESULT_REPEATS_H
#define WEFT_RESULT_REPEATS_H

#include "fabric/result/result.h"

struct weft_spread {
    uint32_t count;
    double mean;
    double deviation; /* standard, of a sample: over count - 1 */
    double variation; /* the deviation's share of the mean; 0 where that is 0 */
    double low, high; /* 95 % confidence interval of the mean, by Student's t */
};

/* False with less than two values. */
bool weft_spread(const double *values, uint32_t count, struct weft_spread *ret_spread);

/* What repeats are compared by; each is a metric, NULL-terminated. */
extern const char *const weft_repeat_metrics[];

/* The metric of each repeat of the test up to this one, as many as have it; `values` has room for
 * WEFT_REPEATS_MAX. Returns how many. */
uint32_t weft_repeat_values(const struct weft_test_result *result, const char *metric,
                            double *values);
/* False but for the last repeat of a test, and where a repeat has no such figure. */
bool weft_repeat_spread(const struct weft_test_result *result, const char *metric,
                        struct weft_spread *ret_spread);

/* A line for each point of sweeps, and for each last repeat how far the repeats differ; malloc'd,
 * the caller's. Empty where there is neither; NULL: out of memory. */
char *weft_result_summary(const struct weft_result *result);

#endif
