/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/merge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MASK (WEFT_MERGE_WINDOW - 1u)

bool weft_merge_init(struct weft_merge *merge)
{
    merge->merged = 0;
    merge->largest_ns = calloc(WEFT_MERGE_WINDOW, sizeof(*merge->largest_ns));
    return merge->largest_ns != NULL;
}

void weft_merge_fini(struct weft_merge *merge)
{
    free(merge->largest_ns);
    merge->largest_ns = NULL;
}

void weft_merge_clear(struct weft_merge *merge)
{
    merge->merged = 0;
    merge->slowest = (struct weft_slowest){0};
    memset(merge->largest_ns, 0, WEFT_MERGE_WINDOW * sizeof(*merge->largest_ns));
}

void weft_merge_add(struct weft_merge *merge, uint64_t first, const uint64_t *durations_ns,
                    size_t count)
{
    assert(first >= merge->merged);
    assert(first + count <= merge->merged + WEFT_MERGE_WINDOW);
    for (size_t i = 0; i < count; i++) {
        uint64_t *largest_ns = &merge->largest_ns[(first + i) & MASK];
        if (durations_ns[i] > *largest_ns)
            *largest_ns = durations_ns[i];
    }
}

void weft_merge_advance(struct weft_merge *merge, uint64_t complete, struct weft_hist *hist)
{
    assert(complete <= merge->merged + WEFT_MERGE_WINDOW);
    for (; merge->merged < complete; merge->merged++) {
        uint64_t *largest_ns = &merge->largest_ns[merge->merged & MASK];
        if (hist) {
            weft_hist_record(hist, *largest_ns);
            weft_slowest_offer(&merge->slowest, merge->merged, *largest_ns);
        }
        *largest_ns = 0;
    }
}
