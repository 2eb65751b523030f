/* SPDX-License-Identifier: BSD-3-Clause */
/* What the event loop of a control thread promises: ticks come again, a stop is never missed, and
 * what is closing is let go of. */
#include <criterion/criterion.h>
#include <signal.h>

#include "tools/weft/machine/loop.h"

struct seen {
    struct weft_loop loop;
    uint32_t ticks, stop_after;
    int signal;
    uint32_t closed;
};

static uint32_t tick(void *context)
{
    struct seen *seen = context;
    if (++seen->ticks == seen->stop_after)
        weft_loop_stop(&seen->loop);
    return 1;
}

static void on_signal(void *context, int number)
{
    struct seen *seen = context;
    seen->signal = number;
    weft_loop_stop(&seen->loop);
}

static void start(struct seen *seen)
{
    struct weft_error error = {0};
    const struct weft_loop_events events = {.tick = tick, .signal = on_signal};
    cr_assert_eq(weft_loop_init(&seen->loop, &events, seen, &error), WEFT_OK);
    cr_assert_eq(weft_loop_start(&seen->loop, 1, &error), WEFT_OK, "%s", error.text);
}

Test(loop, ticks_until_stopped)
{
    struct seen seen = {.stop_after = 3};
    start(&seen);
    weft_loop_run(&seen.loop);
    weft_loop_fini(&seen.loop);
    cr_assert_eq(seen.ticks, 3);
}

Test(loop, stopped_before_it_runs)
{
    struct seen seen = {0};
    start(&seen);
    weft_loop_stop(&seen.loop);
    weft_loop_run(&seen.loop);
    weft_loop_fini(&seen.loop);
    cr_assert_eq(seen.ticks, 0);
}

Test(loop, tells_signals)
{
    struct seen seen = {0};
    start(&seen);
    cr_assert_eq(raise(SIGTERM), 0);
    weft_loop_run(&seen.loop);
    weft_loop_fini(&seen.loop);
    cr_assert_eq(seen.signal, SIGTERM);
}

static void closed(uv_handle_t *handle)
{
    ((struct seen *)handle->data)->closed++;
}

/* After a stop that no run has seen, one turn alone would leave it half closed. */
Test(loop, lets_go_of_what_others_close)
{
    struct seen seen = {0};
    uv_idle_t idle;
    start(&seen);
    cr_assert_eq(uv_idle_init(&seen.loop.uv, &idle), 0);
    idle.data = &seen;
    uv_close((uv_handle_t *)&idle, closed);
    weft_loop_stop(&seen.loop);
    weft_loop_fini(&seen.loop);
    cr_assert_eq(seen.closed, 1);
}

Test(loop, fini_of_nothing)
{
    struct weft_loop loop = {0};
    weft_loop_fini(&loop);
    cr_assert_not(loop.open);
}
