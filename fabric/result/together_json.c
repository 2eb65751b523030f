/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/together_json.h"

#include <math.h>

#include "fabric/result/together.h"

static json_t *factor(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interference_json(const struct weft_test_result *test)
{
    struct weft_interference interference;
    if (!weft_test_interference(test, &interference))
        return json_null();
    double jain = 0;
    const struct weft_together *together = &test->test->together;
    const struct weft_test_result *alone = test - together->job_count;
    bool fair = weft_jobs_fairness(test - together->index, &jain);
    return json_pack("{so so so ss so}", "completion_p50", factor(interference.p50),
                     "completion_p99", factor(interference.p99), "bandwidth",
                     factor(interference.bandwidth), "compared_with", alone->test->name, "fairness",
                     fair ? json_real(jain) : json_null());
}

json_t *weft_together_json(const struct weft_test_result *test)
{
    const struct weft_together *together = &test->test->together;
    if (!together->name)
        return json_null();
    return json_pack("{ss ss sI sb so}", "name", together->name, "job", together->job, "jobs",
                     (json_int_t)together->job_count, "alone", (int)together->alone, "interference",
                     interference_json(test));
}
