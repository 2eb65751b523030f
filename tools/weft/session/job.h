/* SPDX-License-Identifier: BSD-3-Clause */
/* What a command line asks for: a plan and the topology that it runs on, checked. */
#ifndef WEFT_TOOLS_JOB_H
#define WEFT_TOOLS_JOB_H

#include "fabric/ideal/ideal.h"
#include "fabric/plan/plan.h"
#include "fabric/topology/topology.h"
#include "tools/weft/terminal/options.h"

/* The options that run and check share; must be the first member of a command's own. */
struct weft_job_options {
    const char *topology; /* a file; NULL: loopback */
    /* By the test's option: what was given, in the one of these that its form asks for. */
    const char *texts[WEFT_TEST_OPTION_COUNT]; /* NULL: not given */
    bool switches[WEFT_TEST_OPTION_COUNT];     /* turned the other way */
    struct weft_texts lists[WEFT_TEST_OPTION_COUNT];
    bool forever;
    const char *pattern_options[WEFT_PATTERN_OPTION_COUNT]; /* NULL: not given */
};
extern const struct weft_option weft_job_option_table[];

struct weft_job {
    struct weft_plan *plan; /* every test's rank_count and driver are set */
    struct weft_topology *topology;
    struct weft_source plan_source;     /* text NULL: the plan is a command line's */
    struct weft_source topology_source; /* text NULL: loopback */
    bool overridden;                    /* options have changed what the plan's file says */
    uint32_t rank_count; /* one more than the highest rank of the topology that a test needs */
    struct weft_ideal *ideals; /* of each test; NULL: not computed yet */
};

/* `what` is a pattern's name or a schedule's file, which ends in .goal, or, where it ends in .yaml
 * or .yml or has a slash, a plan's.
 * Options go over what a plan says. Drivers exist, ranks suffice. */
WEFT_CHECKED enum weft_status weft_job_init(const struct weft_job_options *options,
                                            const char *what, struct weft_job *ret_job,
                                            struct weft_error *error);
void weft_job_fini(struct weft_job *job);

/* For each rank of the topology up to job->rank_count: does a test run on it? malloc'd; NULL: out
 * of memory. */
bool *weft_job_used_ranks(const struct weft_job *job);

/* ---- job_options.c ---- */

/* The numbers that were given, as the options of a test that is nothing else. */
WEFT_CHECKED enum weft_status weft_job_options_read(const struct weft_job_options *options,
                                                    struct weft_test *ret_said,
                                                    struct weft_error *error);
/* Puts what was given over what a test of the plan has; `said` are its numbers. */
WEFT_CHECKED enum weft_status weft_job_override(const struct weft_job_options *options,
                                                const struct weft_test *said,
                                                struct weft_test *test, struct weft_error *error);
/* Does anything that was given change the plan? */
bool weft_job_options_change(const struct weft_job_options *options);

/* ---- job_drivers.c ---- */

/* The driver that moves a rank's bytes. */
const char *weft_job_driver(const struct weft_job *job, const struct weft_test *test,
                            uint32_t rank);

/* The plan's driver has a clock of its own: everything runs in this process. */
bool weft_job_is_virtual(const struct weft_job *job);

/* Is there every driver that a test or a NIC names? */
WEFT_CHECKED enum weft_status weft_job_find_drivers(const struct weft_job *job,
                                                    struct weft_error *error);

/* No NIC in use contradicts the command line's driver (`asked`; may be NULL), and none of its tests
 * spreads loopback over processes. Needs the topology. */
WEFT_CHECKED enum weft_status weft_job_check_drivers(const struct weft_job *job, const char *asked,
                                                     struct weft_error *error);

/* ---- job_files.c ---- */

/* Reads what tests' patterns are made from. */
WEFT_CHECKED enum weft_status weft_job_load_files(struct weft_job *job, struct weft_error *error);

/* What the copy of a test's file is called beside the result. Returns `name`. */
#define WEFT_JOB_FILE_NAME 280
char *weft_job_file_name(const struct weft_job *job, uint32_t test, char name[WEFT_JOB_FILE_NAME]);

/* ---- job_check.c ---- */

/* One iteration of a test. */
struct weft_job_figures {
    bool sampled; /* from some of the ranks, scaled */
    uint64_t messages, payload_bytes;
    uint64_t sent_most_bytes;   /* by the rank that sends most */
    uint64_t memory_bytes;      /* of all ranks' buffers */
    uint64_t memory_most_bytes; /* of the rank that needs most */
};

/* Compiles the test's schedules and matches them. Of more than WEFT_JOB_RANKS_MATCHED ranks, or of
 * more than WEFT_JOB_OPS_MATCHED operations, some are compiled and none matched. */
#define WEFT_JOB_RANKS_MATCHED 4096u
#define WEFT_JOB_OPS_MATCHED (UINT64_C(1) << 21) /* a few hundred MB of schedules */
#define WEFT_JOB_RANKS_SAMPLED 16u
WEFT_CHECKED enum weft_status weft_job_check(const struct weft_test *test,
                                             struct weft_job_figures *ret_figures,
                                             struct weft_error *error);

/* ---- job_ideal.c ---- */

/* Computes all tests' ideals. Where the topology does not say enough they are unknown, which is no
 * error. */
WEFT_CHECKED enum weft_status weft_job_find_ideals(struct weft_job *job, struct weft_error *error);

/* ---- job_text.c ---- */

/* The plan and the topology as YAML that runs the same again; malloc'd. NULL: out of memory. */
char *weft_job_plan_text(const struct weft_job *job, size_t *ret_len_bytes);
char *weft_job_topology_text(const struct weft_job *job, size_t *ret_len_bytes);

#endif
