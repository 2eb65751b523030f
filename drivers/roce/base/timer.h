/* SPDX-License-Identifier: BSD-3-Clause */
/* A timer wheel: arming, moving and disarming cost a store where the timer is filed already, and a
 * timer that is not armed costs nothing. Deadlines are rounded up to a tick of about 16 us. */
#ifndef WEFT_ROCE_TIMER_H
#define WEFT_ROCE_TIMER_H

#include "drivers/roce/base/list.h"

#include <stdint.h>

#define WEFT_TIMER_SLOTS 256u
#define WEFT_TIMER_TICK_SHIFT 14u
#define WEFT_TIMER_NEVER UINT64_MAX

/* Whose it is. */
enum weft_timer_kind {
    WEFT_TIMER_QP = 0,
    WEFT_TIMER_NEIGHBOUR,
};

struct weft_timer {
    struct weft_link link;
    uint64_t deadline_ns; /* WEFT_TIMER_NEVER: not armed */
    uint64_t filed_tick;  /* where the wheel will look at it: no later than the deadline's tick */
    uint8_t kind;         /* enum weft_timer_kind */
};

struct weft_wheel {
    uint64_t tick; /* all up to it has been run */
    uint64_t occupied[WEFT_TIMER_SLOTS / 64];
    struct weft_link slots[WEFT_TIMER_SLOTS];
};

void weft_timer_init(struct weft_timer *timer, uint8_t kind);
void weft_wheel_init(struct weft_wheel *wheel);

/* WEFT_TIMER_NEVER disarms. */
void weft_timer_set(struct weft_wheel *wheel, struct weft_timer *timer, uint64_t deadline_ns);
/* Disarms and takes it off the wheel, before its memory goes. */
void weft_timer_cancel(struct weft_timer *timer);

/* Moves what is due on to `expired`, disarmed; the caller takes each off. */
void weft_wheel_run(struct weft_wheel *wheel, uint64_t now_ns, struct weft_link *expired);

/* No later than the first deadline, rounded up to its tick; WEFT_TIMER_NEVER where there is none.
 * May be early where a timer was moved. */
uint64_t weft_wheel_next_ns(const struct weft_wheel *wheel);

#endif
