/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs all ranks' schedules on plain buffers, in an order that a seed chooses, with the rules of
 * schedule.h and no others: what it finishes, any executor can. */
#ifndef WEFT_TESTS_INTERPRET_H
#define WEFT_TESTS_INTERPRET_H

#include "fabric/schedule/pattern.h"

struct world {
    uint32_t rank_count;
    struct weft_schedule **schedules;
    uint8_t **buffers;
};

/* Compiles every rank; asserts that it works. */
void world_init(struct world *world, const struct weft_pattern *pattern,
                const struct weft_pattern_options *options);
void world_fini(struct world *world);

/* Fills the buffers and runs one iteration. False: it stands still before the end. */
bool world_run(struct world *world, uint32_t pass, uint64_t seed);

#endif
