/* SPDX-License-Identifier: BSD-3-Clause */
/* What patterns are put together from; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_PARTS_H
#define WEFT_SCHEDULE_PARTS_H

#include "fabric/base/round.h"
#include "fabric/driver.h"
#include "fabric/schedule/pattern.h"

/* More messages of one rank in one iteration make a schedule that no cache holds. */
#define WEFT_PATTERN_MESSAGES_MAX (UINT64_C(1) << 20)
/* What is reduced is kept off the cache lines of the vector. */
#define WEFT_SCRATCH_ALIGN_BYTES UINT64_C(64)

/* ---- for a pattern's check ---- */

/* `count` messages of one rank and iteration are not too many. */
WEFT_CHECKED enum weft_status weft_pattern_check_messages(const struct weft_pattern *pattern,
                                                          uint64_t count, struct weft_error *error);
/* The size is that of one message. */
WEFT_CHECKED enum weft_status weft_pattern_check_message(const struct weft_pattern *pattern,
                                                         const struct weft_pattern_options *options,
                                                         struct weft_error *error);
/* The option names a rank. */
WEFT_CHECKED enum weft_status weft_pattern_check_rank(const struct weft_pattern *pattern,
                                                      const struct weft_pattern_options *options,
                                                      enum weft_pattern_option_id id,
                                                      struct weft_error *error);

/* ---- for a pattern's build ---- */

/* A piece of a buffer. */
struct weft_span {
    uint64_t offset_bytes;
    uint64_t len_bytes;
};

/* Part `part` of `count` of a span: their lengths differ by at most one element. */
struct weft_span weft_span_part(const struct weft_span *span, uint64_t part, uint64_t count,
                                uint32_t element_bytes);

/* Into how many messages a part of the vector is cut: of at most the chunk that was asked for; else
 * of 64 KiB or, where those were more than 16, larger ones. At least 1. */
uint64_t weft_pattern_chunks(const struct weft_pattern_options *options, uint64_t len_bytes);

/* Each adds an operation that requires one other, or none (WEFT_OP_NONE), and returns it. */
uint32_t weft_add_send(struct weft_schedule_builder *builder, uint32_t peer,
                       const struct weft_span *span, uint32_t requires);
uint32_t weft_add_receive(struct weft_schedule_builder *builder, uint32_t peer,
                          const struct weft_span *span, uint32_t requires);
/* The span at `from_bytes` is joined into `into`. */
uint32_t weft_add_reduce(struct weft_schedule_builder *builder, const struct weft_span *into,
                         uint64_t from_bytes, uint32_t requires);
uint32_t weft_add_calc(struct weft_schedule_builder *builder, uint64_t duration_ns,
                       uint32_t requires);

/* What a span holds at the end: a copy of what `rank` was filled with at `from_bytes`; the
 * reduction over all ranks of what they were filled with there. */
void weft_expect_copy(struct weft_schedule_builder *builder, const struct weft_span *span,
                      uint32_t rank, uint64_t from_bytes);
void weft_expect_reduced(struct weft_schedule_builder *builder, const struct weft_span *span,
                         uint64_t from_bytes);

/* Every byte that counts crosses the link that bounds the pattern once. */
double weft_pattern_one_factor(uint32_t rank_count);
double weft_pattern_no_factor(uint32_t rank_count);
double weft_pattern_no_bytes(const struct weft_pattern_options *options);

static inline uint32_t weft_element_of(const struct weft_pattern_options *options)
{
    return weft_element_bytes((enum weft_element)options->element);
}

#endif
