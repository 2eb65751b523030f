/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/driver/default.h"

#include <stdlib.h>

#include "fabric/driver/completions.h"

enum weft_status weft_driver_default_start(const struct weft_driver_start *start,
                                           struct weft_error *error)
{
    (void)start;
    (void)error;
    return WEFT_OK;
}

enum weft_status weft_driver_default_stop(struct weft_error *error)
{
    (void)error;
    return WEFT_OK;
}

const struct weft_device_counters *weft_driver_default_counters(const struct weft_device *device)
{
    static const struct weft_device_counters none;
    (void)device;
    return &none;
}

const char *weft_driver_default_describe(const struct weft_device *device)
{
    (void)device;
    return "";
}

enum weft_status weft_driver_default_service(struct weft_device *device, struct weft_error *error)
{
    (void)device;
    (void)error;
    return WEFT_OK;
}

/* ---- completion queues ---- */

static struct weft_completions *completions_of(struct weft_cq *cq)
{
    return (struct weft_completions *)(void *)cq;
}

enum weft_status weft_driver_default_cq_create(struct weft_device *device, uint32_t depth,
                                               struct weft_cq **ret_cq, struct weft_error *error)
{
    (void)device;
    if (!depth || depth > WEFT_DRIVER_DEFAULT_CQ_DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "a completion queue of %u entries: it must have 1 to %u", depth,
                              WEFT_DRIVER_DEFAULT_CQ_DEPTH_MAX);
    struct weft_completions *completions = malloc(sizeof(*completions));
    if (!completions || !weft_completions_init(completions, depth)) {
        free(completions);
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "no memory for a completion queue of %u entries", depth);
    }
    *ret_cq = (struct weft_cq *)(void *)completions;
    return WEFT_OK;
}

void weft_driver_default_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    (void)device;
    if (!cq)
        return;
    weft_completions_fini(completions_of(cq));
    free(cq);
}

uint32_t weft_driver_default_cq_poll(struct weft_cq *cq, struct weft_completion *completions,
                                     uint32_t count)
{
    struct weft_completions *from = completions_of(cq);
    uint32_t taken = 0;
    for (; taken < count && from->tail != from->head; taken++)
        completions[taken] = from->ring[from->tail++ & from->mask];
    return taken;
}

/* ---- destinations ---- */

enum weft_status weft_driver_default_destination_create(struct weft_endpoint *endpoint,
                                                        const struct weft_endpoint_address *peer,
                                                        struct weft_destination **ret_destination,
                                                        struct weft_error *error)
{
    (void)endpoint;
    (void)peer;
    (void)ret_destination;
    return weft_error_set(error, WEFT_UNSUPPORTED,
                          "this driver has no datagrams; use the dpdk or verbs driver for them");
}

enum weft_endpoint_state
weft_driver_default_destination_state(const struct weft_destination *destination,
                                      struct weft_error *error)
{
    (void)destination;
    (void)weft_error_set(error, WEFT_UNSUPPORTED, "this driver has no datagrams");
    return WEFT_ENDPOINT_FAILED;
}

void weft_driver_default_destination_destroy(struct weft_endpoint *endpoint,
                                             struct weft_destination *destination)
{
    (void)endpoint;
    assert(!destination);
}

/* ---- options ---- */

enum weft_status weft_driver_refuse_packet_options(const struct weft_device_options *options,
                                                   const char *driver, struct weft_error *error)
{
    const char *asked = NULL;
    if (options->pcap_path)
        asked = "to capture";
    else if (options->rate_bps || options->congestion.control)
        asked = "to pace, and no congestion to control";
    else if (weft_fault_is_on(&options->fault))
        asked = "to inject faults into";
    if (!asked)
        return WEFT_OK;
    return weft_error_set(error, WEFT_UNSUPPORTED,
                          "%s handles no packets itself, so there is nothing %s; use the dpdk "
                          "driver, or leave this out",
                          driver, asked);
}
