/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/together.h"

#include <math.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/result/figures.h"

/* Jobs stand in the result as in the plan: all alone, then all together. */
static const struct weft_test_result *alone_of(const struct weft_test_result *result)
{
    return result - result->test->together.job_count;
}

static bool figure(const struct weft_test_result *result, const char *metric, double *ret_value)
{
    const char *why = NULL;
    return !result->broken[0] && weft_figure_metric(result, metric, ret_value, &why);
}

/* NaN where one of the two is absent. */
static double ratio(const struct weft_test_result *above, const struct weft_test_result *below,
                    const char *metric)
{
    double upper = 0, lower = 0;
    if (!figure(above, metric, &upper) || !figure(below, metric, &lower) || lower <= 0)
        return (double)NAN;
    return upper / lower;
}

bool weft_test_interference(const struct weft_test_result *result, struct weft_interference *ret)
{
    if (!weft_test_is_together(result->test))
        return false;
    const struct weft_test_result *alone = alone_of(result);
    const char *bandwidth = result->test->rate_bps ? "achieved" : "algbw";
    *ret = (struct weft_interference){
        .p50 = ratio(result, alone, "completion.p50"),
        .p99 = ratio(result, alone, "completion.p99"),
        .bandwidth = ratio(alone, result, bandwidth),
    };
    return true;
}

bool weft_interference_metric(const struct weft_test_result *result, const char *metric,
                              double *ret_value)
{
    struct weft_interference interference;
    if (!weft_test_interference(result, &interference))
        return false;
    *ret_value = strcmp(metric, "interference.p99") == 0         ? interference.p99
                 : strcmp(metric, "interference.bandwidth") == 0 ? interference.bandwidth
                                                                 : interference.p50;
    return isfinite(*ret_value);
}

bool weft_jobs_fairness(const struct weft_test_result *first, double *ret_jain)
{
    double sum = 0, squares = 0;
    uint32_t count = first->test->together.job_count;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_interference interference;
        if (!weft_test_interference(first + i, &interference) || !isfinite(interference.p50) ||
            interference.p50 <= 0)
            return false;
        sum += 1 / interference.p50;
        squares += 1 / (interference.p50 * interference.p50);
    }
    *ret_jain = sum * sum / (count * squares);
    return true;
}

/* ---- the table ---- */

#define NAME_WIDTH 16
#define WIDTH 12

static void print_time(FILE *out, const struct weft_test_result *test, const char *metric)
{
    char shown[WEFT_UNITS_TEXT] = "-";
    double value_ns = 0;
    if (figure(test, metric, &value_ns))
        (void)weft_show_time((uint64_t)llround(value_ns), shown);
    (void)fprintf(out, "%*s", WIDTH, shown);
}

static void print_bandwidth(FILE *out, const struct weft_test_result *test)
{
    char shown[WEFT_UNITS_TEXT] = "-";
    double rate_bps = 0;
    bool known = test->test->rate_bps
                     ? figure(test, "achieved", &rate_bps)
                     : figure(test, "busbw", &rate_bps) || figure(test, "algbw", &rate_bps);
    if (known)
        (void)weft_show_rate((uint64_t)llround(rate_bps), shown);
    (void)fprintf(out, "%*s", WIDTH + 2, shown);
}

static void print_row(FILE *out, const struct weft_test_result *test, const char *name,
                      const char *how)
{
    char count[WEFT_UNITS_TEXT];
    (void)fprintf(out, "  %-*.*s  %-9s", NAME_WIDTH, NAME_WIDTH, name, how);
    print_time(out, test, "completion.p50");
    print_time(out, test, "completion.p99");
    print_time(out, test, "completion.max");
    print_bandwidth(out, test);
    (void)fprintf(out, "    %s iterations\n", weft_show_count(test->completion_ns->count, count));
}

static void print_factor(FILE *out, double factor, int width)
{
    char shown[32] = "-";
    if (isfinite(factor))
        (void)snprintf(shown, sizeof(shown), "x %.2f", factor);
    (void)fprintf(out, "%*s", width, shown);
}

static void print_job(FILE *out, const struct weft_test_result *test)
{
    struct weft_interference interference;
    if (!weft_test_interference(test, &interference))
        return;
    print_row(out, alone_of(test), test->test->together.job, "alone");
    print_row(out, test, "", "together");
    (void)fprintf(out, "  %-*s  %-9s", NAME_WIDTH, "", "slower");
    print_factor(out, interference.p50, WIDTH);
    print_factor(out, interference.p99, WIDTH);
    print_factor(out, interference.bandwidth, 2 * WIDTH + 2);
    (void)fprintf(out, "\n");
}

void weft_together_print(FILE *out, const struct weft_test_result *test)
{
    const struct weft_together *together = &test->test->together;
    double jain = 0;
    if (!weft_test_is_together(test->test) || together->index + 1 != together->job_count)
        return;
    const struct weft_test_result *first = test - together->index;
    (void)fprintf(out, "\ntogether   %s: %u jobs at once, each compared with running alone\n",
                  together->name, together->job_count);
    (void)fprintf(out, "  %-*s  %-9s%*s%*s%*s%*s\n", NAME_WIDTH, "job", "", WIDTH, "p50", WIDTH,
                  "p99", WIDTH, "max", WIDTH + 2, "bandwidth");
    for (uint32_t i = 0; i < together->job_count; i++)
        print_job(out, first + i);
    if (weft_jobs_fairness(first, &jain))
        (void)fprintf(out, "  jobs' fairness Jain %.3f, of what each keeps of its speed\n", jain);
}
