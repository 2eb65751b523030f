/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan, a topology and figures made by hand, so that every number in them is known. */
#ifndef WEFT_TESTS_RESULT_FIXTURE_H
#define WEFT_TESTS_RESULT_FIXTURE_H

#include "fabric/result/result.h"

#define FIXTURE_RANKS 4u

struct fixture {
    struct weft_host hosts[2];
    struct weft_nic nics[FIXTURE_RANKS];
    uint32_t rank_nics[FIXTURE_RANKS];
    struct weft_topology topology;
    struct weft_pattern pattern;
    struct weft_expect expects[3];
    struct weft_test test;
    struct weft_plan plan;
    struct weft_result *result;
    struct weft_test_result *figures; /* the first test's */
};

/* Two hosts of two ranks each; the pattern counts its size as algorithm bytes and has the bus
 * factor of all-reduce, 1.5 for 4 ranks. The first test is begun and holds nothing. */
void fixture_init(struct fixture *fixture);
void fixture_fini(struct fixture *fixture);

/* 1000 iterations of 1000 to 1999 us, so the mean is 1499.5 us; and for each rank r 100 messages of
 * 10 to 109 us, 1000 intervals at 10 to 10.999 Gbps, and counters that grow with r. */
void fixture_fill(struct fixture *fixture);

#endif
