/* SPDX-License-Identifier: BSD-3-Clause */
/* An agent's hands without devices: its ranks run iterations at a pace of their own in virtual
 * time, and it fails where it is told to. */
#ifndef WEFT_TESTS_CONTROL_FAKE_RUNTIME_H
#define WEFT_TESTS_CONTROL_FAKE_RUNTIME_H

#include "fabric/control/control.h"

/* Where an agent is in a test. */
enum fake_moment {
    FAKE_NEVER = 0,
    FAKE_ATTACH,
    FAKE_PREPARE,
    FAKE_ADDRESSES,
    FAKE_CONNECT,
    FAKE_CONNECTED,
    FAKE_START_VERIFY,
    FAKE_START_WARMUP,
    FAKE_START_MEASURE,
    FAKE_MIDDLE_VERIFY, /* the first progress that shows an iteration done */
    FAKE_MIDDLE_WARMUP,
    FAKE_MIDDLE_MEASURE,
    FAKE_VERIFY,
    FAKE_COLLECT,
    FAKE_TRACE,
    FAKE_RELEASE,
    FAKE_MOMENT_COUNT
};

const char *fake_moment_text(enum fake_moment moment);
/* Can the runtime report a failure of its own then? */
bool fake_moment_may_fail(enum fake_moment moment);

/* What it has of one of the tests that run at once. */
struct fake_part {
    struct weft_test test; /* strings are not kept, ranks are */
    uint32_t ranks[64];
    uint32_t local_count;
    uint64_t granted, done, taken, resumed_ns, resumed_done;
    bool last, keeps[WEFT_NODE_TRACES_KEPT];
    uint64_t kept[WEFT_NODE_TRACES_KEPT];
};

struct fake_runtime {
    uint32_t agent;
    const uint64_t *now_ns; /* the simulation's */
    uint64_t period_ns;     /* of an iteration; the second part's is twice that, and so on */
    uint32_t stalled;       /* so many parts from the last on end no measured iteration */
    uint64_t connect_ns;    /* how long channels take to come up */
    bool decides;

    /* A failure that is asked for, and where the trial is. */
    enum fake_moment watched, reached;
    bool fails; /* at the watched moment the op itself fails */

    /* What the agent did to it. */
    uint32_t prepares, releases;
    bool held, halted;
    bool misused; /* an op came out of order */

    /* The test. */
    uint32_t local_count;
    uint32_t ranks[64], parts_of[64], places[64];
    uint32_t part_count;
    struct fake_part parts[WEFT_JOBS_MAX];
    uint64_t connecting_ns;
    enum weft_phase phase;
    bool started;
    uint64_t measured; /* iterations of the last MEASURE, of the first part */
    uint32_t records[WEFT_RECORD_NO_MORE + 1]; /* how often it was told each */
    uint32_t verified, collected;
    struct weft_nic nic; /* of the first rank; strings are not kept */
    char device[64];
    uint64_t seed;
    uint32_t foreseen_ranks, foreseen_mtu_bytes; /* by the first prepare */
};

/* Of how many of the last iterations it has traces. */
#define FAKE_TRACES 20u

extern const struct weft_agent_runtime fake_runtime_ops;

/* What the agent's slowest deciding rank took for an iteration; of the second part twice that, and
 * so on. */
uint64_t fake_duration_ns(uint32_t agent, uint64_t iteration);

#endif
