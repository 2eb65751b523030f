/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEFT_RESULT_TOGETHER_JSON_H
#define WEFT_RESULT_TOGETHER_JSON_H

#include <jansson.h>

#include "fabric/result/result.h"

/* Whose job a test is, and what the others make of it; null: it is none. NULL: out of memory. All
 * tests that it is compared with have been finished. */
json_t *weft_together_json(const struct weft_test_result *test);

#endif
