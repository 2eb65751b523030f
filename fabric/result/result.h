/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run found: merged figures of each test, the verdict, and result.json (schema 1). */
#ifndef WEFT_RESULT_RESULT_H
#define WEFT_RESULT_RESULT_H

#include "fabric/attribute/attribute.h"
#include "fabric/ideal/ideal.h"
#include "fabric/plan/plan.h"
#include "fabric/topology/topology.h"

struct weft_host_environment {
    char host[64], cpu[96], kernel[96], version[32];
    char clock_source[32];        /* "tsc" */
    int64_t clock_drift_ppb;      /* seen over the run, against CLOCK_MONOTONIC_RAW */
    uint64_t clock_resolution_ns; /* cost of one reading */
    uint64_t noise_floor_ns;      /* 99.9 % of an idle worker's time lies in shorter gaps */
    uint64_t record_cost_ns;      /* of one histogram record */
};

/* Of a rank whose iterations have their times; see weft_open_loop_measured. */
struct weft_rank_open_loop {
    bool paced;
    struct weft_hist *latency_intended_ns; /* owned */
    uint64_t missed, offered_ns, achieved_ns;
};

/* What one rank reports of a test. */
struct weft_rank_result {
    bool reported; /* false: nothing has come from it, the rest is zero */
    uint32_t rank;
    uint32_t host; /* index into weft_result.environments */
    char driver[16];
    char device[160]; /* the driver's description */
    bool verified_known;
    struct weft_verify_result verified;
    struct weft_hist *latency_ns;    /* owned */
    struct weft_hist *bandwidth_bps; /* owned */
    uint64_t sent_messages, sent_bytes, received_messages, received_bytes;
    uint64_t iterations, stalled_iterations;
    uint64_t window_ns; /* first start to last end, its own clock */
    /* How often the rank's worker lost its CPU in the window, by the operating system; ranks of one
     * worker bear the same number. */
    uint64_t preemptions;
    uint64_t preempted_ns;   /* how long it was without it, in all */
    uint32_t worker;         /* of its host; WEFT_WORKER_NONE: time is virtual */
    bool in_process, polled; /* as in struct weft_capabilities */
    struct weft_flow_rates rates;
    struct weft_flow_spread spread;
    struct weft_rank_open_loop open_loop;
    struct weft_device_counters counters; /* grown over the measured window */
    /* The device is a lower rank's too, so the same traffic stands in that one's counters: totals
     * leave these out. */
    bool counters_shared;
};

enum weft_verdict {
    WEFT_VERDICT_PASS = 0,
    WEFT_VERDICT_FAIL,   /* an expectation or the verification failed */
    WEFT_VERDICT_BROKEN, /* an agent was lost, a driver failed; what is here is partial */
};

struct weft_expect_result {
    const struct weft_expect *expect; /* the plan's */
    bool known;                       /* false: the figure is absent, which fails */
    double actual;
    bool pass;
    const char
        *unknown; /* why the figure is absent, in words; NULL: it is known, or the test broke */
};

/* Room for a weft_error's text and who and when. */
#define WEFT_BROKEN_BYTES 2048u

/* One of a search. */
struct weft_trial {
    uint64_t rate_bps;
    bool confirms, passed;
    double offered_bps, achieved_bps;
    uint64_t lost, missed;
};

struct weft_test_result {
    const struct weft_test *test;   /* the plan's, which must outlive the result */
    const struct weft_ideal *ideal; /* NULL: not computed */
    uint32_t rank_count;
    uint64_t iterations;
    uint64_t rate_bps;  /* of an open loop: the test's, or a trial's */
    uint64_t found_bps; /* of a search: the highest rate that passed and was confirmed; 0: none */
    uint32_t trial_count;
    struct weft_trial trials[WEFT_SEARCH_TRIALS_MAX];
    enum weft_verdict verdict;
    char broken[WEFT_BROKEN_BYTES];  /* why, where BROKEN; else empty */
    struct weft_hist *completion_ns; /* owned; slowest deciding rank of each iteration */
    struct weft_hist *latency_ns;    /* owned; merged */
    /* In an open loop the same from when iterations were due; else empty. */
    struct weft_hist *completion_intended_ns; /* owned */
    struct weft_hist *latency_intended_ns;    /* owned; merged */
    struct weft_hist *bandwidth_bps;          /* owned; merged */
    struct weft_attribution *attribution;     /* owned; NULL: no iteration was traced */
    struct weft_rank_result *ranks;           /* owned; rank_count, latency and bandwidth inside */
    uint32_t ranks_reported;                  /* how many of them hold something */
    struct weft_expect_result *expects;       /* owned; the test's expect_count */
};

struct weft_result {
    const struct weft_plan *plan;
    const struct weft_topology *topology;
    const struct weft_ideal *ideals; /* of each of the plan's tests; NULL: not computed */
    uint32_t environment_count;
    struct weft_host_environment *environments; /* owned */
    uint32_t test_count;                        /* done or begun */
    struct weft_test_result *tests;             /* owned; room for the plan's test_count */
    enum weft_verdict verdict;
    /* BROKEN before anything ran, by what the user asked for and not by the world (no such device,
     * a pattern that cannot be, two versions): exit status 2 and not 3. */
    bool refused;
    uint64_t seed; /* of the whole run, given or drawn; --seed with it runs the same again */
};

WEFT_CHECKED enum weft_status weft_result_create(const struct weft_plan *plan,
                                                 const struct weft_topology *topology,
                                                 struct weft_result **ret_result,
                                                 struct weft_error *error);
void weft_result_destroy(struct weft_result *result);

/* Begins the plan's next test: room for its ranks, histograms empty. */
WEFT_CHECKED enum weft_status weft_result_begin(struct weft_result *result, uint32_t rank_count,
                                                struct weft_test_result **ret_test,
                                                struct weft_error *error);

/* Merges the ranks' histograms, decides expectations and verdict. Once a test, when all is in or
 * the test broke (`broken` says why). A broken test's expectations fail as unknown: its figures are
 * partial. */
void weft_test_result_finish(struct weft_test_result *result);
/* The same again for what has changed since: a search's outcome. */
void weft_test_result_judge(struct weft_test_result *result);
/* Of a finished trial: does it hold what is asked, and achieve what is offered? It is written down,
 * too. */
bool weft_test_result_try(struct weft_test_result *result, bool confirms);
/* Room for the next trial: all but the trials is as it was begun. */
void weft_test_result_again(struct weft_test_result *result);
/* The whole verdict: the worst of the tests'. */
void weft_result_finish(struct weft_result *result);

/* Derived figures; false where there is none. */
bool weft_test_algbw(const struct weft_test_result *result, double *ret_bps);
bool weft_test_busbw(const struct weft_test_result *result, double *ret_bps);
/* The ideal time over the mean measured one: what algbw is over the ideal's. */
bool weft_test_ideal_share(const struct weft_test_result *result, double *ret_share);
/* Of all ranks' incoming flows, where there are two or more. Jain's index: 1 where all are alike,
 * 1 / n where one of n has all. */
struct weft_test_fairness {
    uint64_t flows;
    double jain;
    uint32_t worst_from, worst_to;
    double worst_bps;
};
bool weft_test_fairness(const struct weft_test_result *result, struct weft_test_fairness *ret);
/* Totals over ranks that reported. lost: sent messages that were not received; not known where a
 * rank is silent, for what others sent may have arrived there. */
struct weft_test_totals {
    bool lost_known;
    uint64_t sent_bytes, received_bytes, sent_messages, received_messages, lost;
    struct weft_device_counters devices; /* counted: by the devices of all these ranks */
};
void weft_test_totals(const struct weft_test_result *result, struct weft_test_totals *ret_totals);
/* Payload of all ranks. Missed: iterations that were due while a rank could not begin them, of the
 * rank that missed most. */
struct weft_test_open_loop {
    double offered_bps, achieved_bps;
    uint64_t missed;
};
/* False: a closed loop, or no rank has reported. */
bool weft_test_open_loop(const struct weft_test_result *result,
                         struct weft_test_open_loop *ret_open_loop);
/* All ranks verified: 1; some wrong: 0; not verified, or nothing to compare: -1. */
int weft_test_verified(const struct weft_test_result *result);

/* What makes a figure doubtful, in words, such as a bandwidth above the NIC's line rate. */
#define WEFT_WARNINGS_MAX 16
struct weft_warnings {
    uint32_t count;
    char texts[WEFT_WARNINGS_MAX][256];
};
void weft_test_warnings(const struct weft_result *result, uint32_t test,
                        struct weft_warnings *ret_warnings);

/* result.json as text; malloc'd, the caller's; NULL: out of memory. The histogram fields name files
 * "<test index>-<figure>.csv", the figures being "completion_ns", "latency_ns", the same with
 * "_intended" and "bandwidth_bps": the caller writes weft_hist_csv's text into each that is named
 * (a histogram without a sample is not). */
char *weft_result_json(const struct weft_result *result);
/* A histogram as its file holds it: lines "low,high,count" of the non-empty buckets under a
 * header; malloc'd. */
char *weft_hist_csv(const struct weft_hist *hist, const char *unit);
/* The table that a person reads, of one test, as in DESIGN.md; malloc'd. */
char *weft_test_table(const struct weft_result *result, uint32_t test);

#endif
