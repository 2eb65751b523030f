/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows of many messages, on one queue pair or several; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_BULK_H
#define WEFT_SCHEDULE_BULK_H

#include "fabric/schedule/shapes/parts.h"

/* Bytes from one rank to another, cut into pieces that take turns on the queue pairs. */
struct weft_bulk {
    uint32_t peer;
    uint32_t queue_pairs; /* 0 is 1 */
    struct weft_span span;
    uint64_t piece_bytes; /* the most of one */
};

/* Operations that were added one behind the other. */
struct weft_ops {
    uint32_t first;
    uint32_t count;
};

/* A send or a receive of each piece; each of them requires the one operation, or none. */
struct weft_ops weft_add_bulk(struct weft_schedule_builder *builder, enum weft_op_kind kind,
                              const struct weft_bulk *bulk, uint32_t requires);
/* An operation that takes no time and is complete once all of these are. */
uint32_t weft_add_join(struct weft_schedule_builder *builder, struct weft_ops ops);
/* `later` requires all of them. */
void weft_require_all(struct weft_schedule_builder *builder, uint32_t later, struct weft_ops ops);

/* For a pattern whose rank has `flows` flows of the size, cut into chunks: they are not too many
 * messages, and no queue pair is left without any. */
WEFT_CHECKED enum weft_status weft_pattern_check_flows(const struct weft_pattern *pattern,
                                                       const struct weft_pattern_options *options,
                                                       uint64_t flows, struct weft_error *error);

#endif
