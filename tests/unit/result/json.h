/* SPDX-License-Identifier: BSD-3-Clause */
/* result.json of a result, and what stands in it: `path` is "tests/0/ranks". */
#ifndef WEFT_TEST_RESULT_JSON_H
#define WEFT_TEST_RESULT_JSON_H

#include <jansson.h>

#include "fabric/result/result.h"

/* The caller's to release. */
json_t *json_of(const struct weft_result *result);
const json_t *at(const json_t *json, const char *path);
void is_whole(const json_t *root, const char *path, long long value);
void is_near(const json_t *root, const char *path, double value);
void is_text(const json_t *root, const char *path, const char *value);
void is_null(const json_t *root, const char *path);

#endif
