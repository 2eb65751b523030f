/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "fabric/base/units.h"
#include "fabric/schedule/pattern.h"
#include "tools/weft/commands.h"
#include "tools/weft/output.h"

static void print_list(void)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++)
        printf("%-16s %s\n", (*at)->name, (*at)->summary);
    printf("\n'weft patterns NAME' tells more of one.\n");
}

static void print_one(const struct weft_pattern *pattern)
{
    char size[WEFT_UNITS_TEXT];
    printf("%s: %s\n\n%s\n\nRanks: %u, at least %u. Size: %s.\n", pattern->name, pattern->summary,
           pattern->text, pattern->default_ranks, pattern->min_ranks,
           weft_format_size(pattern->default_size_bytes, size));
}

static int run(int argc, char **argv)
{
    struct weft_arguments arguments;
    int exit_status = 0;
    if (!weft_options_take(&weft_command_patterns, argc, argv, NULL, &arguments, &exit_status))
        return exit_status;
    if (!arguments.count) {
        print_list();
        return weft_output_end(WEFT_EXIT_DONE);
    }
    struct weft_error error = {0};
    const struct weft_pattern *pattern = weft_pattern_find(arguments.items[0], &error);
    if (!pattern) {
        weft_output_error(&error);
        return WEFT_EXIT_BAD_INPUT;
    }
    print_one(pattern);
    return weft_output_end(WEFT_EXIT_DONE);
}

static const struct weft_option *const tables[] = {NULL};

const struct weft_command weft_command_patterns = {
    .name = "patterns",
    .usage = "[NAME]",
    .summary = "lists the traffic patterns, or tells all about one",
    .most_arguments = 1,
    .tables = tables,
    .run = run,
};
