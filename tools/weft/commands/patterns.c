/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "fabric/base/units.h"
#include "fabric/schedule/pattern.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/terminal/output.h"

static void print_list(void)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++)
        printf("%-16s %s\n", (*at)->name, (*at)->summary);
    printf("\n'weft patterns NAME' explains one.\n");
}

/* The default is left to the text where it is none that an option's value could be. */
static void print_option(const struct weft_pattern *pattern, const struct weft_pattern_take *take)
{
    const struct weft_pattern_option *row = &weft_pattern_option_table[take->option];
    const char *const *words = weft_pattern_option_words(pattern, take->option);
    char left[64], text[WEFT_UNITS_TEXT];
    (void)snprintf(left, sizeof(left), "--%s %s", row->name, row->value);
    printf("  %-24s %s", left, take->text ? take->text : row->help);
    for (uint32_t i = 0; take->words && words[i]; i++)
        printf("%s %s", i ? "," : ":", words[i]);
    if (words || (take->default_value && take->default_value >= row->least))
        printf(" (default %s)",
               weft_pattern_option_format(pattern, take->option, take->default_value, text));
    printf("\n");
}

static void print_one(const struct weft_pattern *pattern)
{
    char size[WEFT_UNITS_TEXT];
    uint32_t max_ranks = pattern->max_ranks ? pattern->max_ranks : WEFT_PATTERN_RANKS_MAX;
    printf("%s: %s\n\n%s\n\nOptions:\n", pattern->name, pattern->summary, pattern->text);
    printf("  --ranks N                %u to %u ranks (default %u)\n", pattern->min_ranks,
           max_ranks, pattern->default_ranks);
    if (pattern->default_size_bytes)
        printf("  --size SIZE              %s (default %s)\n", pattern->size_text,
               weft_format_size(pattern->default_size_bytes, size));
    for (uint32_t i = 0; i < pattern->take_count; i++)
        print_option(pattern, &pattern->takes[i]);
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
    .summary = "lists the traffic patterns, or explains one",
    .most_arguments = 1,
    .tables = tables,
    .run = run,
};
