/* SPDX-License-Identifier: BSD-3-Clause */
/* What jobs make of each other, from completions made by hand. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/result/together.h"
#include "json.h"

#define JOBS 2u

static char whole[] = "mix", job_names[JOBS][4] = {"one", "two"},
            names[4][16] = {"mix: one alone", "mix: two alone", "mix: one", "mix: two"};
static struct weft_expect expects[2];
static struct weft_test tests[2 * JOBS];
static struct weft_plan plan = {.name = whole, .test_count = 2 * JOBS, .tests = tests};
static uint32_t rank_nics[4], ranks[2 * JOBS][2] = {{3, 0}, {1, 2}, {3, 0}, {1, 2}};
static struct weft_host host = {.name = whole};
static struct weft_nic nic = {.name = whole};
static const struct weft_topology topology = {.host_count = 1,
                                              .nic_count = 1,
                                              .rank_count = 4,
                                              .hosts = &host,
                                              .nics = &nic,
                                              .rank_nics = rank_nics};
static struct weft_result *result;

/* `count` iterations of that duration each. */
static void run(uint32_t index, uint32_t count, uint64_t duration_ns)
{
    struct weft_test_result *test = NULL;
    cr_assert_eq(weft_result_begin(result, 2, &test, NULL), WEFT_OK);
    test->iterations = count;
    for (uint32_t i = 0; i < count; i++)
        weft_hist_record(test->completion_ns, duration_ns);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert_eq(test->ranks[i].rank, ranks[index][i]);
        test->ranks[i].reported = true;
        test->ranks[i].counters.counted = WEFT_COUNTED_ALL;
    }
    weft_test_result_finish(test);
}

static void setup(void)
{
    cr_assert_eq(weft_expect_parse("interference <= 2.5", &expects[0], NULL), WEFT_OK);
    cr_assert_eq(weft_expect_parse("interference.p99 <= 9", &expects[1], NULL), WEFT_OK);
    for (uint32_t i = 0; i < 2 * JOBS; i++)
        tests[i] = (struct weft_test){
            .name = names[i],
            .pattern = weft_pattern_find("all-reduce", NULL),
            .options = {.rank_count = 2, .size_bytes = 1000},
            .ranks = ranks[i],
            .together = {.name = whole,
                         .job = job_names[i % JOBS],
                         .job_count = JOBS,
                         .index = i % JOBS,
                         .alone = i < JOBS},
            .iterations = 100,
            .expects = expects,
            .expect_count = i < JOBS ? 0 : 2,
        };
    cr_assert_eq(weft_result_create(&plan, &topology, &result, NULL), WEFT_OK);
    run(0, 100, 1000);
    run(1, 100, 500);
    run(2, 1000, 2000);
    run(3, 2000, 1500);
    weft_result_finish(result);
}

static void teardown(void)
{
    weft_result_destroy(result);
    for (uint32_t i = 0; i < 2; i++)
        weft_expect_fini(&expects[i]);
}

TestSuite(jobs, .init = setup, .fini = teardown);

Test(jobs, are_compared_with_themselves_alone)
{
    json_t *root = json_of(result);
    is_null(root, "tests/0/together/interference");
    cr_assert(json_is_true(at(root, "tests/1/together/alone")));
    is_text(root, "tests/3/together/name", "mix");
    is_text(root, "tests/3/together/job", "two");
    is_whole(root, "tests/3/together/jobs", 2);
    is_near(root, "tests/2/together/interference/completion_p50", 2.0);
    is_near(root, "tests/3/together/interference/completion_p50", 3.0);
    is_near(root, "tests/3/together/interference/bandwidth", 3.0);
    is_text(root, "tests/3/together/interference/compared_with", "mix: two alone");
    /* 100 iterations are too few for a p99. */
    is_null(root, "tests/2/together/interference/completion_p99");
    /* They keep 1/2 and 1/3: (5/6)^2 / (2 * 13/36). */
    is_near(root, "tests/2/together/interference/fairness", 25.0 / 26.0);
    is_whole(root, "tests/2/ranks_detail/0/rank", 3);
    is_whole(root, "tests/2/ranks_detail/1/rank", 0);
    json_decref(root);
}

Test(jobs, are_judged_by_what_the_others_make_of_them)
{
    const struct weft_expect_result *held = &result->tests[2].expects[0];
    const struct weft_expect_result *failed = &result->tests[3].expects[0];
    cr_assert(held->pass);
    cr_assert_float_eq(held->actual, 2.0, 1e-9);
    cr_assert_not(failed->pass);
    cr_assert(failed->known);
    cr_assert_not(result->tests[2].expects[1].known, "there is no p99 alone");
    cr_assert_not_null(result->tests[2].expects[1].unknown);
    cr_assert_eq(result->tests[0].verdict, WEFT_VERDICT_PASS);
    cr_assert_eq(result->verdict, WEFT_VERDICT_FAIL);
}

Test(jobs, stand_beside_each_other_in_the_table_of_the_last)
{
    char *table = weft_test_table(result, 3);
    cr_assert_not_null(strstr(table, "all-reduce (two among others)"), "%s", table);
    cr_assert_not_null(strstr(table, "together   mix: 2 jobs at once"), "%s", table);
    cr_assert_not_null(strstr(table, "x 2.00"), "%s", table);
    cr_assert_not_null(strstr(table, "x 3.00"), "%s", table);
    cr_assert_not_null(strstr(table, "jobs' fairness Jain 0.962"), "%s", table);
    free(table);
    table = weft_test_table(result, 2);
    cr_assert_null(strstr(table, "together   mix"), "%s", table);
    free(table);
    table = weft_test_table(result, 0);
    cr_assert_not_null(strstr(table, "all-reduce (one alone)"), "%s", table);
    free(table);
}

Test(jobs, that_broke_have_no_figures_of_it)
{
    struct weft_interference interference;
    strcpy(result->tests[3].broken, "an agent was lost");
    cr_assert(weft_test_interference(&result->tests[3], &interference));
    cr_assert(interference.p50 != interference.p50, "%f", interference.p50);
    double jain = 0;
    cr_assert_not(weft_jobs_fairness(&result->tests[2], &jain));
}
