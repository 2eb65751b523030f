/* SPDX-License-Identifier: BSD-3-Clause */
/* What to run: tests, from YAML or from a command line. */
#ifndef WEFT_PLAN_PLAN_H
#define WEFT_PLAN_PLAN_H

#include "fabric/node/node.h"
#include "fabric/plan/options.h"
#include "fabric/plan/search.h"
#include "fabric/schedule/pattern.h"
#include "fabric/topology/topology.h"

/* "completion.p99 <= 5ms" */
enum weft_relation {
    WEFT_RELATION_LESS = 0,
    WEFT_RELATION_LESS_EQUAL,
    WEFT_RELATION_GREATER,
    WEFT_RELATION_GREATER_EQUAL,
    WEFT_RELATION_EQUAL,
    WEFT_RELATION_COUNT
};

struct weft_expect {
    char *text;   /* as written */
    char *metric; /* one of weft_expect_metrics */
    enum weft_relation relation;
    double value; /* ns, bits a second, a share, or a count */
};

/* NULL-terminated: "completion.p50" ... "completion.max", "latency.p99", "latency_intended.p99",
 * "bandwidth.mean", "algbw", "busbw", "ideal_share", "offered", "achieved", "missed",
 * "lost", "retransmitted". */
const char *const *weft_expect_metrics(void);
/* What a metric's value is: a time, a rate, a share ("5%"); else a count. */
bool weft_metric_is_share(const char *metric);
bool weft_metric_is_time(const char *metric);
bool weft_metric_is_rate(const char *metric);
bool weft_metric_is_interference(const char *metric); /* a factor: 1.5 */
WEFT_CHECKED enum weft_status weft_expect_parse(const char *text, struct weft_expect *ret_expect,
                                                struct weft_error *error);
void weft_expect_fini(struct weft_expect *expect);

/* What is done to frames on purpose: "drop=1e-4,corrupt=0.001%,duplicate=…,reorder=1e-3:8,
 * delay=1e-3:50us,ecn=1%,seed=3", or "none". *ret_at is where in the text the error is. */
#define WEFT_FAULT_SEED_DEFAULT 1u
WEFT_CHECKED enum weft_status weft_fault_parse(const char *text,
                                               struct weft_fault_options *ret_fault, size_t *ret_at,
                                               struct weft_error *error);
/* One of them, by its name. */
WEFT_CHECKED enum weft_status weft_fault_set(const char *name, const char *value,
                                             struct weft_fault_options *fault,
                                             struct weft_error *error);
/* Room for all of them and their NUL. */
#define WEFT_FAULT_TEXT 320
/* Parses back to the same. Returns `text`. */
char *weft_fault_format(const struct weft_fault_options *fault, char text[WEFT_FAULT_TEXT]);

/* Values that a test is run with, one after the other. */
#define WEFT_SWEEP_AXES_MAX 8u
struct weft_sweep_axis {
    char *key;
    uint32_t value_count;
    char **values;
};

/* "1Gbps..100Gbps", "1Gbps..100Gbps,0.5%": a search's bounds and its resolution. */
#define WEFT_SEARCH_RESOLUTION 0.01
#define WEFT_SEARCH_TOLERANCE 0.005
struct weft_test;
WEFT_CHECKED enum weft_status weft_search_parse(const char *text, struct weft_test *test,
                                                struct weft_error *error);
/* "5%" */
WEFT_CHECKED enum weft_status weft_share_parse(const char *text, double *ret_share,
                                               struct weft_error *error);

/* Jobs that run together. */
#define WEFT_JOBS_MAX 16u

/* A test is what is measured of one pattern. Where a plan runs jobs together each of them is two
 * tests: alone, and with the others. All jobs' tests stand one behind the other, first alone, then
 * together, in the order of the jobs; the latter run at once. */
struct weft_together {
    char *name; /* of the whole; NULL: an ordinary test */
    char *job;
    uint32_t job_count, index; /* which of them */
    bool alone;
};

struct weft_test {
    char *name; /* unique in its plan; the pattern's unless told otherwise */
    const struct weft_pattern *pattern;
    struct weft_pattern_options
        options; /* rank_count 0: the topology's, or the pattern's default */
    /* Rank i of the pattern is this rank of the topology; rank_count of them, malloc'd. NULL: rank
     * i itself. */
    uint32_t *ranks;
    struct weft_together together;
    char *driver;    /* NULL: "dpdk" */
    char *file;      /* what the pattern is made from, as the plan names it; NULL: nothing */
    char *file_text; /* malloc'd, or NULL: it was not read yet; options.text shows it */
    /* What the table of options declares: by `absent` there, 0 may stand for nothing said. */
#define WEFT_OWN(id, type, field, ...) type field;
#define WEFT_NOTHING(...)
    WEFT_TEST_OPTIONS(WEFT_OWN, WEFT_NOTHING, WEFT_NOTHING)
#undef WEFT_OWN
#undef WEFT_NOTHING
    uint64_t given;         /* 1 << id of enum weft_test_option_id: said, be it 0 */
    uint64_t arrivals_seed; /* 0 in a plan: the run's seed makes it */
    uint64_t period_bytes; /* what the rank that sends most sends in an iteration; 0: not counted */
    struct weft_congestion_options congestion;
    struct weft_fault_options fault; /* of the ranks whose driver injects faults */
    uint32_t expect_count;
    struct weft_expect *expects;
    struct weft_search_options search; /* for the highest rate; rate_bps is its highest */
    struct weft_expect until;          /* what a trial must hold; text NULL: that none is lost */
    /* Before weft_plan_expand: what it stands for; after it: one point and one repeat. */
    uint32_t axis_count;
    struct weft_sweep_axis axes[WEFT_SWEEP_AXES_MAX];
    uint32_t repeat; /* which of them this is */
    bool swept;      /* it is a point of a sweep */
};

/* Where a rank of the test's pattern sits, as the topology counts. */
static inline uint32_t weft_test_rank(const struct weft_test *test, uint32_t rank)
{
    return test->ranks ? test->ranks[rank] : rank;
}
/* Does it run at once with others? */
static inline bool weft_test_is_together(const struct weft_test *test)
{
    return test->together.name && !test->together.alone;
}
/* From a test that begins something, how many run at once: 1, or the jobs. */
static inline uint32_t weft_test_parts(const struct weft_test *test)
{
    return weft_test_is_together(test) ? test->together.job_count : 1;
}
/* One more than the highest rank of the topology that it needs; rank_count set. */
uint32_t weft_test_ranks_needed(const struct weft_test *test);
/* The topology as the test's pattern sees it: its rank i is the pattern's. Shares everything with
 * the other but the places of ranks, which are malloc'd: free ret_view->rank_nics. False: out of
 * memory. */
bool weft_test_view(const struct weft_test *test, const struct weft_topology *topology,
                    struct weft_topology *ret_view);
/* How many iterations may run at once: what was said; else, in an open loop, what the pattern says,
 * and one in a closed loop. */
uint32_t weft_test_in_flight(const struct weft_test *test);

/* Does a pattern's name name a schedule's file? */
bool weft_is_goal_name(const char *name);

struct weft_plan {
    char *name;
    uint32_t test_count;
    struct weft_test *tests;
};

WEFT_CHECKED enum weft_status weft_plan_parse(const struct weft_source *source,
                                              struct weft_plan **ret_plan,
                                              struct weft_error *error);
void weft_plan_destroy(struct weft_plan *plan);

/* A plan of one test of this pattern with every default set; the caller changes what the command
 * line says. */
WEFT_CHECKED enum weft_status weft_plan_single(const struct weft_pattern *pattern,
                                               struct weft_plan **ret_plan,
                                               struct weft_error *error);

#endif
