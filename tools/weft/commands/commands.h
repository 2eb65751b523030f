/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands, one a file. */
#ifndef WEFT_TOOLS_COMMANDS_H
#define WEFT_TOOLS_COMMANDS_H

#include "tools/weft/terminal/options.h"

extern const struct weft_command weft_command_run;
extern const struct weft_command weft_command_check;
extern const struct weft_command weft_command_agent;
extern const struct weft_command weft_command_devices;
extern const struct weft_command weft_command_patterns;
extern const struct weft_command weft_command_schedule;
extern const struct weft_command weft_command_topologies;
extern const struct weft_command weft_command_keygen;

#endif
