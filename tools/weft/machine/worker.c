/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/worker.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tools/weft/machine/virtual.h"

/* Turns without work before an idle worker yields: long enough that an answer which is on its way
 * does not cost a trip through the scheduler. */
#define IDLE_TURNS_BEFORE_YIELD 64u

enum worker_state {
    WORKER_PARKED = 0,
    WORKER_RUNNING,
    WORKER_ENDING,
};

struct worker_call {
    void (*function)(void *argument);
    void *argument;
    atomic_bool done;
};

struct weft_worker {
    struct weft_worker_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* state changes only, never while polling */
    pthread_cond_t changed;
    enum worker_state wanted; /* under the mutex */
    enum worker_state state;
    atomic_bool waits;     /* as in weft_worker_waits */
    atomic_bool attention; /* the one word that a turn looks at: leave the loop, or a call */
    _Atomic(struct worker_call *) call;
    struct weft_station *stations;
    uint32_t station_count, first_station;
};

/* Of `count` in a circle, the next one. */
static uint32_t after(uint32_t index, uint32_t count)
{
    return index + 1 < count ? index + 1 : 0;
}

/* Each turn begins with another node than the one before. */
static uint32_t poll_station(const struct weft_worker *worker, struct weft_station *station)
{
    const struct weft_clock *clock = worker->options.clock;
    uint32_t work = station->driver->progress(station->device, weft_now(clock));
    uint32_t node = station->first_node;
    for (uint32_t i = 0; i < station->node_count; i++, node = after(node, station->node_count))
        work += weft_node_poll(station->nodes[node], weft_now(clock));
    station->first_node = after(station->first_node, station->node_count);
    return work;
}

/* And with another station: who is polled first in every turn would be ahead of the others. */
static uint32_t poll_stations(struct weft_worker *worker)
{
    uint32_t work = 0, station = worker->first_station;
    for (uint32_t i = 0; i < worker->station_count;
         i++, station = after(station, worker->station_count))
        work += poll_station(worker, &worker->stations[station]);
    worker->first_station = after(worker->first_station, worker->station_count);
    return work;
}

static void poll_until_attention(struct weft_worker *worker)
{
    uint32_t idle_turns = 0;
    while (!atomic_load_explicit(&worker->attention, memory_order_acquire)) {
        uint32_t work = poll_stations(worker);
        idle_turns = work ? 0 : idle_turns + 1;
        if (worker->options.idle == WEFT_IDLE_YIELD && idle_turns >= IDLE_TURNS_BEFORE_YIELD) {
            sched_yield();
            idle_turns = 0;
        }
    }
}

static void poll_virtual_until_attention(struct weft_worker *worker)
{
    while (!atomic_load_explicit(&worker->attention, memory_order_acquire)) {
        bool waits = false;
        bool worked = weft_virtual_turn(worker->stations, worker->station_count, &waits);
        atomic_store_explicit(&worker->waits, waits, memory_order_release);
        if (!worked)
            sched_yield();
    }
}

bool weft_worker_waits(const struct weft_worker *worker)
{
    return atomic_load_explicit(&worker->waits, memory_order_acquire);
}

static void answer_call(struct weft_worker *worker)
{
    struct worker_call *call = atomic_exchange(&worker->call, NULL);
    if (!call)
        return;
    call->function(call->argument);
    atomic_store_explicit(&worker->waits, false, memory_order_release);
    atomic_store_explicit(&call->done, true, memory_order_release);
}

/* Sleeps while parked. Returns false when the thread is to end. */
static bool settle(struct weft_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    while (worker->wanted == WORKER_PARKED) {
        worker->state = WORKER_PARKED;
        pthread_cond_broadcast(&worker->changed);
        pthread_cond_wait(&worker->changed, &worker->mutex);
    }
    worker->state = worker->wanted;
    bool go_on = worker->state == WORKER_RUNNING;
    pthread_mutex_unlock(&worker->mutex);
    return go_on;
}

static void *worker_main(void *argument)
{
    struct weft_worker *worker = argument;
    while (settle(worker)) {
        if (weft_virtual_stations(worker->stations, worker->station_count))
            poll_virtual_until_attention(worker);
        else
            poll_until_attention(worker);
        atomic_store(&worker->attention, false);
        answer_call(worker);
    }
    return NULL;
}

static void want(struct weft_worker *worker, enum worker_state state)
{
    pthread_mutex_lock(&worker->mutex);
    worker->wanted = state;
    atomic_store_explicit(&worker->attention, state != WORKER_RUNNING, memory_order_release);
    pthread_cond_broadcast(&worker->changed);
    while (state == WORKER_PARKED && worker->state != WORKER_PARKED)
        pthread_cond_wait(&worker->changed, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
}

static int start_pinned(struct weft_worker *worker)
{
    pthread_attr_t attributes;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(worker->options.cpu, &cpus);
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
    int failed = pthread_create(&worker->thread, &attributes, worker_main, worker);
    pthread_attr_destroy(&attributes);
    return failed;
}

enum weft_status weft_worker_create(const struct weft_worker_options *options,
                                    struct weft_worker **ret_worker, struct weft_error *error)
{
    struct weft_worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a worker");
    worker->options = *options;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    int failed = start_pinned(worker);
    if (failed) {
        pthread_cond_destroy(&worker->changed);
        pthread_mutex_destroy(&worker->mutex);
        free(worker);
        return weft_error_set(error, WEFT_IO, "cannot start a worker on CPU %u: %s", options->cpu,
                              strerror(failed));
    }
    *ret_worker = worker;
    return WEFT_OK;
}

void weft_worker_destroy(struct weft_worker *worker)
{
    if (!worker)
        return;
    weft_worker_park(worker);
    want(worker, WORKER_ENDING);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}

void weft_worker_run(struct weft_worker *worker, struct weft_station *stations, uint32_t count)
{
    weft_worker_park(worker);
    worker->stations = stations;
    worker->station_count = count;
    worker->first_station = 0;
    want(worker, WORKER_RUNNING);
}

void weft_worker_park(struct weft_worker *worker)
{
    want(worker, WORKER_PARKED);
}

static bool is_parked(struct weft_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    bool parked = worker->wanted == WORKER_PARKED;
    pthread_mutex_unlock(&worker->mutex);
    return parked;
}

void weft_worker_call(struct weft_worker *worker, void (*function)(void *argument), void *argument)
{
    if (is_parked(worker)) {
        function(argument);
        return;
    }
    struct worker_call call = {.function = function, .argument = argument};
    atomic_store(&worker->call, &call);
    atomic_store_explicit(&worker->attention, true, memory_order_release);
    const struct timespec nap = {.tv_nsec = 20000};
    while (!atomic_load_explicit(&call.done, memory_order_acquire))
        nanosleep(&nap, NULL);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec at;
    (void)clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void read_preemptions(void *argument)
{
    struct weft_worker_preemptions *ret = argument;
    struct rusage usage;
    int failed = getrusage(RUSAGE_THREAD, &usage);
    ret->count = failed ? 0 : (uint64_t)usage.ru_nivcsw;
    ret->lost_ns = clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void weft_worker_preemptions(struct weft_worker *worker, struct weft_worker_preemptions *ret)
{
    assert(!is_parked(worker));
    weft_worker_call(worker, read_preemptions, ret);
    if (worker->options.idle == WEFT_IDLE_YIELD)
        ret->lost_ns = 0;
}

uint32_t weft_worker_cpu(const struct weft_worker *worker)
{
    return worker->options.cpu;
}
