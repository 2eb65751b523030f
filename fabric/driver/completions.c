/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/driver/completions.h"

#include <stdlib.h>

bool weft_completions_init(struct weft_completions *completions, uint32_t depth)
{
    uint32_t room = 1;
    while (room < depth)
        room *= 2;
    *completions = (struct weft_completions){.mask = room - 1};
    completions->ring = calloc(room, sizeof(*completions->ring));
    return completions->ring != NULL;
}

void weft_completions_fini(struct weft_completions *completions)
{
    free(completions->ring);
}
