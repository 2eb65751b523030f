/* SPDX-License-Identifier: BSD-3-Clause */
/* An iteration is complete when its slowest deciding agent is: durations come in blocks from each,
 * in order, and the largest of each iteration goes into the histogram. */
#ifndef WEFT_CONTROL_MERGE_H
#define WEFT_CONTROL_MERGE_H

#include "fabric/control/slowest.h"
#include "fabric/hist/hist.h"

/* A power of two: how far an agent may be ahead of the slowest one. */
#define WEFT_MERGE_WINDOW (1u << 18)

struct weft_merge {
    uint64_t *largest_ns;        /* WEFT_MERGE_WINDOW, by the iteration's low bits */
    uint64_t merged;             /* iterations that are in the histogram */
    struct weft_slowest slowest; /* of them */
};

/* False: out of memory. */
bool weft_merge_init(struct weft_merge *merge);
void weft_merge_fini(struct weft_merge *merge);
void weft_merge_clear(struct weft_merge *merge);

/* One agent's block. All of it lies in [merged, merged + window): the caller has looked. */
void weft_merge_add(struct weft_merge *merge, uint64_t first, const uint64_t *durations_ns,
                    size_t count);
/* All deciding agents have given their durations of the iterations below `complete`. `hist` NULL:
 * they do not count. */
void weft_merge_advance(struct weft_merge *merge, uint64_t complete, struct weft_hist *hist);

#endif
