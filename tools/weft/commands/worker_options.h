/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of run and agent that concern the workers. */
#ifndef WEFT_TOOLS_WORKER_OPTIONS_H
#define WEFT_TOOLS_WORKER_OPTIONS_H

#include "tools/weft/service/runtime.h"
#include "tools/weft/terminal/options.h"

struct weft_runtime_choice {
    struct weft_number workers;
    const char *idle;
    bool verbose;
};

/* Rows of a table; `at` is the offset of a struct weft_runtime_choice in the caller's object. */
#define WEFT_RUNTIME_OPTION_ROWS(at)                                         \
    {"workers",                                                              \
     "N",                                                                    \
     "number of polling threads (default one for each CPU)",                 \
     WEFT_OPTION_COUNT,                                                      \
     (at) + offsetof(struct weft_runtime_choice, workers),                   \
     1,                                                                      \
     4096},                                                                  \
        {"idle",                                                             \
         "spin|yield",                                                       \
         "what an idle worker does (default spin; yield where CPUs are "     \
         "shared)",                                                          \
         WEFT_OPTION_TEXT,                                                   \
         (at) + offsetof(struct weft_runtime_choice, idle),                  \
         0,                                                                  \
         0},                                                                 \
    {                                                                        \
        "verbose", NULL, "show the drivers' own messages", WEFT_OPTION_FLAG, \
            (at) + offsetof(struct weft_runtime_choice, verbose), 0, 0       \
    }

WEFT_CHECKED enum weft_status weft_runtime_choose(const struct weft_runtime_choice *choice,
                                                  struct weft_runtime_options *ret_options,
                                                  struct weft_error *error);

#endif
