/* SPDX-License-Identifier: BSD-3-Clause */
/* One test that stands for many: over lists of values, and again and again. */
#ifndef WEFT_PLAN_SWEEP_H
#define WEFT_PLAN_SWEEP_H

#include "fabric/plan/plan.h"

/* Of a plan, once sweeps and repeats are written out. */
#define WEFT_PLAN_TESTS_MAX 1000u

/* Adds an axis: `key` is an option of the test that may be swept, or one of the
 * pattern's options; `values` are separated
 * by commas, each a value or a range "64B..4MiB*4", from the first by that factor up to the last.
 * Refused where a value is none of the key's. */
WEFT_CHECKED enum weft_status weft_sweep_add(struct weft_test *test, const char *key,
                                             const char *values, struct weft_error *error);
void weft_sweep_fini(struct weft_test *test);

/* Writes sweeps and repeats out: each point is a test of its own, named "NAME size=4KiB ranks=2",
 * each repeat after the first "NAME #2". Tests that have neither stay as they are. */
WEFT_CHECKED enum weft_status weft_plan_expand(struct weft_plan *plan, struct weft_error *error);

#endif
