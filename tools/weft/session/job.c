/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/yaml.h"
#include "fabric/plan/congestion.h"
#include "fabric/plan/sweep.h"
#include "fabric/plan/test.h"
#include "tools/weft/machine/files.h"

#define FIELD(name) offsetof(struct weft_job_options, name)
/* The bounds are those that a plan's keys have. */
#define SIZE_BYTES_MAX (UINT64_C(1) << 40)
#define HOUR_NS UINT64_C(3600000000000)

const struct weft_option weft_job_option_table[] = {
    {"file", "FILE", "the file that a pattern is made from, such as a traffic matrix",
     WEFT_OPTION_TEXT, FIELD(file), 0, 0},
    {"topology", "FILE", "hosts, NICs and ranks (default: loopback on this host)", WEFT_OPTION_TEXT,
     FIELD(topology), 0, 0},
    {"driver", "NAME", "driver that moves the data (weft devices lists them)", WEFT_OPTION_TEXT,
     FIELD(driver), 0, 0},
    {"ranks", "N", "number of ranks", WEFT_OPTION_COUNT, FIELD(ranks), 1, WEFT_RANKS_MAX},
    {"size", "SIZE", "size of the pattern's data, such as 64KiB", WEFT_OPTION_SIZE, FIELD(size), 1,
     SIZE_BYTES_MAX},
#define WEFT_ROW(id, field, name, value, kind, least, most, help) \
    {name, value, help, WEFT_OPTION_TEXT, FIELD(pattern_options[WEFT_OPTION_##id]), 0, 0},
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
        {"iterations", "N", "how many iterations to measure", WEFT_OPTION_COUNT, FIELD(iterations),
         1, UINT64_C(1000000000000)},
    {"duration", "TIME", "how long to measure, such as 10s, instead of --iterations",
     WEFT_OPTION_TIME, FIELD(duration), 1000000, 168 * HOUR_NS},
    {"forever", NULL, "measure until Ctrl-C, instead of --iterations", WEFT_OPTION_FLAG,
     FIELD(forever), 0, 0},
    {"warmup", "N", "iterations before the measured window", WEFT_OPTION_COUNT, FIELD(warmup), 0,
     1000000000},
    {"transfer", "write|send", "RDMA WRITE with immediate (default), or SEND", WEFT_OPTION_TEXT,
     FIELD(transfer), 0, 0},
    {"mtu", "N", "path MTU: 256, 512, 1024, 2048 or 4096 bytes", WEFT_OPTION_COUNT, FIELD(mtu), 256,
     4096},
    {"dscp", "N", "DSCP of the packets: 0 to 63", WEFT_OPTION_COUNT, FIELD(dscp), 0, 63},
    {"depth", "N", "receives posted in advance for each peer", WEFT_OPTION_COUNT, FIELD(depth), 1,
     4096},
    {"in-flight", "N",
     "iterations that run at once (default 1; in an open loop fan-out 64, stream 8)",
     WEFT_OPTION_COUNT, FIELD(in_flight), 1, WEFT_IN_FLIGHT_MAX},
    {"interval", "TIME", "interval of the bandwidth series (default 1ms)", WEFT_OPTION_TIME,
     FIELD(interval), 10000, HOUR_NS},
    {"rate", "RATE", "open loop: payload rate of the rank that sends most, such as 10Gbps",
     WEFT_OPTION_RATE, FIELD(rate), 1000, UINT64_C(16000000000000)},
    {"search", "FROM..TO", "find the highest rate without loss, such as 1Gbps..100Gbps",
     WEFT_OPTION_TEXT, FIELD(search), 0, 0},
    {"arrivals", "KIND", "with --rate: constant (default) or poisson", WEFT_OPTION_TEXT,
     FIELD(arrivals), 0, 0},
    {"pace", "RATE", "the highest rate of each endpoint, such as 10Gbps", WEFT_OPTION_RATE,
     FIELD(pace), 100000, UINT64_C(16000000000000)},
    {"congestion", "CONTROL", "dcqcn, none, or '{control: dcqcn, line-rate: 100Gbps}'",
     WEFT_OPTION_TEXT, FIELD(congestion), 0, 0},
    {"fault", "LIST", "inject faults, such as drop=1e-4,corrupt=1e-5,seed=3 (driver dpdk)",
     WEFT_OPTION_TEXT, FIELD(fault), 0, 0},
    {"reduce", NULL, "compute the sums of reductions while measuring too", WEFT_OPTION_FLAG,
     FIELD(reduce), 0, 0},
    {"no-verify", NULL, "do not verify the data before measuring", WEFT_OPTION_FLAG,
     FIELD(no_verify), 0, 0},
    {"repeats", "N", "run each test N times, and report how much the repeats differ",
     WEFT_OPTION_COUNT, FIELD(repeats), 1, WEFT_REPEATS_MAX},
    {"sweep", "KEY=LIST", "one test for each value, such as size=64B..1MiB*4; repeatable",
     WEFT_OPTION_TEXTS, FIELD(sweeps), 0, 0},
    {"expect", "EXPR", "fail if this is not met, such as 'completion.p99 <= 5ms'; repeatable",
     WEFT_OPTION_TEXTS, FIELD(expects), 0, 0},
    {0},
};

/* ---- the plan ---- */

static bool is_file_name(const char *what)
{
    const char *dot = strrchr(what, '.');
    return strchr(what, '/') || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")));
}

static bool is_topology(const struct weft_source *source)
{
    struct weft_yaml *yaml = NULL;
    struct weft_error error;
    if (weft_yaml_parse(source, &yaml, &error) != WEFT_OK)
        return false;
    const struct weft_yaml_node *root = weft_yaml_root(yaml);
    bool is = root->kind == WEFT_YAML_MAP && weft_yaml_find(root, "hosts") &&
              !weft_yaml_find(root, "tests");
    weft_yaml_destroy(yaml);
    return is;
}

static enum weft_status load_plan_file(struct weft_job *job, const char *name,
                                       struct weft_error *error)
{
    enum weft_status status = weft_source_read(name, &job->plan_source, error);
    if (status != WEFT_OK)
        return status;
    status = weft_plan_parse(&job->plan_source, &job->plan, error);
    if (status != WEFT_OK && is_topology(&job->plan_source))
        return weft_error_set(
            error, WEFT_INVALID,
            "%s is a topology, not a plan: use --topology %s after a pattern or a plan", name,
            name);
    return status;
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

static enum weft_status load_schedule(struct weft_job *job, const char *file,
                                      struct weft_error *error)
{
    enum weft_status status = weft_plan_single(weft_pattern_find("goal", error), &job->plan, error);
    return status == WEFT_OK ? set_text(&job->plan->tests[0].file, file, error) : status;
}

static enum weft_status load_plan(struct weft_job *job, const char *what, struct weft_error *error)
{
    if (weft_is_goal_name(what))
        return load_schedule(job, what, error);
    if (is_file_name(what))
        return load_plan_file(job, what, error);
    const struct weft_pattern *pattern = weft_pattern_find(what, error);
    if (!pattern)
        return error->status;
    return weft_plan_single(pattern, &job->plan, error);
}

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

static bool sweeps_rate(const struct weft_test *test)
{
    for (uint32_t i = 0; i < test->axis_count; i++) {
        if (strcmp(test->axes[i].key, "rate") == 0)
            return true;
    }
    return false;
}

static void set_u64(uint64_t *field, const struct weft_number *number)
{
    if (number->given)
        *field = number->value;
}

static void set_u32(uint32_t *field, const struct weft_number *number)
{
    if (number->given)
        *field = (uint32_t)number->value; /* the table's bounds fit */
}

static enum weft_status set_transfer(const char *text, enum weft_transfer *ret_transfer,
                                     struct weft_error *error)
{
    if (strcmp(text, "write") == 0)
        *ret_transfer = WEFT_TRANSFER_WRITE;
    else if (strcmp(text, "send") == 0)
        *ret_transfer = WEFT_TRANSFER_SEND;
    else
        return weft_error_set(error, WEFT_INVALID, "--transfer: '%.80s' is neither write nor send",
                              text);
    return WEFT_OK;
}

static enum weft_status set_arrivals(const char *text, struct weft_test *test,
                                     struct weft_error *error)
{
    if (!test->rate_bps && !sweeps_rate(test))
        return weft_error_set(error, WEFT_INVALID, "--arrivals needs a rate: give --rate");
    for (unsigned i = 0; i < WEFT_ARRIVALS_KIND_COUNT; i++) {
        if (strcmp(text, weft_arrivals_names[i]) != 0)
            continue;
        test->arrivals = (enum weft_arrivals_kind)i;
        return WEFT_OK;
    }
    return weft_error_set(error, WEFT_INVALID,
                          "--arrivals: '%.80s' is neither constant nor poisson", text);
}

static enum weft_status set_search(const struct weft_job_options *options, struct weft_test *test,
                                   struct weft_error *error)
{
    if (options->rate.given || sweeps_rate(test))
        return weft_error_set(error, WEFT_INVALID, "--search finds the rate: leave --rate out");
    if (weft_search_parse(options->search, test, error) == WEFT_OK)
        return WEFT_OK;
    weft_error_prefix(error, "--search: ");
    return error->status;
}

static enum weft_status set_options(const struct weft_job_options *options, struct weft_test *test,
                                    struct weft_error *error)
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

static enum weft_status set_fault(const char *text, struct weft_fault_options *ret_fault,
                                  struct weft_error *error)
{
    size_t at = 0;
    if (weft_fault_parse(text, ret_fault, &at, error) == WEFT_OK)
        return WEFT_OK;
    return weft_error_prefix(error, "--fault, at character %zu: ", at + 1);
}

/* What would be another job, or none that compares. */
static enum weft_status check_chosen(const struct weft_job_options *options,
                                     const struct weft_test *test, struct weft_error *error)
{
    const char *why = NULL;
    if (test->ranks && options->ranks.given)
        why = "--ranks: the plan names the ranks; change them there";
    else if (test->together.name && (options->search || options->sweeps.count ||
                                     options->repeats.given || options->forever))
        why = "jobs that run together have no --search, --sweep, --repeats or --forever";
    if (!why)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "test '%s': %s", test->name, why);
}

static enum weft_status override(const struct weft_job_options *options, struct weft_test *test,
                                 struct weft_error *error)
{
    enum weft_status status = check_chosen(options, test, error);
    if (status != WEFT_OK)
        return status;
    set_u32(&test->options.rank_count, &options->ranks);
    set_u64(&test->options.size_bytes, &options->size);
    set_u64(&test->warmup, &options->warmup);
    set_u32(&test->mtu_bytes, &options->mtu);
    if (options->dscp.given)
        test->dscp = (uint8_t)options->dscp.value;
    set_u32(&test->depth, &options->depth);
    set_u32(&test->in_flight, &options->in_flight);
    set_u64(&test->interval_ns, &options->interval);
    set_u64(&test->pace_bps, &options->pace);
    set_u64(&test->rate_bps, &options->rate);
    if (options->rate.given)
        test->search = (struct weft_search_options){0};
    if (options->iterations.given) {
        test->iterations = options->iterations.value;
        test->duration_ns = 0;
    }
    if (options->duration.given) {
        test->duration_ns = options->duration.value;
        test->iterations = 0;
    }
    if (options->forever) {
        test->duration_ns = WEFT_FOREVER;
        test->iterations = 0;
    }
    test->reduce = test->reduce || options->reduce;
    test->verify = test->verify && !options->no_verify;
    status = set_options(options, test, error);
    if (status == WEFT_OK && options->transfer)
        status = set_transfer(options->transfer, &test->transfer, error);
    set_u32(&test->repeats, &options->repeats);
    if (status == WEFT_OK)
        status = add_sweeps(&options->sweeps, test, error);
    if (status == WEFT_OK && options->search)
        status = set_search(options, test, error);
    if (status == WEFT_OK && options->arrivals)
        status = set_arrivals(options->arrivals, test, error);
    if (status == WEFT_OK && options->congestion)
        status =
            weft_congestion_parse("--congestion", options->congestion, &test->congestion, error);
    if (status == WEFT_OK && options->fault)
        status = set_fault(options->fault, &test->fault, error);
    if (status == WEFT_OK && options->file)
        status = set_text(&test->file, options->file, error);
    if (status == WEFT_OK && options->driver)
        status = set_text(&test->driver, options->driver, error);
    if (status == WEFT_OK && !test->driver)
        status = set_text(&test->driver, "dpdk", error);
    /* A job alone is what the others are compared with. */
    if (status != WEFT_OK || test->together.alone)
        return status;
    return add_expects(&options->expects, test, error);
}

/* What comes after an endless test would never begin. */
static enum weft_status check_endless(const struct weft_plan *plan, struct weft_error *error)
{
    for (uint32_t i = 0; i + 1 < plan->test_count; i++) {
        if (plan->tests[i].duration_ns == WEFT_FOREVER)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s' is measured until Ctrl-C, which ends the run: make it "
                                  "the last",
                                  plan->tests[i].name);
    }
    return WEFT_OK;
}

static bool changes_something(const struct weft_job_options *options)
{
    for (const struct weft_option *row = weft_job_option_table; row->name; row++) {
        if (row->offset != FIELD(topology) && weft_option_is_given(row, options))
            return true;
    }
    return false;
}

static enum weft_status check_options(const struct weft_job_options *options,
                                      struct weft_error *error)
{
    uint64_t mtu = options->mtu.value;
    if (options->iterations.given && options->duration.given)
        return weft_error_set(error, WEFT_INVALID,
                              "--iterations and --duration exclude each other: give one");
    if (options->forever && (options->iterations.given || options->duration.given))
        return weft_error_set(error, WEFT_INVALID,
                              "--forever has no end of its own: leave out --iterations and "
                              "--duration");
    if (options->mtu.given && (mtu & (mtu - 1)))
        return weft_error_set(error, WEFT_INVALID,
                              "--mtu: a path MTU is 256, 512, 1024, 2048 or 4096 bytes");
    return WEFT_OK;
}

/* ---- the topology and who sits where ---- */

static enum weft_status load_topology(struct weft_job *job, const char *file,
                                      struct weft_error *error)
{
    enum weft_status status = weft_source_read(file, &job->topology_source, error);
    return status == WEFT_OK ? weft_topology_parse(&job->topology_source, &job->topology, error)
                             : status;
}

/* These have devices that are on every host. */
static bool has_loopback(const char *driver)
{
    return strcmp(driver, "dpdk") == 0 || strcmp(driver, "null") == 0 || strcmp(driver, "sim") == 0;
}

static enum weft_status make_loopback(struct weft_job *job, struct weft_error *error)
{
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        if (!has_loopback(test->driver))
            return weft_error_set(error, WEFT_INVALID,
                                  "driver '%s' needs a topology that names its devices: give "
                                  "--topology FILE; topologies/soft-roce-pair.yaml is an example",
                                  test->driver);
    }
    return weft_topology_loopback(job->rank_count, &job->topology, error);
}

/* All that the topology has, or what the pattern starts from where it cannot be of so many: a
 * ping-pong takes the first two. */
static uint32_t default_ranks(const struct weft_job *job, const struct weft_pattern *pattern)
{
    const struct weft_pattern_options all = {
        .rank_count = job->topology ? job->topology->rank_count : 0,
        .size_bytes = pattern->default_size_bytes,
    };
    bool fits = all.rank_count >= pattern->default_ranks;
    if (!all.rank_count || (fits && weft_pattern_check(pattern, &all, NULL) != WEFT_OK))
        return pattern->default_ranks;
    return all.rank_count;
}

static enum weft_status count_ranks(struct weft_job *job, struct weft_error *error)
{
    for (uint32_t i = 0; i < job->plan->test_count; i++) {
        struct weft_test *test = &job->plan->tests[i];
        uint32_t *ranks = &test->options.rank_count;
        enum weft_status status = WEFT_OK;
        if (!*ranks && test->pattern->count_ranks)
            status = test->pattern->count_ranks(&test->options, ranks, error);
        if (!*ranks && status == WEFT_OK)
            *ranks = default_ranks(job, test->pattern);
        if (status != WEFT_OK)
            return status;
        uint32_t needed = weft_test_ranks_needed(test);
        if (job->topology && needed > job->topology->rank_count)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s' needs %u ranks, but topology %s has %u; add ranks to "
                                  "the topology, or use fewer",
                                  test->name, needed, job->topology_source.name,
                                  job->topology->rank_count);
        if (needed > job->rank_count)
            job->rank_count = needed;
    }
    return WEFT_OK;
}

static enum weft_status fill(const struct weft_job_options *options, const char *what,
                             struct weft_job *job, struct weft_error *error)
{
    enum weft_status status = check_options(options, error);
    if (status == WEFT_OK)
        status = load_plan(job, what, error);
    assert(status != WEFT_OK || job->plan);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = override(options, &job->plan->tests[i], error);
    if (status == WEFT_OK)
        status = weft_plan_expand(job->plan, error);
    if (status == WEFT_OK)
        status = check_endless(job->plan, error);
    if (status == WEFT_OK)
        status = weft_job_load_files(job, error);
    if (status == WEFT_OK && options->topology)
        status = load_topology(job, options->topology, error);
    /* Before loopback is made: a misspelt driver is not told that it needs a topology. */
    if (status == WEFT_OK)
        status = weft_job_find_drivers(job, error);
    if (status == WEFT_OK)
        status = count_ranks(job, error);
    if (status == WEFT_OK && !job->topology)
        status = make_loopback(job, error);
    return status == WEFT_OK ? weft_job_check_drivers(job, options->driver, error) : status;
}

enum weft_status weft_job_init(const struct weft_job_options *options, const char *what,
                               struct weft_job *ret_job, struct weft_error *error)
{
    struct weft_job job = {.overridden = changes_something(options)};
    enum weft_status status = fill(options, what, &job, error);
    if (status == WEFT_OK)
        *ret_job = job;
    else
        weft_job_fini(&job);
    return status;
}

bool *weft_job_used_ranks(const struct weft_job *job)
{
    bool *used = calloc((size_t)job->rank_count + 1, sizeof(*used));
    for (uint32_t i = 0; used && i < job->plan->test_count; i++) {
        const struct weft_test *test = &job->plan->tests[i];
        for (uint32_t rank = 0; rank < test->options.rank_count; rank++)
            used[weft_test_rank(test, rank)] = true;
    }
    return used;
}

void weft_job_fini(struct weft_job *job)
{
    free(job->ideals);
    weft_plan_destroy(job->plan);
    weft_topology_destroy(job->topology);
    weft_source_fini(&job->plan_source);
    weft_source_fini(&job->topology_source);
    *job = (struct weft_job){0};
}
