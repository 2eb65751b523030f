/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults on purpose: stands between a port and its interface and does to frames what a bad fabric
 * does. All comes from one seed: the same frames at the same times meet the same fate.
 *
 * Only RoCE packets are touched (UDP over IPv4 or IPv6, behind a VLAN tag or not). ARP and
 * neighbour discovery go through untouched: a run that cannot find its peer says nothing about its
 * transport.
 *
 * A frame is drawn for each fault by itself. Dropped, it has no other. Marked, then corrupted: so
 * no checksum is made good again after a bit was turned. A duplicate is the frame as it was before
 * both. Delayed and reordered at once, it is delayed. */
#ifndef WEFT_ROCE_FAULT_H
#define WEFT_ROCE_FAULT_H

#include "drivers/roce/roce.h"

#define WEFT_FAULT_DELAY_NS UINT64_C(100000)
#define WEFT_FAULT_REORDER_FRAMES 8u
/* A reordered frame goes after so long even if nothing overtakes it. */
#define WEFT_FAULT_REORDER_NS UINT64_C(1000000)
/* Frames held back at a time; what finds no room goes as it is, and is not counted. */
#define WEFT_FAULT_HELD_MAX 1024u

struct weft_fault;

/* `frame_bytes` is the longest frame's. NULL options or none wanted is the caller's to sort out. */
WEFT_CHECKED enum weft_status weft_fault_create(const struct weft_fault_options *options,
                                                uint32_t frame_bytes, struct weft_fault **ret_fault,
                                                struct weft_error *error);
void weft_fault_destroy(struct weft_fault *fault);

/* In place of weft_roce_transmit: what that would fill, with the faults done to it, and what was
 * held back and is due. */
uint32_t weft_fault_transmit(struct weft_fault *fault, struct weft_roce_port *port,
                             struct weft_roce_frame *frames, uint32_t count, uint64_t now_ns);

/* Frames that are neither sent nor dropped. */
uint32_t weft_fault_held(const struct weft_fault *fault);

/* Only the injected_* count, and say so in `counted`. */
const struct weft_device_counters *weft_fault_counters(const struct weft_fault *fault);

#endif
