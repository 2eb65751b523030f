/* SPDX-License-Identifier: BSD-3-Clause */
/* The data that a verification pass moves, and the check of what arrived. */
#ifndef WEFT_SCHEDULE_VERIFY_H
#define WEFT_SCHEDULE_VERIFY_H

#include "fabric/schedule/schedule.h"

/* Every rank's buffer is filled with small whole numbers that differ between ranks, places and
 * passes, so small that a reduction over all ranks is exact in the schedule's type, in whatever
 * order it is done:
 * - a maximum, and what wraps (int32, uint8), is exact always;
 * - else the numbers of all ranks in one place add up to at most what the type counts to (2^24 for
 *   float32, 2^11 for float16, 2^8 for bfloat16). With too many ranks for numbers from 1 to 4, most
 *   are 0: then each rank has its few numbers in places of its own.
 * The second kind ends where not even one number a rank would fit. */
uint32_t weft_verify_ranks_max(enum weft_element element, enum weft_reduction reduction);

/* Element `index` of what rank `rank` is filled with in pass `pass`; below 510. */
uint32_t weft_verify_value(const struct weft_schedule *schedule, uint32_t rank, uint64_t index,
                           uint32_t pass);

/* Fills the whole buffer of the schedule's rank; zeros beyond the last whole element. */
void weft_verify_fill(const struct weft_schedule *schedule, uint8_t *buffer, uint32_t pass);

struct weft_verify_result {
    uint64_t compared_bytes;
    uint64_t wrong_bytes;
    uint64_t first_wrong_offset_bytes; /* where wrong_bytes > 0 */
    float expected, found;             /* there; as elements */
};

/* Compares every byte that the schedule has an expectation of. Adds to `result`. */
void weft_verify_check(const struct weft_schedule *schedule, const uint8_t *buffer, uint32_t pass,
                       struct weft_verify_result *result);

#endif
