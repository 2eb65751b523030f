/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory at the same address in every process: addresses travel in packets, and the same seed is to
 * give the same packets. */
#ifndef WEFT_TESTS_SIM_ARENA_H
#define WEFT_TESTS_SIM_ARENA_H

#include <stdint.h>

/* Gives everything back; the contents are undefined. */
void arena_reset(void);
/* Page-aligned. */
void *arena_take(uint64_t len_bytes);

#endif
