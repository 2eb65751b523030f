/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fabric/result/repeats.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/commands/worker_options.h"
#include "tools/weft/session/results.h"
#include "tools/weft/session/session.h"
#include "tools/weft/terminal/output.h"
#include "tools/weft/terminal/progress.h"
#include "tools/weft/terminal/screen.h"

#define CONNECT_LIMIT_NS (UINT64_C(10) * 1000000000)

struct run_options {
    struct weft_job_options job; /* first, as its table asks */
    struct weft_runtime_choice runtime;
    const char *out, *pcap, *key;
    struct weft_number seed, connect_timeout;
    bool json, quiet;
};

/* One run, from the plan to the directory. */
struct run {
    const struct run_options *options;
    struct weft_job job;
    char *folder;
    struct weft_progress progress;
    uint32_t tables_printed;
    bool no_memory;
};

static bool prints_tables(const struct run *run)
{
    return !run->options->json && !run->options->quiet;
}

static void print_table(struct run *run, const struct weft_result *result, uint32_t test)
{
    char *table = weft_test_table(result, test);
    run->no_memory = run->no_memory || !table;
    if (!table)
        return;
    weft_progress_clear(&run->progress);
    if (test)
        printf("\n");
    run->no_memory = run->no_memory || !weft_screen_print(table);
    (void)fflush(stdout);
    free(table);
}

/* A test is complete when the next one has begun or all have ended. */
static void print_tables(struct run *run, const struct weft_result *result, uint32_t complete)
{
    for (; run->tables_printed < complete; run->tables_printed++) {
        if (prints_tables(run))
            print_table(run, result, run->tables_printed);
    }
}

/* Refused, a test has nothing to show: it is only said why. */
static void watch(void *context, const struct weft_controller_status *status,
                  const struct weft_result *result)
{
    struct run *run = context;
    if (!result->refused)
        print_tables(run, result, status->finished ? result->test_count : status->test);
    if (!status->finished)
        weft_progress_show(&run->progress, run->job.plan, status, result);
}

/* ---- before ---- */

/* A run of hours must not find out at its end that the capture could not be written. */
static enum weft_status check_pcap(const char *path, struct weft_error *error)
{
    bool existed = path && access(path, F_OK) == 0;
    if (!path)
        return WEFT_OK;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (file < 0)
        return weft_error_set(error, WEFT_IO, "cannot write the capture %s: %s", path,
                              strerror(errno));
    (void)close(file);
    if (!existed)
        (void)unlink(path);
    return WEFT_OK;
}

/* A capture is written by the process that has the devices. */
static enum weft_status check_captured(const char *path, const struct weft_job *job,
                                       struct weft_error *error)
{
    const struct weft_topology *topology = job->topology;
    bool *used = path ? weft_job_used_ranks(job) : NULL;
    bool here = !path;
    if (path && !used)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    for (uint32_t rank = 0; used && rank < job->rank_count; rank++)
        here = here || (used[rank] &&
                        !topology->hosts[topology->nics[topology->rank_nics[rank]].host].agent);
    free(used);
    if (here)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "--pcap %s: all ranks are on agents, and only this process's ranks can "
                          "be captured; leave --pcap out, or take 'agent' out of this host in the "
                          "topology",
                          path);
}

static enum weft_status check_tests(struct weft_job *job, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++) {
        struct weft_job_figures figures;
        status = weft_job_check(&job->plan->tests[i], &figures, error);
        if (status == WEFT_OK)
            job->plan->tests[i].period_bytes = figures.sent_most_bytes;
    }
    return status;
}

/* What JSON's readers, whose numbers are doubles, still give back whole. */
#define SEED_BITS_DRAWN 48

static enum weft_status choose_seed(const struct weft_number *number, uint64_t *ret_seed,
                                    struct weft_error *error)
{
    uint64_t drawn = 0;
    *ret_seed = number->value;
    if (number->given)
        return WEFT_OK;
    if (getrandom(&drawn, sizeof(drawn), 0) == (ssize_t)sizeof(drawn)) {
        *ret_seed = drawn >> (64 - SEED_BITS_DRAWN);
        return WEFT_OK;
    }
    return weft_error_set(error, WEFT_IO, "cannot get a random seed: %s; give --seed",
                          strerror(errno));
}

/* All that can be wrong with the input shows here, before anything runs. */
static enum weft_status prepare(struct run *run, const char *what,
                                struct weft_session **ret_session, struct weft_error *error)
{
    const struct run_options *options = run->options;
    struct weft_session_options session = {
        .job = &run->job,
        .key_path = options->key,
        .connect_limit_ms =
            (options->connect_timeout.given ? options->connect_timeout.value : CONNECT_LIMIT_NS) /
            1000000,
        .watch = watch,
        .context = run,
    };
    enum weft_status status = weft_runtime_choose(&options->runtime, &session.runtime, error);
    session.runtime.pcap_path = options->pcap;
    if (status == WEFT_OK)
        status = weft_job_init(&options->job, what, &run->job, error);
    if (status == WEFT_OK)
        status = check_tests(&run->job, error);
    if (status == WEFT_OK)
        status = weft_job_find_ideals(&run->job, error);
    if (status == WEFT_OK)
        status = check_captured(options->pcap, &run->job, error);
    if (status == WEFT_OK)
        status = check_pcap(options->pcap, error);
    if (status == WEFT_OK && weft_job_is_virtual(&run->job))
        session.runtime.virtual_topology = run->job.topology;
    if (status == WEFT_OK)
        status = choose_seed(&options->seed, &session.seed, error);
    if (status == WEFT_OK)
        status = weft_session_create(&session, ret_session, error);
    if (status == WEFT_OK)
        status = weft_results_create(options->out, &run->job, &run->folder, error);
    return status;
}

/* ---- after ---- */

static int exit_of(const struct weft_result *result)
{
    if (result->verdict == WEFT_VERDICT_PASS)
        return WEFT_EXIT_DONE;
    if (result->verdict == WEFT_VERDICT_FAIL)
        return WEFT_EXIT_FAILED;
    return result->refused ? WEFT_EXIT_BAD_INPUT : WEFT_EXIT_BROKEN;
}

/* The table says so, too: a terminal that shows it needs it once. */
static void say_broken(const struct run *run, const struct weft_result *result)
{
    if (!result->refused && prints_tables(run) && isatty(STDOUT_FILENO))
        return;
    for (uint32_t i = 0; i < result->test_count; i++) {
        const struct weft_test_result *test = &result->tests[i];
        struct weft_error error = {0};
        if (test->verdict != WEFT_VERDICT_BROKEN)
            continue;
        weft_error_set(&error, WEFT_IO, "test '%s': %s", test->test->name, test->broken);
        weft_output_error(&error);
    }
}

/* Where no table says it: which tests failed, and what did not hold. */
static void say_failed(const struct run *run, const struct weft_result *result)
{
    if (prints_tables(run))
        return;
    for (uint32_t i = 0; i < result->test_count; i++) {
        const struct weft_test_result *test = &result->tests[i];
        const char *name = test->test->name;
        bool said = false;
        for (uint32_t j = 0; j < test->test->expect_count; j++) {
            const struct weft_expect_result *expect = &test->expects[j];
            if (test->verdict != WEFT_VERDICT_FAIL || expect->pass)
                continue;
            (void)fprintf(stderr, "weft: test '%s' failed: '%s' does not hold%s%s\n", name,
                          expect->expect->text, expect->unknown ? ": " : "",
                          expect->unknown ? expect->unknown : "");
            said = true;
        }
        if (test->verdict == WEFT_VERDICT_FAIL && !said)
            (void)fprintf(stderr, "weft: test '%s' failed: %s\n", name,
                          weft_test_verified(test) == 0 ? "wrong data" : "no rate passes");
    }
}

/* The last lines, where one test of many is easily missed. */
static void print_failed(const struct weft_result *result)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < result->test_count; i++)
        failed += result->tests[i].verdict != WEFT_VERDICT_PASS;
    if (result->plan->test_count < 2 || !failed)
        return;
    printf("\n%u of %u tests did not pass:\n", failed, result->plan->test_count);
    for (uint32_t i = 0; i < result->test_count; i++) {
        const struct weft_test_result *test = &result->tests[i];
        if (test->verdict == WEFT_VERDICT_BROKEN)
            printf("  BROKEN   %s: %.*s\n", test->test->name, (int)strcspn(test->broken, "\n"),
                   test->broken);
        if (test->verdict == WEFT_VERDICT_FAIL)
            printf("  FAILED   %s%s\n", test->test->name,
                   weft_test_verified(test) == 0 ? ": wrong data" : "");
        for (uint32_t j = 0; test->verdict == WEFT_VERDICT_FAIL && j < test->test->expect_count;
             j++) {
            if (!test->expects[j].pass)
                printf("           %s\n", test->expects[j].expect->text);
        }
    }
}

static void print_summary(struct run *run, const struct weft_result *result)
{
    char *summary = prints_tables(run) ? weft_result_summary(result) : NULL;
    if (summary && *summary) {
        printf("\n");
        run->no_memory = run->no_memory || !weft_screen_print(summary);
    }
    free(summary);
    if (prints_tables(run))
        print_failed(result);
}

static enum weft_status keep(struct run *run, const struct weft_result *result,
                             struct weft_error *error)
{
    char *json = weft_result_json(result);
    if (!json || run->no_memory) {
        free(json);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory to write the result");
    }
    enum weft_status status = weft_results_write(run->folder, &run->job, result, json, error);
    if (run->options->json)
        printf("%s\n", json);
    else if (status == WEFT_OK && prints_tables(run))
        printf("\nresult: %s/\n", run->folder);
    free(json);
    return status;
}

static int execute(struct run *run, struct weft_session *session)
{
    struct weft_error error = {0};
    enum weft_status status = weft_session_run(session, &error);
    weft_progress_clear(&run->progress);
    const struct weft_result *result = weft_session_result(session);
    if (status != WEFT_OK || !result) {
        weft_results_discard(run->folder);
        weft_output_error(&error);
        return WEFT_EXIT_BROKEN;
    }
    if (!result->refused)
        print_tables(run, result, result->test_count);
    if (!result->refused)
        print_summary(run, result);
    say_broken(run, result);
    say_failed(run, result);
    if (result->refused) {
        weft_results_discard(run->folder);
        return WEFT_EXIT_BAD_INPUT;
    }
    status = keep(run, result, &error);
    if (status == WEFT_OK)
        status = weft_session_stop(session, &error);
    if (status != WEFT_OK) {
        weft_output_error(&error);
        return WEFT_EXIT_BROKEN;
    }
    return weft_output_end(exit_of(result));
}

static int run_command(int argc, char **argv)
{
    struct run_options options = {0};
    struct weft_arguments arguments;
    struct weft_session *session = NULL;
    struct weft_error error = {0};
    int exit_status = WEFT_EXIT_BAD_INPUT;
    if (!weft_options_take(&weft_command_run, argc, argv, &options, &arguments, &exit_status))
        return exit_status;
    struct run run = {.options = &options};
    weft_progress_init(&run.progress, options.quiet);
    if (prepare(&run, arguments.items[0], &session, &error) == WEFT_OK) {
        exit_status = execute(&run, session);
    } else {
        weft_output_error(&error);
        exit_status = WEFT_EXIT_BAD_INPUT;
    }
    weft_session_destroy(session);
    weft_job_fini(&run.job);
    free(run.folder);
    return exit_status;
}

#define FIELD(name) offsetof(struct run_options, name)

static const struct weft_option table[] = {
    {"out", "DIR", "directory for the result; must not exist (default weft-DATE-PATTERN)",
     WEFT_OPTION_TEXT, FIELD(out), 0, 0},
    {"json", NULL, "print result.json instead of the table", WEFT_OPTION_FLAG, FIELD(json), 0, 0},
    {"quiet", NULL, "print nothing but errors", WEFT_OPTION_FLAG, FIELD(quiet), 0, 0},
    {"pcap", "FILE", "write the packets of the ranks in this process to FILE (driver dpdk)",
     WEFT_OPTION_TEXT, FIELD(pcap), 0, 0},
    {"key", "FILE", "the key of the agents (weft keygen)", WEFT_OPTION_TEXT, FIELD(key), 0, 0},
    {"connect-timeout", "TIME", "how long to try to reach the agents (default 10s)",
     WEFT_OPTION_TIME, FIELD(connect_timeout), 1000000, UINT64_C(3600) * 1000000000},
    {"seed", "N", "seed of queue pair numbers, keys and poisson arrivals (default random)",
     WEFT_OPTION_COUNT, FIELD(seed), 0, INT64_MAX},
    WEFT_RUNTIME_OPTION_ROWS(FIELD(runtime)),
    {0},
};

static const struct weft_option *const tables[] = {weft_job_option_table, table, NULL};

const struct weft_command weft_command_run = {
    .name = "run",
    .usage = "PATTERN|PLAN.yaml",
    .summary = "runs a pattern, or the tests of a plan, and measures",
    .text = "Options override the plan, in all its tests. Without a topology all ranks run on "
            "this\nhost, in this process. 'weft patterns' lists the patterns.",
    .least_arguments = 1,
    .most_arguments = 1,
    .tables = tables,
    .run = run_command,
};
