/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap. What was set first comes first among events of the same time. */
#include <stdlib.h>

#include "drivers/sim/state.h"

bool weft_sim_events_init(struct weft_sim_events *events, uint32_t slots)
{
    *events = (struct weft_sim_events){.slots = slots};
    events->heap = calloc(slots, sizeof(*events->heap));
    events->positions = malloc(slots * sizeof(*events->positions));
    events->at_ps = calloc(slots, sizeof(*events->at_ps));
    events->order = calloc(slots, sizeof(*events->order));
    if (!events->heap || !events->positions || !events->at_ps || !events->order)
        return false;
    for (uint32_t i = 0; i < slots; i++)
        events->positions[i] = WEFT_SIM_NONE;
    return true;
}

void weft_sim_events_fini(struct weft_sim_events *events)
{
    free(events->heap);
    free(events->positions);
    free(events->at_ps);
    free(events->order);
}

static bool before(const struct weft_sim_events *events, uint32_t a, uint32_t b)
{
    if (events->at_ps[a] != events->at_ps[b])
        return events->at_ps[a] < events->at_ps[b];
    return events->order[a] < events->order[b];
}

static void place(struct weft_sim_events *events, uint32_t position, uint32_t slot)
{
    events->heap[position] = slot;
    events->positions[slot] = position;
}

static void rise(struct weft_sim_events *events, uint32_t position)
{
    uint32_t slot = events->heap[position];
    while (position) {
        uint32_t parent = (position - 1) / 2;
        if (!before(events, slot, events->heap[parent]))
            break;
        place(events, position, events->heap[parent]);
        position = parent;
    }
    place(events, position, slot);
}

static void sink(struct weft_sim_events *events, uint32_t position)
{
    uint32_t slot = events->heap[position];
    for (;;) {
        uint32_t child = 2 * position + 1;
        if (child >= events->count)
            break;
        if (child + 1 < events->count &&
            before(events, events->heap[child + 1], events->heap[child]))
            child++;
        if (!before(events, events->heap[child], slot))
            break;
        place(events, position, events->heap[child]);
        position = child;
    }
    place(events, position, slot);
}

void weft_sim_event_set(struct weft_sim_events *events, uint32_t slot, uint64_t at_ps)
{
    assert(slot < events->slots && at_ps != WEFT_SIM_NEVER);
    events->at_ps[slot] = at_ps;
    events->order[slot] = events->next_order++;
    if (events->positions[slot] == WEFT_SIM_NONE)
        place(events, events->count++, slot);
    rise(events, events->positions[slot]);
    sink(events, events->positions[slot]);
}

void weft_sim_event_hasten(struct weft_sim_events *events, uint32_t slot, uint64_t at_ps)
{
    if (events->positions[slot] == WEFT_SIM_NONE || events->at_ps[slot] > at_ps)
        weft_sim_event_set(events, slot, at_ps);
}

uint32_t weft_sim_event_take(struct weft_sim_events *events)
{
    assert(events->count);
    uint32_t slot = events->heap[0];
    uint32_t last = events->heap[--events->count];
    events->positions[slot] = WEFT_SIM_NONE;
    if (last != slot) {
        place(events, 0, last);
        sink(events, 0);
    }
    return slot;
}
