/* SPDX-License-Identifier: BSD-3-Clause */
/* What the patterns share; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_PATTERNS_H
#define WEFT_SCHEDULE_PATTERNS_H

#include "fabric/driver.h"
#include "fabric/schedule/pattern.h"

extern const struct weft_pattern weft_pattern_ping_pong;
extern const struct weft_pattern weft_pattern_all_reduce;
extern const struct weft_pattern weft_pattern_incast;
extern const struct weft_pattern weft_pattern_pipeline;

/* Sums of values below 2^9 over so many ranks are exact in float32; see verify.h. */
#define WEFT_PATTERN_RANKS_MAX (1u << 15)
/* More messages of one rank in one iteration make a schedule that no cache holds. */
#define WEFT_PATTERN_MESSAGES_MAX (UINT64_C(1) << 20)
#define WEFT_PATTERN_SIZE_MAX (UINT64_C(1) << 40)

#define WEFT_ELEMENT_BYTES ((uint64_t)sizeof(float))

/* Which options a pattern has beside ranks and size. */
struct weft_pattern_takes {
    bool chunk;
    bool microbatches;
    bool calc;
};

/* Ranks within [at_least, at_most], a size, a chunk that a message can be, and no option that the
 * pattern would ignore. */
WEFT_CHECKED enum weft_status weft_pattern_check_common(const struct weft_pattern *pattern,
                                                        const struct weft_pattern_options *options,
                                                        uint32_t at_most_ranks,
                                                        const struct weft_pattern_takes *takes,
                                                        struct weft_error *error);

/* The builder of a rank of a pattern, once its options are checked; NULL and an error else. */
struct weft_schedule_builder *weft_pattern_begin(const struct weft_pattern *pattern,
                                                 const struct weft_pattern_options *options,
                                                 uint32_t rank, enum weft_status *ret_status,
                                                 struct weft_error *error);
/* Finishes and destroys the builder. */
WEFT_CHECKED enum weft_status weft_pattern_end(struct weft_schedule_builder *builder,
                                               struct weft_schedule **ret_schedule,
                                               struct weft_error *error);

double weft_pattern_no_factor(uint32_t rank_count);
uint64_t weft_pattern_no_bytes(const struct weft_pattern_options *options);

/* The next multiple, of whole elements: where a copy may begin. */
static inline uint64_t weft_pattern_align(uint64_t len_bytes, uint64_t to_bytes)
{
    return (len_bytes + to_bytes - 1) / to_bytes * to_bytes;
}

#endif
