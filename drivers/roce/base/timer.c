/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/base/timer.h"

#define SLOT_MASK (WEFT_TIMER_SLOTS - 1u)

static uint64_t tick_of(uint64_t deadline_ns)
{
    uint64_t round = (UINT64_C(1) << WEFT_TIMER_TICK_SHIFT) - 1;
    return (deadline_ns >> WEFT_TIMER_TICK_SHIFT) + ((deadline_ns & round) != 0);
}

void weft_timer_init(struct weft_timer *timer, uint8_t kind)
{
    weft_link_init(&timer->link);
    timer->deadline_ns = WEFT_TIMER_NEVER;
    timer->filed_tick = 0;
    timer->kind = kind;
}

void weft_wheel_init(struct weft_wheel *wheel)
{
    *wheel = (struct weft_wheel){0};
    for (uint32_t i = 0; i < WEFT_TIMER_SLOTS; i++)
        weft_link_init(&wheel->slots[i]);
}

/* A deadline further off than the wheel reaches is filed at its end and looked at again there. */
static void file(struct weft_wheel *wheel, struct weft_timer *timer)
{
    uint64_t tick = tick_of(timer->deadline_ns);
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (tick > wheel->tick + SLOT_MASK)
        tick = wheel->tick + SLOT_MASK;
    timer->filed_tick = tick;
    uint32_t slot = (uint32_t)tick & SLOT_MASK;
    weft_link_append(&wheel->slots[slot], &timer->link);
    wheel->occupied[slot >> 6] |= UINT64_C(1) << (slot & 63);
}

void weft_timer_set(struct weft_wheel *wheel, struct weft_timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    if (deadline_ns == WEFT_TIMER_NEVER)
        return;
    if (!weft_link_empty(&timer->link)) {
        if (timer->filed_tick <= tick_of(deadline_ns))
            return;
        weft_link_remove(&timer->link);
    }
    file(wheel, timer);
}

void weft_timer_cancel(struct weft_timer *timer)
{
    timer->deadline_ns = WEFT_TIMER_NEVER;
    weft_link_remove(&timer->link);
}

static void run_slot(struct weft_wheel *wheel, uint32_t slot, struct weft_link *looked_at)
{
    uint64_t bit = UINT64_C(1) << (slot & 63);
    if (!(wheel->occupied[slot >> 6] & bit))
        return;
    wheel->occupied[slot >> 6] &= ~bit;
    while (!weft_link_empty(&wheel->slots[slot])) {
        struct weft_link *link = wheel->slots[slot].next;
        weft_link_remove(link);
        weft_link_append(looked_at, link);
    }
}

void weft_wheel_run(struct weft_wheel *wheel, uint64_t now_ns, struct weft_link *expired)
{
    uint64_t now_tick = now_ns >> WEFT_TIMER_TICK_SHIFT;
    if (now_tick <= wheel->tick)
        return;
    struct weft_link looked_at;
    weft_link_init(&looked_at);
    uint64_t ticks = now_tick - wheel->tick;
    uint32_t slots = ticks < WEFT_TIMER_SLOTS ? (uint32_t)ticks : WEFT_TIMER_SLOTS;
    for (uint32_t i = 1; i <= slots; i++)
        run_slot(wheel, (uint32_t)(wheel->tick + i) & SLOT_MASK, &looked_at);
    wheel->tick = now_tick;
    while (!weft_link_empty(&looked_at)) {
        struct weft_timer *timer = WEFT_CONTAINER(looked_at.next, struct weft_timer, link);
        weft_link_remove(&timer->link);
        if (timer->deadline_ns == WEFT_TIMER_NEVER)
            continue;
        if (tick_of(timer->deadline_ns) > now_tick) {
            file(wheel, timer);
            continue;
        }
        timer->deadline_ns = WEFT_TIMER_NEVER;
        weft_link_append(expired, &timer->link);
    }
}

uint64_t weft_wheel_next_ns(const struct weft_wheel *wheel)
{
    for (uint32_t i = 1; i <= WEFT_TIMER_SLOTS; i++) {
        uint32_t slot = (uint32_t)(wheel->tick + i) & SLOT_MASK;
        uint64_t word = wheel->occupied[slot >> 6] >> (slot & 63);
        if (!word) {
            i += 63u - (slot & 63);
            continue;
        }
        i += (uint32_t)__builtin_ctzll(word);
        /* A slot is marked until it is run, though its timer may have been moved away. */
        return (wheel->tick + i) << WEFT_TIMER_TICK_SHIFT;
    }
    return WEFT_TIMER_NEVER;
}
