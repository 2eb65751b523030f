/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of iterations went, in result.json and in the table; within fabric/result only. */
#ifndef WEFT_RESULT_ATTRIBUTION_H
#define WEFT_RESULT_ATTRIBUTION_H

#include <jansson.h>
#include <stdio.h>

#include "fabric/result/result.h"

/* The chains of the slowest iterations, and who decides most often; null where nothing was traced.
 * NULL: out of memory. */
json_t *weft_attribution_chains_json(const struct weft_test_result *test);
json_t *weft_attribution_deciders_json(const struct weft_result *result,
                                       const struct weft_test_result *test);

/* Some lines, or none where nothing was traced. */
void weft_attribution_print(FILE *out, const struct weft_result *result,
                            const struct weft_test_result *test);

/* "a/n - leaf0", or "a/n" where `nic`. */
#define WEFT_SUSPECT_TEXT 512
char *weft_suspect_name(const struct weft_topology *topology, uint32_t index, bool nic,
                        char text[WEFT_SUSPECT_TEXT]);

#endif
