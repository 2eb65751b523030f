/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker: a pinned thread that polls devices and the nodes on them, and does nothing else. */
#ifndef WEFT_TOOLS_WORKER_H
#define WEFT_TOOLS_WORKER_H

#include "fabric/base/clock.h"
#include "tools/weft/machine/station.h"

#define WEFT_WORKERS_MAX 256u

enum weft_idle {
    WEFT_IDLE_SPIN = 0, /* a worker has its CPU to itself */
    WEFT_IDLE_YIELD,    /* several processes share it: an idle worker lets others run */
};

struct weft_worker;

struct weft_worker_options {
    uint32_t cpu;
    enum weft_idle idle;
    const struct weft_clock *clock; /* must outlive the worker */
};

/* The thread starts parked: asleep, polling nothing. */
WEFT_CHECKED enum weft_status weft_worker_create(const struct weft_worker_options *options,
                                                 struct weft_worker **ret_worker,
                                                 struct weft_error *error);
/* Parks it and ends the thread. NULL is taken. */
void weft_worker_destroy(struct weft_worker *worker);

/* Gives it stations to poll and starts it; the stations must stay valid until it is parked. */
void weft_worker_run(struct weft_worker *worker, struct weft_station *stations, uint32_t count);
/* Returns when the thread has stopped polling. */
void weft_worker_park(struct weft_worker *worker);

/* Runs `function(argument)` on the worker between two turns and waits for it; runs it on the
 * calling thread if the worker is parked. Use it for data that belongs to the polling thread. */
void weft_worker_call(struct weft_worker *worker, void (*function)(void *argument), void *argument);

/* Virtual time only: true while time stands still until iterations are granted; nothing changes
 * until then. */
bool weft_worker_waits(const struct weft_worker *worker);

struct weft_worker_preemptions {
    uint64_t count;
    uint64_t lost_ns; /* without the CPU, from a start of its own */
};

/* How often the operating system has taken the CPU from the thread, and for how long, so far; by a
 * call, so not for a parked worker. lost_ns stays 0 for a worker that yields when idle: what it
 * gives up cannot be told from what was taken. */
void weft_worker_preemptions(struct weft_worker *worker, struct weft_worker_preemptions *ret);

uint32_t weft_worker_cpu(const struct weft_worker *worker);

#endif
