/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that a person watches while a run is under way; nothing where stderr is no terminal. */
#ifndef WEFT_TOOLS_PROGRESS_H
#define WEFT_TOOLS_PROGRESS_H

#include <stdbool.h>

#include "fabric/control/control.h"

struct weft_progress {
    bool enabled;
    bool shown;
    uint64_t next_ms; /* when to draw again */
};

void weft_progress_init(struct weft_progress *progress, bool quiet);
void weft_progress_show(struct weft_progress *progress, const struct weft_plan *plan,
                        const struct weft_controller_status *status,
                        const struct weft_result *result);
void weft_progress_clear(struct weft_progress *progress);

#endif
