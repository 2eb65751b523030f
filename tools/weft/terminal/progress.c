/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/terminal/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fabric/base/units.h"

#define REDRAW_MS 200u
#define SECOND_NS 1000000000u

void weft_progress_init(struct weft_progress *progress, bool quiet)
{
    *progress = (struct weft_progress){.enabled = !quiet && isatty(STDERR_FILENO)};
}

static bool is_due(struct weft_progress *progress)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now))
        return false;
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (now_ms < progress->next_ms)
        return false;
    progress->next_ms = now_ms + REDRAW_MS;
    return true;
}

/* Back to the line's start, then the line away. */
#define CLEAR "\r\033[K"

/* Of the iterations that have been measured until now. */
static void show_figures(const struct weft_result *result, uint32_t test)
{
    static const uint32_t millionths[] = {500000, 990000};
    static const char *const names[] = {"p50", "p99"};
    char shown[WEFT_UNITS_TEXT];
    for (size_t i = 0; test < result->test_count && i < 2; i++) {
        uint64_t value_ns = 0;
        if (weft_hist_percentile(result->tests[test].completion_ns, millionths[i], &value_ns))
            (void)fprintf(stderr, ", %s %s", names[i], weft_show_time(value_ns, shown));
    }
}

void weft_progress_show(struct weft_progress *progress, const struct weft_plan *plan,
                        const struct weft_controller_status *status,
                        const struct weft_result *result)
{
    char done[WEFT_UNITS_TEXT], planned[WEFT_UNITS_TEXT];
    if (!progress->enabled || status->test >= plan->test_count || !is_due(progress))
        return;
    progress->shown = true;
    (void)fprintf(stderr, CLEAR "%s (%u of %u): %s", plan->tests[status->test].name,
                  status->test + 1, plan->test_count, status->stage);
    if (status->iterations_done || status->iterations_planned)
        (void)fprintf(stderr, ", %s", weft_show_count(status->iterations_done, done));
    if (status->iterations_planned)
        (void)fprintf(stderr, " of %s", weft_show_count(status->iterations_planned, planned));
    if (status->iterations_done || status->iterations_planned)
        (void)fprintf(stderr, " iterations");
    (void)fprintf(stderr, ", %llu s", (unsigned long long)(status->elapsed_ns / SECOND_NS));
    if (status->duration_ns && status->duration_ns != WEFT_FOREVER)
        (void)fprintf(stderr, " of %llu s", (unsigned long long)(status->duration_ns / SECOND_NS));
    show_figures(result, status->test);
    (void)fflush(stderr);
}

void weft_progress_clear(struct weft_progress *progress)
{
    if (progress->shown)
        (void)fprintf(stderr, CLEAR);
    progress->shown = false;
}
