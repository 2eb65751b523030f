/* SPDX-License-Identifier: BSD-3-Clause */
/* What a test may be told: one table, from which come a plan's keys, the command line's options,
 * the wire's fields and the checks of all three, plan.yaml as it was run, what result.json records,
 * and the help. A new option is a row here and whatever uses it. */
#ifndef WEFT_PLAN_OPTIONS_H
#define WEFT_PLAN_OPTIONS_H

#include "fabric/base/units.h"
#include "fabric/node/node.h"

struct weft_test;

/* How a value is written. Behind TEXT there is no number: such a row has a reader and a writer of
 * its own, and only its names, its help and its scope are here. */
enum weft_option_form {
    WEFT_FORM_COUNT = 0,
    WEFT_FORM_SIZE,
    WEFT_FORM_TIME,
    WEFT_FORM_RATE,
    WEFT_FORM_POWER,     /* a size that is a power of two */
    WEFT_FORM_LENGTH,    /* a time, or "forever": WEFT_FOREVER */
    WEFT_FORM_WORD,      /* the value is its place in a list of words */
    WEFT_FORM_SWITCH,    /* true or false; --KEY turns it on */
    WEFT_FORM_SWITCH_ON, /* the same, on unless told; --no-KEY turns it off */
    WEFT_FORM_TEXT,
    WEFT_FORM_TEXTS, /* --KEY may be given more than once */
    WEFT_FORM_KEY,   /* a plan's key only */
};

/* Where jobs run together: whose the option is. */
enum weft_option_scope {
    WEFT_SCOPE_TEST = 0, /* the same for all jobs: what a device is told, and when they run */
    WEFT_SCOPE_JOB,      /* each job's own */
    WEFT_SCOPE_BOTH,     /* of each job and of all of them */
    WEFT_SCOPE_ALONE,    /* jobs together do not take it */
};

/* What a test must have for the option to mean anything; else it is refused. */
enum weft_option_needs {
    WEFT_NEEDS_NOTHING = 0,
    WEFT_NEEDS_RATE,   /* an open loop */
    WEFT_NEEDS_PACING, /* a driver that paces */
    WEFT_NEEDS_FAULTS, /* a driver that injects faults */
    WEFT_NEEDS_SUMS,   /* a pattern that joins elements */
};

#define WEFT_FOREVER ((uint64_t)INT64_MAX)
#define WEFT_REPEATS_MAX 100u
/* Where a plan says nothing: enough iterations for a p90, few enough for a first look. */
#define WEFT_ITERATIONS_DEFAULT 100u
#define WEFT_WARMUP_DEFAULT 10u

/* OWN(ID, type, field of struct weft_test, "key", "what its value is called", form, scope, "one
 * line of help", more of struct weft_test_option ...): the row declares the field.
 * HELD(...): the same, of a field that is declared elsewhere.
 * PART(ID, "key", "value", form, scope, "help", ...): a row without a number.
 *
 * A number that was not said holds `default_value`. Where that is 0 and 0 is outside the bounds
 * nothing is said, and `absent` says what then holds: who uses the field decides it. Where 0 may be
 * said and must differ from nothing said, ask weft_test_option_is_given. */
#define WEFT_TEST_OPTIONS(OWN, HELD, PART)                                                         \
    PART(NAME, "name", NULL, KEY, BOTH, "what the test is called in the result",                   \
         .absent = "the pattern's name")                                                           \
    PART(PATTERN, "pattern", NULL, KEY, JOB, "what is sent", .absent = "required")                 \
    HELD(SIZE, uint64_t, options.size_bytes, "size", "SIZE", SIZE, JOB,                            \
         "size of the pattern's data, such as 64KiB", .least = 1, .most = UINT64_C(1) << 40,       \
         .swept = true, .absent = "the pattern's")                                                 \
    HELD(RANKS, uint32_t, options.rank_count, "ranks", "N", COUNT, JOB, "number of ranks",         \
         .least = 1, .most = WEFT_RANKS_MAX, .swept = true, .absent = "the topology's")            \
    PART(FILE, "file", "FILE", TEXT, JOB,                                                          \
         "the file that a pattern is made from, such as a traffic matrix", .absent = "none")       \
    PART(TOGETHER, "together", NULL, KEY, TEST, "jobs that run at once", .absent = "none")         \
    PART(DRIVER, "driver", "NAME", TEXT, TEST,                                                     \
         "driver that moves the data (weft devices lists them)", .absent = "`dpdk`")               \
    OWN(ITERATIONS, uint64_t, iterations, "iterations", "N", COUNT, TEST,                          \
        "how many iterations to measure", .least = 1, .most = UINT64_C(1000000000000),             \
        .default_value = WEFT_ITERATIONS_DEFAULT, .instead_of = WEFT_TEST_DURATION)                \
    OWN(DURATION, uint64_t, duration_ns, "duration", "TIME", LENGTH, TEST,                         \
        "how long to measure, such as 10s, instead of --iterations", .least = 1000000,             \
        .most = 168 * WEFT_HOUR_NS, .instead_of = WEFT_TEST_ITERATIONS, .absent = "")              \
    OWN(WARMUP, uint64_t, warmup, "warmup", "N", COUNT, TEST,                                      \
        "iterations before the measured window", .most = 1000000000,                               \
        .default_value = WEFT_WARMUP_DEFAULT)                                                      \
    OWN(ITERATION_TIMEOUT, uint64_t, iteration_timeout_ns, "iteration-timeout", "TIME", TIME,      \
        TEST, "give up if no iteration ends in this time, such as 10m", .least = 1000000000,       \
        .most = 168 * WEFT_HOUR_NS, .absent = "`60s`, or ten times the ideal if that is longer")   \
    OWN(TRANSFER, enum weft_transfer, transfer, "transfer", "write|send", WORD, JOB,               \
        "RDMA WRITE with immediate (default), or SEND", .words = weft_transfer_names,              \
        .noun = "transfer")                                                                        \
    OWN(MTU, uint32_t, mtu_bytes, "mtu", "N", POWER, TEST,                                         \
        "path MTU: 256, 512, 1024, 2048 or 4096 bytes", .least = 256, .most = 4096,                \
        .absent = "the device's largest")                                                          \
    OWN(DSCP, uint8_t, dscp, "dscp", "N", COUNT, TEST, "DSCP of the packets: 0 to 63", .most = 63) \
    OWN(DEPTH, uint32_t, depth, "depth", "N", COUNT, JOB,                                          \
        "receives posted in advance for each peer", .least = 1, .most = 4096,                      \
        .absent = "chosen by weft")                                                                \
    OWN(IN_FLIGHT, uint32_t, in_flight, "in-flight", "N", COUNT, JOB,                              \
        "iterations that run at once (default 1; in an open loop fan-out 64, stream 8)",           \
        .least = 1, .most = WEFT_IN_FLIGHT_MAX, .absent = "1; in an open loop")                    \
    OWN(INTERVAL, uint64_t, interval_ns, "interval", "TIME", TIME, TEST,                           \
        "interval of the bandwidth series (default 1ms)", .least = 10000, .most = WEFT_HOUR_NS,    \
        .absent = "`1ms`")                                                                         \
    OWN(RATE, uint64_t, rate_bps, "rate", "RATE", RATE, JOB,                                       \
        "open loop: payload rate of the rank that sends most, such as 10Gbps", .least = 1000,      \
        .most = WEFT_RATE_MAX_BPS, .swept = true, .absent = "closed loop")                         \
    PART(SEARCH, "search", "FROM..TO", TEXT, ALONE,                                                \
         "find the highest rate without loss, such as 1Gbps..100Gbps", .absent = "none")           \
    OWN(ARRIVALS, enum weft_arrivals_kind, arrivals, "arrivals", "KIND", WORD, JOB,                \
        "with --rate: constant (default) or poisson", .words = weft_arrivals_names,                \
        .noun = "kind of arrivals", .needs = WEFT_NEEDS_RATE)                                      \
    OWN(PACE, uint64_t, pace_bps, "pace", "RATE", RATE, TEST,                                      \
        "the highest rate of each endpoint, such as 10Gbps", .least = 100000,                      \
        .most = WEFT_RATE_MAX_BPS, .needs = WEFT_NEEDS_PACING, .absent = "no limit")               \
    PART(CONGESTION, "congestion", "CONTROL", TEXT, TEST,                                          \
         "dcqcn, none, or '{control: dcqcn, line-rate: 100Gbps}'", .needs = WEFT_NEEDS_PACING,     \
         .absent = "`none`")                                                                       \
    PART(FAULT, "fault", "LIST", TEXT, TEST,                                                       \
         "inject faults, such as drop=1e-4,corrupt=1e-5,seed=3 (driver dpdk)",                     \
         .needs = WEFT_NEEDS_FAULTS, .absent = "none")                                             \
    OWN(REDUCE, bool, reduce, "reduce", NULL, SWITCH, JOB,                                         \
        "compute the sums of reductions while measuring too", .needs = WEFT_NEEDS_SUMS)            \
    OWN(VERIFY, bool, verify, "verify", NULL, SWITCH_ON, TEST,                                     \
        "do not verify the data before measuring", .default_value = true)                          \
    OWN(TRACE, bool, trace, "trace", NULL, SWITCH_ON, TEST,                                        \
        "do not record where the time of the slowest iterations went", .default_value = true)      \
    OWN(REPEATS, uint32_t, repeats, "repeats", "N", COUNT, ALONE,                                  \
        "run each test N times, and report how much the repeats differ", .least = 1,               \
        .most = WEFT_REPEATS_MAX, .absent = "1")                                                   \
    PART(SWEEP, "sweep", "KEY=LIST", TEXTS, ALONE,                                                 \
         "one test for each value, such as size=64B..1MiB*4; repeatable", .absent = "none")        \
    PART(EXPECT, "expect", "EXPR", TEXTS, BOTH,                                                    \
         "fail if this is not met, such as 'completion.p99 <= 5ms'; repeatable", .absent = "")

enum weft_test_option_id {
#define WEFT_NUMBER(id, type, field, key, value, form, scope, help, ...) WEFT_TEST_##id,
#define WEFT_PART(id, key, value, form, scope, help, ...) WEFT_TEST_##id,
    WEFT_TEST_OPTIONS(WEFT_NUMBER, WEFT_NUMBER, WEFT_PART)
#undef WEFT_NUMBER
#undef WEFT_PART
    WEFT_TEST_OPTION_COUNT
};

struct weft_test_option {
    const char *key;   /* a plan's; an option after two dashes */
    const char *value; /* what the help calls its value; NULL: it has none */
    enum weft_option_form form;
    enum weft_option_scope scope;
    const char *help;
    size_t offset, width_bytes; /* of the field in struct weft_test; 0 wide: a part */
    uint64_t least, most;       /* a WORD's and a switch's come from the table's other columns */
    uint64_t default_value;
    const char *absent;       /* what holds without it, for people, where that is no value */
    const char *const *words; /* of a WORD; NULL-terminated */
    const char *noun;         /* what a WORD is called where it is none of them */
    bool swept;               /* a sweep may go over it */
    enum weft_option_needs needs;
    enum weft_test_option_id instead_of; /* setting this unsays that; 0: nothing */
};

/* By id. */
extern const struct weft_test_option weft_test_option_table[WEFT_TEST_OPTION_COUNT];

/* By enum weft_transfer and enum weft_arrivals_kind; NULL-terminated. */
extern const char *const weft_transfer_names[];
extern const char *const weft_arrivals_names[];

/* The row of that key; WEFT_TEST_OPTION_COUNT where there is none. */
enum weft_test_option_id weft_test_option_find(const char *key);
static inline bool weft_test_option_is_number(enum weft_test_option_id id)
{
    return weft_test_option_table[id].width_bytes != 0;
}

/* ---- of a row that has a number ---- */

uint64_t weft_test_option_get(const struct weft_test *test, enum weft_test_option_id id);
/* Sets the field and that it was said; what this stands instead of is unsaid. The value must be
 * within the bounds. */
void weft_test_option_set(struct weft_test *test, enum weft_test_option_id id, uint64_t value);
/* Was it said, be it 0? */
bool weft_test_option_is_given(const struct weft_test *test, enum weft_test_option_id id);
/* Has it a value, said or by default, that means something in this test? Else it is left out of
 * what is written about the test. */
bool weft_test_option_holds(const struct weft_test *test, enum weft_test_option_id id);

/* The first that needs this and is not at its default; WEFT_TEST_OPTION_COUNT where there is none.
 */
enum weft_test_option_id weft_test_option_needing(const struct weft_test *test,
                                                  enum weft_option_needs needs);

/* "'depth' must be from 1 to 4096": the same words wherever a value comes from. */
WEFT_CHECKED enum weft_status weft_test_option_check(enum weft_test_option_id id, uint64_t value,
                                                     struct weft_error *error);
/* From a text as a plan or a command line has it, within the bounds. */
WEFT_CHECKED enum weft_status weft_test_option_parse(enum weft_test_option_id id, const char *text,
                                                     uint64_t *ret_value, struct weft_error *error);
/* What parses to the value again. Returns `text`. */
char *weft_test_option_format(enum weft_test_option_id id, uint64_t value,
                              char text[WEFT_UNITS_TEXT]);

#endif
