/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/commands/worker_options.h"

#include <string.h>

enum weft_status weft_runtime_choose(const struct weft_runtime_choice *choice,
                                     struct weft_runtime_options *ret_options,
                                     struct weft_error *error)
{
    struct weft_runtime_options options = {
        .workers = (uint32_t)choice->workers.value,
        .idle = WEFT_IDLE_SPIN,
        .verbose = choice->verbose,
    };
    if (choice->idle && strcmp(choice->idle, "yield") == 0)
        options.idle = WEFT_IDLE_YIELD;
    else if (choice->idle && strcmp(choice->idle, "spin") != 0)
        return weft_error_set(error, WEFT_INVALID, "--idle: '%.80s' is neither spin nor yield",
                              choice->idle);
    *ret_options = options;
    return WEFT_OK;
}
