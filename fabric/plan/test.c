/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/test.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/utf8.h"
#include "fabric/plan/congestion.h"
#include "fabric/plan/ranks.h"
#include "fabric/plan/sweep.h"
#include "fabric/topology/topology.h"

#define TITLE_BYTES_MAX 100u
#define PATTERNS_MAX 64u
#define EXPECTS_MAX 256u

/* A test's keys as they stand in the file; NULL: not there. */
struct row {
    const struct weft_yaml_node *own[WEFT_TEST_OPTION_COUNT];
    const struct weft_yaml_node *options[WEFT_PATTERN_OPTION_COUNT];
};

/* ---- values ---- */

enum weft_status weft_plan_read_title(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error)
{
    const char *text = node->kind == WEFT_YAML_TEXT ? node->text : "";
    size_t len_bytes = strlen(text);
    if (len_bytes > TITLE_BYTES_MAX)
        return weft_error_at(error, &node->where, "a name has up to %u bytes", TITLE_BYTES_MAX);
    for (size_t at = 0; at < len_bytes;) {
        size_t length = weft_utf8_printable(text + at, len_bytes - at);
        if (length == 0)
            return weft_error_at(error, &node->where,
                                 "a name is printable text on one line; this one has a tab, a line "
                                 "break or another control character, or is not UTF-8");
        at += length;
    }
    return weft_yaml_read_text(node, ret_field, error);
}

/* A word that is not kept, only looked up. */
static enum weft_status read_word(const struct weft_yaml_node *node, struct weft_error *error)
{
    char *text = NULL;
    enum weft_status status = weft_yaml_read_text(node, &text, error);
    free(text);
    return status;
}

bool weft_is_goal_name(const char *name)
{
    size_t len_bytes = strlen(name);
    return len_bytes > 5 && strcmp(name + len_bytes - 5, ".goal") == 0;
}

static enum weft_status read_pattern(const struct weft_yaml_node *node,
                                     const struct weft_pattern **ret_pattern,
                                     struct weft_error *error)
{
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK)
        return status;
    bool goal = weft_is_goal_name(node->text);
    const struct weft_pattern *pattern = weft_pattern_find(goal ? "goal" : node->text, NULL);
    if (pattern) {
        *ret_pattern = pattern;
        return WEFT_OK;
    }
    const char *names[PATTERNS_MAX + 1] = {NULL};
    for (uint32_t i = 0; weft_patterns()[i] && i < PATTERNS_MAX; i++)
        names[i] = weft_patterns()[i]->name;
    return weft_yaml_unknown(&node->where, "pattern", node->text, names, error);
}

/* Kept as it stands: what it means is known once the pattern is. */
static enum weft_status read_option(const struct weft_yaml_node *node, void *ret_field,
                                    struct weft_error *error)
{
    enum weft_status status = read_word(node, error);
    if (status == WEFT_OK)
        *(const struct weft_yaml_node **)ret_field = node;
    return status;
}

static enum weft_status read_fault_map(const struct weft_yaml_node *map,
                                       struct weft_fault_options *ret_fault,
                                       struct weft_error *error)
{
    struct weft_fault_options fault = {.seed = WEFT_FAULT_SEED_DEFAULT};
    for (const struct weft_yaml_node *node = map->first; node; node = node->next) {
        struct weft_error why = {0};
        if (node->kind != WEFT_YAML_TEXT)
            return weft_error_at(error, &node->where, "a fault's share is a number such as 1e-4");
        if (weft_fault_set(node->key, node->text, &fault, &why) != WEFT_OK)
            return weft_error_at(error, &node->key_where, "%s", why.text);
    }
    *ret_fault = fault;
    return WEFT_OK;
}

/* "drop=1e-4,seed=3", or the same as a map */
static enum weft_status read_fault(const struct weft_yaml_node *node, void *ret_field,
                                   struct weft_error *error)
{
    struct weft_error why = {0};
    size_t at = 0;
    if (node->kind == WEFT_YAML_MAP)
        return read_fault_map(node, ret_field, error);
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK || weft_fault_parse(node->text, ret_field, &at, &why) == WEFT_OK)
        return status;
    struct weft_location where = node->where;
    where.column += (uint32_t)at + node->quoted;
    return weft_error_at(error, &where, "%s", why.text);
}

static enum weft_status read_node(const struct weft_yaml_node *node, void *ret_field,
                                  struct weft_error *error)
{
    (void)error;
    *(const struct weft_yaml_node **)ret_field = node;
    return WEFT_OK;
}

static enum weft_status read_share(const struct weft_yaml_node *node, void *ret_field,
                                   struct weft_error *error)
{
    struct weft_error why = {0};
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK || weft_share_parse(node->text, ret_field, &why) == WEFT_OK)
        return status;
    return weft_error_at(error, &node->where, "%s", why.text);
}

static const struct weft_yaml_key search_rate_keys[] = {
    {"from", weft_yaml_read_rate, offsetof(struct weft_search_options, from_bps), true, 0, 0},
    {"to", weft_yaml_read_rate, offsetof(struct weft_search_options, to_bps), true, 0, 0},
    {"resolution", read_share, offsetof(struct weft_search_options, resolution), false, 0, 0},
    {"tolerance", read_share, offsetof(struct weft_search_options, tolerance), false, 0, 0},
    {0},
};

struct search_row {
    const struct weft_yaml_node *rate, *until;
};

static const struct weft_yaml_key search_keys[] = {
    {"rate", read_node, offsetof(struct search_row, rate), true, 0, 0},
    {"until", read_option, offsetof(struct search_row, until), false, 0, 0},
    {0},
};

static enum weft_status take_search(const struct weft_yaml_node *node, struct weft_test *test,
                                    struct weft_error *error)
{
    struct search_row row = {0};
    struct weft_error why = {0};
    struct weft_search_options search = {.resolution = WEFT_SEARCH_RESOLUTION,
                                         .tolerance = WEFT_SEARCH_TOLERANCE};
    enum weft_status status = weft_yaml_read_map(node, "a search", search_keys, &row, error);
    if (status == WEFT_OK)
        status = weft_yaml_read_map(row.rate, "a search's rate", search_rate_keys, &search, error);
    if (status != WEFT_OK)
        return status;
    if (weft_test_set_search(test, &search, &why) != WEFT_OK)
        return weft_error_at(error, &row.rate->where, "%s", why.text);
    if (row.until && weft_expect_parse(row.until->text, &test->until, &why) != WEFT_OK)
        return weft_error_at(error, &row.until->where, "%s", why.text);
    return WEFT_OK;
}

/* A test of jobs is read by its jobs (fabric/plan/together.h); here its key is known only so that
 * one that is mistyped finds it. */
static enum weft_status read_jobs(const struct weft_yaml_node *node, void *ret_field,
                                  struct weft_error *error)
{
    (void)ret_field;
    return weft_error_at(error, &node->where, "jobs that run together are a test of a plan");
}

static const struct weft_yaml_key keys[] = {
#define WEFT_NUMBER(id, type, field, name, value, form, scope, help, ...) \
    {name, read_node, offsetof(struct row, own[WEFT_TEST_##id]), false, 0, 0},
#define WEFT_PART(id, name, value, form, scope, help, ...)         \
    {name,                                                         \
     WEFT_TEST_##id == WEFT_TEST_TOGETHER ? read_jobs : read_node, \
     offsetof(struct row, own[WEFT_TEST_##id]),                    \
     WEFT_TEST_##id == WEFT_TEST_PATTERN,                          \
     0,                                                            \
     0},
    WEFT_TEST_OPTIONS(WEFT_NUMBER, WEFT_NUMBER, WEFT_PART)
#undef WEFT_NUMBER
#undef WEFT_PART
#define WEFT_ROW(id, field, name, value, kind, least, most, help) \
    {name, read_option, offsetof(struct row, options[WEFT_OPTION_##id]), false, 0, 0},
        WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
            {0},
};

/* ---- the test ---- */

enum weft_status weft_test_read_expects(const struct weft_yaml_node *list, struct weft_test *test,
                                        struct weft_error *error)
{
    if (list->count + test->expect_count > EXPECTS_MAX)
        return weft_error_at(error, &list->where, "a test has up to %u expectations", EXPECTS_MAX);
    if (list->count == 0)
        return WEFT_OK;
    size_t room = (size_t)test->expect_count + list->count;
    struct weft_expect *expects = realloc(test->expects, room * sizeof(*expects));
    if (!expects)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    test->expects = expects;
    for (const struct weft_yaml_node *node = list->first; node; node = node->next) {
        struct weft_error why = {0};
        if (node->kind != WEFT_YAML_TEXT)
            return weft_error_at(error, &node->where,
                                 "an expectation must be a text such as 'completion.p99 <= 5ms'");
        if (weft_expect_parse(node->text, &test->expects[test->expect_count], &why) != WEFT_OK)
            return weft_error_at(error, &node->where, "%s", why.text);
        test->expect_count++;
    }
    return WEFT_OK;
}

/* ---- one key ---- */

typedef enum weft_status take_function(const struct weft_yaml_node *node, struct weft_test *test,
                                       struct weft_error *error);

static enum weft_status take_number(const struct weft_yaml_node *node, enum weft_test_option_id id,
                                    struct weft_test *test, struct weft_error *error)
{
    /* These say what must stand there in place of a list or a map. */
    static const weft_yaml_reader readers[] = {
        [WEFT_FORM_COUNT] = weft_yaml_read_count,    [WEFT_FORM_SIZE] = weft_yaml_read_size,
        [WEFT_FORM_TIME] = weft_yaml_read_time,      [WEFT_FORM_RATE] = weft_yaml_read_rate,
        [WEFT_FORM_POWER] = weft_yaml_read_size,     [WEFT_FORM_SWITCH] = weft_yaml_read_bool,
        [WEFT_FORM_SWITCH_ON] = weft_yaml_read_bool, [WEFT_FORM_TEXT] = NULL,
    };
    weft_yaml_reader read = readers[weft_test_option_table[id].form];
    union {
        uint64_t number;
        bool flag;
    } scratch;
    uint64_t value = 0;
    struct weft_error why = {0};
    enum weft_status status = read ? read(node, &scratch, error) : read_word(node, error);
    if (status != WEFT_OK)
        return status;
    if (weft_test_option_parse(id, node->text, &value, &why) != WEFT_OK)
        return weft_error_at(error, &node->where, "%s", why.text);
    weft_test_option_set(test, id, value);
    return WEFT_OK;
}

static enum weft_status take_name(const struct weft_yaml_node *node, struct weft_test *test,
                                  struct weft_error *error)
{
    return weft_plan_read_title(node, &test->name, error);
}

static enum weft_status take_driver(const struct weft_yaml_node *node, struct weft_test *test,
                                    struct weft_error *error)
{
    return weft_plan_read_title(node, &test->driver, error);
}

static enum weft_status take_file_name(const struct weft_yaml_node *node, struct weft_test *test,
                                       struct weft_error *error)
{
    return weft_yaml_read_text(node, &test->file, error);
}

static enum weft_status take_ranks(const struct weft_yaml_node *node, struct weft_test *test,
                                   struct weft_error *error)
{
    struct weft_rank_choice choice = {0};
    enum weft_status status = weft_ranks_read(node, &choice, error);
    if (status != WEFT_OK)
        return status;
    weft_test_option_set(test, WEFT_TEST_RANKS, choice.count);
    test->ranks = choice.ranks;
    return WEFT_OK;
}

static enum weft_status take_congestion(const struct weft_yaml_node *node, struct weft_test *test,
                                        struct weft_error *error)
{
    return weft_congestion_read(node, &test->congestion, error);
}

static enum weft_status take_fault(const struct weft_yaml_node *node, struct weft_test *test,
                                   struct weft_error *error)
{
    return read_fault(node, &test->fault, error);
}

/* The numbers, and the parts that need no other key. */
static enum weft_status take_key(const struct weft_yaml_node *node, struct weft_test *test,
                                 struct weft_error *error)
{
    static take_function *const takes[WEFT_TEST_OPTION_COUNT] = {
        [WEFT_TEST_NAME] = take_name,      [WEFT_TEST_DRIVER] = take_driver,
        [WEFT_TEST_FILE] = take_file_name, [WEFT_TEST_RANKS] = take_ranks,
        [WEFT_TEST_FAULT] = take_fault,    [WEFT_TEST_CONGESTION] = take_congestion,
    };
    enum weft_test_option_id id = weft_test_option_find(node->key);
    if (id == WEFT_TEST_OPTION_COUNT)
        return WEFT_OK; /* the pattern's */
    if (takes[id])
        return takes[id](node, test, error);
    return weft_test_option_is_number(id) ? take_number(node, id, test, error) : WEFT_OK;
}

static enum weft_status take_keys(const struct weft_yaml_node *map, struct weft_test *test,
                                  struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (const struct weft_yaml_node *node = map->first; node && !status; node = node->next)
        status = take_key(node, test, error);
    return status;
}

static enum weft_status take_options(const struct row *row, struct weft_test *test,
                                     struct weft_error *error)
{
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        const struct weft_yaml_node *node = row->options[i];
        struct weft_error why = {0};
        if (!node ||
            weft_pattern_option_parse(test->pattern, &test->options, (enum weft_pattern_option_id)i,
                                      node->text, &why) == WEFT_OK)
            continue;
        return weft_error_at(error, &node->where, "%s", why.text);
    }
    return WEFT_OK;
}

static enum weft_status take_values(const char *key, const struct weft_yaml_node *node,
                                    struct weft_test *test, struct weft_error *error)
{
    struct weft_error why = {0};
    if (node->kind != WEFT_YAML_TEXT)
        return weft_error_at(error, &node->where, "a value of a sweep is a text such as 4KiB");
    if (weft_sweep_add(test, key, node->text, &why) == WEFT_OK)
        return WEFT_OK;
    return weft_error_at(error, &node->where, "%s", why.text);
}

/* `all`: the test's keys. What is swept is said by the sweep alone. */
static enum weft_status take_sweep(const struct weft_yaml_node *all,
                                   const struct weft_yaml_node *map, struct weft_test *test,
                                   struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    if (map->kind != WEFT_YAML_MAP)
        return weft_error_at(error, &map->where,
                             "'sweep' is a map of keys to values, such as {size: [64B, 4KiB]}");
    for (const struct weft_yaml_node *node = map->first; node && !status; node = node->next) {
        bool list = node->kind == WEFT_YAML_LIST;
        const struct weft_yaml_node *value = list ? node->first : node;
        const struct weft_yaml_node *fixed = weft_yaml_find(all, node->key);
        if (list && !value)
            return weft_error_at(error, &node->where, "a sweep needs values");
        if (fixed && !(test->ranks && strcmp(node->key, "ranks") == 0))
            return weft_error_at(error, &fixed->key_where,
                                 "'%s' is swept in this test: leave it out here", node->key);
        for (; value && !status; value = list ? value->next : NULL)
            status = take_values(node->key, value, test, error);
    }
    return status;
}

/* What one key needs of the others. */
static enum weft_status check_keys(const struct weft_yaml_node *node, const struct row *row,
                                   struct weft_error *error)
{
    const struct weft_yaml_node *duration = row->own[WEFT_TEST_DURATION];
    const struct weft_yaml_node *sweep = row->own[WEFT_TEST_SWEEP];
    const struct weft_yaml_node *search = row->own[WEFT_TEST_SEARCH];
    bool rate = row->own[WEFT_TEST_RATE] != NULL;
    if (row->own[WEFT_TEST_ITERATIONS] && duration)
        return weft_error_at(error, &duration->key_where,
                             "a test has 'iterations' or 'duration', not both");
    if (search && rate)
        return weft_error_at(error, &search->key_where,
                             "a test has a 'rate' or a 'search', not both");
    rate = rate || search || (sweep && weft_yaml_find(sweep, "rate"));
    for (const struct weft_yaml_node *key = node->first; key && !rate; key = key->next) {
        enum weft_test_option_id id = weft_test_option_find(key->key);
        if (id != WEFT_TEST_OPTION_COUNT && weft_test_option_table[id].needs == WEFT_NEEDS_RATE)
            return weft_error_at(error, &key->key_where,
                                 "'%s' needs a 'rate': add the rate, or leave this out", key->key);
    }
    return WEFT_OK;
}

/* 'pattern: FILE.goal' is short for 'pattern: goal' and 'file: FILE.goal'. */
static enum weft_status take_file(const struct weft_yaml_node *node, struct weft_test *test,
                                  struct weft_error *error)
{
    const struct weft_yaml_node *pattern = weft_yaml_find(node, "pattern");
    const struct weft_yaml_node *file = weft_yaml_find(node, "file");
    bool goal = weft_is_goal_name(pattern->text);
    if (goal && test->file)
        return weft_error_at(error, &file->where, "the pattern is already a file; leave this out");
    if (test->file && !test->pattern->takes_text)
        return weft_error_at(error, &file->where, "%s is not made from a file; leave it out",
                             test->pattern->name);
    if (!goal)
        return WEFT_OK;
    test->file = strdup(pattern->text);
    return test->file ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
}

/* Without a number of ranks the topology's will be checked once it is known, and a file is read
 * later. */
static enum weft_status check_options(const struct weft_yaml_node *node,
                                      const struct weft_test *test, struct weft_error *error)
{
    struct weft_error why = {0};
    if (!test->options.rank_count || test->file ||
        weft_pattern_check(test->pattern, &test->options, &why) == WEFT_OK)
        return WEFT_OK;
    return weft_error_at(error, &weft_yaml_find(node, "pattern")->where, "%s", why.text);
}

/* What belongs to the pattern; then what goes over the rest. */
static enum weft_status take_rest(const struct weft_yaml_node *node, const struct row *row,
                                  struct weft_test *test, struct weft_error *error)
{
    const struct weft_yaml_node *expects = NULL;
    enum weft_status status = take_file(node, test, error);
    if (status == WEFT_OK)
        status = take_options(row, test, error);
    if (status == WEFT_OK)
        status = check_options(node, test, error);
    if (status == WEFT_OK && row->own[WEFT_TEST_SEARCH])
        status = take_search(row->own[WEFT_TEST_SEARCH], test, error);
    if (status == WEFT_OK && row->own[WEFT_TEST_SWEEP])
        status = take_sweep(node, row->own[WEFT_TEST_SWEEP], test, error);
    if (status == WEFT_OK && row->own[WEFT_TEST_EXPECT]) {
        status = weft_yaml_read_list(row->own[WEFT_TEST_EXPECT], &expects, error);
        if (status == WEFT_OK)
            status = weft_test_read_expects(expects, test, error);
    }
    return status;
}

enum weft_status weft_test_read(const struct weft_yaml_node *node, struct weft_test *test,
                                struct weft_error *error)
{
    struct row row = {0};
    const struct weft_pattern *pattern = NULL;
    enum weft_status status = weft_yaml_read_map(node, "a test", keys, &row, error);
    if (status == WEFT_OK)
        status = read_pattern(row.own[WEFT_TEST_PATTERN], &pattern, error);
    if (status == WEFT_OK)
        status = check_keys(node, &row, error);
    if (status != WEFT_OK)
        return status;
    weft_test_set_defaults(test, pattern);
    status = take_keys(node, test, error);
    assert(test->pattern);
    if (status == WEFT_OK && !test->name && !(test->name = strdup(test->pattern->name)))
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    return status == WEFT_OK ? take_rest(node, &row, test, error) : status;
}
