/* SPDX-License-Identifier: BSD-3-Clause */
/* An order of 0 .. count - 1 that a seed draws, of which any one place can be asked without making
 * the rest; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_SHUFFLE_H
#define WEFT_SCHEDULE_SHUFFLE_H

#include <stdint.h>

/* What stands at `place`. `count` is 1 or more, `place` below it. */
uint32_t weft_shuffle_at(uint32_t count, uint64_t seed, uint32_t place);
/* Where `value` stands. */
uint32_t weft_shuffle_place(uint32_t count, uint64_t seed, uint32_t value);

#endif
