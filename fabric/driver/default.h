/* SPDX-License-Identifier: BSD-3-Clause */
/* What an op does in a driver that has nothing of its own to do there. A driver's table begins with
 * WEFT_DRIVER_DEFAULTS and then names what the driver does itself:
 *
 *     const struct weft_driver weft_driver_example = {
 *         WEFT_DRIVER_DEFAULTS,
 *         .name = "example",
 *         ...
 *     };
 *
 * So every op of a table is set, and is called without a look at whether it is. These have no
 * default, and the table is not complete without them: name, summary, list, open, close,
 * capabilities, progress, region_register, region_deregister, endpoint_create, endpoint_destroy,
 * endpoint_address, endpoint_connect, endpoint_state, endpoint_counters, post_send, post_receive.
 *
 * To be included only by the file that has the table: a later initializer replaces a default, of
 * which the compiler does not warn in that file. */
#ifndef WEFT_DRIVER_DEFAULT_H
#define WEFT_DRIVER_DEFAULT_H

#include "fabric/driver.h"

#pragma GCC diagnostic ignored "-Woverride-init"

#define WEFT_DRIVER_DEFAULTS                                                              \
    .start = weft_driver_default_start, .stop = weft_driver_default_stop,                 \
    .counters = weft_driver_default_counters, .describe = weft_driver_default_describe,   \
    .service = weft_driver_default_service, .cq_create = weft_driver_default_cq_create,   \
    .cq_destroy = weft_driver_default_cq_destroy, .cq_poll = weft_driver_default_cq_poll, \
    .destination_create = weft_driver_default_destination_create,                         \
    .destination_state = weft_driver_default_destination_state,                           \
    .destination_destroy = weft_driver_default_destination_destroy

/* There is nothing to set up before the first device. */
enum weft_status weft_driver_default_start(const struct weft_driver_start *start,
                                           struct weft_error *error);
enum weft_status weft_driver_default_stop(struct weft_error *error);

/* The device counts nothing, and says so in `counted`. */
const struct weft_device_counters *weft_driver_default_counters(const struct weft_device *device);
/* No words: "". */
const char *weft_driver_default_describe(const struct weft_device *device);
/* There is no slow work. */
enum weft_status weft_driver_default_service(struct weft_device *device, struct weft_error *error);

/* A queue is a `struct weft_completions` and no more: the driver puts completions there by
 * weft_completions_put. cq_poll also serves a queue that only begins with one. */
#define WEFT_DRIVER_DEFAULT_CQ_DEPTH_MAX (1u << 22)
enum weft_status weft_driver_default_cq_create(struct weft_device *device, uint32_t depth,
                                               struct weft_cq **ret_cq, struct weft_error *error);
void weft_driver_default_cq_destroy(struct weft_device *device, struct weft_cq *cq);
uint32_t weft_driver_default_cq_poll(struct weft_cq *cq, struct weft_completion *completions,
                                     uint32_t count);

/* There are no datagrams: creating a destination is refused, so there is never one. */
enum weft_status weft_driver_default_destination_create(struct weft_endpoint *endpoint,
                                                        const struct weft_endpoint_address *peer,
                                                        struct weft_destination **ret_destination,
                                                        struct weft_error *error);
enum weft_endpoint_state
weft_driver_default_destination_state(const struct weft_destination *destination,
                                      struct weft_error *error);
void weft_driver_default_destination_destroy(struct weft_endpoint *endpoint,
                                             struct weft_destination *destination);

/* For the open of a driver without `injects_faults` and `paces`, whose packets pass no code of
 * ours: refuses a capture, faults, a rate and congestion control, each with WEFT_UNSUPPORTED and a
 * remedy. `driver` names it in the error. */
WEFT_CHECKED enum weft_status
weft_driver_refuse_packet_options(const struct weft_device_options *options, const char *driver,
                                  struct weft_error *error);

#endif
