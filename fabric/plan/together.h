/* SPDX-License-Identifier: BSD-3-Clause */
/* Jobs that run side by side: a test of a plan that has `together` instead of a pattern. */
#ifndef WEFT_PLAN_TOGETHER_H
#define WEFT_PLAN_TOGETHER_H

#include "fabric/plan/test.h"

/* How many tests a plan's test makes: 1, or two for each of its jobs. */
uint32_t weft_together_count(const struct weft_yaml_node *node);

/* Reads them: all zero-initialised, room for weft_together_count. On failure they are the caller's
 * to fini all the same. */
WEFT_CHECKED enum weft_status weft_together_read(const struct weft_yaml_node *node,
                                                 struct weft_test *tests, struct weft_error *error);

#endif
