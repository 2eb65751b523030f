/* SPDX-License-Identifier: BSD-3-Clause */
/* What the null driver's files share. */
#ifndef WEFT_DRIVERS_NULL_INTERNAL_H
#define WEFT_DRIVERS_NULL_INTERNAL_H

#include <stdatomic.h>

#include "fabric/driver.h"

#define WEFT_NULL_INLINE_BYTES 256u
#define WEFT_NULL_DEPTH_MAX (1u << 16)
/* One is done before the next begins; said as what others can do. */
#define WEFT_NULL_READ_DEPTH 16u
#define WEFT_NULL_CQ_DEPTH_MAX (1u << 22)
#define WEFT_NULL_ENDPOINTS_MAX (1u << 16)
#define WEFT_NULL_REGIONS_MAX (1u << 16)

/* Separates what two threads write. */
#define WEFT_NULL_CACHE_LINE 64

/* ---- memory that peers may write to ---- */

struct weft_null_region {
    uint32_t key; /* 0: free. As lkey and rkey */
    uint64_t address;
    uint64_t len_bytes;
};

struct weft_null_regions {
    uint32_t count;
    uint32_t base; /* in the upper half of a key: keys of two devices differ */
    struct weft_null_region entries[];
};

enum weft_status weft_null_region_register(struct weft_device *device, void *memory,
                                           uint64_t len_bytes, struct weft_region *ret_region,
                                           struct weft_error *error);
void weft_null_region_deregister(struct weft_device *device, struct weft_region *region);
/* Does the key stand for a region that holds the whole range? */
bool weft_null_region_holds(const struct weft_null_regions *regions, uint32_t key, uint64_t address,
                            uint64_t len_bytes);

/* ---- the receiving half of an endpoint, which the peer's thread reaches into ---- */

struct weft_null_posted {
    uint64_t id;
    void *memory;
    uint32_t len_bytes;
};

struct weft_null_arrival {
    uint64_t id;
    uint32_t len_bytes;
    uint32_t immediate;
    bool has_immediate;
    enum weft_status status;
};

/* Two single-producer single-consumer rings: receives go to the peer, arrivals come back. Indices
 * run on and are masked where used. At most `depth` receives are between post and completion, so
 * neither ring can overflow. */
struct weft_null_mailbox {
    uint32_t mask;
    uint32_t depth;
    uint32_t references; /* under the directory's lock: the owner's and the peer's */
    const struct weft_null_regions *regions;
    struct weft_null_posted *posted;
    struct weft_null_arrival *arrivals;
    atomic_bool closed; /* the owner is gone */

    /* the owner's */
    _Alignas(WEFT_NULL_CACHE_LINE) _Atomic uint64_t posted_head;
    uint64_t arrivals_tail;
    /* the peer's */
    _Alignas(WEFT_NULL_CACHE_LINE) _Atomic uint64_t arrivals_head;
    uint64_t posted_tail;
    _Atomic uint64_t payload_bytes;
};

struct weft_null_mailbox *weft_null_mailbox_create(uint32_t depth,
                                                   const struct weft_null_regions *regions);
/* Drops one reference. Under the directory's lock. */
void weft_null_mailbox_release(struct weft_null_mailbox *mailbox);

/* The owner's side. */
bool weft_null_mailbox_post(struct weft_null_mailbox *mailbox,
                            const struct weft_null_posted *posted);
bool weft_null_mailbox_take(struct weft_null_mailbox *mailbox,
                            struct weft_null_arrival *ret_arrival);
/* The peer's side. */
bool weft_null_mailbox_next(struct weft_null_mailbox *mailbox, struct weft_null_posted *ret_posted);
void weft_null_mailbox_deliver(struct weft_null_mailbox *mailbox,
                               const struct weft_null_arrival *arrival);
void weft_null_mailbox_count(struct weft_null_mailbox *mailbox, uint64_t len_bytes);

/* Copies in rising order, word by word, as a NIC writes memory that somebody may be reading. */
void weft_null_copy_ordered(uint8_t *to, const uint8_t *from, uint32_t len_bytes);

/* ---- the rest belongs to one thread ---- */

struct weft_null_send {
    struct weft_work work;
    enum weft_status status; /* once executed */
};

struct weft_endpoint {
    struct weft_device *device;
    struct weft_cq *cq;
    uint64_t user;
    uint32_t qpn;
    uint32_t serial; /* travels as psn: tells an endpoint from an earlier one of its number */
    enum weft_endpoint_state state;
    uint32_t send_mask, send_depth;
    uint64_t send_head;       /* posted */
    uint64_t send_next;       /* the first that is not executed */
    uint64_t send_tail;       /* the first whose completion was not made */
    enum weft_status failure; /* WEFT_OK until a send fails; then what follows is flushed */
    struct weft_null_send *sends;
    uint8_t *inline_copies; /* of sends that wait: WEFT_NULL_INLINE_BYTES each */
    struct weft_null_mailbox *mailbox;
    struct weft_null_mailbox *peer; /* NULL until connected */
    bool taken;                     /* somebody is connected to it */
    uint64_t counted_bytes;         /* of the mailbox's, already in the device's counters */
    uint64_t fetched_bytes;         /* by READs */
    struct weft_endpoint_counters counters;
};

struct weft_cq {
    uint32_t mask;
    uint32_t depth;
    uint64_t head, tail;
    struct weft_completion *completions;
};

struct weft_device {
    struct weft_ip address;
    uint32_t mtu_bytes;
    uint32_t endpoint_count, endpoint_room;
    uint32_t cq_count;
    struct weft_endpoint **endpoints;
    struct weft_null_regions *regions;
    struct weft_device_counters counters;
};

/* Executes posted sends in order until one must wait for a receive. */
uint32_t weft_null_run_sends(struct weft_endpoint *endpoint);
uint32_t weft_null_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count);
uint32_t weft_null_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                uint32_t count);
/* Moves what has completed into the completion queues. */
uint32_t weft_null_progress(struct weft_device *device, uint64_t now_ns);
uint32_t weft_null_cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count);

enum weft_status weft_null_endpoint_create(struct weft_device *device,
                                           const struct weft_endpoint_options *options,
                                           struct weft_endpoint **ret_endpoint,
                                           struct weft_error *error);
void weft_null_endpoint_destroy(struct weft_device *device, struct weft_endpoint *endpoint);
void weft_null_endpoint_address(const struct weft_endpoint *endpoint,
                                struct weft_endpoint_address *ret_address);
enum weft_status weft_null_endpoint_connect(struct weft_endpoint *endpoint,
                                            const struct weft_endpoint_address *peer,
                                            struct weft_error *error);

enum weft_status weft_null_open(const struct weft_device_options *options,
                                struct weft_device **ret_device, struct weft_error *error);
void weft_null_close(struct weft_device *device);
enum weft_status weft_null_cq_create(struct weft_device *device, uint32_t depth,
                                     struct weft_cq **ret_cq, struct weft_error *error);
void weft_null_cq_destroy(struct weft_device *device, struct weft_cq *cq);

/* ---- all endpoints of the process, by number; set-up only ---- */

void weft_null_directory_lock(void);
void weft_null_directory_unlock(void);
/* Numbers it. False: out of memory or numbers. Under the lock. */
bool weft_null_directory_add(struct weft_endpoint *endpoint);
void weft_null_directory_remove(struct weft_endpoint *endpoint);
struct weft_endpoint *weft_null_directory_find(uint32_t qpn);
/* Numbers devices from 1 to 2^16 - 1, and then again. */
uint32_t weft_null_directory_device(void);

static inline uint32_t weft_null_power_of_two(uint32_t at_least)
{
    uint32_t power = 1;
    while (power < at_least)
        power *= 2;
    return power;
}

#endif
