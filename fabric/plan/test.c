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
#define SIZE_BYTES_MAX (UINT64_C(1) << 40)
#define TIME_HOUR_NS UINT64_C(3600000000000)
#define PATTERNS_MAX 64u
#define EXPECTS_MAX 256u

/* A test as its keys say it; 0 and NULL where they don't, since none may be 0. */
struct row {
    char *name, *driver, *file;
    const struct weft_pattern *pattern;
    enum weft_transfer transfer;
    struct weft_rank_choice ranks;
    uint64_t size_bytes;
    const struct weft_yaml_node *options[WEFT_PATTERN_OPTION_COUNT]; /* NULL: not said */
    uint64_t mtu_bytes, dscp, iterations, duration_ns, warmup, depth, in_flight, interval_ns,
        pace_bps;
    uint64_t rate_bps;
    enum weft_arrivals_kind arrivals;
    struct weft_congestion_options congestion;
    bool reduce, verify, trace;
    struct weft_fault_options fault;
    const struct weft_yaml_node *expects, *sweep;
    const struct weft_yaml_node *search;
    uint64_t repeats;
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
            return weft_error_at(error, &node->where, "a name is one line of text");
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

static enum weft_status read_pattern(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK)
        return status;
    bool goal = weft_is_goal_name(node->text);
    const struct weft_pattern *pattern = weft_pattern_find(goal ? "goal" : node->text, NULL);
    if (pattern) {
        *(const struct weft_pattern **)ret_field = pattern;
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

static enum weft_status read_transfer(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error)
{
    static const char *const names[WEFT_TRANSFER_COUNT + 1] = {
        [WEFT_TRANSFER_WRITE] = "write",
        [WEFT_TRANSFER_SEND] = "send",
    };
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK)
        return status;
    for (unsigned i = 0; i < WEFT_TRANSFER_COUNT; i++) {
        if (strcmp(names[i], node->text) == 0) {
            *(enum weft_transfer *)ret_field = (enum weft_transfer)i;
            return WEFT_OK;
        }
    }
    return weft_yaml_unknown(&node->where, "transfer", node->text, names, error);
}

static enum weft_status read_duration(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error)
{
    uint64_t duration_ns = WEFT_FOREVER;
    enum weft_status status = read_word(node, error);
    if (status == WEFT_OK && strcmp(node->text, "forever") != 0)
        status = weft_yaml_read_time(node, &duration_ns, error);
    if (status != WEFT_OK)
        return status;
    if (duration_ns != WEFT_FOREVER && (duration_ns < 1000000 || duration_ns > 168 * TIME_HOUR_NS))
        return weft_error_at(error, &node->where,
                             "'duration' must be from 1ms to 168h, or forever");
    *(uint64_t *)ret_field = duration_ns;
    return WEFT_OK;
}

static enum weft_status read_arrivals(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error)
{
    enum weft_status status = read_word(node, error);
    if (status != WEFT_OK)
        return status;
    for (unsigned i = 0; i < WEFT_ARRIVALS_KIND_COUNT; i++) {
        if (strcmp(weft_arrivals_names[i], node->text) == 0) {
            *(enum weft_arrivals_kind *)ret_field = (enum weft_arrivals_kind)i;
            return WEFT_OK;
        }
    }
    return weft_yaml_unknown(&node->where, "kind of arrivals", node->text, weft_arrivals_names,
                             error);
}

/* The path MTUs that InfiniBand and RoCE have (IBTA vol. 1, 9.7). */
static enum weft_status read_mtu(const struct weft_yaml_node *node, void *ret_field,
                                 struct weft_error *error)
{
    uint64_t mtu_bytes = 0;
    enum weft_status status = weft_yaml_read_size(node, &mtu_bytes, error);
    if (status != WEFT_OK)
        return status;
    bool power_of_2 = (mtu_bytes & (mtu_bytes - 1)) == 0;
    if (!power_of_2 || mtu_bytes < 256 || mtu_bytes > 4096)
        return weft_error_at(error, &node->where,
                             "'mtu' must be 256, 512, 1024, 2048 or 4096 bytes");
    *(uint64_t *)ret_field = mtu_bytes;
    return WEFT_OK;
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

static enum weft_status read_sweep(const struct weft_yaml_node *node, void *ret_field,
                                   struct weft_error *error)
{
    if (node->kind != WEFT_YAML_MAP)
        return weft_error_at(error, &node->where,
                             "'sweep' is a map of keys to values, such as {size: [64B, 4KiB]}");
    *(const struct weft_yaml_node **)ret_field = node;
    return WEFT_OK;
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
    {"name", weft_plan_read_title, offsetof(struct row, name), false, 0, 0},
    {"pattern", read_pattern, offsetof(struct row, pattern), true, 0, 0},
    {"ranks", weft_ranks_read, offsetof(struct row, ranks), false, 0, 0},
    {"size", weft_yaml_read_size, offsetof(struct row, size_bytes), false, 1, SIZE_BYTES_MAX},
#define WEFT_ROW(id, field, name, value, kind, least, most, help) \
    {name, read_option, offsetof(struct row, options[WEFT_OPTION_##id]), false, 0, 0},
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
        {"file", weft_yaml_read_text, offsetof(struct row, file), false, 0, 0},
    {"together", read_jobs, 0, false, 0, 0},
    {"driver", weft_plan_read_title, offsetof(struct row, driver), false, 0, 0},
    {"transfer", read_transfer, offsetof(struct row, transfer), false, 0, 0},
    {"mtu", read_mtu, offsetof(struct row, mtu_bytes), false, 0, 0},
    {"dscp", weft_yaml_read_count, offsetof(struct row, dscp), false, 0, 63},
    {"iterations", weft_yaml_read_count, offsetof(struct row, iterations), false, 1,
     UINT64_C(1000000000000)},
    {"duration", read_duration, offsetof(struct row, duration_ns), false, 0, 0},
    {"warmup", weft_yaml_read_count, offsetof(struct row, warmup), false, 0, 1000000000},
    {"depth", weft_yaml_read_count, offsetof(struct row, depth), false, 1, 4096},
    {"in-flight", weft_yaml_read_count, offsetof(struct row, in_flight), false, 1,
     WEFT_IN_FLIGHT_MAX},
    {"interval", weft_yaml_read_time, offsetof(struct row, interval_ns), false, 10000,
     TIME_HOUR_NS},
    {"rate", weft_yaml_read_rate, offsetof(struct row, rate_bps), false, 1000,
     UINT64_C(16000000000000)},
    {"arrivals", read_arrivals, offsetof(struct row, arrivals), false, 0, 0},
    {"pace", weft_yaml_read_rate, offsetof(struct row, pace_bps), false, 100000,
     UINT64_C(16000000000000)},
    {"congestion", weft_congestion_read, offsetof(struct row, congestion), false, 0, 0},
    {"reduce", weft_yaml_read_bool, offsetof(struct row, reduce), false, 0, 0},
    {"verify", weft_yaml_read_bool, offsetof(struct row, verify), false, 0, 0},
    {"trace", weft_yaml_read_bool, offsetof(struct row, trace), false, 0, 0},
    {"fault", read_fault, offsetof(struct row, fault), false, 0, 0},
    {"search", read_node, offsetof(struct row, search), false, 0, 0},
    {"repeats", weft_yaml_read_count, offsetof(struct row, repeats), false, 1, WEFT_REPEATS_MAX},
    {"sweep", read_sweep, offsetof(struct row, sweep), false, 0, 0},
    {"expect", weft_yaml_read_list, offsetof(struct row, expects), false, 0, 0},
    {0},
};

enum weft_status weft_test_set_number(struct weft_test *test, const char *key, uint64_t value,
                                      struct weft_error *error)
{
    const struct weft_yaml_key *row = keys;
    while (row->name && strcmp(row->name, key) != 0)
        row++;
    assert(row->name);
    uint64_t least = row->most ? row->least : 1;
    uint64_t most = row->most ? row->most : WEFT_RANKS_MAX;
    if (value < least || value > most)
        return weft_error_set(error, WEFT_INVALID, "a value of '%s' is out of range", key);
    if (strcmp(key, "size") == 0)
        test->options.size_bytes = value;
    else if (strcmp(key, "ranks") == 0)
        test->options.rank_count = (uint32_t)value;
    else
        test->rate_bps = value;
    return WEFT_OK;
}

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

static void take_row(const struct row *row, struct weft_test *test)
{
    weft_test_set_defaults(test, row->pattern);
    if (row->size_bytes)
        test->options.size_bytes = row->size_bytes;
    if (row->duration_ns)
        test->iterations = 0;
    else if (row->iterations)
        test->iterations = row->iterations;
    test->options.rank_count = row->ranks.count;
    test->ranks = row->ranks.ranks;
    test->transfer = row->transfer;
    test->mtu_bytes = (uint32_t)row->mtu_bytes;
    test->dscp = (uint8_t)row->dscp;
    test->duration_ns = row->duration_ns;
    test->warmup = row->warmup;
    test->depth = (uint32_t)row->depth;
    test->in_flight = (uint32_t)row->in_flight;
    test->interval_ns = row->interval_ns;
    test->rate_bps = row->rate_bps;
    test->arrivals = row->arrivals;
    test->pace_bps = row->pace_bps;
    test->congestion = row->congestion;
    test->fault = row->fault;
    test->repeats = (uint32_t)row->repeats;
    test->reduce = row->reduce;
    test->verify = row->verify;
    test->trace = row->trace;
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

static enum weft_status take_sweep(const struct weft_yaml_node *map, struct weft_test *test,
                                   struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (const struct weft_yaml_node *node = map->first; node && !status; node = node->next) {
        bool list = node->kind == WEFT_YAML_LIST;
        const struct weft_yaml_node *value = list ? node->first : node;
        if (list && !value)
            return weft_error_at(error, &node->where, "a sweep needs values");
        for (; value && !status; value = list ? value->next : NULL)
            status = take_values(node->key, value, test, error);
    }
    return status;
}

static enum weft_status check_length(const struct weft_yaml_node *node, struct weft_error *error)
{
    const struct weft_yaml_node *iterations = weft_yaml_find(node, "iterations");
    const struct weft_yaml_node *duration = weft_yaml_find(node, "duration");
    if (iterations && duration)
        return weft_error_at(error, &duration->key_where,
                             "a test has 'iterations' or 'duration', not both");
    const struct weft_yaml_node *arrivals = weft_yaml_find(node, "arrivals");
    const struct weft_yaml_node *sweep = weft_yaml_find(node, "sweep");
    const struct weft_yaml_node *search = weft_yaml_find(node, "search");
    if (search && weft_yaml_find(node, "rate"))
        return weft_error_at(error, &search->key_where,
                             "a test has a 'rate' or a 'search', not both");
    bool rate = weft_yaml_find(node, "rate") || search || (sweep && weft_yaml_find(sweep, "rate"));
    if (arrivals && !rate)
        return weft_error_at(error, &arrivals->key_where,
                             "'arrivals' needs a 'rate': add the rate, or leave this out");
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

enum weft_status weft_test_read(const struct weft_yaml_node *node, struct weft_test *test,
                                struct weft_error *error)
{
    struct row row = {.warmup = WEFT_WARMUP_DEFAULT, .verify = true, .trace = true};
    enum weft_status status = weft_yaml_read_map(node, "a test", keys, &row, error);
    if (status == WEFT_OK)
        status = check_length(node, error);
    if (status != WEFT_OK) {
        free(row.name);
        free(row.driver);
        free(row.file);
        free(row.ranks.ranks);
        return status;
    }
    take_row(&row, test);
    test->name = row.name ? row.name : strdup(row.pattern->name);
    test->driver = row.driver;
    test->file = row.file;
    if (!test->name)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    status = take_file(node, test, error);
    if (status == WEFT_OK)
        status = take_options(&row, test, error);
    if (status == WEFT_OK)
        status = check_options(node, test, error);
    if (status == WEFT_OK && row.search)
        status = take_search(row.search, test, error);
    if (status == WEFT_OK && row.sweep)
        status = take_sweep(row.sweep, test, error);
    if (status == WEFT_OK && row.expects)
        status = weft_test_read_expects(row.expects, test, error);
    return status;
}
