/* SPDX-License-Identifier: BSD-3-Clause */
/* The room of one work queue. Works go in and complete in order; those that ask for no completion
 * give their room back when a later one completes, for the device tells of them no sooner. So that
 * a run of such works cannot fill the queue for ever, one in half a queue is signaled anyway, and
 * its completion kept from the caller. Pure. */
#ifndef WEFT_DRIVERS_VERBS_WINDOW_H
#define WEFT_DRIVERS_VERBS_WINDOW_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct weft_verbs_window {
    uint32_t head, tail; /* works taken and released so far; they wrap */
    uint32_t limit;      /* outstanding at most */
    uint32_t mask;       /* of the slots, a power of two >= limit, less 1 */
    uint32_t unsignaled; /* taken since the last signaled one */
};

/* Slots that a queue of this depth needs. */
static inline uint32_t weft_verbs_window_slots(uint32_t depth)
{
    assert(depth <= 1u << 30);
    uint32_t slots = 1;
    while (slots < depth)
        slots <<= 1;
    return slots;
}

static inline void weft_verbs_window_init(struct weft_verbs_window *window, uint32_t depth)
{
    *window =
        (struct weft_verbs_window){.limit = depth, .mask = weft_verbs_window_slots(depth) - 1u};
}

static inline uint32_t weft_verbs_window_room(const struct weft_verbs_window *window)
{
    return window->limit - (window->head - window->tail);
}

/* Takes a slot; there must be room. */
static inline uint32_t weft_verbs_window_take(struct weft_verbs_window *window)
{
    assert(weft_verbs_window_room(window) > 0);
    return window->head++ & window->mask;
}

/* Whether the work that was just taken must be signaled. */
static inline bool weft_verbs_window_signal(struct weft_verbs_window *window, bool wanted)
{
    bool signaled = wanted || ++window->unsignaled >= (window->limit + 1) / 2;
    if (signaled)
        window->unsignaled = 0;
    return signaled;
}

/* The last `count` were refused by the device. Which of the rest was signaled is no longer known:
 * the next one will be. */
static inline void weft_verbs_window_untake(struct weft_verbs_window *window, uint32_t count)
{
    assert(count <= window->head - window->tail);
    window->head -= count;
    window->unsignaled = window->limit;
}

/* The work in `slot` completed, and so all before it. */
static inline void weft_verbs_window_release(struct weft_verbs_window *window, uint32_t slot)
{
    uint32_t count = ((slot - window->tail) & window->mask) + 1;
    assert(count <= window->head - window->tail);
    window->tail += count;
}

#endif
