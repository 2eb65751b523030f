/* SPDX-License-Identifier: BSD-3-Clause */
/* A phase of a test: its start, what is granted, how far it is. */
#include <string.h>

#include "tools/weft/service/state.h"

static void note_counters(struct weft_seats *seats)
{
    for (uint32_t i = 0; i < seats->device_count; i++) {
        struct weft_seat_device *device = &seats->devices[i];
        device->at_start = *device->driver->counters(device->device);
    }
}

/* Replaces the noted values with the difference to the current ones: before the window that is the
 * worker's count, after the window its growth. Workers without a station are parked. */
static void note_preemptions(const struct weft_runtime *runtime)
{
    struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        struct weft_worker_preemptions now;
        if (!seats->station_counts[i] || runtime->options.virtual_topology)
            continue;
        weft_worker_preemptions(runtime->workers[i], &now);
        seats->preemptions[i].count = now.count - seats->preemptions[i].count;
        seats->preemptions[i].lost_ns = now.lost_ns - seats->preemptions[i].lost_ns;
    }
}

static void begin_window(const struct weft_runtime *runtime)
{
    memset(runtime->seats->preemptions, 0,
           runtime->worker_count * sizeof(runtime->seats->preemptions[0]));
    runtime->seats->window_open = true;
    note_preemptions(runtime);
    note_counters(runtime->seats);
}

void weft_runtime_end_window(const struct weft_runtime *runtime)
{
    if (runtime->seats->window_open)
        note_preemptions(runtime);
    runtime->seats->window_open = false;
}

enum weft_status weft_runtime_start(void *context, enum weft_phase phase, struct weft_error *error)
{
    struct weft_runtime *runtime = context;
    (void)error;
    memset(runtime->grants, 0, sizeof(runtime->grants));
    if (phase == WEFT_PHASE_MEASURE)
        begin_window(runtime);
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        struct weft_seat *seat = &runtime->seats->seats[i];
        const struct weft_phase_options options = {
            .phase = phase, .reduce = runtime->seats->parts[seat->part].reduce};
        seat->durations_count = 0;
        weft_node_start(seat->node, &options);
    }
    return WEFT_OK;
}

static void grant_all(const struct weft_runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        const struct weft_agent_grant *grant = &runtime->grants[seat->part];
        weft_node_expect_grant(seat->node, !grant->last);
        weft_node_grant(seat->node, grant->iterations);
    }
}

/* What belongs to the worker that calls it. */
struct record_call {
    const struct weft_runtime *runtime;
    uint32_t worker;
};

static void record_anew(void *argument)
{
    const struct record_call *call = argument;
    const struct weft_seats *seats = call->runtime->seats;
    for (uint32_t i = 0; i < seats->count; i++) {
        if (seats->devices[seats->seats[i].device].worker == call->worker)
            weft_node_record(seats->seats[i].node, call->runtime->record == WEFT_RECORD_ANEW);
    }
}

static void record_and_grant(void *argument)
{
    const struct record_call *call = argument;
    if (call->runtime->record != WEFT_RECORD_ON)
        record_anew(argument);
    grant_all(call->runtime);
}

/* In virtual time all ranks begin at the same instant. */
void weft_runtime_grant(void *context, const struct weft_agent_grant *grants,
                        enum weft_agent_record record)
{
    struct weft_runtime *runtime = context;
    struct record_call call = {.runtime = runtime};
    memcpy(runtime->grants, grants, runtime->seats->part_count * sizeof(*grants));
    runtime->record = record;
    if (runtime->options.virtual_topology) {
        weft_worker_call(runtime->workers[0], record_and_grant, &call);
        return;
    }
    for (; record != WEFT_RECORD_ON && call.worker < runtime->worker_count; call.worker++)
        weft_worker_call(runtime->workers[call.worker], record_anew, &call);
    grant_all(runtime);
}

bool weft_runtime_waits(void *context)
{
    const struct weft_runtime *runtime = context;
    return runtime->options.virtual_topology && weft_worker_waits(runtime->workers[0]);
}

enum weft_status weft_runtime_progress(void *context, uint32_t part,
                                       struct weft_agent_progress *ret_progress,
                                       struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    uint64_t least = runtime->grants[part].iterations;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part != part)
            continue;
        enum weft_status status = weft_node_failure(seat->node, error);
        if (status != WEFT_OK)
            return status;
        uint64_t done = weft_node_iterations_done(seat->node);
        if (done < least)
            least = done;
    }
    ret_progress->iterations_done = least;
    ret_progress->idle = least == runtime->grants[part].iterations;
    return WEFT_OK;
}
