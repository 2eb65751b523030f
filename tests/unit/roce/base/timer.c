/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/base/timer.h"

#include <criterion/criterion.h>

#include "fabric/base/random.h"

#define TICK_NS (UINT64_C(1) << WEFT_TIMER_TICK_SHIFT)

static uint32_t take_all(struct weft_wheel *wheel, uint64_t now_ns)
{
    struct weft_link expired;
    uint32_t count = 0;
    weft_link_init(&expired);
    weft_wheel_run(wheel, now_ns, &expired);
    while (!weft_link_empty(&expired)) {
        weft_link_remove(expired.next);
        count++;
    }
    return count;
}

/* The tick in which a timer set now must fire: a deadline in a tick that was run already waits for
 * the next. */
static uint64_t fires_at(const struct weft_wheel *wheel, uint64_t deadline_ns)
{
    uint64_t tick = (deadline_ns + TICK_NS - 1) >> WEFT_TIMER_TICK_SHIFT;
    return tick > wheel->tick ? tick : wheel->tick + 1;
}

#define TIMERS 40u

struct model {
    struct weft_wheel wheel;
    struct weft_timer timers[TIMERS];
    uint64_t ticks[TIMERS]; /* when each fires */
    struct weft_random random;
    uint64_t now_ns;
};

static void model_change(struct model *model)
{
    uint32_t i = (uint32_t)weft_random_below(&model->random, TIMERS);
    uint64_t pick = weft_random_below(&model->random, 8);
    uint64_t reach_ns = UINT64_C(1) << (10 + weft_random_below(&model->random, 17));
    if (pick == 0) {
        weft_timer_cancel(&model->timers[i]);
        model->ticks[i] = UINT64_MAX;
    } else if (pick < 5) {
        uint64_t deadline_ns = model->now_ns + weft_random_below(&model->random, reach_ns);
        weft_timer_set(&model->wheel, &model->timers[i], deadline_ns);
        model->ticks[i] = fires_at(&model->wheel, deadline_ns);
    }
    model->now_ns += weft_random_below(&model->random, pick == 7 ? 20000000 : 20000);
}

static void model_run(struct model *model)
{
    uint64_t now_tick = model->now_ns >> WEFT_TIMER_TICK_SHIFT;
    uint64_t next_tick = UINT64_MAX;
    uint32_t due = 0;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (model->ticks[i] <= now_tick) {
            model->ticks[i] = UINT64_MAX;
            due++;
        }
        next_tick = model->ticks[i] < next_tick ? model->ticks[i] : next_tick;
    }
    cr_assert_eq(take_all(&model->wheel, model->now_ns), due);
    uint64_t next_ns = weft_wheel_next_ns(&model->wheel);
    if (next_tick == UINT64_MAX)
        return;
    cr_assert_leq(next_ns, next_tick << WEFT_TIMER_TICK_SHIFT);
    cr_assert_gt(next_ns, now_tick << WEFT_TIMER_TICK_SHIFT);
}

/* Random timers, set, moved and cancelled, against what a list would do. */
Test(timer, against_a_list)
{
    static struct model model;
    weft_random_seed(&model.random, 5);
    weft_wheel_init(&model.wheel);
    for (uint32_t i = 0; i < TIMERS; i++) {
        weft_timer_init(&model.timers[i], 0);
        model.ticks[i] = UINT64_MAX;
    }
    for (uint32_t step = 0; step < 200000; step++) {
        model_change(&model);
        model_run(&model);
    }
}

/* Rounded up, never early, at most a tick late; and a far one too. */
Test(timer, exact)
{
    const uint64_t reaches_ns[] = {1, TICK_NS, 1000000, 5000000, 67108864, UINT64_C(10000000000)};
    for (uint32_t i = 0; i < 6; i++) {
        struct weft_wheel wheel;
        struct weft_timer timer;
        weft_wheel_init(&wheel);
        weft_timer_init(&timer, 0);
        uint64_t now_ns = 12345678;
        cr_assert_eq(take_all(&wheel, now_ns), 0);
        uint64_t deadline_ns = now_ns + reaches_ns[i];
        weft_timer_set(&wheel, &timer, deadline_ns);
        uint32_t wakes = 0;
        while (take_all(&wheel, now_ns) == 0) {
            uint64_t next_ns = weft_wheel_next_ns(&wheel);
            cr_assert_gt(next_ns, now_ns);
            now_ns = next_ns;
            cr_assert_lt(++wakes, 10000);
        }
        cr_assert_geq(now_ns, deadline_ns);
        cr_assert_lt(now_ns, deadline_ns + TICK_NS);
        cr_assert_eq(weft_wheel_next_ns(&wheel), WEFT_TIMER_NEVER);
    }
}

/* Moved to an earlier time it fires then, and only once. */
Test(timer, moved)
{
    struct weft_wheel wheel;
    struct weft_timer timer;
    weft_wheel_init(&wheel);
    weft_timer_init(&timer, 0);
    weft_timer_set(&wheel, &timer, 100 * TICK_NS);
    weft_timer_set(&wheel, &timer, 10 * TICK_NS);
    cr_assert_eq(take_all(&wheel, 9 * TICK_NS), 0);
    cr_assert_eq(take_all(&wheel, 10 * TICK_NS), 1);
    cr_assert_eq(take_all(&wheel, 200 * TICK_NS), 0);
    weft_timer_set(&wheel, &timer, 210 * TICK_NS);
    weft_timer_set(&wheel, &timer, 220 * TICK_NS);
    cr_assert_eq(take_all(&wheel, 215 * TICK_NS), 0);
    cr_assert_eq(take_all(&wheel, 220 * TICK_NS), 1);
    weft_timer_set(&wheel, &timer, 230 * TICK_NS);
    weft_timer_set(&wheel, &timer, WEFT_TIMER_NEVER);
    cr_assert_eq(take_all(&wheel, 1000 * TICK_NS), 0);
}
