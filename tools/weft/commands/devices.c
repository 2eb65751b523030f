/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/registry.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/terminal/output.h"

#define INDENT 4

/* The first visit measures the names, the second prints. */
struct listing {
    bool prints;
    uint32_t count;
    int name_columns;
};

/* Words that span lines keep their indent. */
static void print_indented(const char *text, int columns)
{
    printf("%*s", columns, "");
    for (const char *at = text; *at; at++) {
        (void)putchar(*at);
        if (*at == '\n' && at[1])
            printf("%*s", columns, "");
    }
    (void)putchar('\n');
}

static void visit(void *context, const struct weft_device_description *device)
{
    struct listing *listing = context;
    int columns = (int)strnlen(device->name, 60);
    if (!listing->prints) {
        listing->count++;
        if (columns > listing->name_columns)
            listing->name_columns = columns;
        return;
    }
    printf("%*s%-*s  %s\n", INDENT, "", listing->name_columns, device->name,
           device->detail ? device->detail : "");
    if (device->hindrance)
        print_indented(device->hindrance, INDENT + listing->name_columns + 2);
}

static void print_driver(const struct weft_driver *driver)
{
    struct listing listing = {0};
    printf("%s: %s\n", driver->name, driver->summary);
    driver->list(visit, &listing);
    listing.prints = true;
    driver->list(visit, &listing);
    if (!listing.count)
        printf("%*sno device\n", INDENT, "");
}

static int run(int argc, char **argv)
{
    struct weft_arguments arguments;
    int exit_status = 0;
    if (!weft_options_take(&weft_command_devices, argc, argv, NULL, &arguments, &exit_status))
        return exit_status;
    for (const struct weft_driver *const *at = weft_drivers(); *at; at++)
        print_driver(*at);
    return weft_output_end(WEFT_EXIT_DONE);
}

static const struct weft_option *const tables[] = {NULL};

const struct weft_command weft_command_devices = {
    .name = "devices",
    .usage = "",
    .summary = "lists each driver's devices on this host, and what prevents their use",
    .tables = tables,
    .run = run,
};
