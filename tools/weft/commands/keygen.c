/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tools/weft/commands/commands.h"
#include "tools/weft/net/key.h"
#include "tools/weft/terminal/output.h"

static int run(int argc, char **argv)
{
    struct weft_arguments arguments;
    int exit_status = 0;
    if (!weft_options_take(&weft_command_keygen, argc, argv, NULL, &arguments, &exit_status))
        return exit_status;
    struct weft_error error = {0};
    if (weft_key_generate(arguments.items[0], &error) != WEFT_OK) {
        weft_output_error(&error);
        return WEFT_EXIT_BAD_INPUT;
    }
    printf("%s: a new key; give each agent and the controller a copy, readable only by its owner\n",
           arguments.items[0]);
    return weft_output_end(WEFT_EXIT_DONE);
}

static const struct weft_option *const tables[] = {NULL};

const struct weft_command weft_command_keygen = {
    .name = "keygen",
    .usage = "FILE",
    .summary = "makes the key that the controller and the agents share",
    .text = "The file must not exist. It holds 32 random bytes as hex digits; anyone who has it "
            "can\ncontrol the agents that were started with it.",
    .least_arguments = 1,
    .most_arguments = 1,
    .tables = tables,
    .run = run,
};
