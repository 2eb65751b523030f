/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands at the end of a run of many tests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/result/figures.h"
#include "fabric/result/repeats.h"

#define NAME_WIDTH_MAX 60

static const char *show(const char *metric, double value, char text[WEFT_UNITS_TEXT])
{
    uint64_t whole = value > 0 ? (uint64_t)llround(value) : 0;
    if (weft_metric_is_time(metric))
        return weft_show_time(whole, text);
    return weft_metric_is_rate(metric) ? weft_show_rate(whole, text) : weft_show_count(whole, text);
}

static void print_spread(FILE *out, const struct weft_test_result *test, const char *metric)
{
    char mean[WEFT_UNITS_TEXT], low[WEFT_UNITS_TEXT], high[WEFT_UNITS_TEXT];
    struct weft_spread spread;
    if (!weft_repeat_spread(test, metric, &spread))
        return;
    (void)fprintf(out, "  %-16s mean %s, 95 %% between %s and %s, CV %.1f %%\n", metric,
                  show(metric, spread.mean, mean), show(metric, spread.low, low),
                  show(metric, spread.high, high), spread.variation * 100);
}

static void print_repeats(FILE *out, const struct weft_result *result, uint32_t index)
{
    const struct weft_test_result *test = &result->tests[index];
    if (test->test->repeats < 2 || test->test->repeat + 1 != test->test->repeats)
        return;
    (void)fprintf(out, "repeats    %u of %s\n", test->test->repeats,
                  result->tests[index - test->test->repeat].test->name);
    for (const char *const *metric = weft_repeat_metrics; *metric; metric++)
        print_spread(out, test, *metric);
}

static const struct {
    const char *metric, *head;
} columns[] = {
    {"completion.p50", "completion p50"},
    {"completion.p99", "p99"},
    {"latency.p50", "message p50"},
    {"busbw", "busbw"},
    {"achieved", "achieved"},
    {"lost", "lost"},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define COLUMN_WIDTH 16

static int name_width(const struct weft_result *result)
{
    size_t width = 4;
    for (uint32_t i = 0; i < result->test_count; i++) {
        size_t length = strlen(result->tests[i].test->name);
        width = length > width ? length : width;
    }
    return (int)(width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX);
}

static void print_point(FILE *out, const struct weft_test_result *test, int width)
{
    (void)fprintf(out, "%-*s", width, test->test->name);
    for (size_t i = 0; i < COLUMNS; i++) {
        char shown[WEFT_UNITS_TEXT] = "-";
        const char *why = NULL;
        double value = 0;
        if (weft_figure_metric(test, columns[i].metric, &value, &why))
            (void)show(columns[i].metric, value, shown);
        (void)fprintf(out, "%*s", COLUMN_WIDTH, shown);
    }
    (void)fprintf(out, "\n");
}

static void print_sweep(FILE *out, const struct weft_result *result)
{
    int width = name_width(result);
    bool headed = false;
    for (uint32_t i = 0; i < result->test_count; i++) {
        if (!result->tests[i].test->swept)
            continue;
        if (!headed)
            (void)fprintf(out, "%-*s", width, "test");
        for (size_t j = 0; !headed && j < COLUMNS; j++)
            (void)fprintf(out, "%*s%s", COLUMN_WIDTH, columns[j].head,
                          j + 1 == COLUMNS ? "\n" : "");
        headed = true;
        print_point(out, &result->tests[i], width);
    }
}

char *weft_result_summary(const struct weft_result *result)
{
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *out = open_memstream(&text, &len_bytes);
    if (!out)
        return NULL;
    print_sweep(out, result);
    for (uint32_t i = 0; i < result->test_count; i++)
        print_repeats(out, result, i);
    bool failed = ferror(out) != 0;
    if (fclose(out) || failed) {
        free(text);
        return NULL;
    }
    return text;
}
