/* SPDX-License-Identifier: BSD-3-Clause */
/* What jobs that run together make of each other. */
#ifndef WEFT_RESULT_TOGETHER_H
#define WEFT_RESULT_TOGETHER_H

#include <stdio.h>

#include "fabric/result/result.h"

/* How many times as slow a job is among the others as it is alone: 1 is not at all. NaN: one of the
 * two has too few samples for it, or no such figure. */
struct weft_interference {
    double p50, p99;  /* of the completion: together over alone */
    double bandwidth; /* alone over together: algbw, in an open loop what is achieved */
};
/* False: the test is no job that runs together with others. */
bool weft_test_interference(const struct weft_test_result *result, struct weft_interference *ret);

/* The same by the name that an expectation has: "interference", "interference.p99". */
bool weft_interference_metric(const struct weft_test_result *result, const char *metric,
                              double *ret_value);

/* Jain's index of what each of the jobs keeps of its speed, by the medians: 1 where all suffer
 * alike. `first` is the first of them. False: one is not known. */
bool weft_jobs_fairness(const struct weft_test_result *first, double *ret_jain);

/* Below the last of the jobs: all of them side by side. Of any other test nothing. */
void weft_together_print(FILE *out, const struct weft_test_result *test);

#endif
