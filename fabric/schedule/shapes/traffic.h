/* SPDX-License-Identifier: BSD-3-Clause */
/* Who sends how much to whom, as one rank needs to know it; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_TRAFFIC_H
#define WEFT_SCHEDULE_TRAFFIC_H

#include "fabric/schedule/shapes/parts.h"

/* By rank, each. What a rank sends lies in its buffer in the order of those it is for, what it
 * keeps included. */
struct weft_traffic {
    uint64_t *sent_bytes;
    uint64_t *received_bytes;
    uint64_t *received_at; /* where what is received lies in its sender's buffer */
};

/* About all ranks; what a rank keeps is not counted. */
struct weft_traffic_summary {
    uint32_t rank_count;
    uint64_t total_bytes;
    uint64_t messages; /* of the rank that sends or receives most */
};

/* What each rank has for those below `rank`, for each rank and for their number: size_bytes shared
 * out by Zipf's law over ranks in an order that the seed draws. The caller's to free; NULL: out of
 * memory. */
uint64_t *weft_zipf_bounds(const struct weft_pattern_options *options);

/* ---- traffic_matrix.c: from the options' text ---- */

/* How many numbers the first row has. */
WEFT_CHECKED enum weft_status weft_matrix_peek(const struct weft_pattern_options *options,
                                               uint32_t *ret_rank_count, struct weft_error *error);
/* Reads all of it; messages are counted by the options' chunks. */
WEFT_CHECKED enum weft_status weft_matrix_summarize(const struct weft_pattern_options *options,
                                                    struct weft_traffic_summary *ret_summary,
                                                    struct weft_error *error);
/* Fills the traffic of one rank, whose lists have room for all ranks and are zero. `transposed`:
 * the bytes go the other way. */
WEFT_CHECKED enum weft_status weft_matrix_traffic(const struct weft_pattern_options *options,
                                                  uint32_t rank, bool transposed,
                                                  struct weft_traffic *traffic,
                                                  struct weft_error *error);

#endif
