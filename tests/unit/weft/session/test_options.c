/* SPDX-License-Identifier: BSD-3-Clause */
/* Every row of the table of a test's options: from a plan, from a command line, over the wire and
 * into plan.yaml it stays what it was, and out of its bounds it is refused in the same words. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fabric/control/wire.h"
#include "fabric/plan/plan.h"
#include "tools/weft/session/job.h"

static struct weft_error error;

#define EACH_NUMBER(id)                                                      \
    for (enum weft_test_option_id id = 0; id < WEFT_TEST_OPTION_COUNT; id++) \
        if (weft_test_option_is_number(id))

static bool is_switch(enum weft_test_option_id id)
{
    enum weft_option_form form = weft_test_option_table[id].form;
    return form == WEFT_FORM_SWITCH || form == WEFT_FORM_SWITCH_ON;
}

/* The ends of the bounds; where a pattern's check or memory stands before, what it bears. */
static uint32_t values_of(enum weft_test_option_id id, uint64_t values[3])
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    values[0] = row->least;
    values[1] = row->most;
    values[2] = WEFT_FOREVER;
    if (row->form == WEFT_FORM_WORD || is_switch(id))
        values[1] = 1;
    if (id == WEFT_TEST_SIZE || id == WEFT_TEST_RANKS) {
        values[0] = 4;
        values[1] = 1000;
    }
    return row->form == WEFT_FORM_LENGTH ? 3 : 2;
}

static const char *beside(enum weft_test_option_id id)
{
    return weft_test_option_table[id].needs == WEFT_NEEDS_RATE ? ", rate: 1Gbps" : "";
}

/* ---- the ways ---- */

static void make_plan(enum weft_test_option_id id, const char *value, char text[500])
{
    (void)snprintf(text, 500, "tests: [{pattern: all-reduce, driver: dpdk%s, %s: %s}]\n",
                   beside(id), weft_test_option_table[id].key, value);
}

static struct weft_plan *parse_plan(const char *text)
{
    struct weft_plan *plan = NULL;
    const struct weft_source source = {"p.yaml", text, strlen(text)};
    error = (struct weft_error){0};
    (void)!weft_plan_parse(&source, &plan, &error);
    return plan;
}

static const struct weft_option *const tables[] = {weft_job_option_table, NULL};
static const struct weft_command command = {
    .name = "run", .usage = "PATTERN", .most_arguments = 1, .tables = tables};

/* A job of an all-reduce by the command line. */
static enum weft_status make_job(enum weft_test_option_id id, uint64_t value, const char *text,
                                 struct weft_job *ret_job)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    struct weft_job_options options = {0};
    struct weft_arguments arguments;
    char name[80], copy[WEFT_UNITS_TEXT], rate[] = "--rate=1Gbps";
    char *argv[4] = {0};
    int argc = 0;
    bool turned = is_switch(id) && value == (row->form == WEFT_FORM_SWITCH);
    (void)snprintf(name, sizeof(name), "--%s%s", row->form == WEFT_FORM_SWITCH_ON ? "no-" : "",
                   row->key);
    (void)snprintf(copy, sizeof(copy), "%s", text);
    if (!is_switch(id) || turned)
        argv[argc++] = name;
    if (!is_switch(id))
        argv[argc++] = copy;
    if (row->needs == WEFT_NEEDS_RATE)
        argv[argc++] = rate;
    error = (struct weft_error){0};
    enum weft_status status =
        weft_options_parse(&command, argc, argv, &options, &arguments, &error);
    return status ? status : weft_job_init(&options, "all-reduce", ret_job, &error);
}

static uint8_t frame[1u << 16];
static size_t frame_bytes;

static void keep(void *context, uint32_t peer, const uint8_t *bytes, size_t len_bytes)
{
    (void)context;
    (void)peer;
    cr_assert_leq(len_bytes, sizeof(frame));
    memcpy(frame, bytes, len_bytes);
    frame_bytes = len_bytes;
}

/* Through the bytes, as an agent would see it. `ret_envelope` holds what the test points to. */
static enum weft_status carry(const struct weft_test *test, struct weft_wire_prepared *ret_prepared,
                              Weft__Envelope **ret_envelope)
{
    static char device[] = "memory";
    static const uint32_t zero = 0;
    static const struct weft_nic nic = {.name = device, .device = device};
    static const struct weft_nic *const nics[] = {&nic};
    const struct weft_wire_prepare prepare = {.parts = {test},
                                              .part_count = 1,
                                              .local_count = 1,
                                              .nic_count = 1,
                                              .local_ranks = &zero,
                                              .rank_nics = &zero,
                                              .nics = nics};
    struct weft_wire wire = {.output = {keep, NULL}};
    error = (struct weft_error){0};
    cr_assert_eq(weft_wire_prepare_send(&wire, 0, &prepare, &error), WEFT_OK, "%s", error.text);
    weft_wire_fini(&wire);
    cr_assert_eq(weft_wire_open(frame + 4, frame_bytes - 4, ret_envelope, &error), WEFT_OK);
    return weft_wire_prepare_read((*ret_envelope)->prepare, ret_prepared, &error);
}

/* ---- there and back ---- */

static void assert_same(const struct weft_test *test, enum weft_test_option_id id, uint64_t value,
                        const char *way)
{
    cr_assert_eq(weft_test_option_get(test, id), value, "%s: '%s' is %llu, not %llu", way,
                 weft_test_option_table[id].key, (unsigned long long)weft_test_option_get(test, id),
                 (unsigned long long)value);
}

static void assert_carried(const struct weft_test *test)
{
    struct weft_wire_prepared prepared;
    Weft__Envelope *envelope = NULL;
    cr_assert_eq(carry(test, &prepared, &envelope), WEFT_OK, "%s", error.text);
    EACH_NUMBER(other)
    assert_same(&prepared.parts[0], other, weft_test_option_get(test, other), "wire");
    cr_assert_eq(prepared.parts[0].given & test->given, test->given, "what was said stays said");
    weft_wire_prepared_fini(&prepared);
    weft_wire_close(envelope);
}

static void assert_written(const struct weft_job *job, enum weft_test_option_id id, uint64_t value)
{
    size_t len_bytes = 0;
    char *text = weft_job_plan_text(job, &len_bytes);
    struct weft_plan *again = parse_plan(text);
    cr_assert_not_null(again, "%s\n%s", error.text, text);
    assert_same(&again->tests[0], id, value, "plan.yaml");
    weft_plan_destroy(again);
    free(text);
}

Test(options, of_a_plan_stay_what_they_were)
{
    EACH_NUMBER(id)
    {
        uint64_t values[3];
        uint32_t count = values_of(id, values);
        for (uint32_t i = 0; i < count; i++) {
            char text[500], value[WEFT_UNITS_TEXT];
            make_plan(id, weft_test_option_format(id, values[i], value), text);
            struct weft_plan *plan = parse_plan(text);
            cr_assert_not_null(plan, "%s", error.text);
            assert_same(&plan->tests[0], id, values[i], "plan");
            cr_assert(weft_test_option_is_given(&plan->tests[0], id), "%s", text);
            plan->tests[0].options.rank_count |= 4;
            assert_carried(&plan->tests[0]);
            weft_plan_destroy(plan);
        }
    }
}

Test(options, of_a_command_line_stay_what_they_were)
{
    EACH_NUMBER(id)
    {
        uint64_t values[3];
        uint32_t count = values_of(id, values);
        for (uint32_t i = 0; i < count; i++) {
            struct weft_job job;
            char value[WEFT_UNITS_TEXT];
            weft_test_option_format(id, values[i], value);
            cr_assert_eq(make_job(id, values[i], value, &job), WEFT_OK, "%s", error.text);
            assert_same(&job.plan->tests[0], id, values[i], "command line");
            assert_written(&job, id, values[i]);
            assert_carried(&job.plan->tests[0]);
            weft_job_fini(&job);
        }
    }
}

Test(options, that_nothing_is_said_of_hold_their_defaults)
{
    struct weft_plan *plan = parse_plan("tests: [{pattern: all-reduce}]\n");
    EACH_NUMBER(id)
    {
        const struct weft_test_option *row = &weft_test_option_table[id];
        cr_assert_not(weft_test_option_is_given(&plan->tests[0], id));
        if (id != WEFT_TEST_SIZE)
            assert_same(&plan->tests[0], id, row->default_value, "default");
    }
    weft_plan_destroy(plan);
}

/* Where 0 can be said it is another thing than nothing said. */
Test(options, zero_said_is_said)
{
    struct weft_plan *plan = parse_plan("tests: [{pattern: all-reduce, ranks: 2, dscp: 0}]\n");
    struct weft_wire_prepared prepared;
    Weft__Envelope *envelope = NULL;
    cr_assert(weft_test_option_is_given(&plan->tests[0], WEFT_TEST_DSCP));
    cr_assert_eq(carry(&plan->tests[0], &prepared, &envelope), WEFT_OK, "%s", error.text);
    cr_assert(weft_test_option_is_given(&prepared.parts[0], WEFT_TEST_DSCP));
    cr_assert_not(weft_test_option_is_given(&prepared.parts[0], WEFT_TEST_REDUCE));
    weft_wire_prepared_fini(&prepared);
    weft_wire_close(envelope);
    weft_plan_destroy(plan);
}

Test(options, iterations_and_duration_stand_in_each_others_place)
{
    struct weft_test test = {.iterations = 100};
    weft_test_option_set(&test, WEFT_TEST_DURATION, 1000000);
    cr_assert_eq(test.iterations, 0);
    weft_test_option_set(&test, WEFT_TEST_ITERATIONS, 7);
    cr_assert_eq(test.duration_ns, 0);
    cr_assert_not(weft_test_option_is_given(&test, WEFT_TEST_DURATION));
}

/* ---- bounds ---- */

static void assert_refused(enum weft_test_option_id id, uint64_t value)
{
    struct weft_error bounds = {0};
    struct weft_wire_prepared prepared;
    Weft__Envelope *envelope = NULL;
    struct weft_job job;
    char text[500], written[WEFT_UNITS_TEXT];
    cr_assert_eq(weft_test_option_check(id, value, &bounds), WEFT_INVALID);
    struct weft_plan *plan = parse_plan("tests: [{pattern: all-reduce, ranks: 2}]\n");
    weft_test_option_set(&plan->tests[0], id, value);
    if (weft_test_option_get(&plan->tests[0], id) == value) {
        cr_assert_eq(carry(&plan->tests[0], &prepared, &envelope), WEFT_INVALID);
        cr_assert_not_null(strstr(error.text, bounds.text), "wire: %s", error.text);
        weft_wire_close(envelope);
    }
    weft_plan_destroy(plan);
    if (weft_test_option_table[id].form == WEFT_FORM_WORD || is_switch(id))
        return;
    weft_test_option_format(id, value, written);
    make_plan(id, written, text);
    cr_assert_null(parse_plan(text), "%s", text);
    cr_assert_not_null(strstr(error.text, bounds.text), "plan: %s", error.text);
    cr_assert_eq(make_job(id, value, written, &job), WEFT_INVALID, "%s", text);
    cr_assert_not_null(strstr(error.text, bounds.text), "command line: %s", error.text);
}

Test(options, out_of_bounds_are_refused_alike)
{
    EACH_NUMBER(id)
    {
        const struct weft_test_option *row = &weft_test_option_table[id];
        bool few = row->form == WEFT_FORM_WORD || is_switch(id);
        assert_refused(id, few ? 2 : row->most + 1);
        if (row->least)
            assert_refused(id, row->least - 1);
        if (row->form == WEFT_FORM_POWER)
            assert_refused(id, row->least + 1);
    }
}

Test(options, words_that_are_none_are_refused)
{
    EACH_NUMBER(id)
    {
        char text[500];
        struct weft_job job;
        if (weft_test_option_table[id].form != WEFT_FORM_WORD)
            continue;
        make_plan(id, "zzzzzz", text);
        cr_assert_null(parse_plan(text), "%s", text);
        cr_assert_not_null(strstr(error.text, "'zzzzzz': it is neither"), "%s", error.text);
        cr_assert_eq(make_job(id, 0, "zzzzzz", &job), WEFT_INVALID);
        cr_assert_not_null(strstr(error.text, "'zzzzzz': it is neither"), "%s", error.text);
    }
}

/* ---- the table itself ---- */

Test(options, of_the_table_make_sense)
{
    for (enum weft_test_option_id id = 0; id < WEFT_TEST_OPTION_COUNT; id++) {
        const struct weft_test_option *row = &weft_test_option_table[id];
        struct weft_error none = {0};
        cr_assert(*row->help);
        cr_assert_eq(weft_test_option_find(row->key), id, "two rows are named %s", row->key);
        cr_assert_eq(weft_pattern_option_find(row->key), WEFT_PATTERN_OPTION_COUNT,
                     "a pattern's option is named %s, too", row->key);
        if (!row->width_bytes)
            continue;
        bool in_bounds = weft_test_option_check(id, row->default_value, &none) == WEFT_OK;
        cr_assert(in_bounds || (!row->default_value && row->absent),
                  "what holds where no '%s' is said?", row->key);
        cr_assert_eq(row->form == WEFT_FORM_WORD, row->words && row->noun);
        cr_assert(!row->instead_of || weft_test_option_table[row->instead_of].instead_of == id);
    }
}

/* ---- docs ---- */

/* The last cell of the key's line in the table of keys. False: there is no such line. */
static bool find_default(const char *key, char cell[300])
{
    bool found = false;
    char begin[80], line[2000];
    FILE *file = fopen(PLANS_MD, "r");
    cr_assert_not_null(file);
    (void)snprintf(begin, sizeof(begin), "| `%s` |", key);
    while (!found && fgets(line, sizeof(line), file)) {
        char *end = strstr(line, " |\n");
        if (!end || strncmp(line, begin, strlen(begin)) != 0)
            continue;
        *end = '\0';
        (void)snprintf(cell, 300, "%s", strrchr(line, '|') + 1);
        found = true;
    }
    (void)fclose(file);
    return found;
}

Test(options, stand_in_the_docs_with_their_defaults)
{
    for (enum weft_test_option_id id = 0; id < WEFT_TEST_OPTION_COUNT; id++) {
        const struct weft_test_option *row = &weft_test_option_table[id];
        char cell[300], value[WEFT_UNITS_TEXT];
        cr_assert(find_default(row->key, cell), "%s is not in docs/PLANS.md", row->key);
        const char *says =
            row->absent ? row->absent : weft_test_option_format(id, row->default_value, value);
        cr_assert_not_null(strstr(cell, says), "'%s' has '%s' in docs/PLANS.md, not '%s'", row->key,
                           cell, says);
    }
}
