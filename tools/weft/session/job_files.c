/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that patterns are made from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/weft/machine/files.h"
#include "tools/weft/session/job.h"

/* Beside the plan, unless it begins at the root or there is no plan. */
static char *path_of(const struct weft_job *job, const char *file)
{
    const char *plan = job->plan_source.name;
    const char *slash = plan ? strrchr(plan, '/') : NULL;
    char *path = NULL;
    if (!slash || file[0] == '/')
        return strdup(file);
    if (asprintf(&path, "%.*s/%s", (int)(slash - plan), plan, file) < 0)
        return NULL;
    return path;
}

static enum weft_status load(const struct weft_job *job, struct weft_test *test,
                             struct weft_error *error)
{
    struct weft_source source = {0};
    char *path = path_of(job, test->file);
    if (!path)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    enum weft_status status = weft_source_read(path, &source, error);
    free(path);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "test '%s': ", test->name);
    test->file_text = (char *)(uintptr_t)source.text; /* malloc'd, and the test's from here on */
    test->options.text = source.text;
    test->options.text_bytes = source.len_bytes;
    test->options.text_name = test->file;
    status = weft_pattern_prepare(test->pattern, &test->options, error);
    return status == WEFT_OK ? status : weft_error_prefix(error, "test '%s': ", test->name);
}

enum weft_status weft_job_load_files(struct weft_job *job, struct weft_error *error)
{
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        struct weft_test *test = &job->plan->tests[i];
        enum weft_status status = WEFT_OK;
        if (test->file && !test->pattern->takes_text)
            status = weft_error_set(error, WEFT_INVALID,
                                    "test '%s': %s is not made from a file; leave '%s' out",
                                    test->name, test->pattern->name, test->file);
        else if (test->file)
            status = load(job, test, error);
        if (status != WEFT_OK)
            return status;
        job->overridden = job->overridden || test->file;
    }
    return WEFT_OK;
}

char *weft_job_file_name(const struct weft_job *job, uint32_t test, char name[WEFT_JOB_FILE_NAME])
{
    const char *file = job->plan->tests[test].file;
    const char *slash = strrchr(file, '/');
    (void)snprintf(name, WEFT_JOB_FILE_NAME, "%u-%s", test, slash ? slash + 1 : file);
    return name;
}
