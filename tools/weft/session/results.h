/* SPDX-License-Identifier: BSD-3-Clause */
/* The directory that a run leaves: result.json, the histograms, the plan and topology as run. */
#ifndef WEFT_TOOLS_RESULTS_H
#define WEFT_TOOLS_RESULTS_H

#include "fabric/result/result.h"
#include "tools/weft/session/job.h"

/* Makes it; it must not exist. `path` NULL: "weft-2026-11-22T001203-all-reduce" in this directory.
 * `*ret_path` is the caller's to free. */
WEFT_CHECKED enum weft_status weft_results_create(const char *path, const struct weft_job *job,
                                                  char **ret_path, struct weft_error *error);
/* Where nothing came of the run: takes the empty directory away again. */
void weft_results_discard(const char *path);

/* `json` is weft_result_json's. */
WEFT_CHECKED enum weft_status weft_results_write(const char *path, const struct weft_job *job,
                                                 const struct weft_result *result, const char *json,
                                                 struct weft_error *error);

#endif
