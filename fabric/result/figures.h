/* SPDX-License-Identifier: BSD-3-Clause */
/* Single figures of a test's histograms, as results, expectations and tables share them. */
#ifndef WEFT_RESULT_FIGURES_H
#define WEFT_RESULT_FIGURES_H

#include "fabric/result/result.h"

/* Nothing is faster than its ideal but by the error of a measurement: a share beyond this says that
 * the topology or the measurement is wrong, and is no figure to pass by. */
#define WEFT_FIGURE_IDEAL_SHARE_MAX 1.05
#define WEFT_FIGURE_TOO_GOOD \
    "above what the topology allows: the topology or the measurement is wrong"

/* As weft_hist_percentile, but the tail that is asked for must have its 10 samples at the low end
 * too: the slowest 1 % needs 1000. */
bool weft_figure_percentile(const struct weft_hist *hist, uint32_t millionths, uint64_t *ret_value);

/* "min", "mean", "max", "p99", "p99.9": false where there is no such figure, or not yet. */
bool weft_figure_stat(const struct weft_hist *hist, const char *name, double *ret_value);

/* By an expectation's metric: "completion.p99", "busbw", "lost". False: there is none, and
 * *ret_why says why in a few words. */
bool weft_figure_metric(const struct weft_test_result *result, const char *metric,
                        double *ret_value, const char **ret_why);

static inline bool weft_figure_counted(const struct weft_device_counters *counters,
                                       enum weft_device_counter counter)
{
    return (counters->counted & WEFT_BIT(counter)) != 0;
}

/* The longest of the ranks' measured windows. */
uint64_t weft_figure_window_ns(const struct weft_test_result *result);

#define WEFT_DRIVERS_TEXT 64
/* The drivers of the test's ranks, each once, joined by '+': a NIC may name its own. Returns
 * `text`. */
char *weft_figure_drivers(const struct weft_result *result, const struct weft_test_result *test,
                          char text[WEFT_DRIVERS_TEXT]);

#endif
