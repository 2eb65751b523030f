/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/runtime.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/weft/machine/environment.h"
#include "tools/weft/service/state.h"

/* ---- the agent's operations ---- */

static enum weft_status runtime_environment(void *context, struct weft_host_environment *ret)
{
    struct weft_runtime *runtime = context;
    *ret = runtime->environment;
    if (!runtime->options.virtual_topology)
        ret->clock_drift_ppb = weft_environment_drift_ppb(&runtime->clock);
    return WEFT_OK;
}

static void run_workers(struct weft_runtime *runtime)
{
    const struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        if (seats->station_counts[i])
            weft_worker_run(runtime->workers[i], seats->stations[i], seats->station_counts[i]);
    }
}

static enum weft_status runtime_prepare(void *context, const struct weft_agent_test *test,
                                        struct weft_error *error)
{
    struct weft_runtime *runtime = context;
    assert(!runtime->seats);
    const struct weft_seats_options options = {
        .test = test,
        .workers = runtime->workers,
        .worker_count = runtime->worker_count,
        .virtual_topology = runtime->options.virtual_topology,
        .allow = &runtime->options.allow,
        .pcap_path = runtime->options.pcap_path,
        .utc_offset_ns = runtime->utc_offset_ns,
        .verbose = runtime->options.verbose,
    };
    enum weft_status status = weft_seats_create(&options, &runtime->seats, error);
    if (status == WEFT_OK)
        run_workers(runtime);
    return status;
}

static void park_workers(const struct weft_runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        weft_worker_park(runtime->workers[i]);
}

static void runtime_halt(void *context)
{
    const struct weft_runtime *runtime = context;
    weft_runtime_end_window(runtime);
    park_workers(runtime);
}

static void runtime_release(void *context)
{
    struct weft_runtime *runtime = context;
    park_workers(runtime);
    weft_seats_destroy(runtime->seats);
    runtime->seats = NULL;
}

const struct weft_agent_runtime *weft_runtime_agent_ops(void)
{
    static const struct weft_agent_runtime ops = {
        .environment = runtime_environment,
        .prepare = runtime_prepare,
        .addresses = weft_runtime_addresses,
        .connect = weft_runtime_connect,
        .connected = weft_runtime_connected,
        .start = weft_runtime_start,
        .grant = weft_runtime_grant,
        .waits = weft_runtime_waits,
        .progress = weft_runtime_progress,
        .take_durations = weft_runtime_take_durations,
        .take_intended = weft_runtime_take_intended,
        .decides = weft_runtime_decides,
        .verify = weft_runtime_verify,
        .halt = runtime_halt,
        .collect = weft_runtime_collect,
        .release = runtime_release,
        .trace_count = weft_runtime_trace_count,
        .trace_keep = weft_runtime_trace_keep,
        .trace = weft_runtime_trace,
    };
    return &ops;
}

/* ---- the runtime itself ---- */

/* Reading it costs nothing, and it is never late. */
static void describe_virtual(struct weft_host_environment *environment)
{
    (void)snprintf(environment->clock_source, sizeof(environment->clock_source), "virtual");
    environment->clock_resolution_ns = 0;
}

enum weft_status weft_runtime_create(const struct weft_runtime_options *options,
                                     struct weft_runtime **ret_runtime, struct weft_error *error)
{
    struct weft_runtime *runtime = calloc(1, sizeof(*runtime));
    if (!runtime)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the runtime");
    runtime->options = *options;
    enum weft_status status = weft_environment_calibrate(&runtime->clock, error);
    if (status == WEFT_OK)
        status = weft_runtime_start_workers(runtime, error);
    if (status != WEFT_OK) {
        weft_runtime_destroy(runtime);
        return status;
    }
    runtime->utc_offset_ns = weft_environment_utc_offset_ns(&runtime->clock);
    weft_environment_describe(&runtime->clock, &runtime->environment);
    if (options->virtual_topology)
        describe_virtual(&runtime->environment);
    else
        weft_runtime_measure_noise(runtime);
    *ret_runtime = runtime;
    return WEFT_OK;
}

enum weft_status weft_runtime_stop(struct weft_runtime *runtime, struct weft_error *error)
{
    runtime_release(runtime);
    return weft_seats_stop_drivers(error);
}

void weft_runtime_destroy(struct weft_runtime *runtime)
{
    if (!runtime)
        return;
    enum weft_status stopped = weft_runtime_stop(runtime, NULL);
    (void)stopped;
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        weft_worker_destroy(runtime->workers[i]);
    free(runtime);
}

enum weft_status weft_runtime_service(struct weft_runtime *runtime, struct weft_error *error)
{
    const struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; seats && i < seats->device_count; i++) {
        const struct weft_seat_device *device = &seats->devices[i];
        enum weft_status status = device->driver->service(device->device, error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

uint64_t weft_runtime_now_ns(const struct weft_runtime *runtime)
{
    return weft_now(&runtime->clock);
}
