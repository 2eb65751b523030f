/* SPDX-License-Identifier: BSD-3-Clause */
/* What drivers over a RoCE port have alike: the beginning of a device, and the ops that the port
 * does. The driver's `struct weft_device` has a weft_roce_device as its first member, and its table
 * begins with WEFT_ROCE_DRIVER (for which it includes fabric/driver/default.h); then it names what
 * is its own. An endpoint is the port's queue pair, cast, and so are the other opaque structs. */
#ifndef WEFT_ROCE_DEVICE_H
#define WEFT_ROCE_DEVICE_H

#include "drivers/roce/roce.h"

struct weft_roce_device {
    struct weft_roce_port *port;
    struct weft_ip address;
    uint8_t mac[6];
    uint16_t vlan_id;
    uint32_t mtu_bytes;
    uint32_t max_endpoints;
    uint64_t line_rate_bps;               /* 0: not known */
    int32_t numa_node;                    /* -1: not known */
    bool in_process, polled;              /* as in struct weft_capabilities */
    uint32_t line_bytes;                  /* what a frame takes on the line beside its own bytes */
    char description[768];                /* what describe says */
    struct weft_device_counters counters; /* the copy that readers see */
};

/* Creates the port, from the options and from what the driver has put into the device before:
 * address, MAC, path MTU, line rate. `ack_timeout_ns` as in weft_roce_port_options. */
WEFT_CHECKED enum weft_status weft_roce_device_open(struct weft_roce_device *device,
                                                    const struct weft_device_options *options,
                                                    uint64_t ack_timeout_ns,
                                                    struct weft_error *error);
/* Asserts that all that was made on the port is gone. A device without a port is taken. */
void weft_roce_device_close(struct weft_roce_device *device);

/* For the driver's counters op: brings the device's copy up to date, the port's counts and those of
 * the driver together. `own->counted` says which the driver counts. */
const struct weft_device_counters *weft_roce_device_count(const struct weft_roce_device *device,
                                                          const struct weft_device_counters *own);
/* Adds counts that another thread may be writing; `counted` is left alone. */
void weft_roce_counters_add(struct weft_device_counters *counters,
                            const struct weft_device_counters *from);

/* The device that an endpoint was created on. */
struct weft_device *weft_roce_endpoint_device(const struct weft_endpoint *endpoint);

#define WEFT_ROCE_DRIVER                                                                          \
    WEFT_DRIVER_DEFAULTS,                                                                         \
        .capabilities = weft_roce_driver_capabilities, .describe = weft_roce_driver_describe,     \
        .region_register = weft_roce_driver_region_register,                                      \
        .region_deregister = weft_roce_driver_region_deregister,                                  \
        .cq_create = weft_roce_driver_cq_create, .cq_destroy = weft_roce_driver_cq_destroy,       \
        .cq_poll = weft_roce_driver_cq_poll, .endpoint_create = weft_roce_driver_endpoint_create, \
        .endpoint_destroy = weft_roce_driver_endpoint_destroy,                                    \
        .endpoint_address = weft_roce_driver_endpoint_address,                                    \
        .endpoint_connect = weft_roce_driver_endpoint_connect,                                    \
        .endpoint_state = weft_roce_driver_endpoint_state,                                        \
        .endpoint_counters = weft_roce_driver_endpoint_counters,                                  \
        .destination_create = weft_roce_driver_destination_create,                                \
        .destination_state = weft_roce_driver_destination_state,                                  \
        .destination_destroy = weft_roce_driver_destination_destroy,                              \
        .post_send = weft_roce_driver_post_send, .post_receive = weft_roce_driver_post_receive

void weft_roce_driver_capabilities(const struct weft_device *device, struct weft_capabilities *ret);
const char *weft_roce_driver_describe(const struct weft_device *device);
enum weft_status weft_roce_driver_region_register(struct weft_device *device, void *memory,
                                                  uint64_t len_bytes,
                                                  struct weft_region *ret_region,
                                                  struct weft_error *error);
void weft_roce_driver_region_deregister(struct weft_device *device, struct weft_region *region);
enum weft_status weft_roce_driver_cq_create(struct weft_device *device, uint32_t depth,
                                            struct weft_cq **ret_cq, struct weft_error *error);
void weft_roce_driver_cq_destroy(struct weft_device *device, struct weft_cq *cq);
uint32_t weft_roce_driver_cq_poll(struct weft_cq *cq, struct weft_completion *completions,
                                  uint32_t count);
enum weft_status weft_roce_driver_endpoint_create(struct weft_device *device,
                                                  const struct weft_endpoint_options *options,
                                                  struct weft_endpoint **ret_endpoint,
                                                  struct weft_error *error);
void weft_roce_driver_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint);
void weft_roce_driver_endpoint_address(const struct weft_endpoint *endpoint,
                                       struct weft_endpoint_address *ret_address);
enum weft_status weft_roce_driver_endpoint_connect(struct weft_endpoint *endpoint,
                                                   const struct weft_endpoint_address *peer,
                                                   struct weft_error *error);
enum weft_endpoint_state weft_roce_driver_endpoint_state(const struct weft_endpoint *endpoint,
                                                         struct weft_error *error);
const struct weft_endpoint_counters *
weft_roce_driver_endpoint_counters(const struct weft_endpoint *endpoint);
enum weft_status weft_roce_driver_destination_create(struct weft_endpoint *endpoint,
                                                     const struct weft_endpoint_address *peer,
                                                     struct weft_destination **ret_destination,
                                                     struct weft_error *error);
enum weft_endpoint_state
weft_roce_driver_destination_state(const struct weft_destination *destination,
                                   struct weft_error *error);
void weft_roce_driver_destination_destroy(struct weft_endpoint *endpoint,
                                          struct weft_destination *destination);
uint32_t weft_roce_driver_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                                    uint32_t count);
uint32_t weft_roce_driver_post_receive(struct weft_endpoint *endpoint,
                                       const struct weft_work *works, uint32_t count);

#endif
