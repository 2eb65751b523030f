/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/yaml.h"
#include "fabric/plan/sweep.h"
#include "tools/weft/machine/files.h"

/* ---- the plan ---- */

static bool is_file_name(const char *what)
{
    const char *dot = strrchr(what, '.');
    return strchr(what, '/') || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")));
}

static bool is_topology(const struct weft_source *source)
{
    struct weft_yaml *yaml = NULL;
    struct weft_error error;
    if (weft_yaml_parse(source, &yaml, &error) != WEFT_OK)
        return false;
    const struct weft_yaml_node *root = weft_yaml_root(yaml);
    bool is = root->kind == WEFT_YAML_MAP && weft_yaml_find(root, "hosts") &&
              !weft_yaml_find(root, "tests");
    weft_yaml_destroy(yaml);
    return is;
}

static enum weft_status load_plan_file(struct weft_job *job, const char *name,
                                       struct weft_error *error)
{
    enum weft_status status = weft_source_read(name, &job->plan_source, error);
    if (status != WEFT_OK)
        return status;
    status = weft_plan_parse(&job->plan_source, &job->plan, error);
    if (status != WEFT_OK && is_topology(&job->plan_source))
        return weft_error_set(
            error, WEFT_INVALID,
            "%s is a topology, not a plan: use --topology %s after a pattern or a plan", name,
            name);
    return status;
}

static enum weft_status load_schedule(struct weft_job *job, const char *file,
                                      struct weft_error *error)
{
    enum weft_status status = weft_plan_single(weft_pattern_find("goal", error), &job->plan, error);
    if (status != WEFT_OK)
        return status;
    job->plan->tests[0].file = strdup(file);
    return job->plan->tests[0].file ? WEFT_OK
                                    : weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
}

static enum weft_status load_plan(struct weft_job *job, const char *what, struct weft_error *error)
{
    if (weft_is_goal_name(what))
        return load_schedule(job, what, error);
    if (is_file_name(what))
        return load_plan_file(job, what, error);
    const struct weft_pattern *pattern = weft_pattern_find(what, error);
    if (!pattern)
        return error->status;
    return weft_plan_single(pattern, &job->plan, error);
}

/* What comes after an endless test would never begin. */
static enum weft_status check_endless(const struct weft_plan *plan, struct weft_error *error)
{
    for (uint32_t i = 0; i + 1 < plan->test_count; i++) {
        if (plan->tests[i].duration_ns == WEFT_FOREVER)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s' is measured until Ctrl-C, which ends the run: make it "
                                  "the last",
                                  plan->tests[i].name);
    }
    return WEFT_OK;
}

/* ---- the topology and who sits where ---- */

static enum weft_status load_topology(struct weft_job *job, const char *file,
                                      struct weft_error *error)
{
    enum weft_status status = weft_source_read(file, &job->topology_source, error);
    return status == WEFT_OK ? weft_topology_parse(&job->topology_source, &job->topology, error)
                             : status;
}

/* These have devices that are on every host. */
static bool has_loopback(const char *driver)
{
    return strcmp(driver, "dpdk") == 0 || strcmp(driver, "null") == 0 || strcmp(driver, "sim") == 0;
}

static enum weft_status make_loopback(struct weft_job *job, struct weft_error *error)
{
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        if (!has_loopback(test->driver))
            return weft_error_set(error, WEFT_INVALID,
                                  "driver '%s' needs a topology that names its devices: give "
                                  "--topology FILE; topologies/soft-roce-pair.yaml is an example",
                                  test->driver);
    }
    return weft_topology_loopback(job->rank_count, &job->topology, error);
}

/* All that the topology has, or what the pattern starts from where it cannot be of so many: a
 * ping-pong takes the first two. */
static uint32_t default_ranks(const struct weft_job *job, const struct weft_pattern *pattern)
{
    const struct weft_pattern_options all = {
        .rank_count = job->topology ? job->topology->rank_count : 0,
        .size_bytes = pattern->default_size_bytes,
    };
    bool fits = all.rank_count >= pattern->default_ranks;
    if (!all.rank_count || (fits && weft_pattern_check(pattern, &all, NULL) != WEFT_OK))
        return pattern->default_ranks;
    return all.rank_count;
}

static enum weft_status count_ranks(struct weft_job *job, struct weft_error *error)
{
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        struct weft_test *test = &job->plan->tests[i];
        uint32_t *ranks = &test->options.rank_count;
        enum weft_status status = WEFT_OK;
        if (!*ranks && test->pattern->count_ranks)
            status = test->pattern->count_ranks(&test->options, ranks, error);
        if (!*ranks && status == WEFT_OK)
            *ranks = default_ranks(job, test->pattern);
        if (status != WEFT_OK)
            return status;
        uint32_t needed = weft_test_ranks_needed(test);
        if (job->topology && needed > job->topology->rank_count)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s' needs %u ranks, but topology %s has %u; add ranks to "
                                  "the topology, or use fewer",
                                  test->name, needed, job->topology_source.name,
                                  job->topology->rank_count);
        if (needed > job->rank_count)
            job->rank_count = needed;
    }
    return WEFT_OK;
}

static enum weft_status fill(const struct weft_job_options *options, const char *what,
                             struct weft_job *job, struct weft_error *error)
{
    struct weft_test said = {0};
    enum weft_status status = weft_job_options_read(options, &said, error);
    if (status == WEFT_OK)
        status = load_plan(job, what, error);
    assert(status != WEFT_OK || job->plan);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = weft_job_override(options, &said, &job->plan->tests[i], error);
    if (status == WEFT_OK)
        status = weft_plan_expand(job->plan, error);
    if (status == WEFT_OK)
        status = check_endless(job->plan, error);
    if (status == WEFT_OK)
        status = weft_job_load_files(job, error);
    if (status == WEFT_OK && options->topology)
        status = load_topology(job, options->topology, error);
    /* Before loopback is made: a misspelt driver is not told that it needs a topology. */
    if (status == WEFT_OK)
        status = weft_job_find_drivers(job, error);
    if (status == WEFT_OK)
        status = count_ranks(job, error);
    if (status == WEFT_OK && !job->topology)
        status = make_loopback(job, error);
    return status == WEFT_OK ? weft_job_check_drivers(job, options->texts[WEFT_TEST_DRIVER], error)
                             : status;
}

enum weft_status weft_job_init(const struct weft_job_options *options, const char *what,
                               struct weft_job *ret_job, struct weft_error *error)
{
    struct weft_job job = {.overridden = weft_job_options_change(options)};
    enum weft_status status = fill(options, what, &job, error);
    if (status == WEFT_OK)
        *ret_job = job;
    else
        weft_job_fini(&job);
    return status;
}

bool *weft_job_used_ranks(const struct weft_job *job)
{
    bool *used = calloc((size_t)job->rank_count + 1, sizeof(*used));
    for (uint32_t i = 0; used && i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        for (uint32_t rank = 0; rank < test->options.rank_count; rank++)
            used[weft_test_rank(test, rank)] = true;
    }
    return used;
}

void weft_job_fini(struct weft_job *job)
{
    free(job->ideals);
    weft_plan_destroy(job->plan);
    weft_topology_destroy(job->topology);
    weft_source_fini(&job->plan_source);
    weft_source_fini(&job->topology_source);
    *job = (struct weft_job){0};
}
