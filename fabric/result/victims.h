/* SPDX-License-Identifier: BSD-3-Clause */
/* What the flows beside an incast, whose own ports are not congested, got of their links. */
#ifndef WEFT_RESULT_VICTIMS_H
#define WEFT_RESULT_VICTIMS_H

#include <jansson.h>

#include "fabric/result/result.h"

/* Of each round's flow: its bytes over the time from when the source posted them until the last was
 * acknowledged. That ends a way back later than the bytes arrive: a short flow stays below its
 * link's rate without any incast. */
struct weft_test_victims {
    uint32_t flows;
    bool median_known; /* enough samples */
    double median_bps, worst_bps;
    uint64_t line_rate_bps; /* the lowest of their NICs or NICs' links; 0: none is known */
};

/* False: the test has none, or nothing was measured. */
bool weft_test_victims(const struct weft_result *result, const struct weft_test_result *test,
                       struct weft_test_victims *ret);

/* null where there are none; NULL: out of memory. */
json_t *weft_victims_json(const struct weft_result *result, const struct weft_test_result *test);

#endif
