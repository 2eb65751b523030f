/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line's options of a test, from the tables of options, and how they go over what a
 * plan says. */
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/congestion.h"
#include "fabric/plan/sweep.h"
#include "fabric/plan/test.h"
#include "tools/weft/session/job.h"

#define FIELD(name) offsetof(struct weft_job_options, name)

/* What a row of the table is on the command line, by its form. */
#define ROW_TEXT(id, key, value, help) \
    {key, value, help, WEFT_OPTION_TEXT, FIELD(texts[WEFT_TEST_##id]), 0, 0},
#define ROW_COUNT ROW_TEXT
#define ROW_SIZE ROW_TEXT
#define ROW_TIME ROW_TEXT
#define ROW_RATE ROW_TEXT
#define ROW_POWER ROW_TEXT
#define ROW_LENGTH ROW_TEXT
#define ROW_WORD ROW_TEXT
#define ROW_TEXTS(id, key, value, help) \
    {key, value, help, WEFT_OPTION_TEXTS, FIELD(lists[WEFT_TEST_##id]), 0, 0},
#define ROW_SWITCH(id, key, value, help) \
    {key, value, help, WEFT_OPTION_FLAG, FIELD(switches[WEFT_TEST_##id]), 0, 0},
#define ROW_SWITCH_ON(id, key, value, help) ROW_SWITCH(id, "no-" key, value, help)
#define ROW_KEY(id, key, value, help)

const struct weft_option weft_job_option_table[] = {
    {"topology", "FILE", "hosts, NICs and ranks (default: loopback on this host)", WEFT_OPTION_TEXT,
     FIELD(topology), 0, 0},
#define WEFT_NUMBER(id, type, field, key, value, form, scope, help, ...) \
    ROW_##form(id, key, value, help)
#define WEFT_PART(id, key, value, form, scope, help, ...) ROW_##form(id, key, value, help)
    WEFT_TEST_OPTIONS(WEFT_NUMBER, WEFT_NUMBER, WEFT_PART)
#undef WEFT_NUMBER
#undef WEFT_PART
        {"forever", NULL, "measure until Ctrl-C, instead of --iterations", WEFT_OPTION_FLAG,
         FIELD(forever), 0, 0},
#define WEFT_ROW(id, field, name, value, kind, least, most, help) \
    {name, value, help, WEFT_OPTION_TEXT, FIELD(pattern_options[WEFT_OPTION_##id]), 0, 0},
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
        {0},
};

bool weft_job_options_change(const struct weft_job_options *options)
{
    for (const struct weft_option *row = weft_job_option_table; row->name; row++) {
        if (row->offset != FIELD(topology) && weft_option_is_given(row, options))
            return true;
    }
    return false;
}

/* ---- numbers ---- */

static enum weft_status check_lengths(const struct weft_job_options *options,
                                      struct weft_error *error)
{
    bool iterations = options->texts[WEFT_TEST_ITERATIONS] != NULL;
    bool duration = options->texts[WEFT_TEST_DURATION] != NULL;
    if (iterations && duration)
        return weft_error_set(error, WEFT_INVALID,
                              "--iterations and --duration exclude each other: give one");
    if (options->forever && (iterations || duration))
        return weft_error_set(error, WEFT_INVALID,
                              "--forever has no end of its own: leave out --iterations and "
                              "--duration");
    return WEFT_OK;
}

enum weft_status weft_job_options_read(const struct weft_job_options *options,
                                       struct weft_test *ret_said, struct weft_error *error)
{
    struct weft_test said = {0};
    enum weft_status status = check_lengths(options, error);
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT && !status; i++) {
        enum weft_test_option_id id = (enum weft_test_option_id)i;
        const struct weft_test_option *row = &weft_test_option_table[id];
        uint64_t value = row->form != WEFT_FORM_SWITCH_ON;
        if (!row->width_bytes || (!options->texts[id] && !options->switches[id]))
            continue;
        if (options->texts[id] &&
            weft_test_option_parse(id, options->texts[id], &value, error) != WEFT_OK)
            status = weft_error_prefix(error, "--%s: ", row->key);
        else
            weft_test_option_set(&said, id, value);
    }
    if (options->forever && !status)
        weft_test_option_set(&said, WEFT_TEST_DURATION, WEFT_FOREVER);
    *ret_said = said;
    return status;
}

static void set_numbers(const struct weft_test *said, struct weft_test *test)
{
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        enum weft_test_option_id id = (enum weft_test_option_id)i;
        if (weft_test_option_is_given(said, id))
            weft_test_option_set(test, id, weft_test_option_get(said, id));
    }
    if (weft_test_option_is_given(said, WEFT_TEST_RATE))
        test->search = (struct weft_search_options){0};
}

/* ---- the pattern's ---- */

static enum weft_status set_pattern_options(const struct weft_job_options *options,
                                            struct weft_test *test, struct weft_error *error)
{
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        const char *text = options->pattern_options[i];
        if (!text ||
            weft_pattern_option_parse(test->pattern, &test->options, (enum weft_pattern_option_id)i,
                                      text, error) == WEFT_OK)
            continue;
        weft_error_prefix(error, "--%s: ", weft_pattern_option_table[i].name);
        return error->status;
    }
    return WEFT_OK;
}

/* ---- parts ---- */

static enum weft_status add_expects(const struct weft_texts *texts, struct weft_test *test,
                                    struct weft_error *error)
{
    if (!texts->count)
        return WEFT_OK;
    size_t room = (size_t)test->expect_count + texts->count;
    struct weft_expect *expects = realloc(test->expects, room * sizeof(*expects));
    if (!expects)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    test->expects = expects;
    for (uint32_t i = 0; i < texts->count; i++) {
        enum weft_status status =
            weft_expect_parse(texts->items[i], &expects[test->expect_count], error);
        if (status != WEFT_OK) {
            weft_error_prefix(error, "--expect: ");
            return status;
        }
        test->expect_count++;
    }
    return WEFT_OK;
}

/* "size=64B,4KiB" */
static enum weft_status add_sweeps(const struct weft_texts *texts, struct weft_test *test,
                                   struct weft_error *error)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        char key[64];
        const char *equals = strchr(texts->items[i], '=');
        size_t len_bytes = equals ? (size_t)(equals - texts->items[i]) : 0;
        if (!len_bytes || len_bytes >= sizeof(key))
            return weft_error_set(error, WEFT_INVALID,
                                  "--sweep: '%.80s' has no key: write it like size=64B,4KiB",
                                  texts->items[i]);
        memcpy(key, texts->items[i], len_bytes);
        key[len_bytes] = '\0';
        enum weft_status status = weft_sweep_add(test, key, equals + 1, error);
        if (status != WEFT_OK) {
            weft_error_prefix(error, "--sweep: ");
            return status;
        }
    }
    return WEFT_OK;
}

static bool sweeps(const struct weft_test *test, const char *key)
{
    for (uint32_t i = 0; i < test->axis_count; i++) {
        if (strcmp(test->axes[i].key, key) == 0)
            return true;
    }
    return false;
}

static bool sweeps_rate(const struct weft_test *test)
{
    return sweeps(test, "rate");
}

/* Each point of a sweep sets its key, so a fixed value would be ignored. */
static enum weft_status check_swept(const struct weft_job_options *options,
                                    const struct weft_test *said, const struct weft_test *test,
                                    struct weft_error *error)
{
    const char *fixed = NULL;
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT && !fixed; i++) {
        const char *key = weft_test_option_table[i].key;
        if (weft_test_option_is_given(said, (enum weft_test_option_id)i) && sweeps(test, key))
            fixed = key;
    }
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT && !fixed; i++) {
        if (options->pattern_options[i] && sweeps(test, weft_pattern_option_table[i].name))
            fixed = weft_pattern_option_table[i].name;
    }
    if (!fixed)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "--%s: test '%s' is swept over it: leave out --%s, or its sweep", fixed,
                          test->name, fixed);
}

static enum weft_status set_text(char **field, const char *text, struct weft_error *error)
{
    char *copy = strdup(text);
    if (!copy)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    free(*field);
    *field = copy;
    return WEFT_OK;
}

typedef enum weft_status set_function(const char *text, struct weft_test *test,
                                      struct weft_error *error);

static enum weft_status set_file(const char *text, struct weft_test *test, struct weft_error *error)
{
    return set_text(&test->file, text, error);
}

static enum weft_status set_driver(const char *text, struct weft_test *test,
                                   struct weft_error *error)
{
    return set_text(&test->driver, text, error);
}

static enum weft_status set_search(const char *text, struct weft_test *test,
                                   struct weft_error *error)
{
    if (weft_search_parse(text, test, error) == WEFT_OK)
        return WEFT_OK;
    return weft_error_prefix(error, "--search: ");
}

static enum weft_status set_congestion(const char *text, struct weft_test *test,
                                       struct weft_error *error)
{
    return weft_congestion_parse("--congestion", text, &test->congestion, error);
}

static enum weft_status set_fault(const char *text, struct weft_test *test,
                                  struct weft_error *error)
{
    size_t at = 0;
    if (weft_fault_parse(text, &test->fault, &at, error) == WEFT_OK)
        return WEFT_OK;
    return weft_error_prefix(error, "--fault, at character %zu: ", at + 1);
}

static enum weft_status set_parts(const struct weft_job_options *options, struct weft_test *test,
                                  struct weft_error *error)
{
    static set_function *const sets[WEFT_TEST_OPTION_COUNT] = {
        [WEFT_TEST_FILE] = set_file,     [WEFT_TEST_DRIVER] = set_driver,
        [WEFT_TEST_SEARCH] = set_search, [WEFT_TEST_CONGESTION] = set_congestion,
        [WEFT_TEST_FAULT] = set_fault,
    };
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT && !status; i++) {
        if (sets[i] && options->texts[i])
            status = sets[i](options->texts[i], test, error);
    }
    return status;
}

/* ---- all of them ---- */

/* The first that was given and that jobs together do not take; NULL where there is none. */
static const char *find_alone(const struct weft_job_options *options)
{
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        if (weft_test_option_table[i].scope == WEFT_SCOPE_ALONE &&
            (options->texts[i] || options->switches[i] || options->lists[i].count))
            return weft_test_option_table[i].key;
    }
    return options->forever ? "forever" : NULL;
}

/* What would be another job, or none that compares. */
static enum weft_status check_chosen(const struct weft_job_options *options,
                                     const struct weft_test *said, const struct weft_test *test,
                                     struct weft_error *error)
{
    const char *alone = find_alone(options);
    if (test->ranks && options->texts[WEFT_TEST_RANKS])
        return weft_error_set(error, WEFT_INVALID,
                              "test '%s': --ranks: the plan names the ranks; change them there",
                              test->name);
    if (!test->together.name)
        return WEFT_OK;
    if (alone)
        return weft_error_set(error, WEFT_INVALID, "test '%s': jobs that run together have no --%s",
                              test->name, alone);
    if (said->duration_ns == WEFT_FOREVER)
        return weft_error_set(error, WEFT_INVALID,
                              "test '%s': jobs run together for a time that ends: write it like "
                              "--duration 10s",
                              test->name);
    return WEFT_OK;
}

/* What one option needs of the others. */
static enum weft_status check_rate(const struct weft_job_options *options,
                                   const struct weft_test *said, const struct weft_test *test,
                                   struct weft_error *error)
{
    bool search = options->texts[WEFT_TEST_SEARCH] != NULL;
    enum weft_test_option_id id = 0;
    if (search && (options->texts[WEFT_TEST_RATE] || sweeps_rate(test)))
        return weft_error_set(error, WEFT_INVALID, "--search finds the rate: leave --rate out");
    while (id < WEFT_TEST_OPTION_COUNT && (weft_test_option_table[id].needs != WEFT_NEEDS_RATE ||
                                           !weft_test_option_is_given(said, id)))
        id++;
    if (id == WEFT_TEST_OPTION_COUNT || test->rate_bps || search || sweeps_rate(test))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "--%s needs a rate: give --rate",
                          weft_test_option_table[id].key);
}

enum weft_status weft_job_override(const struct weft_job_options *options,
                                   const struct weft_test *said, struct weft_test *test,
                                   struct weft_error *error)
{
    enum weft_status status = check_chosen(options, said, test, error);
    if (status != WEFT_OK)
        return status;
    set_numbers(said, test);
    status = set_pattern_options(options, test, error);
    if (status == WEFT_OK)
        status = add_sweeps(&options->lists[WEFT_TEST_SWEEP], test, error);
    if (status == WEFT_OK)
        status = check_swept(options, said, test, error);
    if (status == WEFT_OK)
        status = check_rate(options, said, test, error);
    if (status == WEFT_OK)
        status = set_parts(options, test, error);
    if (status == WEFT_OK)
        status = weft_test_check_search(test, error);
    if (status == WEFT_OK && !test->driver)
        status = set_text(&test->driver, "dpdk", error);
    /* A job alone is what the others are compared with. */
    if (status != WEFT_OK || test->together.alone)
        return status;
    return add_expects(&options->lists[WEFT_TEST_EXPECT], test, error);
}
