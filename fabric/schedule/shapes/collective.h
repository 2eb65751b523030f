/* SPDX-License-Identifier: BSD-3-Clause */
/* What collectives share; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_COLLECTIVE_H
#define WEFT_SCHEDULE_COLLECTIVE_H

#include "fabric/schedule/shapes/parts.h"

/* What must be complete before something else starts: two operations or fewer a step, and steps are
 * at most the logarithm of the ranks. */
#define WEFT_NEEDS_MAX 40u

struct weft_needs {
    uint32_t count;
    uint32_t ops[WEFT_NEEDS_MAX];
};

/* WEFT_OP_NONE adds nothing. */
void weft_needs_add(struct weft_needs *needs, uint32_t op);

/* One rank's side of a collective while it is built. */
struct weft_collective {
    const struct weft_pattern_options *options;
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t element_bytes;
    uint64_t scratch_bytes; /* where unused scratch space begins */
};

struct weft_collective weft_collective_of(const struct weft_pattern_options *options, uint32_t rank,
                                          struct weft_schedule_builder *builder);

/* The rank that comes `distance` after this one, or before it, in the circle of all. */
uint32_t weft_rank_after(const struct weft_collective *collective, uint32_t distance);
uint32_t weft_rank_before(const struct weft_collective *collective, uint32_t distance);

/* A span goes in as many messages as chunks it has; one of no bytes is none. All of them require
 * `needs`, which may be NULL. What is complete once all have gone, have arrived or are joined is
 * added to `ret_done`, which may be NULL. */
void weft_send_span(const struct weft_collective *collective, uint32_t peer,
                    const struct weft_span *span, const struct weft_needs *needs,
                    struct weft_needs *ret_done);
void weft_receive_span(const struct weft_collective *collective, uint32_t peer,
                       const struct weft_span *span, struct weft_needs *ret_done);
/* Into scratch space of its own, and from there joined into `into`, which requires `needs`. */
void weft_receive_and_join(struct weft_collective *collective, uint32_t peer,
                           const struct weft_span *into, const struct weft_needs *needs,
                           struct weft_needs *ret_done);

/* The vector of `size_bytes` is cut into a part a rank. Those of `count` ranks from `first` on, in
 * the circle of all: one span or, past the last rank, two, of which those with bytes are counted.
 */
#define WEFT_ARC_SPANS UINT64_C(2)
uint32_t weft_arc_spans(const struct weft_pattern_options *options, uint32_t first, uint32_t count,
                        struct weft_span spans[WEFT_ARC_SPANS]);

uint64_t weft_arc_bytes(const struct weft_pattern_options *options, uint32_t first, uint32_t count);

/* At most so many messages are `spans` spans of `len_bytes` in all. */
uint64_t weft_span_messages(const struct weft_pattern_options *options, uint64_t spans,
                            uint64_t len_bytes);

#define WEFT_TAKE_CHUNK_OF_PARTS                                                                \
    {                                                                                           \
        .option = WEFT_OPTION_CHUNK,                                                            \
        .text = "the largest message (default 64KiB; larger if a part would need more than 16)" \
    }

/* (n - 1) / n */
double weft_bus_factor_of_parts(uint32_t rank_count);
double weft_algorithm_bytes_of_size(const struct weft_pattern_options *options);

#endif
