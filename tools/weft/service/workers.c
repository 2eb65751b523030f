/* SPDX-License-Identifier: BSD-3-Clause */
/* A runtime's workers, and the noise on them. */
#include <sched.h>

#include "tools/weft/machine/environment.h"
#include "tools/weft/service/state.h"

/* Whose noise is measured. */
#define NOISE_WORKERS 4u

static uint32_t allowed_cpus(uint32_t *cpus, uint32_t room)
{
    cpu_set_t set;
    uint32_t count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 0;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE && count < room; cpu++) {
        if (CPU_ISSET(cpu, &set))
            cpus[count++] = cpu;
    }
    return count;
}

enum weft_status weft_runtime_start_workers(struct weft_runtime *runtime, struct weft_error *error)
{
    uint32_t cpus[WEFT_WORKERS_MAX];
    uint32_t cpu_count = allowed_cpus(cpus, WEFT_WORKERS_MAX);
    if (!cpu_count)
        return weft_error_set(error, WEFT_IO, "cannot read which CPUs this process may use");
    uint32_t wanted = runtime->options.workers ? runtime->options.workers : cpu_count;
    if (runtime->options.virtual_topology)
        wanted = 1;
    if (wanted > WEFT_WORKERS_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "%u workers are more than the limit of %u; use at most one for each "
                              "CPU",
                              wanted, WEFT_WORKERS_MAX);
    for (uint32_t i = 0; i < wanted; i++) {
        const struct weft_worker_options options = {
            .cpu = cpus[i % cpu_count],
            /* Two workers on one CPU that both spin would starve each other by whole time slices.
             */
            .idle = wanted > cpu_count ? WEFT_IDLE_YIELD : runtime->options.idle,
            .clock = &runtime->clock,
        };
        enum weft_status status = weft_worker_create(&options, &runtime->workers[i], error);
        if (status != WEFT_OK)
            return status;
        runtime->worker_count++;
    }
    return WEFT_OK;
}

static void measure_noise(void *argument)
{
    struct weft_runtime *runtime = argument;
    weft_environment_measure_noise(&runtime->clock, &runtime->environment);
}

/* One after the other, so that one worker's measurement is not another's noise; a few of many, for
 * a start should not take seconds. */
void weft_runtime_measure_noise(struct weft_runtime *runtime)
{
    uint32_t count = runtime->worker_count < NOISE_WORKERS ? runtime->worker_count : NOISE_WORKERS;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_worker *worker = runtime->workers[i * runtime->worker_count / count];
        weft_worker_run(worker, NULL, 0);
        weft_worker_call(worker, measure_noise, runtime);
        weft_worker_park(worker);
    }
}
