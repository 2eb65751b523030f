/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "fabric/base/units.h"
#include "fabric/plan/ranks.h"
#include "fabric/result/figures.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/session/job.h"
#include "tools/weft/terminal/output.h"

/* Prints the time alone only if it is longer by at least a hundredth. */
static void print_ideal(const struct weft_ideal *ideal)
{
    char time[WEFT_UNITS_TEXT], alone[WEFT_UNITS_TEXT];
    if (!ideal->ideal_ns) {
        printf("  ideal          not known: %s\n", ideal->why);
        return;
    }
    printf("  ideal          %s an iteration", weft_show_time(ideal->ideal_ns, time));
    if (ideal->alone_ns - ideal->ideal_ns >= ideal->ideal_ns / 100 + 1)
        printf(" (%s alone)", weft_show_time(ideal->alone_ns, alone));
    if (ideal->algbw_bps)
        printf(", algbw %s", weft_show_rate(ideal->algbw_bps, time));
    if (ideal->busbw_bps)
        printf(", busbw %s", weft_show_rate(ideal->busbw_bps, time));
    printf("\n  limited by     %s%s\n", ideal->limit,
           ideal->has_chain ? ""
                            : "; by bytes only: the chain of operations is too long to compute");
}

/* ", up to 64 at once", or nothing. */
static const char *show_in_flight(const struct weft_test *test, char text[WEFT_UNITS_TEXT])
{
    uint32_t in_flight = weft_test_in_flight(test);
    text[0] = '\0';
    if (in_flight > 1)
        (void)snprintf(text, WEFT_UNITS_TEXT, ", up to %u at once", in_flight);
    return text;
}

static void print_rate(const struct weft_test *test, const struct weft_job_figures *figures)
{
    uint64_t gap = 0;
    char rate[WEFT_UNITS_TEXT], sent[WEFT_UNITS_TEXT], time[WEFT_UNITS_TEXT];
    char at_once[WEFT_UNITS_TEXT];
    if (weft_arrivals_gap(figures->sent_most_bytes, test->rate_bps, &gap))
        printf("  open loop      an iteration is due every %s%s%s: the rank that sends most sends "
               "%s in it, at %s\n",
               weft_show_time(gap >> 32, time),
               test->arrivals == WEFT_ARRIVALS_POISSON ? " on average" : "",
               show_in_flight(test, at_once), weft_show_size(figures->sent_most_bytes, sent),
               weft_format_rate(test->rate_bps, rate));
}

static void print_length(const struct weft_test *test)
{
    char length[WEFT_UNITS_TEXT], warmup[WEFT_UNITS_TEXT];
    const char *verified = test->verify ? ", verified first" : ", not verified";
    weft_show_count(test->warmup, warmup);
    if (test->duration_ns == WEFT_FOREVER)
        printf("  runs           until Ctrl-C after %s iterations of warm-up%s\n", warmup,
               verified);
    else if (test->duration_ns)
        printf("  runs           %s after %s iterations of warm-up%s\n",
               weft_format_time(test->duration_ns, length), warmup, verified);
    else
        printf("  runs           %s iterations%s after %s of warm-up%s\n",
               weft_show_count(test->iterations, length),
               test->together.name ? " or more, until every job has completed that many," : "",
               warmup, verified);
}

static void print_ranks(const struct weft_test *test)
{
    if (!test->ranks)
        return;
    printf("  on ranks       ");
    weft_ranks_write(stdout, test->ranks, test->options.rank_count);
    printf("\n");
}

static void print_together(const struct weft_together *together)
{
    if (!together->index)
        printf("%s: %u jobs, each alone and then all at once\n", together->name,
               together->job_count);
}

static void print_test(const struct weft_job *job, const struct weft_test *test,
                       const struct weft_job_figures *figures, const struct weft_ideal *ideal)
{
    const struct weft_result result = {.topology = job->topology};
    const struct weft_test_result ranks = {.test = test, .rank_count = test->options.rank_count};
    char drivers[WEFT_DRIVERS_TEXT];
    char count[WEFT_UNITS_TEXT], size[WEFT_UNITS_TEXT], all[WEFT_UNITS_TEXT], most[WEFT_UNITS_TEXT];
    const char *about = figures->sampled ? "about " : "";
    printf("%s: %s, %u ranks, driver %s", test->name, test->pattern->name, test->options.rank_count,
           weft_figure_drivers(&result, &ranks, drivers));
    if (weft_pattern_has_size(test->pattern, &test->options))
        printf(", size %s", weft_format_size(test->options.size_bytes, size));
    printf("\n");
    print_ranks(test);
    printf("  an iteration   %s%s messages, %s%s of payload\n", about,
           weft_show_count(figures->messages, count), about,
           weft_show_size(figures->payload_bytes, size));
    printf("  buffers        %s%s in total, %s on the rank that needs most\n", about,
           weft_show_size(figures->memory_bytes, all),
           weft_show_size(figures->memory_most_bytes, most));
    if (figures->sampled)
        printf("  sampled        beyond %s ranks or %s operations %u ranks are compiled, and\n"
               "                 whether all ranks' schedules match is not known before the run\n",
               weft_show_count(WEFT_JOB_RANKS_MATCHED, count),
               weft_show_count(WEFT_JOB_OPS_MATCHED, all), WEFT_JOB_RANKS_SAMPLED);
    if (test->rate_bps)
        print_rate(test, figures);
    print_length(test);
    print_ideal(ideal);
    for (uint32_t i = 0; i < test->expect_count; i++)
        printf("  expects        %s\n", test->expects[i].text);
}

static void print_hosts(const struct weft_job *job)
{
    const struct weft_topology *topology = job->topology;
    printf("%s: %u ranks on %u host%s\n", topology->name, topology->rank_count,
           topology->host_count, topology->host_count == 1 ? "" : "s");
    for (uint32_t i = 0; job->topology_source.text && i < topology->host_count; i++)
        printf("  %-14s %s\n", topology->hosts[i].name,
               topology->hosts[i].agent ? topology->hosts[i].agent : "this process");
}

/* Nothing is printed of a plan that is refused. */
static enum weft_status check(struct weft_job *job, struct weft_error *error)
{
    struct weft_job_figures *figures = calloc(job->plan->test_count, sizeof(*figures));
    if (!figures)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = weft_job_check(&job->plan->tests[i], &figures[i], error);
    if (status == WEFT_OK)
        status = weft_job_find_ideals(job, error);
    if (status == WEFT_OK)
        print_hosts(job);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        if (test->together.alone)
            continue;
        if (weft_test_is_together(test))
            print_together(&test->together);
        print_test(job, test, &figures[i], &job->ideals[i]);
    }
    free(figures);
    return status;
}

static int run(int argc, char **argv)
{
    struct weft_job_options options = {0};
    struct weft_arguments arguments;
    struct weft_job job;
    struct weft_error error = {0};
    int exit_status = 0;
    if (!weft_options_take(&weft_command_check, argc, argv, &options, &arguments, &exit_status))
        return exit_status;
    enum weft_status status = weft_job_init(&options, arguments.items[0], &job, &error);
    if (status == WEFT_OK) {
        status = check(&job, &error);
        weft_job_fini(&job);
    }
    if (status == WEFT_OK)
        return weft_output_end(WEFT_EXIT_DONE);
    weft_output_error(&error);
    return WEFT_EXIT_BAD_INPUT;
}

static const struct weft_option *const tables[] = {weft_job_option_table, NULL};

const struct weft_command weft_command_check = {
    .name = "check",
    .usage = "PATTERN|PLAN.yaml",
    .summary = "checks a plan and says what it would run, without running it",
    .least_arguments = 1,
    .most_arguments = 1,
    .tables = tables,
    .run = run,
};
