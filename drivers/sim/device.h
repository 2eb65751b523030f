/* SPDX-License-Identifier: BSD-3-Clause */
/* A device: a RoCE port on a NIC of the fabric; and the ops that the port does. */
#ifndef WEFT_SIM_DEVICE_H
#define WEFT_SIM_DEVICE_H

#include "drivers/sim/fabric.h"

struct weft_device {
    struct weft_sim_fabric *fabric;
    struct weft_roce_port *port;
    uint32_t nic;
    uint32_t mtu_bytes;
    uint32_t max_endpoints;
    struct weft_ip address;
    struct weft_device_counters counters; /* the copy that readers see */
    char description[256];
};

enum weft_status weft_sim_region_register(struct weft_device *device, void *memory,
                                          uint64_t len_bytes, struct weft_region *ret_region,
                                          struct weft_error *error);
void weft_sim_region_deregister(struct weft_device *device, struct weft_region *region);
enum weft_status weft_sim_cq_create(struct weft_device *device, uint32_t depth,
                                    struct weft_cq **ret_cq, struct weft_error *error);
void weft_sim_cq_destroy(struct weft_device *device, struct weft_cq *cq);
uint32_t weft_sim_cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count);
enum weft_status weft_sim_endpoint_create(struct weft_device *device,
                                          const struct weft_endpoint_options *options,
                                          struct weft_endpoint **ret_endpoint,
                                          struct weft_error *error);
void weft_sim_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint);
void weft_sim_endpoint_address(const struct weft_endpoint *endpoint,
                               struct weft_endpoint_address *ret_address);
enum weft_status weft_sim_endpoint_connect(struct weft_endpoint *endpoint,
                                           const struct weft_endpoint_address *peer,
                                           struct weft_error *error);
enum weft_endpoint_state weft_sim_endpoint_state(const struct weft_endpoint *endpoint,
                                                 struct weft_error *error);
const struct weft_endpoint_counters *
weft_sim_endpoint_counters(const struct weft_endpoint *endpoint);
enum weft_status weft_sim_destination_create(struct weft_endpoint *endpoint,
                                             const struct weft_endpoint_address *peer,
                                             struct weft_destination **ret_destination,
                                             struct weft_error *error);
enum weft_endpoint_state weft_sim_destination_state(const struct weft_destination *destination,
                                                    struct weft_error *error);
void weft_sim_destination_destroy(struct weft_endpoint *endpoint,
                                  struct weft_destination *destination);
uint32_t weft_sim_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                            uint32_t count);
uint32_t weft_sim_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                               uint32_t count);

#endif
