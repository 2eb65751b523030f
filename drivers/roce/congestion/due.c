/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/congestion/due.h"

#include <assert.h>

static void put(struct weft_due_heap *heap, uint32_t index, struct weft_due *due)
{
    heap->entries[index] = due;
    due->place = index + 1;
}

static void rise(struct weft_due_heap *heap, uint32_t index, struct weft_due *due)
{
    while (index) {
        uint32_t parent = (index - 1) / 2;
        if (heap->entries[parent]->due_ns <= due->due_ns)
            break;
        put(heap, index, heap->entries[parent]);
        index = parent;
    }
    put(heap, index, due);
}

static void sink(struct weft_due_heap *heap, uint32_t index, struct weft_due *due)
{
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            heap->entries[child + 1]->due_ns < heap->entries[child]->due_ns)
            child++;
        if (due->due_ns <= heap->entries[child]->due_ns)
            break;
        put(heap, index, heap->entries[child]);
        index = child;
    }
    put(heap, index, due);
}

void weft_due_push(struct weft_due_heap *heap, struct weft_due *due, uint64_t due_ns)
{
    assert(!due->place);
    due->due_ns = due_ns;
    rise(heap, heap->count++, due);
}

void weft_due_remove(struct weft_due_heap *heap, struct weft_due *due)
{
    if (!due->place)
        return;
    uint32_t index = due->place - 1;
    assert(index < heap->count && heap->entries[index] == due);
    struct weft_due *last = heap->entries[--heap->count];
    due->place = 0;
    if (last == due)
        return;
    if (index && last->due_ns < heap->entries[(index - 1) / 2]->due_ns)
        rise(heap, index, last);
    else
        sink(heap, index, last);
}
