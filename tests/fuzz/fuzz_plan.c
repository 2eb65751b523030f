/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a plan: parsed or refused with an error, and no more. */
#include "fabric/plan/plan.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
    const struct weft_source source = {"fuzz.yaml", (const char *)data, len_bytes};
    struct weft_error error = {0};
    struct weft_plan *plan = NULL;
    enum weft_status status = weft_plan_parse(&source, &plan, &error);
    assert((status == WEFT_OK) == (plan != NULL));
    assert((status == WEFT_OK) == (error.text[0] == '\0'));
    weft_plan_destroy(plan);
    return 0;
}
