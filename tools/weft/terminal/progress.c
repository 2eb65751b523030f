/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/terminal/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fabric/base/fit.h"
#include "fabric/base/units.h"
#include "tools/weft/terminal/screen.h"

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
#define NAME_LEAST 8u /* so much of a name still tells tests apart */
#define PART_BYTES 96

/* One line that becomes longer as long as there is room. */
struct line {
    char text[512];
    uint32_t room; /* columns that are left */
};

static size_t prefix_bytes(const char *text, uint32_t columns)
{
    size_t len_bytes = 0;
    while (text[len_bytes] && weft_text_columns(text, len_bytes + 1) <= columns)
        len_bytes++;
    return len_bytes;
}

/* Adds the whole part or nothing. If it does not fit, later parts are left out too: the most
 * important come first. */
WEFT_FORMAT(2, 3) static void add(struct line *line, const char *format, ...)
{
    char part[PART_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(part, sizeof(part), format, arguments);
    va_end(arguments);
    size_t used_bytes = strlen(line->text);
    uint32_t columns = weft_text_columns(part, strlen(part));
    if (columns > line->room || used_bytes + strlen(part) >= sizeof(line->text)) {
        line->room = 0;
        return;
    }
    line->room -= columns;
    (void)snprintf(line->text + used_bytes, sizeof(line->text) - used_bytes, "%s", part);
}

/* A long name is cut so that the stage and the iterations find room. */
static void add_name(struct line *line, const char *name, uint32_t rest_columns)
{
    uint32_t room = line->room > rest_columns ? line->room - rest_columns : 0;
    if (room < NAME_LEAST)
        room = NAME_LEAST < line->room ? NAME_LEAST : line->room;
    if (weft_text_columns(name, strlen(name)) <= room)
        room = weft_text_columns(name, strlen(name));
    else
        room = room > 2 ? room - 2 : 0;
    size_t len_bytes = prefix_bytes(name, room);
    if (len_bytes >= PART_BYTES - 3)
        len_bytes = prefix_bytes(name, PART_BYTES / 4 - 1);
    add(line, "%.*s%s", (int)len_bytes, name, name[len_bytes] ? ".." : "");
}

static void add_iterations(struct line *line, const struct weft_controller_status *status)
{
    char done[WEFT_UNITS_TEXT], planned[WEFT_UNITS_TEXT];
    if (status->iterations_planned)
        add(line, ", %s of %s iterations", weft_show_count(status->iterations_done, done),
            weft_show_count(status->iterations_planned, planned));
    else if (status->iterations_done)
        add(line, ", %s iterations", weft_show_count(status->iterations_done, done));
}

static void add_time(struct line *line, const struct weft_controller_status *status)
{
    unsigned long long elapsed_s = status->elapsed_ns / SECOND_NS;
    if (status->duration_ns && status->duration_ns != WEFT_FOREVER)
        add(line, ", %llu s of %llu s", elapsed_s,
            (unsigned long long)(status->duration_ns / SECOND_NS));
    else
        add(line, ", %llu s", elapsed_s);
}

/* Of the iterations that have been measured until now. */
static void add_figures(struct line *line, const struct weft_result *result, uint32_t test)
{
    static const uint32_t millionths[] = {500000, 990000};
    static const char *const names[] = {"p50", "p99"};
    char shown[WEFT_UNITS_TEXT];
    for (size_t i = 0; test < result->test_count && i < 2; i++) {
        uint64_t value_ns = 0;
        if (weft_hist_percentile(result->tests[test].completion_ns, millionths[i], &value_ns))
            add(line, ", %s %s", names[i], weft_show_time(value_ns, shown));
    }
}

/* The last column stays free: a terminal may go on to the next line once it is taken. */
static void make_line(struct line *line, uint32_t columns, const struct weft_plan *plan,
                      const struct weft_controller_status *status, const struct weft_result *result)
{
    struct line rest = {.room = columns};
    add(&rest, " (%u of %u): %s", status->test + 1, plan->test_count, status->stage);
    add_iterations(&rest, status);
    add_time(&rest, status);
    *line = (struct line){.room = columns - 1};
    add_name(line, plan->tests[status->test].name, columns - rest.room);
    add(line, " (%u of %u): %s", status->test + 1, plan->test_count, status->stage);
    add_iterations(line, status);
    add_time(line, status);
    add_figures(line, result, status->test);
}

/* The width is asked for each time: the window may have become another. */
void weft_progress_show(struct weft_progress *progress, const struct weft_plan *plan,
                        const struct weft_controller_status *status,
                        const struct weft_result *result)
{
    struct line line;
    if (!progress->enabled || status->test >= plan->test_count || !is_due(progress))
        return;
    uint32_t columns = weft_screen_columns(STDERR_FILENO);
    if (!columns)
        return;
    make_line(&line, columns, plan, status, result);
    char *shown = weft_text_fit(line.text, 0, weft_screen_is_ascii());
    if (!shown)
        return;
    progress->shown = true;
    (void)fprintf(stderr, CLEAR "%s", shown);
    (void)fflush(stderr);
    free(shown);
}

void weft_progress_clear(struct weft_progress *progress)
{
    if (progress->shown)
        (void)fprintf(stderr, CLEAR);
    progress->shown = false;
}
