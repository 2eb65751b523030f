/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/loop.h"

#include <assert.h>

enum weft_status weft_loop_init(struct weft_loop *loop, const struct weft_loop_events *events,
                                void *context, struct weft_error *error)
{
    *loop = (struct weft_loop){.events = *events, .context = context};
    if (uv_loop_init(&loop->uv))
        return weft_error_set(error, WEFT_IO, "cannot make an event loop");
    loop->open = true;
    return WEFT_OK;
}

static void tick(uv_timer_t *timer)
{
    struct weft_loop *loop = timer->data;
    uint32_t next_ms = loop->events.tick(loop->context);
    (void)uv_timer_start(timer, tick, next_ms, 0); /* fails without a callback only */
}

static void caught(uv_signal_t *handle, int number)
{
    const struct weft_loop *loop = handle->data;
    loop->events.signal(loop->context, number);
}

enum weft_status weft_loop_start(struct weft_loop *loop, uint32_t first_tick_ms,
                                 struct weft_error *error)
{
    int numbers[WEFT_STOP_SIGNALS];
    (void)uv_timer_init(&loop->uv, &loop->timer); /* cannot fail */
    loop->timer.data = loop;
    loop->started = true;
    (void)uv_timer_start(&loop->timer, tick, first_tick_ms, 0);
    uint32_t count = weft_signals_stop(numbers);
    for (uint32_t i = 0; i < count; i++) {
        uv_signal_t *handle = &loop->signals[i];
        int result = uv_signal_init(&loop->uv, handle);
        handle->data = loop;
        loop->signal_count += result == 0;
        result = result ? result : uv_signal_start(handle, caught, numbers[i]);
        if (result)
            return weft_error_set(error, WEFT_IO, "cannot catch signals: %s", uv_strerror(result));
    }
    return WEFT_OK;
}

void weft_loop_run(struct weft_loop *loop)
{
    while (!loop->stopped)
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void weft_loop_stop(struct weft_loop *loop)
{
    loop->stopped = true;
    uv_stop(&loop->uv);
}

/* A pending stop ends one turn of the loop early, so run it until no handles are left. */
static void let_go(struct weft_loop *loop)
{
    if (loop->started)
        uv_close((uv_handle_t *)&loop->timer, NULL);
    for (uint32_t i = 0; i < loop->signal_count; i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT))
        continue;
}

void weft_loop_fini(struct weft_loop *loop)
{
    if (!loop->open)
        return;
    let_go(loop);
    int result = uv_loop_close(&loop->uv);
    assert(!result);
    loop->open = false;
}
