/* SPDX-License-Identifier: BSD-3-Clause */
/* The data that a verification pass moves, and the check of what arrived. */
#ifndef WEFT_SCHEDULE_VERIFY_H
#define WEFT_SCHEDULE_VERIFY_H

#include "fabric/schedule/schedule.h"

/* Element `index` (float32) of what rank `rank` is filled with in pass `pass`: a small whole
 * number, different between ranks, places and passes, so that sums of up to 2^15 ranks are exact.
 */
float weft_verify_value(uint32_t rank, uint64_t index, uint32_t pass);

/* Fills a rank's whole buffer. Bytes past the last whole element have a pattern of their own, so an
 * expectation of a copy that ends inside an element must be of the very end of that rank's buffer.
 */
void weft_verify_fill(uint8_t *buffer, uint64_t len_bytes, uint32_t rank, uint32_t pass);

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
