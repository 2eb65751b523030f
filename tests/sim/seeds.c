/* SPDX-License-Identifier: BSD-3-Clause */
/* sim-seeds: runs what seeds stand for, each twice, and says which break a rule. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pattern.h"
#include "transport.h"

#define JOBS_MAX 256u

struct options {
    uint64_t from, count;
    uint32_t jobs;
    bool trace, verbose;
};

struct tally {
    uint64_t good, bad, frames, completions;
    uint64_t harms[SCENARIO_HARM_COUNT];
};

/* What is said where a run ends by a signal: made before, for a handler may not format. */
static char last_words[200];

static void on_crash(int signal_number)
{
    (void)!write(STDOUT_FILENO, last_words, strlen(last_words));
    signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void expect_crash(uint64_t seed)
{
    (void)snprintf(last_words, sizeof(last_words),
                   "seed %llu broken: it crashed\n  again, with all of it: "
                   "build/tests/sim/sim-seeds --seed %llu --trace\n",
                   (unsigned long long)seed, (unsigned long long)seed);
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
}

static void run_once(uint64_t seed, struct record *record, FILE *out)
{
    struct scenario scenario;
    scenario_draw(&scenario, seed);
    record_init(record, out);
    if (scenario.is_pattern)
        pattern_run(&scenario, record);
    else
        transport_run(&scenario, record);
}

static void complain(uint64_t seed, const struct record *record, const char *rule)
{
    struct scenario scenario;
    char text[400];
    scenario_draw(&scenario, seed);
    scenario_describe(&scenario, text, sizeof(text));
    printf("seed %llu broken: %s\n  %s\n  the last of it:\n", (unsigned long long)seed, rule, text);
    record_print_last(record, stdout);
    printf("  again, with all of it: build/tests/sim/sim-seeds --seed %llu --trace\n",
           (unsigned long long)seed);
    (void)fflush(stdout);
}

static bool run_seed(uint64_t seed, const struct options *options, struct tally *tally)
{
    static struct record first, second;
    struct scenario scenario;
    scenario_draw(&scenario, seed);
    expect_crash(seed);
    run_once(seed, &first, options->trace ? stdout : NULL);
    tally->frames += first.frames;
    tally->completions += first.completions;
    tally->harms[scenario.harm]++;
    if (first.broken) {
        complain(seed, &first, first.rule);
        return false;
    }
    run_once(seed, &second, NULL);
    if (second.broken || first.hash != second.hash || first.count != second.count) {
        complain(seed, &second, second.broken ? second.rule : "the second run differs");
        return false;
    }
    if (options->verbose)
        printf("seed %llu: %llu frames, %llu completions, hash %016llx\n", (unsigned long long)seed,
               (unsigned long long)first.frames, (unsigned long long)first.completions,
               (unsigned long long)first.hash);
    return true;
}

static struct tally run_share(const struct options *options, uint32_t job)
{
    struct tally tally = {0};
    for (uint64_t i = job; i < options->count; i += options->jobs) {
        if (run_seed(options->from + i, options, &tally))
            tally.good++;
        else
            tally.bad++;
    }
    return tally;
}

static void add(struct tally *sum, const struct tally *more)
{
    sum->good += more->good;
    sum->bad += more->bad;
    sum->frames += more->frames;
    sum->completions += more->completions;
    for (uint32_t i = 0; i < SCENARIO_HARM_COUNT; i++)
        sum->harms[i] += more->harms[i];
}

/* A process for each job, so that one that crashes is one failure. */
static struct tally run_jobs(const struct options *options)
{
    int pipes[JOBS_MAX][2];
    pid_t children[JOBS_MAX];
    struct tally sum = {0};
    (void)fflush(stdout);
    for (uint32_t job = 0; job < options->jobs; job++) {
        if (pipe(pipes[job]) != 0 || (children[job] = fork()) < 0) {
            perror("sim-seeds");
            exit(2);
        }
        if (children[job] == 0) {
            const struct tally tally = run_share(options, job);
            (void)fflush(stdout);
            _exit(write(pipes[job][1], &tally, sizeof(tally)) == sizeof(tally) ? 0 : 2);
        }
        close(pipes[job][1]);
    }
    for (uint32_t job = 0; job < options->jobs; job++) {
        struct tally tally = {0};
        int status = 0;
        if (read(pipes[job][0], &tally, sizeof(tally)) != sizeof(tally)) {
            tally = (struct tally){.bad = 1};
            printf("job %u of %u ended before its time: run the seeds one by one (--verbose)\n",
                   job, options->jobs);
        }
        close(pipes[job][0]);
        (void)waitpid(children[job], &status, 0);
        add(&sum, &tally);
    }
    return sum;
}

/* ---- options ---- */

static uint64_t read_number(const char *text, const char *what)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-') {
        fprintf(stderr, "sim-seeds: %s: '%s' is not a number\n", what, text);
        exit(2);
    }
    return value;
}

static void read_range(const char *text, struct options *options)
{
    char first[32];
    const char *dots = strstr(text, "..");
    size_t len = dots ? (size_t)(dots - text) : 0;
    if (!dots || len >= sizeof(first)) {
        fprintf(stderr, "sim-seeds: --seeds wants a range such as 1..1000\n");
        exit(2);
    }
    memcpy(first, text, len);
    first[len] = 0;
    options->from = read_number(first, "--seeds");
    uint64_t last = read_number(dots + 2, "--seeds");
    if (last < options->from) {
        fprintf(stderr, "sim-seeds: --seeds: the range %s is empty\n", text);
        exit(2);
    }
    options->count = last - options->from + 1;
}

static const char help[] =
    "sim-seeds: what each seed draws is run twice over a modelled fabric, and must keep the rules\n"
    "  --seed N        one seed\n"
    "  --seeds A..B    a range\n"
    "  --from N --count N\n"
    "  --jobs N        so many processes (1)\n"
    "  --trace         every frame and completion of the first run\n"
    "  --verbose       a line for each seed\n";

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"seeds", required_argument, NULL, 'r'},
                                          {"from", required_argument, NULL, 'f'},
                                          {"count", required_argument, NULL, 'c'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"trace", no_argument, NULL, 't'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options options = {.from = 1, .count = 1000, .jobs = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            options.from = read_number(optarg, "--seed");
            options.count = 1;
        } else if (option == 'r') {
            read_range(optarg, &options);
        } else if (option == 'f') {
            options.from = read_number(optarg, "--from");
        } else if (option == 'c') {
            options.count = read_number(optarg, "--count");
        } else if (option == 'j') {
            options.jobs = (uint32_t)read_number(optarg, "--jobs");
        } else if (option == 't') {
            options.trace = true;
        } else if (option == 'v') {
            options.verbose = true;
        } else {
            fputs(help, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
    if (!options.jobs || options.jobs > JOBS_MAX) {
        fprintf(stderr, "sim-seeds: --jobs must be from 1 to %u\n", JOBS_MAX);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    const struct options options = read_options(argc, argv);
    const struct tally tally = options.jobs == 1 ? run_share(&options, 0) : run_jobs(&options);
    printf("%llu frames, %llu completions; seeds: %llu clean, %llu with faults, %llu with a link "
           "down, %llu with one down for good, %llu with a dead NIC\n",
           (unsigned long long)tally.frames, (unsigned long long)tally.completions,
           (unsigned long long)tally.harms[SCENARIO_CLEAN],
           (unsigned long long)tally.harms[SCENARIO_FAULTY],
           (unsigned long long)tally.harms[SCENARIO_CUT],
           (unsigned long long)tally.harms[SCENARIO_SEVERED],
           (unsigned long long)tally.harms[SCENARIO_DEAD]);
    printf("%llu passed, %llu failed\n", (unsigned long long)tally.good,
           (unsigned long long)tally.bad);
    return tally.bad ? 1 : 0;
}
