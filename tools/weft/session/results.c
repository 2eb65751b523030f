/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/weft/machine/files.h"

/* `turn` tells apart those of one second. */
static char *default_path(const struct weft_job *job, uint32_t turn)
{
    char suffix[16] = "";
    char when[32];
    char *path = NULL;
    time_t now = time(NULL);
    struct tm parts;
    if (!localtime_r(&now, &parts) || !strftime(when, sizeof(when), "%Y-%m-%dT%H%M%S", &parts))
        return NULL;
    bool one_pattern = !job->plan_source.text;
    const char *about = one_pattern ? job->plan->tests[0].pattern->name : job->plan->name;
    if (turn > 1)
        (void)snprintf(suffix, sizeof(suffix), "-%u", turn);
    if (asprintf(&path, "weft-%s-%s%s", when, about, suffix) < 0)
        return NULL;
    for (char *at = path; *at; at++) {
        if (*at == '/' || *at == ' ')
            *at = '-'; /* a plan's name is any text */
    }
    return path;
}

/* More than runs that can begin in one second. */
#define TURNS_MAX 1000u

enum weft_status weft_results_create(const char *path, const struct weft_job *job, char **ret_path,
                                     struct weft_error *error)
{
    char *own = NULL;
    bool again = true;
    for (uint32_t turn = 1; again; turn++) {
        free(own);
        own = path ? strdup(path) : default_path(job, turn);
        if (!own)
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
        if (mkdir(own, 0777) == 0) {
            *ret_path = own;
            return WEFT_OK;
        }
        again = !path && errno == EEXIST && turn < TURNS_MAX;
    }
    enum weft_status status =
        errno == EEXIST
            ? weft_error_set(error, WEFT_EXISTS,
                             "the result directory %s exists already; results are never "
                             "overwritten: name another with --out DIR",
                             own)
            : weft_error_set(error, WEFT_IO,
                             "cannot make the result directory %s: %s; name another with --out DIR",
                             own, strerror(errno));
    free(own);
    return status;
}

void weft_results_discard(const char *path)
{
    (void)rmdir(path);
}

/* Takes the text over; NULL is out of memory. */
static enum weft_status write_text(const char *folder, const char *name, char *text,
                                   size_t len_bytes, struct weft_error *error)
{
    if (!text)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory to write %s/%s", folder, name);
    enum weft_status status = weft_file_write(folder, name, text, len_bytes, error);
    free(text);
    return status;
}

static enum weft_status write_hist(const char *folder, uint32_t test, const char *figure,
                                   const struct weft_hist *hist, const char *unit,
                                   struct weft_error *error)
{
    char name[64];
    if (!hist || !hist->count)
        return WEFT_OK;
    (void)snprintf(name, sizeof(name), "%u-%s.csv", test, figure);
    char *text = weft_hist_csv(hist, unit);
    return write_text(folder, name, text, text ? strlen(text) : 0, error);
}

static enum weft_status write_hists(const char *folder, const struct weft_result *result,
                                    struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < result->test_count; i++) {
        const struct weft_test_result *test = &result->tests[i];
        status = write_hist(folder, i, "completion_ns", test->completion_ns, "ns", error);
        if (status == WEFT_OK)
            status = write_hist(folder, i, "latency_ns", test->latency_ns, "ns", error);
        if (status == WEFT_OK)
            status = write_hist(folder, i, "bandwidth_bps", test->bandwidth_bps, "bps", error);
        if (status == WEFT_OK)
            status = write_hist(folder, i, "completion_intended_ns", test->completion_intended_ns,
                                "ns", error);
        if (status == WEFT_OK)
            status = write_hist(folder, i, "latency_intended_ns", test->latency_intended_ns, "ns",
                                error);
    }
    return status;
}

/* What the plan names is beside it, so that it runs again. */
static enum weft_status write_files(const char *folder, const struct weft_job *job,
                                    struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        char name[WEFT_JOB_FILE_NAME];
        if (test->file)
            status = weft_file_write(folder, weft_job_file_name(job, i, name), test->options.text,
                                     test->options.text_bytes, error);
    }
    return status;
}

/* result.json comes last: where it is, all is. */
enum weft_status weft_results_write(const char *path, const struct weft_job *job,
                                    const struct weft_result *result, const char *json,
                                    struct weft_error *error)
{
    size_t len_bytes = 0;
    char *text = weft_job_plan_text(job, &len_bytes);
    enum weft_status status = write_text(path, "plan.yaml", text, len_bytes, error);
    if (status == WEFT_OK) {
        text = weft_job_topology_text(job, &len_bytes);
        status = write_text(path, "topology.yaml", text, len_bytes, error);
    }
    if (status == WEFT_OK)
        status = write_files(path, job, error);
    if (status == WEFT_OK)
        status = write_hists(path, result, error);
    if (status == WEFT_OK)
        status = weft_file_write(path, "result.json", json, strlen(json), error);
    return status;
}
