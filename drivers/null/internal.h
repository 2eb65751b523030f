/* SPDX-License-Identifier: BSD-3-Clause */
/* The null driver's endpoints and devices, and what moves their messages. */
#ifndef WEFT_DRIVERS_NULL_INTERNAL_H
#define WEFT_DRIVERS_NULL_INTERNAL_H

#include <stdatomic.h>

#include "fabric/driver/completions.h"

#define WEFT_NULL_INLINE_BYTES 256u
#define WEFT_NULL_REGIONS_MAX (1u << 16) /* a key's lower half is an index */
/* Separates what two threads write. */
#define WEFT_NULL_CACHE_LINE 64

struct weft_null_slot {
    struct weft_work work;
    struct weft_completion completion; /* once the work is done */
};

/* Works of one direction, in order. Its endpoint's thread posts them and takes their completions.
 * It also does the sends; receives are done by the peer's thread. The counts run on, and are masked
 * where they are used. */
struct weft_null_queue {
    struct weft_null_slot *slots;
    uint32_t mask, depth;
    _Alignas(WEFT_NULL_CACHE_LINE) _Atomic uint64_t posted;
    uint64_t completed;
    _Alignas(WEFT_NULL_CACHE_LINE) _Atomic uint64_t done;
    _Atomic uint64_t payload_bytes; /* that whoever does the works wrote to this end's memory */
};

struct weft_endpoint {
    struct weft_null_queue sends, receives;
    struct weft_device *device;
    struct weft_completions *completions;
    uint8_t *inline_copies; /* of sends that wait for a receive: INLINE_BYTES each */
    uint64_t user;
    struct weft_endpoint *peer; /* NULL: not connected */
    enum weft_status failure;   /* of the first send that failed; those behind it are flushed */
    uint64_t fetched_bytes;     /* by READs */
    struct weft_endpoint_counters counters;
    atomic_bool closed; /* destroyed; the memory stays for the peer to see it */
    /* Under the lock. */
    uint64_t serial; /* travels as qpn and psn */
    bool taken;      /* somebody is connected to it */
    uint32_t references;
    struct weft_endpoint *next; /* in its bucket */
};

struct weft_device {
    uint32_t mtu_bytes;
    uint32_t key_base; /* a key's upper half: keys of two devices differ, and none is 0 */
    uint32_t endpoint_count, endpoint_room, region_count;
    struct weft_endpoint **endpoints;
    struct weft_device_counters counters;
    struct weft_region regions[]; /* lkey 0: free */
};

uint32_t weft_null_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count);
uint32_t weft_null_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                uint32_t count);
uint32_t weft_null_progress(struct weft_device *device, uint64_t now_ns);

#endif
