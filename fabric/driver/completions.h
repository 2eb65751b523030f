/* SPDX-License-Identifier: BSD-3-Clause */
/* Completions between the driver that puts them and cq_poll that takes them: a ring in memory, for
 * one thread. A driver whose completion queue is no more than that uses the ops of
 * fabric/driver/default.h, and casts its `struct weft_cq` to this. One that needs more has this as
 * the first member of its own `struct weft_cq`, and still takes the default cq_poll. */
#ifndef WEFT_DRIVER_COMPLETIONS_H
#define WEFT_DRIVER_COMPLETIONS_H

#include <assert.h>

#include "fabric/driver.h"

struct weft_completions {
    struct weft_completion *ring;
    uint32_t head, tail; /* put and taken so far; they wrap */
    uint32_t mask;
};

/* Room for at least `depth` completions, of 1 to 2^31. False: out of memory. */
WEFT_CHECKED bool weft_completions_init(struct weft_completions *completions, uint32_t depth);
void weft_completions_fini(struct weft_completions *completions);

static inline uint32_t weft_completions_room(const struct weft_completions *completions)
{
    return completions->mask + 1 - (completions->head - completions->tail);
}

/* There must be room: the depth covers every work that may be outstanding. */
static inline void weft_completions_put(struct weft_completions *completions,
                                        const struct weft_completion *completion)
{
    assert(weft_completions_room(completions));
    completions->ring[completions->head++ & completions->mask] = *completion;
}

#endif
