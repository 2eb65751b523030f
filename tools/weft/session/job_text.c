/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/plan/congestion.h"
#include "fabric/plan/ranks.h"
#include "fabric/plan/test.h"
#include "tools/weft/session/job.h"

/* A double-quoted YAML text holds anything. */
static void put_text(FILE *out, const char *key, const char *text)
{
    (void)fprintf(out, "%s\"", key);
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            (void)fputc('\\', out);
        (void)fputc(*at, out);
    }
    (void)fprintf(out, "\"\n");
}

static void put_number(FILE *out, const char *key, enum weft_unit unit, uint64_t value)
{
    char text[WEFT_UNITS_TEXT];
    if (value)
        (void)fprintf(out, "      %s: %s\n", key, weft_unit_format(unit, value, text));
}

#define UNIT_rate WEFT_UNIT_RATE
#define UNIT_time WEFT_UNIT_TIME
#define UNIT_size WEFT_UNIT_SIZE
#define UNIT_count WEFT_UNIT_COUNT
static void put_congestion(FILE *out, const struct weft_congestion_options *options)
{
    if (!options->control)
        return;
    (void)fprintf(out, "    congestion:\n      control: %s\n",
                  weft_congestion_names[options->control]);
#define PUT_PARAMETER(field, key, unit, least, most) \
    put_number(out, key, UNIT_##unit, options->field);
    WEFT_CONGESTION_PARAMETERS(PUT_PARAMETER)
#undef PUT_PARAMETER
}

static void put_search(FILE *out, const struct weft_test *test)
{
    char from[WEFT_UNITS_TEXT], to[WEFT_UNITS_TEXT];
    (void)fprintf(out,
                  "    search:\n      rate: {from: %s, to: %s, resolution: %.10g%%, tolerance: "
                  "%.10g%%}\n",
                  weft_format_rate(test->search.from_bps, from),
                  weft_format_rate(test->search.to_bps, to), test->search.resolution * 100,
                  test->search.tolerance * 100);
    if (test->until.text)
        put_text(out, "      until: ", test->until.text);
}

static void put_options(FILE *out, const struct weft_test *test)
{
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        enum weft_pattern_option_id id = (enum weft_pattern_option_id)i;
        char text[WEFT_UNITS_TEXT];
        if (weft_pattern_option_is_given(&test->options, id))
            (void)fprintf(out, "    %s: %s\n", weft_pattern_option_table[i].name,
                          weft_pattern_option_format(test->pattern, id,
                                                     weft_pattern_option_get(&test->options, id),
                                                     text));
    }
}

/* Which ranks; writes only the count if the test takes the first ones. */
static void put_ranks(FILE *out, const struct weft_test *test)
{
    if (!test->ranks) {
        (void)fprintf(out, "    ranks: %u\n", test->options.rank_count);
        return;
    }
    (void)fprintf(out, "    ranks: [");
    weft_ranks_write(out, test->ranks, test->options.rank_count);
    (void)fprintf(out, "]\n");
}

/* The numbers of one scope that apply; skips those that a search or a list already states. */
static void put_numbers(FILE *out, const struct weft_test *test, enum weft_option_scope scope)
{
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        enum weft_test_option_id id = (enum weft_test_option_id)i;
        const struct weft_test_option *row = &weft_test_option_table[id];
        char text[WEFT_UNITS_TEXT];
        bool searched = id == WEFT_TEST_RATE && test->search.to_bps;
        if (row->scope != scope || !weft_test_option_holds(test, id) || searched ||
            id == WEFT_TEST_RANKS)
            continue;
        (void)fprintf(out, "    %s: %s\n", row->key,
                      weft_test_option_format(id, weft_test_option_get(test, id), text));
    }
}

/* What each of several jobs has of its own. */
static void put_own(FILE *out, const struct weft_job *job, uint32_t index)
{
    const struct weft_test *test = &job->plan->tests[index];
    char name[WEFT_JOB_FILE_NAME];
    (void)fprintf(out, "    pattern: %s\n", test->pattern->name);
    put_ranks(out, test);
    put_numbers(out, test, WEFT_SCOPE_JOB);
    put_options(out, test);
    if (test->file)
        put_text(out, "    file: ", weft_job_file_name(job, index, name));
    if (test->search.to_bps)
        put_search(out, test);
    /* The last repeat has the expectations of all. */
    const struct weft_test *last = test + (test->repeats ? test->repeats - 1 : 0);
    if (last->expect_count)
        (void)fprintf(out, "    expect:\n");
    for (uint32_t i = 0; i < last->expect_count; i++)
        put_text(out, "      - ", last->expects[i].text);
}

/* What all jobs have together. */
static void put_common(FILE *out, const struct weft_test *test)
{
    char fault[WEFT_FAULT_TEXT];
    (void)fprintf(out, "    driver: %s\n", test->driver);
    put_numbers(out, test, WEFT_SCOPE_TEST);
    put_congestion(out, &test->congestion);
    if (weft_fault_is_on(&test->fault))
        (void)fprintf(out, "    fault: %s\n", weft_fault_format(&test->fault, fault));
}

/* The same, deeper in. */
static void put_job(FILE *out, const struct weft_job *job, uint32_t index)
{
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *own = open_memstream(&text, &len_bytes);
    if (!own)
        return;
    put_own(own, job, index);
    (void)fclose(own);
    put_text(out, "      - name: ", job->plan->tests[index].together.job);
    for (char *line = text, *end = NULL; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        (void)fprintf(out, "    %.*s\n", (int)(end - line), line);
    }
    free(text);
}

/* From the first of its tests, which are in the plan what the jobs are alone and together. */
static void put_together(FILE *out, const struct weft_job *job, uint32_t index)
{
    const struct weft_test *first = &job->plan->tests[index];
    put_text(out, "  - name: ", first->together.name);
    put_common(out, first);
    (void)fprintf(out, "    together:\n");
    for (uint32_t i = 0; i < first->together.job_count; i++)
        put_job(out, job, index + first->together.job_count + i);
}

static void put_test(FILE *out, const struct weft_job *job, uint32_t index)
{
    const struct weft_test *test = &job->plan->tests[index];
    put_text(out, "  - name: ", test->name);
    put_own(out, job, index);
    put_common(out, test);
    put_numbers(out, test, WEFT_SCOPE_ALONE);
}

static void put_plan(FILE *out, const struct weft_job *job)
{
    put_text(out, "name: ", job->plan->name);
    (void)fprintf(out, "tests:\n");
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        const struct weft_together *together = &job->plan->tests[i].together;
        if (!together->name && !job->plan->tests[i].repeat)
            put_test(out, job, i);
        else if (together->name && together->alone && !together->index)
            put_together(out, job, i);
    }
}

/* Only loopback comes without a file: one host, no switch, no link. */
static void put_topology(FILE *out, const struct weft_job *job)
{
    const struct weft_topology *topology = job->topology;
    char address[WEFT_IP_TEXT];
    put_text(out, "name: ", topology->name);
    (void)fprintf(out, "hosts:\n");
    put_text(out, "  - name: ", topology->hosts[0].name);
    (void)fprintf(out, "    nics:\n");
    for (uint32_t i = 0; i < topology->nic_count; i++) {
        const struct weft_nic *nic = &topology->nics[i];
        (void)fprintf(out, "      - {name: %s, device: %s", nic->name, nic->device);
        if (nic->address.version)
            (void)fprintf(out, ", address: \"%s\"", weft_ip_format(&nic->address, true, address));
        (void)fprintf(out, "}\n");
    }
    (void)fprintf(out, "ranks:\n");
    for (uint32_t rank = 0; rank < topology->rank_count; rank++)
        (void)fprintf(out, "  - %s/%s\n", topology->hosts[0].name,
                      topology->nics[topology->rank_nics[rank]].name);
}

static char *write_text(void (*put)(FILE *, const struct weft_job *), const struct weft_job *job,
                        size_t *ret_len_bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len_bytes);
    if (!out)
        return NULL;
    put(out, job);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

static char *copy_source(const struct weft_source *source, size_t *ret_len_bytes)
{
    char *text = malloc(source->len_bytes + 1);
    if (!text)
        return NULL;
    memcpy(text, source->text, source->len_bytes + 1);
    *ret_len_bytes = source->len_bytes;
    return text;
}

char *weft_job_plan_text(const struct weft_job *job, size_t *ret_len_bytes)
{
    if (job->plan_source.text && !job->overridden)
        return copy_source(&job->plan_source, ret_len_bytes);
    return write_text(put_plan, job, ret_len_bytes);
}

char *weft_job_topology_text(const struct weft_job *job, size_t *ret_len_bytes)
{
    if (job->topology_source.text)
        return copy_source(&job->topology_source, ret_len_bytes);
    return write_text(put_topology, job, ret_len_bytes);
}
