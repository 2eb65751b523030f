/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this driver share. */
#ifndef WEFT_DRIVERS_VERBS_INTERNAL_H
#define WEFT_DRIVERS_VERBS_INTERNAL_H

#include <infiniband/verbs.h>

#include "drivers/verbs/completion.h"
#include "drivers/verbs/counters.h"
#include "drivers/verbs/gid.h"
#include "drivers/verbs/limits.h"
#include "drivers/verbs/window.h"
#include "fabric/base/random.h"
#include "fabric/driver/completions.h"

/* Works handed to the device, or completions taken from it, in one call. */
#define WEFT_VERBS_BATCH 32u

struct weft_device {
    struct weft_verbs_name name;
    struct ibv_context *context;
    struct ibv_pd *pd;
    struct weft_verbs_gid gid;
    bool is_ethernet; /* RoCE; else InfiniBand */
    uint16_t lid;
    uint8_t retry_count;
    uint8_t traffic_class;
    struct weft_capabilities capabilities;
    uint32_t max_regions, region_count;
    struct weft_cq *cqs;
    struct weft_endpoint **endpoints; /* max_endpoints places, NULL where free */
    uint32_t *generations;            /* of each place */
    uint32_t max_endpoints;
    uint32_t connecting_count; /* endpoints that wait for their peer's MAC */
    struct weft_random random;
    /* Apart, for it is brought up to date through a const device. */
    struct weft_verbs_counters *counters;
    char description[320];
};

struct weft_cq {
    struct weft_completions completions; /* between progress and cq_poll */
    struct weft_cq *next;
    struct ibv_cq *cq;
    bool broken; /* ibv_poll_cq failed */
};

struct weft_verbs_slot {
    uint64_t id;
    enum weft_operation operation;
    uint32_t len_bytes;
    bool unsignaled; /* the caller wants no completion of success */
};

struct weft_endpoint {
    struct weft_device *device;
    struct weft_cq *cq;
    struct ibv_qp *qp;
    enum weft_transport transport;
    enum weft_endpoint_state state;
    uint32_t place; /* in the device's table */
    uint32_t psn, qkey, inline_bytes;
    uint32_t flow_label; /* 0: the device makes the flow's entropy */
    uint8_t read_depth;  /* READs and atomics that are taken at a time, and asked at most */
    uint8_t peer_depth;  /* asked at a time: what the peer takes, too */
    uint64_t user;
    struct weft_verbs_window send, receive;
    struct weft_verbs_slot *send_slots, *receive_slots;
    struct weft_endpoint_counters counters;
    struct weft_endpoint_address peer; /* RC, UC; once connected */
    uint8_t tries;                     /* to connect, that timed out */
    /* The first failure, for the error of endpoint_state. */
    enum weft_status failure;
    bool is_unreachable; /* it never was connected */
    enum ibv_wc_status device_status;
    uint32_t vendor_error;
    int failure_errno; /* of a post that the device refused; 0: none */
};

struct weft_destination {
    struct ibv_ah *ah;
    uint32_t qpn, qkey;
};

/* Whether the calling process may lock memory without limit; else the limit. */
bool weft_verbs_memory_is_limited(uint64_t *ret_limit_bytes);
/* The status of an errno, and "PREFIX: why" with a remedy where one is known. */
enum weft_status weft_verbs_errno_error(struct weft_error *error, int number, const char *format,
                                        ...) WEFT_FORMAT(3, 4);

/* What devices' options ask that no RDMA device does for us, each with what to do instead. */
WEFT_CHECKED enum weft_status weft_verbs_options_check(const struct weft_device_options *options,
                                                       const char *device,
                                                       struct weft_error *error);
/* The label for the source port that was asked; 0 for none. */
WEFT_CHECKED enum weft_status weft_verbs_flow_choose(const struct weft_device *device,
                                                     uint16_t source_port, uint32_t *ret_flow_label,
                                                     struct weft_error *error);
/* Adds UC to the capabilities where the device makes such queue pairs, and how much it takes
 * inline: no query tells either. */
WEFT_CHECKED enum weft_status weft_verbs_probe(struct weft_device *device,
                                               struct weft_error *error);
/* What the device lets others and itself do with memory. */
unsigned weft_verbs_access(const struct weft_device *device);

/* One step of a completed open, that reads the port: GIDs and what they say. */
WEFT_CHECKED enum weft_status weft_verbs_port_open(struct weft_device *device,
                                                   const struct weft_device_options *options,
                                                   struct weft_error *error);
/* Every valid entry of the port's table; malloc'd. */
uint32_t weft_verbs_port_gids(struct ibv_context *context, uint8_t port, bool is_ethernet,
                              struct weft_verbs_gid **ret_gids);
/* 0: not known, or an emulated device's that means nothing. */
uint64_t weft_verbs_port_rate(const struct weft_verbs_name *name);
int32_t weft_verbs_numa_node(const char *device);
/* Opens it, or says which file stands in the way. */
struct ibv_context *weft_verbs_context_open(struct ibv_device *device, struct weft_error *error);
/* What rules a device out whatever its state is; NULL: nothing. */
const char *weft_verbs_unusable(struct ibv_device *device);
/* The kernel's soft-RoCE. */
bool weft_verbs_is_rxe(const char *device);
/* All devices; NULL-terminated, to be freed by ibv_free_device_list. */
WEFT_CHECKED enum weft_status weft_verbs_devices(struct ibv_device ***ret_devices,
                                                 struct weft_error *error);

/* The queue pair's life: to INIT; to ready to send, UD with no peer. */
WEFT_CHECKED enum weft_status weft_verbs_qp_init(struct weft_endpoint *endpoint,
                                                 struct weft_error *error);
WEFT_CHECKED enum weft_status weft_verbs_qp_ready(struct weft_endpoint *endpoint,
                                                  struct weft_error *error);
/* Tries again for one endpoint of those that wait, of which there are some. */
void weft_verbs_connect_turn(struct weft_device *device);
/* It waits no more, if it did. */
void weft_verbs_connect_stop(struct weft_endpoint *endpoint);
/* The way to a peer, or an error where it is of another kind than this port. */
WEFT_CHECKED enum weft_status weft_verbs_path(const struct weft_device *device,
                                              const struct weft_endpoint_address *peer,
                                              struct ibv_ah_attr *ret_path,
                                              struct weft_error *error);

/* The ops, one file a group. */
void weft_verbs_list(weft_device_visitor visit, void *context);
enum weft_status weft_verbs_open(const struct weft_device_options *options,
                                 struct weft_device **ret_device, struct weft_error *error);
void weft_verbs_close(struct weft_device *device);
enum weft_status weft_verbs_region_register(struct weft_device *device, void *memory,
                                            uint64_t len_bytes, struct weft_region *ret_region,
                                            struct weft_error *error);
void weft_verbs_region_deregister(struct weft_device *device, struct weft_region *region);
enum weft_status weft_verbs_cq_create(struct weft_device *device, uint32_t depth,
                                      struct weft_cq **ret_cq, struct weft_error *error);
void weft_verbs_cq_destroy(struct weft_device *device, struct weft_cq *cq);
uint32_t weft_verbs_progress(struct weft_device *device, uint64_t now_ns);
enum weft_status weft_verbs_endpoint_create(struct weft_device *device,
                                            const struct weft_endpoint_options *options,
                                            struct weft_endpoint **ret_endpoint,
                                            struct weft_error *error);
void weft_verbs_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint);
void weft_verbs_endpoint_address(const struct weft_endpoint *endpoint,
                                 struct weft_endpoint_address *ret_address);
enum weft_status weft_verbs_endpoint_connect(struct weft_endpoint *endpoint,
                                             const struct weft_endpoint_address *peer,
                                             struct weft_error *error);
enum weft_endpoint_state weft_verbs_endpoint_state(const struct weft_endpoint *endpoint,
                                                   struct weft_error *error);
const struct weft_endpoint_counters *
weft_verbs_endpoint_counters(const struct weft_endpoint *endpoint);
enum weft_status weft_verbs_destination_create(struct weft_endpoint *endpoint,
                                               const struct weft_endpoint_address *peer,
                                               struct weft_destination **ret_destination,
                                               struct weft_error *error);
enum weft_endpoint_state weft_verbs_destination_state(const struct weft_destination *destination,
                                                      struct weft_error *error);
void weft_verbs_destination_destroy(struct weft_endpoint *endpoint,
                                    struct weft_destination *destination);
uint32_t weft_verbs_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                              uint32_t count);
uint32_t weft_verbs_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                 uint32_t count);

#endif
