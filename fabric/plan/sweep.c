/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/test.h"

#define TEXT_BYTES_MAX 4096u
#define FACTOR_MAX 1000000u

static enum weft_status no_memory(struct weft_error *error)
{
    return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
}

/* ---- one value ---- */

static enum weft_status apply_own(struct weft_test *test, enum weft_test_option_id id,
                                  const char *text, struct weft_error *error)
{
    uint64_t value = 0;
    if (id == WEFT_TEST_RANKS && test->ranks)
        return weft_error_set(error, WEFT_INVALID,
                              "the test names its ranks; a sweep needs a number of ranks instead");
    if (id == WEFT_TEST_RATE && test->search.to_bps)
        return weft_error_set(error, WEFT_INVALID, "a test with a search cannot sweep its rate");
    enum weft_status status = weft_test_option_parse(id, text, &value, error);
    if (status == WEFT_OK)
        weft_test_option_set(test, id, value);
    return status;
}

/* "size, ranks, rate and the pattern's options can" */
static enum weft_status refuse_key(const char *key, struct weft_error *error)
{
    char list[200] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT && used < sizeof(list); i++) {
        const struct weft_test_option *row = &weft_test_option_table[i];
        if (row->swept)
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
                                     row->key);
    }
    return weft_error_set(error, WEFT_INVALID,
                          "'%.40s' cannot be swept: %s and the pattern's options can", key, list);
}

static enum weft_status apply(struct weft_test *test, const char *key, const char *text,
                              struct weft_error *error)
{
    enum weft_test_option_id own = weft_test_option_find(key);
    if (own != WEFT_TEST_OPTION_COUNT && weft_test_option_table[own].swept)
        return apply_own(test, own, text, error);
    enum weft_pattern_option_id id = weft_pattern_option_find(key);
    if (id == WEFT_PATTERN_OPTION_COUNT)
        return refuse_key(key, error);
    return weft_pattern_option_parse(test->pattern, &test->options, id, text, error);
}

/* What apply has set. */
static uint64_t applied(const struct weft_test *test, const char *key)
{
    enum weft_test_option_id own = weft_test_option_find(key);
    if (own != WEFT_TEST_OPTION_COUNT)
        return weft_test_option_get(test, own);
    return weft_pattern_option_get(&test->options, weft_pattern_option_find(key));
}

/* ---- lists and ranges ---- */

/* One value in two forms, such as 8 and 8B, is one test, run twice under two names. */
static enum weft_status check_new(const struct weft_test *test, const struct weft_sweep_axis *axis,
                                  const struct weft_test *with, const char *text,
                                  struct weft_error *error)
{
    for (uint32_t i = 0; i < axis->value_count; i++) {
        struct weft_test scratch = *test;
        enum weft_status status = apply(&scratch, axis->key, axis->values[i], error);
        if (status != WEFT_OK)
            return status;
        if (applied(&scratch, axis->key) == applied(with, axis->key))
            return weft_error_set(error, WEFT_INVALID,
                                  "%s=%s stands in this sweep already, as %s: leave one out, or "
                                  "use 'repeats' to run a test more than once",
                                  axis->key, text, axis->values[i]);
    }
    return WEFT_OK;
}

/* Takes the value over on success. */
static enum weft_status keep_value(struct weft_test *test, struct weft_sweep_axis *axis,
                                   const char *text, struct weft_error *error)
{
    struct weft_test scratch = *test;
    enum weft_status status = apply(&scratch, axis->key, text, error);
    if (status == WEFT_OK)
        status = check_new(test, axis, &scratch, text, error);
    if (status != WEFT_OK)
        return status;
    if (axis->value_count == WEFT_PLAN_TESTS_MAX)
        return weft_error_set(error, WEFT_INVALID, "a sweep has up to %u values",
                              WEFT_PLAN_TESTS_MAX);
    char **values = realloc(axis->values, (axis->value_count + 1u) * sizeof(*values));
    if (!values)
        return no_memory(error);
    axis->values = values;
    values[axis->value_count] = strdup(text);
    if (!values[axis->value_count])
        return no_memory(error);
    axis->value_count++;
    return WEFT_OK;
}

struct range {
    uint64_t from, to, factor;
    enum weft_unit unit;
};

/* 1M is a million ranks, and a MiB of payload. */
static bool is_size(const char *key)
{
    enum weft_test_option_id own = weft_test_option_find(key);
    if (own != WEFT_TEST_OPTION_COUNT)
        return weft_test_option_table[own].form == WEFT_FORM_SIZE;
    enum weft_pattern_option_id id = weft_pattern_option_find(key);
    return id != WEFT_PATTERN_OPTION_COUNT &&
           weft_pattern_option_table[id].kind == WEFT_PATTERN_SIZE;
}

/* Whatever unit both ends have. */
static bool read_ends(const char *key, const char *from, const char *to, struct range *range)
{
    static const enum weft_unit units[] = {WEFT_UNIT_COUNT, WEFT_UNIT_SIZE, WEFT_UNIT_RATE,
                                           WEFT_UNIT_TIME};
    for (size_t i = is_size(key); i < sizeof(units) / sizeof(units[0]); i++) {
        range->unit = units[i];
        if (weft_unit_parse(units[i], from, &range->from, NULL) == WEFT_OK &&
            weft_unit_parse(units[i], to, &range->to, NULL) == WEFT_OK)
            return true;
    }
    return false;
}

/* "64B..4MiB*4" in pieces; without a factor it is 2. */
static enum weft_status read_range(const char *key, char *text, struct range *ret_range,
                                   struct weft_error *error)
{
    char whole[80];
    (void)snprintf(whole, sizeof(whole), "%.79s", text);
    char *dots = strstr(text, "..");
    char *times = strchr(dots, '*');
    *dots = '\0';
    ret_range->factor = 2;
    if (times)
        *times = '\0';
    bool good = !times || weft_parse_count(times + 1, &ret_range->factor, NULL) == WEFT_OK;
    good = good && ret_range->factor >= 2 && ret_range->factor <= FACTOR_MAX;
    good = good && read_ends(key, text, dots + 2, ret_range) && ret_range->from &&
           ret_range->from <= ret_range->to;
    if (good)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "'%s' is not a range: write it like 64B..4MiB*4, from the smallest to "
                          "the largest by a factor of 2 or more",
                          whole);
}

static enum weft_status add_piece(struct weft_test *test, struct weft_sweep_axis *axis, char *text,
                                  struct weft_error *error)
{
    struct range range;
    char value[WEFT_UNITS_TEXT];
    if (!strstr(text, ".."))
        return keep_value(test, axis, text, error);
    enum weft_status status = read_range(axis->key, text, &range, error);
    for (uint64_t at = range.from; status == WEFT_OK && at <= range.to; at *= range.factor) {
        status = keep_value(test, axis, weft_unit_format(range.unit, at, value), error);
        if (at > range.to / range.factor)
            break;
    }
    return status;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len_bytes = strlen(text);
    while (len_bytes && (text[len_bytes - 1] == ' ' || text[len_bytes - 1] == '\t'))
        text[--len_bytes] = '\0';
    return text;
}

static enum weft_status add_values(struct weft_test *test, struct weft_sweep_axis *axis,
                                   const char *values, struct weft_error *error)
{
    char text[TEXT_BYTES_MAX];
    if (strlen(values) >= sizeof(text))
        return weft_error_set(error, WEFT_INVALID, "a list of values has up to %u characters",
                              TEXT_BYTES_MAX - 1);
    (void)snprintf(text, sizeof(text), "%s", values);
    enum weft_status status = WEFT_OK;
    char *at = text;
    while (status == WEFT_OK && at) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        status = add_piece(test, axis, trim(at), error);
        at = comma ? comma + 1 : NULL;
    }
    return status;
}

enum weft_status weft_sweep_add(struct weft_test *test, const char *key, const char *values,
                                struct weft_error *error)
{
    struct weft_sweep_axis *axis = NULL;
    for (uint32_t i = 0; i < test->axis_count; i++) {
        if (strcmp(test->axes[i].key, key) == 0)
            axis = &test->axes[i];
    }
    if (!axis && test->axis_count == WEFT_SWEEP_AXES_MAX)
        return weft_error_set(error, WEFT_INVALID, "a sweep goes over up to %u keys",
                              WEFT_SWEEP_AXES_MAX);
    if (!axis) {
        axis = &test->axes[test->axis_count];
        axis->key = strdup(key);
        if (!axis->key)
            return no_memory(error);
        test->axis_count++;
    }
    return add_values(test, axis, values, error);
}

void weft_sweep_fini(struct weft_test *test)
{
    for (uint32_t i = 0; i < test->axis_count; i++) {
        for (uint32_t j = 0; j < test->axes[i].value_count; j++)
            free(test->axes[i].values[j]);
        free(test->axes[i].values);
        free(test->axes[i].key);
    }
    test->axis_count = 0;
}

/* ---- writing out ---- */

static bool copy_text(char **field)
{
    if (*field)
        *field = strdup(*field);
    return *field != NULL;
}

static bool copy_ranks(struct weft_test *test)
{
    size_t len_bytes = test->options.rank_count * sizeof(*test->ranks);
    const uint32_t *from = test->ranks;
    test->ranks = from ? malloc(len_bytes) : NULL;
    if (test->ranks)
        memcpy(test->ranks, from, len_bytes);
    return test->ranks != NULL;
}

/* Half-made, it can be undone all the same. */
enum weft_status weft_test_copy(const struct weft_test *from, struct weft_test *to,
                                struct weft_error *error)
{
    *to = *from;
    to->axis_count = 0;
    to->until = (struct weft_expect){0};
    to->expects = NULL;
    to->expect_count = 0;
    bool made = copy_text(&to->name);
    made = (copy_text(&to->driver) || !from->driver) && made;
    made = (copy_text(&to->file) || !from->file) && made;
    made = (copy_text(&to->together.name) || !from->together.name) && made;
    made = (copy_text(&to->together.job) || !from->together.job) && made;
    made = (copy_ranks(to) || !from->ranks) && made;
    to->file_text = NULL;
    to->options.prepared = NULL;
    to->expects = calloc(from->expect_count + 1u, sizeof(*to->expects));
    if (!made || !to->expects)
        return no_memory(error);
    if (from->until.text && weft_expect_parse(from->until.text, &to->until, error) != WEFT_OK)
        return error->status;
    for (uint32_t i = 0; i < from->expect_count; i++) {
        enum weft_status status = weft_expect_parse(from->expects[i].text, &to->expects[i], error);
        if (status != WEFT_OK)
            return status;
        to->expect_count++;
    }
    return WEFT_OK;
}

static enum weft_status add_to_name(struct weft_test *test, const char *more,
                                    struct weft_error *error)
{
    char *name = malloc(strlen(test->name) + strlen(more) + 1);
    if (!name)
        return no_memory(error);
    (void)sprintf(name, "%s%s", test->name, more);
    free(test->name);
    test->name = name;
    return WEFT_OK;
}

/* The point of that number: the last axis goes fastest. */
static enum weft_status set_point(const struct weft_test *from, uint64_t number,
                                  struct weft_test *test, struct weft_error *error)
{
    uint64_t below = 1;
    for (uint32_t i = 0; i < from->axis_count; i++)
        below *= from->axes[i].value_count;
    for (uint32_t i = 0; i < from->axis_count; i++) {
        const struct weft_sweep_axis *axis = &from->axes[i];
        below /= axis->value_count;
        const char *value = axis->values[number / below % axis->value_count];
        char more[160];
        (void)snprintf(more, sizeof(more), " %.60s=%.60s", axis->key, value);
        enum weft_status status = apply(test, axis->key, value, error);
        if (status == WEFT_OK)
            status = add_to_name(test, more, error);
        if (status != WEFT_OK)
            return status;
    }
    test->swept = from->axis_count > 0;
    return WEFT_OK;
}

/* How far repeats differ is known once all have run. */
static void drop_shares(struct weft_test *test)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < test->expect_count; i++) {
        if (weft_metric_is_share(test->expects[i].metric))
            weft_expect_fini(&test->expects[i]);
        else
            test->expects[kept++] = test->expects[i];
    }
    test->expect_count = kept;
}

static enum weft_status set_repeat(struct weft_test *test, uint32_t repeat,
                                   struct weft_error *error)
{
    char more[16];
    test->repeat = repeat;
    if (repeat + 1 < test->repeats)
        drop_shares(test);
    (void)snprintf(more, sizeof(more), " #%u", repeat + 1);
    return repeat ? add_to_name(test, more, error) : WEFT_OK;
}

static uint64_t count_points(const struct weft_test *test)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < test->axis_count && count <= WEFT_PLAN_TESTS_MAX; i++)
        count *= test->axes[i].value_count;
    return count;
}

static uint64_t count_tests(const struct weft_test *test)
{
    return count_points(test) * (test->repeats ? test->repeats : 1);
}

static enum weft_status expand(const struct weft_test *from, struct weft_plan *plan,
                               struct weft_error *error)
{
    uint32_t repeats = from->repeats ? from->repeats : 1;
    uint64_t count = count_tests(from);
    for (uint64_t i = 0; i < count; i++) {
        struct weft_test *test = &plan->tests[plan->test_count++];
        enum weft_status status = weft_test_copy(from, test, error);
        if (status == WEFT_OK)
            status = set_point(from, i / repeats, test, error);
        if (status == WEFT_OK)
            status = set_repeat(test, (uint32_t)(i % repeats), error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

enum weft_status weft_plan_expand(struct weft_plan *plan, struct weft_error *error)
{
    uint64_t total = 0;
    bool sweeps = false;
    for (uint32_t i = 0; i < plan->test_count; i++) {
        total += count_tests(&plan->tests[i]);
        sweeps = sweeps || plan->tests[i].axis_count;
    }
    /* A sweep of one value adds no test, but sets the value. */
    if (total == plan->test_count && !sweeps)
        return WEFT_OK;
    if (total > WEFT_PLAN_TESTS_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "with its sweeps and repeats this plan has more than %u tests: "
                              "leave out values",
                              WEFT_PLAN_TESTS_MAX);
    struct weft_plan whole = {.tests = calloc(total, sizeof(*whole.tests))};
    if (!whole.tests)
        return no_memory(error);
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < plan->test_count; i++)
        status = expand(&plan->tests[i], &whole, error);
    struct weft_plan *gone = status == WEFT_OK ? plan : &whole;
    for (uint32_t i = 0; i < gone->test_count; i++)
        weft_test_fini(&gone->tests[i]);
    free(gone->tests);
    if (status == WEFT_OK) {
        plan->tests = whole.tests;
        plan->test_count = whole.test_count;
    }
    return status;
}
