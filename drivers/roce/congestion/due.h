/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due at a time to the nanosecond, the earliest first: a binary heap. The timer wheel
 * rounds to 16 us, in which a fast sender has hundreds of packets. */
#ifndef WEFT_ROCE_DUE_H
#define WEFT_ROCE_DUE_H

#include <stddef.h>
#include <stdint.h>

struct weft_due {
    uint64_t due_ns;
    uint32_t place; /* in the heap, from 1 on; 0: it is in none */
};

struct weft_due_heap {
    struct weft_due **entries; /* the owner's, with room for all that there may be */
    uint32_t count;
};

void weft_due_push(struct weft_due_heap *heap, struct weft_due *due, uint64_t due_ns);
/* Taken where it is in no heap. */
void weft_due_remove(struct weft_due_heap *heap, struct weft_due *due);

/* NULL: it is empty. */
static inline struct weft_due *weft_due_first(const struct weft_due_heap *heap)
{
    return heap->count ? heap->entries[0] : NULL;
}

#endif
