/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/shapes/bulk.h"

#include <inttypes.h>

struct weft_ops weft_add_bulk(struct weft_schedule_builder *builder, enum weft_op_kind kind,
                              const struct weft_bulk *bulk, uint32_t requires)
{
    struct weft_ops ops = {0};
    uint32_t queue_pairs = bulk->queue_pairs ? bulk->queue_pairs : 1;
    uint64_t len_bytes = bulk->span.len_bytes;
    for (uint64_t done = 0; done < len_bytes; done += bulk->piece_bytes, ops.count++) {
        uint64_t left = len_bytes - done;
        struct weft_op op = {.kind = kind,
                             .peer = bulk->peer,
                             .queue_pair = ops.count % queue_pairs,
                             .offset_bytes = bulk->span.offset_bytes + done,
                             .len_bytes = left < bulk->piece_bytes ? left : bulk->piece_bytes};
        uint32_t added = weft_schedule_add(builder, &op);
        weft_schedule_require(builder, added, requires);
        if (!ops.count)
            ops.first = added;
    }
    return ops;
}

void weft_require_all(struct weft_schedule_builder *builder, uint32_t later, struct weft_ops ops)
{
    for (uint32_t i = 0; i < ops.count; i++)
        weft_schedule_require(builder, later, ops.first + i);
}

uint32_t weft_add_join(struct weft_schedule_builder *builder, struct weft_ops ops)
{
    uint32_t joined = weft_add_calc(builder, 0, WEFT_OP_NONE);
    weft_require_all(builder, joined, ops);
    return joined;
}

enum weft_status weft_pattern_check_flows(const struct weft_pattern *pattern,
                                          const struct weft_pattern_options *options,
                                          uint64_t flows, struct weft_error *error)
{
    uint64_t pieces = weft_ceiling(options->size_bytes, options->chunk_bytes);
    if (options->queue_pairs > pieces)
        return weft_error_set(error, WEFT_INVALID,
                              "%s: a flow of %" PRIu64 " messages cannot use %" PRIu64
                              " queue pairs; choose at most %" PRIu64
                              " queue pairs, or smaller chunks",
                              pattern->name, pieces, options->queue_pairs, pieces);
    uint64_t most = UINT64_MAX / pieces;
    return weft_pattern_check_messages(pattern, flows > most ? UINT64_MAX : pieces * flows, error);
}
