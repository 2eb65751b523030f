/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX (2u * WEFT_YAML_KEYS_MAX)

/* Keys by whose they are, for suggestions; NULL-terminated. */
struct names {
    const char *items[WEFT_TEST_OPTION_COUNT + 1];
};

static struct names list_names(enum weft_option_scope scope)
{
    struct names names = {{NULL}};
    uint32_t count = 0;
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        enum weft_option_scope of = weft_test_option_table[i].scope;
        if ((of == scope || of == WEFT_SCOPE_BOTH) && i != WEFT_TEST_TOGETHER)
            names.items[count++] = weft_test_option_table[i].key;
    }
    return names;
}

static bool is_of(const char *key, enum weft_option_scope scope)
{
    enum weft_test_option_id id = weft_test_option_find(key);
    if (id == WEFT_TEST_OPTION_COUNT)
        return scope == WEFT_SCOPE_JOB &&
               weft_pattern_option_find(key) != WEFT_PATTERN_OPTION_COUNT;
    enum weft_option_scope of = weft_test_option_table[id].scope;
    return of == scope || (of == WEFT_SCOPE_BOTH && scope != WEFT_SCOPE_ALONE);
}

static const struct weft_yaml_node *find_jobs(const struct weft_yaml_node *node)
{
    return node->kind == WEFT_YAML_MAP ? weft_yaml_find(node, "together") : NULL;
}

uint32_t weft_together_count(const struct weft_yaml_node *node)
{
    const struct weft_yaml_node *jobs = find_jobs(node);
    bool list = jobs && jobs->kind == WEFT_YAML_LIST;
    return list && jobs->count > 1 && jobs->count <= WEFT_JOBS_MAX ? 2 * jobs->count : 1;
}

/* ---- keys ---- */

static enum weft_status check_common(const struct weft_yaml_node *node, struct weft_error *error)
{
    for (const struct weft_yaml_node *key = node->first; key; key = key->next) {
        if (is_of(key->key, WEFT_SCOPE_TEST))
            continue;
        if (is_of(key->key, WEFT_SCOPE_ALONE))
            return weft_error_at(error, &key->key_where,
                                 "jobs that run together cannot have '%s': write a separate test "
                                 "for each case to compare",
                                 key->key);
        if (is_of(key->key, WEFT_SCOPE_JOB))
            return weft_error_at(error, &key->key_where,
                                 "'%s' belongs to each job: write it in the jobs under 'together'",
                                 key->key);
        struct names names = list_names(WEFT_SCOPE_TEST);
        return weft_yaml_unknown(&key->key_where, "key of jobs together", key->key, names.items,
                                 error);
    }
    return WEFT_OK;
}

static enum weft_status check_job(const struct weft_yaml_node *job, struct weft_error *error)
{
    if (job->kind != WEFT_YAML_MAP)
        return weft_error_at(error, &job->where,
                             "a job is a map such as {name: training, pattern: all-reduce, ranks: "
                             "0-3}");
    for (const struct weft_yaml_node *key = job->first; key; key = key->next) {
        if (is_of(key->key, WEFT_SCOPE_JOB))
            continue;
        if (strcmp(key->key, "together") == 0)
            return weft_error_at(error, &key->key_where,
                                 "a job cannot contain jobs: write all of them in one list");
        if (is_of(key->key, WEFT_SCOPE_ALONE))
            return weft_error_at(error, &key->key_where,
                                 "a job that runs together with others "
                                 "has no '%s'; leave it out",
                                 key->key);
        if (is_of(key->key, WEFT_SCOPE_TEST))
            return weft_error_at(error, &key->key_where,
                                 "'%s' is the same for all jobs: write it beside 'together'",
                                 key->key);
        struct names names = list_names(WEFT_SCOPE_JOB);
        return weft_yaml_unknown(&key->key_where, "key of a job", key->key, names.items, error);
    }
    if (!weft_yaml_find(job, "name"))
        return weft_error_at(error, &job->where, "a job needs a 'name', such as training");
    if (!weft_yaml_find(job, "ranks"))
        return weft_error_at(error, &job->where,
                             "a job needs 'ranks': write 'ranks: 0-3', or 'ranks: 4' for the first "
                             "four that no other job has");
    return WEFT_OK;
}

static enum weft_status check_jobs(const struct weft_yaml_node *jobs, struct weft_error *error)
{
    if (jobs->kind != WEFT_YAML_LIST || jobs->count < 2)
        return weft_error_at(
            error, jobs->kind == WEFT_YAML_LIST ? &jobs->where : &jobs->key_where,
            "'together' is a list of two or more jobs; write a single job as a test");
    if (jobs->count > WEFT_JOBS_MAX)
        return weft_error_at(error, &jobs->where, "%u jobs: up to %u run together", jobs->count,
                             WEFT_JOBS_MAX);
    enum weft_status status = WEFT_OK;
    for (const struct weft_yaml_node *job = jobs->first; job && !status; job = job->next)
        status = check_job(job, error);
    return status;
}

/* ---- one job ---- */

/* A map of copies: a test's keys as they stand in two places of the file. */
struct merged {
    struct weft_yaml_node map;
    struct weft_yaml_node members[KEYS_MAX];
};

static void merge(struct merged *merged, const struct weft_yaml_node *from)
{
    for (const struct weft_yaml_node *key = from->first; key; key = key->next) {
        if (strcmp(key->key, "name") == 0 || strcmp(key->key, "together") == 0 ||
            strcmp(key->key, "expect") == 0)
            continue;
        struct weft_yaml_node *copy = &merged->members[merged->map.count];
        *copy = *key;
        copy->next = NULL;
        if (merged->map.count)
            merged->members[merged->map.count - 1].next = copy;
        merged->map.first = merged->members;
        merged->map.count++;
    }
}

static enum weft_status name_job(const struct weft_yaml_node *node,
                                 const struct weft_yaml_node *job, struct weft_test *test,
                                 struct weft_error *error)
{
    const struct weft_yaml_node *own = weft_yaml_find(node, "name");
    struct weft_together *together = &test->together;
    enum weft_status status =
        weft_plan_read_title(weft_yaml_find(job, "name"), &together->job, error);
    if (status == WEFT_OK && own)
        status = weft_plan_read_title(own, &together->name, error);
    else if (status == WEFT_OK)
        together->name = strdup("together");
    if (status != WEFT_OK)
        return status;
    return together->name ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
}

static enum weft_status read_expects(const struct weft_yaml_node *node,
                                     const struct weft_yaml_node *job, struct weft_test *test,
                                     struct weft_error *error)
{
    const struct weft_yaml_node *levels[] = {weft_yaml_find(job, "expect"),
                                             weft_yaml_find(node, "expect")};
    enum weft_status status = WEFT_OK;
    for (size_t i = 0; i < 2 && status == WEFT_OK; i++) {
        const struct weft_yaml_node *list = NULL;
        if (!levels[i])
            continue;
        status = weft_yaml_read_list(levels[i], &list, error);
        if (status == WEFT_OK)
            status = weft_test_read_expects(list, test, error);
    }
    return status;
}

static enum weft_status check_length(const struct weft_yaml_node *node,
                                     const struct weft_test *test, struct weft_error *error)
{
    if (test->duration_ns != WEFT_FOREVER)
        return WEFT_OK;
    return weft_error_at(error, &weft_yaml_find(node, "duration")->where,
                         "jobs that run together need a duration that ends, such as 10s");
}

static enum weft_status read_job(const struct weft_yaml_node *node,
                                 const struct weft_yaml_node *job, struct weft_test *test,
                                 struct weft_error *error)
{
    struct merged *merged = calloc(1, sizeof(*merged));
    if (!merged)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    merged->map = (struct weft_yaml_node){.kind = WEFT_YAML_MAP, .where = job->where};
    merge(merged, job);
    merge(merged, node);
    enum weft_status status = weft_test_read(&merged->map, test, error);
    free(merged);
    if (status == WEFT_OK)
        status = name_job(node, job, test, error);
    if (status == WEFT_OK)
        status = check_length(node, test, error);
    return status == WEFT_OK ? read_expects(node, job, test, error) : status;
}

/* ---- whose the ranks are ---- */

static enum weft_status take_named(const struct weft_yaml_node *job, struct weft_test *tests,
                                   uint32_t index, uint8_t *owners, struct weft_error *error)
{
    const struct weft_test *test = &tests[index];
    for (uint32_t i = 0; test->ranks && i < test->options.rank_count; i++) {
        uint8_t *owner = &owners[test->ranks[i]];
        if (*owner)
            return weft_error_at(error, &weft_yaml_find(job, "ranks")->where,
                                 "rank %u is in jobs '%s' and '%s': each rank runs one job",
                                 test->ranks[i], tests[*owner - 1].together.job,
                                 test->together.job);
        *owner = (uint8_t)(index + 1);
    }
    return WEFT_OK;
}

/* The first that are left. */
static enum weft_status take_count(const struct weft_yaml_node *job, struct weft_test *test,
                                   uint8_t *owners, struct weft_error *error)
{
    uint32_t count = test->options.rank_count, taken = 0;
    if (test->ranks)
        return WEFT_OK;
    test->ranks = calloc(count, sizeof(*test->ranks));
    if (!test->ranks)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    for (uint32_t rank = 0; rank < WEFT_RANKS_MAX && taken < count; rank++) {
        if (owners[rank])
            continue;
        owners[rank] = 1;
        test->ranks[taken++] = rank;
    }
    if (taken == count)
        return WEFT_OK;
    return weft_error_at(error, &weft_yaml_find(job, "ranks")->where,
                         "there are no %u ranks left: all jobs have up to %u", count,
                         WEFT_RANKS_MAX);
}

static enum weft_status place_jobs(const struct weft_yaml_node *jobs, struct weft_test *tests,
                                   struct weft_error *error)
{
    uint8_t *owners = calloc(WEFT_RANKS_MAX, sizeof(*owners));
    if (!owners)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    enum weft_status status = WEFT_OK;
    uint32_t index = 0;
    for (const struct weft_yaml_node *job = jobs->first; job && !status; job = job->next)
        status = take_named(job, tests, index++, owners, error);
    index = 0;
    for (const struct weft_yaml_node *job = jobs->first; job && !status; job = job->next)
        status = take_count(job, &tests[index++], owners, error);
    free(owners);
    return status;
}

static enum weft_status check_names(const struct weft_yaml_node *jobs,
                                    const struct weft_test *tests, struct weft_error *error)
{
    uint32_t index = 0;
    for (const struct weft_yaml_node *job = jobs->first; job; job = job->next, index++) {
        for (uint32_t i = 0; i < index; i++) {
            if (strcmp(tests[i].together.job, tests[index].together.job) == 0)
                return weft_error_at(error, &weft_yaml_find(job, "name")->where,
                                     "two jobs are named '%s': give this one a name of its own",
                                     tests[index].together.job);
        }
    }
    return WEFT_OK;
}

/* ---- all of them ---- */

static enum weft_status name_test(struct weft_test *test, struct weft_error *error)
{
    const struct weft_together *together = &test->together;
    size_t room = strlen(together->name) + strlen(together->job) + sizeof(":  alone");
    char *name = malloc(room);
    if (!name)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    (void)snprintf(name, room, "%s: %s%s", together->name, together->job,
                   together->alone ? " alone" : "");
    free(test->name);
    test->name = name;
    return WEFT_OK;
}

/* The same by itself: what it is compared with is not judged. */
static enum weft_status make_alone(const struct weft_test *job, struct weft_test *alone,
                                   struct weft_error *error)
{
    enum weft_status status = weft_test_copy(job, alone, error);
    for (uint32_t i = 0; i < alone->expect_count; i++)
        weft_expect_fini(&alone->expects[i]);
    alone->expect_count = 0;
    alone->together.alone = true;
    return status == WEFT_OK ? name_test(alone, error) : status;
}

static enum weft_status read_jobs(const struct weft_yaml_node *node, struct weft_test *tests,
                                  struct weft_error *error)
{
    const struct weft_yaml_node *jobs = find_jobs(node);
    uint32_t count = jobs->count, index = 0;
    struct weft_test *together = &tests[count];
    enum weft_status status = WEFT_OK;
    for (const struct weft_yaml_node *job = jobs->first; job && !status; job = job->next, index++) {
        status = read_job(node, job, &together[index], error);
        together[index].together.job_count = count;
        together[index].together.index = index;
    }
    if (status == WEFT_OK)
        status = check_names(jobs, together, error);
    if (status == WEFT_OK)
        status = place_jobs(jobs, together, error);
    for (uint32_t i = 0; i < count && status == WEFT_OK; i++) {
        status = name_test(&together[i], error);
        if (status == WEFT_OK)
            status = make_alone(&together[i], &tests[i], error);
    }
    return status;
}

/* What only jobs have is not asked of a test that runs by itself. */
static enum weft_status check_alone(const struct weft_yaml_node *node, const struct weft_test *test,
                                    struct weft_error *error)
{
    const struct weft_yaml_node *list = weft_yaml_find(node, "expect");
    uint32_t index = 0;
    for (const struct weft_yaml_node *at = list ? list->first : NULL; at; at = at->next, index++) {
        if (weft_metric_is_interference(test->expects[index].metric))
            return weft_error_at(error, &at->where,
                                 "interference needs jobs that run 'together', and this test has "
                                 "none: leave it out");
    }
    return WEFT_OK;
}

enum weft_status weft_together_read(const struct weft_yaml_node *node, struct weft_test *tests,
                                    struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    if (!find_jobs(node)) {
        status = weft_test_read(node, tests, error);
        return status == WEFT_OK ? check_alone(node, tests, error) : status;
    }
    status = check_common(node, error);
    if (status == WEFT_OK)
        status = check_jobs(find_jobs(node), error);
    return status == WEFT_OK ? read_jobs(node, tests, error) : status;
}
