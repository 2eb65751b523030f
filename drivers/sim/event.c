/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap. Which of several events of the same time comes first is drawn from the time and
 * the places alone. Were it the one that was set first, the order in which ranks are polled would
 * decide, and by it how soon a grant comes from another thread; were it the lower place, one link
 * would win every time. */
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

/* The finaliser of splitmix64. */
static uint64_t draw(uint64_t at_ps, uint32_t place)
{
    uint64_t z = at_ps + (place + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool before(const struct weft_sim_events *events, uint32_t a, uint32_t b)
{
    if (events->at_ps[a] != events->at_ps[b])
        return events->at_ps[a] < events->at_ps[b];
    if (events->order[a] != events->order[b])
        return events->order[a] < events->order[b];
    return a < b;
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

void weft_sim_event_set(struct weft_sim_events *events, uint32_t slot, uint32_t whose,
                        uint64_t at_ps)
{
    assert(slot < events->slots && at_ps != WEFT_SIM_NEVER);
    events->at_ps[slot] = at_ps;
    events->order[slot] = draw(at_ps, whose);
    if (events->positions[slot] == WEFT_SIM_NONE)
        place(events, events->count++, slot);
    rise(events, events->positions[slot]);
    sink(events, events->positions[slot]);
}

void weft_sim_event_hasten(struct weft_sim_events *events, uint32_t slot, uint64_t at_ps)
{
    if (events->positions[slot] == WEFT_SIM_NONE || events->at_ps[slot] > at_ps)
        weft_sim_event_set(events, slot, slot, at_ps);
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
