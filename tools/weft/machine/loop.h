/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop of a control thread: a periodic tick, and the signals that ask the process to end.
 * */
#ifndef WEFT_TOOLS_LOOP_H
#define WEFT_TOOLS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fabric/base/error.h"
#include "tools/weft/machine/signals.h"

struct weft_loop_events {
    /* Returns in how many milliseconds the next one is due. */
    uint32_t (*tick)(void *context);
    /* One of weft_signals_stop. */
    void (*signal)(void *context, int number);
};

struct weft_loop {
    uv_loop_t uv; /* for those who wait for sockets */
    bool open, started, stopped;
    struct weft_loop_events events;
    void *context;
    uv_timer_t timer;
    uint32_t signal_count;
    uv_signal_t signals[WEFT_STOP_SIGNALS];
};

/* The loop must not move in memory afterwards. */
WEFT_CHECKED enum weft_status weft_loop_init(struct weft_loop *loop,
                                             const struct weft_loop_events *events, void *context,
                                             struct weft_error *error);
/* The ticks begin, and signals are caught. */
WEFT_CHECKED enum weft_status weft_loop_start(struct weft_loop *loop, uint32_t first_tick_ms,
                                              struct weft_error *error);
/* Returns once it is stopped: by an event, or before. */
void weft_loop_run(struct weft_loop *loop);
void weft_loop_stop(struct weft_loop *loop);
/* Runs the loop until handles that others are closing are closed. Does nothing if the loop is not
 * open; a zeroed one counts as not open. */
void weft_loop_fini(struct weft_loop *loop);

#endif
