/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/plan/test.h"

void weft_plan_destroy(struct weft_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; plan->tests && i < plan->test_count; i++)
        weft_test_fini(&plan->tests[i]);
    free(plan->tests);
    free(plan->name);
    free(plan);
}

void weft_test_fini(struct weft_test *test)
{
    for (uint32_t i = 0; test->expects && i < test->expect_count; i++)
        weft_expect_fini(&test->expects[i]);
    free(test->expects);
    free(test->name);
    free(test->driver);
    free(test->file);
    free(test->file_text);
    *test = (struct weft_test){0};
}

const char *const weft_arrivals_names[WEFT_ARRIVALS_KIND_COUNT + 1] = {
    [WEFT_ARRIVALS_CONSTANT] = "constant",
    [WEFT_ARRIVALS_POISSON] = "poisson",
};

void weft_test_set_defaults(struct weft_test *test, const struct weft_pattern *pattern)
{
    *test = (struct weft_test){.pattern = pattern,
                               .options = {.size_bytes = pattern->default_size_bytes},
                               .transfer = WEFT_TRANSFER_WRITE,
                               .iterations = WEFT_ITERATIONS_DEFAULT,
                               .warmup = WEFT_WARMUP_DEFAULT,
                               .verify = true,
                               .trace = true};
}

enum weft_status weft_plan_single(const struct weft_pattern *pattern, struct weft_plan **ret_plan,
                                  struct weft_error *error)
{
    struct weft_plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    plan->name = strdup(pattern->name);
    plan->tests = calloc(1, sizeof(plan->tests[0]));
    if (plan->tests) {
        plan->test_count = 1;
        weft_test_set_defaults(&plan->tests[0], pattern);
        plan->tests[0].name = strdup(pattern->name);
    }
    if (!plan->name || !plan->tests || !plan->tests[0].name) {
        weft_plan_destroy(plan);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    }
    *ret_plan = plan;
    return WEFT_OK;
}
