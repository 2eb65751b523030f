/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank has measured, and whether its data are right. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tools/weft/service/state.h"

enum weft_status weft_runtime_verify(void *context, uint32_t local,
                                     struct weft_verify_result *ret_result)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    weft_node_verify(runtime->seats->seats[local].node, ret_result);
    return WEFT_OK;
}

/* All counters are 64-bit words, so subtract word by word. A counter is marked as counted only if
 * it was counted at both ends. */
static void growth(const struct weft_device_counters *now, const struct weft_device_counters *then,
                   struct weft_device_counters *ret)
{
    uint64_t a[sizeof(*now) / sizeof(uint64_t)];
    uint64_t b[sizeof(*now) / sizeof(uint64_t)];
    memcpy(a, now, sizeof(a));
    memcpy(b, then, sizeof(b));
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
        a[i] -= b[i];
    memcpy(ret, a, sizeof(*ret));
    ret->counted = now->counted & then->counted;
}

static struct weft_hist *copy_hist(const struct weft_hist *from)
{
    struct weft_hist *copy = weft_hist_create();
    if (copy && from)
        weft_hist_merge(copy, from);
    return copy;
}

/* True for the first rank of its job on the device. A device's counters do not distinguish jobs: if
 * several jobs share it, each job gets the full counts. */
static bool bears_counters(const struct weft_seats *seats, uint32_t local)
{
    const struct weft_seat *seat = &seats->seats[local];
    for (uint32_t i = seats->devices[seat->device].first_seat; i < local; i++) {
        if (seats->seats[i].device == seat->device && seats->seats[i].part == seat->part)
            return false;
    }
    return true;
}

static void describe_seat(const struct weft_seats *seats, uint32_t local,
                          struct weft_rank_result *ret_result)
{
    const struct weft_seat_device *device = &seats->devices[seats->seats[local].device];
    struct weft_capabilities capabilities = {0};
    device->driver->capabilities(device->device, &capabilities);
    ret_result->worker = device->driver->clock_ns ? WEFT_WORKER_NONE : device->worker;
    ret_result->in_process = capabilities.in_process;
    ret_result->polled = capabilities.polled;
    (void)snprintf(ret_result->driver, sizeof(ret_result->driver), "%s", device->driver->name);
    (void)snprintf(ret_result->device, sizeof(ret_result->device), "%s",
                   device->driver->describe(device->device));
    ret_result->preemptions = seats->preemptions[device->worker].count;
    ret_result->preempted_ns = seats->preemptions[device->worker].lost_ns;
    if (bears_counters(seats, local))
        growth(device->driver->counters(device->device), &device->at_start, &ret_result->counters);
}

enum weft_status weft_runtime_collect(void *context, uint32_t local,
                                      struct weft_rank_result *ret_result, struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    const struct weft_seat *seat = &runtime->seats->seats[local];
    struct weft_node_measured measured;
    weft_runtime_end_window(runtime);
    weft_node_measured(seat->node, &measured);
    struct weft_rank_result result = {
        .rank = seat->rank,
        .latency_ns = copy_hist(measured.latency_ns),
        .bandwidth_bps = copy_hist(measured.bandwidth_bps),
        .sent_messages = measured.sent_messages,
        .sent_bytes = measured.sent_bytes,
        .received_messages = measured.received_messages,
        .received_bytes = measured.received_bytes,
        .iterations = measured.iterations,
        .stalled_iterations = measured.stalled_iterations,
        .window_ns = measured.last_end_ns - measured.first_start_ns,
        .rates = measured.rates,
        .spread = measured.spread,
        .open_loop = {.paced = measured.open_loop.paced,
                      .latency_intended_ns = measured.open_loop.paced
                                                 ? copy_hist(measured.open_loop.latency_intended_ns)
                                                 : NULL,
                      .missed = measured.open_loop.missed,
                      .offered_ns = measured.open_loop.offered_ns,
                      .achieved_ns = measured.open_loop.achieved_ns},
    };
    bool whole = !result.open_loop.paced || result.open_loop.latency_intended_ns;
    if (!result.latency_ns || !result.bandwidth_bps || !whole) {
        weft_hist_destroy(result.latency_ns);
        weft_hist_destroy(result.bandwidth_bps);
        weft_hist_destroy(result.open_loop.latency_intended_ns);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the histograms of rank %u",
                              seat->rank);
    }
    describe_seat(runtime->seats, local, &result);
    *ret_result = result;
    return WEFT_OK;
}
