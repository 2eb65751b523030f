/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of channels, out and in. */
#include "tools/weft/service/state.h"

uint32_t weft_runtime_addresses(void *context, struct weft_channel_address *addresses,
                                uint32_t count)
{
    const struct weft_runtime *runtime = context;
    uint32_t total = 0;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_node *node = runtime->seats->seats[i].node;
        for (uint32_t j = 0; j < weft_node_channel_count(node); j++, total++) {
            if (total < count)
                weft_node_channel_address(node, j, &addresses[total]);
        }
    }
    return total;
}

static struct weft_seat *seat_of_rank(const struct weft_runtime *runtime, uint32_t rank)
{
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        if (runtime->seats->seats[i].rank == rank)
            return &runtime->seats->seats[i];
    }
    return NULL;
}

static uint32_t worker_of(const struct weft_runtime *runtime, const struct weft_seat *seat)
{
    return runtime->seats->devices[seat->device].worker;
}

/* Endpoints belong to the worker that polls them, so each worker connects its own, at most this
 * many addresses per call. A call waits for the end of a turn, so one call per channel would be
 * slow; one call for all would keep a worker from what its peers already send. */
#define CONNECTS_A_CALL 64u

struct connect_call {
    const struct weft_runtime *runtime;
    uint32_t worker;
    const struct weft_channel_address *addresses;
    uint32_t count;
    struct weft_error *error;
    enum weft_status status;
};

static void do_connect(void *argument)
{
    struct connect_call *call = argument;
    for (uint32_t i = 0; i < call->count && call->status == WEFT_OK; i++) {
        const struct weft_seat *seat = seat_of_rank(call->runtime, call->addresses[i].to_rank);
        if (worker_of(call->runtime, seat) == call->worker)
            call->status = weft_node_connect(seat->node, &call->addresses[i], call->error);
    }
}

static void ask_connected(void *argument)
{
    struct connect_call *call = argument;
    const struct weft_seats *seats = call->runtime->seats;
    for (uint32_t i = 0; i < seats->count && call->status == WEFT_OK; i++) {
        if (worker_of(call->runtime, &seats->seats[i]) == call->worker)
            call->status = weft_node_connected(seats->seats[i].node, call->error);
    }
}

static enum weft_status on_workers(const struct weft_runtime *runtime,
                                   void (*function)(void *argument), struct connect_call *call)
{
    call->runtime = runtime;
    for (uint32_t i = 0; i < runtime->worker_count && call->status == WEFT_OK; i++) {
        call->worker = i;
        if (runtime->seats->station_counts[i])
            weft_worker_call(runtime->workers[i], function, call);
    }
    return call->status;
}

enum weft_status weft_runtime_connect(void *context, const struct weft_channel_address *addresses,
                                      uint32_t count, struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (!seat_of_rank(runtime, addresses[i].to_rank))
            return weft_error_set(error, WEFT_INVALID,
                                  "an address came for rank %u, which is not "
                                  "on this agent",
                                  addresses[i].to_rank);
    }
    for (uint32_t i = 0; i < count && status == WEFT_OK; i += CONNECTS_A_CALL) {
        uint32_t left = count - i;
        struct connect_call call = {.addresses = addresses + i,
                                    .count = left < CONNECTS_A_CALL ? left : CONNECTS_A_CALL,
                                    .error = error};
        status = on_workers(runtime, do_connect, &call);
    }
    return status;
}

enum weft_status weft_runtime_connected(void *context, struct weft_error *error)
{
    struct connect_call call = {.error = error};
    return on_workers(context, ask_connected, &call);
}
