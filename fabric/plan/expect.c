/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/base/units.h"
#include "fabric/plan/plan.h"

#define TEXT_BYTES_MAX 200u

#define FIGURES(of)                                                                              \
    of ".min", of ".mean", of ".p1", of ".p50", of ".p95", of ".p99", of ".p99.9", of ".p99.99", \
        of ".max"

static const char *const metrics[] = {
    FIGURES("completion"),
    FIGURES("latency"),
    FIGURES("bandwidth"),
    FIGURES("completion_intended"),
    FIGURES("latency_intended"),
    "algbw",
    "busbw",
    "ideal_share",
    "offered",
    "achieved",
    "missed",
    "throughput",
    "lost",
    "retransmitted",
    "completion.p50.cv",
    "completion.p99.cv",
    "latency.p50.cv",
    "latency.p99.cv",
    "bandwidth.mean.cv",
    "busbw.cv",
    "achieved.cv",
    "interference",
    "interference.p99",
    "interference.bandwidth",
    NULL,
};

const char *const *weft_expect_metrics(void)
{
    return metrics;
}

void weft_expect_fini(struct weft_expect *expect)
{
    free(expect->text);
    free(expect->metric);
    *expect = (struct weft_expect){0};
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool weft_metric_is_share(const char *metric)
{
    size_t len_bytes = strlen(metric);
    return len_bytes > 3 && strcmp(metric + len_bytes - 3, ".cv") == 0;
}

/* "0.9" or "90%". */
static enum weft_status parse_share(const char *text, double *ret_value, struct weft_error *error)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool percent = end != text && *end == '%';
    if (end == text || end[percent ? 1 : 0] || !(value >= 0 && value <= (percent ? 100 : 1)))
        return weft_error_set(error, WEFT_INVALID, "'%.40s' is not a share; write 0.9 or 90%%",
                              text);
    *ret_value = percent ? value / 100 : value;
    return WEFT_OK;
}

bool weft_metric_is_time(const char *metric)
{
    if (weft_metric_is_share(metric))
        return false;
    return begins_with(metric, "completion") || begins_with(metric, "latency");
}

bool weft_metric_is_rate(const char *metric)
{
    if (weft_metric_is_share(metric))
        return false;
    return begins_with(metric, "bandwidth.") || strcmp(metric + 3, "bw") == 0 ||
           strcmp(metric, "throughput") == 0 || strcmp(metric, "offered") == 0 ||
           strcmp(metric, "achieved") == 0;
}

bool weft_metric_is_interference(const char *metric)
{
    return begins_with(metric, "interference");
}

/* "1.5" */
static enum weft_status parse_factor(const char *text, double *ret_value, struct weft_error *error)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool number = text[0] >= '0' && text[0] <= '9' && end != text && !*end;
    if (!number || !(value <= 1e9))
        return weft_error_set(
            error, WEFT_INVALID,
            "'%.40s' is not a factor; write it like 1.5, for one and a half times as slow", text);
    *ret_value = value;
    return WEFT_OK;
}

/* "5%", "2.5%" */
enum weft_status weft_share_parse(const char *text, double *ret_value, struct weft_error *error)
{
    char *end = NULL;
    double percent = strtod(text, &end);
    bool number = text[0] >= '0' && text[0] <= '9' && end != text;
    if (!number || strcmp(end, "%") != 0 || !(percent <= 1e6))
        return weft_error_set(error, WEFT_INVALID,
                              "'%.40s' is not a share; write it in percent, such as 5%%", text);
    *ret_value = percent / 100;
    return WEFT_OK;
}

static enum weft_status parse_whole(const char *metric, const char *text, uint64_t *ret_value,
                                    struct weft_error *error)
{
    if (weft_metric_is_time(metric))
        return weft_parse_time(text, ret_value, error);
    if (weft_metric_is_rate(metric))
        return weft_parse_rate(text, ret_value, error);
    return weft_parse_count(text, ret_value, error);
}

static enum weft_status parse_value(const char *metric, const char *text, double *ret_value,
                                    struct weft_error *error)
{
    uint64_t value = 0;
    if (weft_metric_is_share(metric))
        return weft_share_parse(text, ret_value, error);
    if (weft_metric_is_interference(metric))
        return parse_factor(text, ret_value, error);
    if (strcmp(metric, "ideal_share") == 0)
        return parse_share(text, ret_value, error);
    enum weft_status status = parse_whole(metric, text, &value, error);
    *ret_value = (double)value;
    return status;
}

/* The longer form first: "<" is the beginning of "<=". */
static const struct {
    const char *text;
    enum weft_relation relation;
} relations[] = {
    {"<=", WEFT_RELATION_LESS_EQUAL}, {">=", WEFT_RELATION_GREATER_EQUAL},
    {"==", WEFT_RELATION_EQUAL},      {"=", WEFT_RELATION_EQUAL},
    {"<", WEFT_RELATION_LESS},        {">", WEFT_RELATION_GREATER},
};

static const char *read_relation(const char *at, enum weft_relation *ret_relation)
{
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
        if (begins_with(at, relations[i].text)) {
            *ret_relation = relations[i].relation;
            return at + strlen(relations[i].text);
        }
    }
    return NULL;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* What an expectation is cut into. */
struct parts {
    char metric[TEXT_BYTES_MAX + 1];
    enum weft_relation relation;
    char value[TEXT_BYTES_MAX + 1];
};

static void copy_part(char *to, const char *from, size_t len_bytes)
{
    memcpy(to, from, len_bytes);
    to[len_bytes] = '\0';
}

static bool cut(const char *text, struct parts *ret_parts)
{
    const char *metric = skip_blanks(text);
    size_t metric_bytes = strcspn(metric, " \t<>=");
    copy_part(ret_parts->metric, metric, metric_bytes);
    const char *after = read_relation(skip_blanks(metric + metric_bytes), &ret_parts->relation);
    if (!after || metric_bytes == 0)
        return false;
    const char *value = skip_blanks(after);
    size_t value_bytes = strlen(value);
    while (value_bytes > 0 && (value[value_bytes - 1] == ' ' || value[value_bytes - 1] == '\t'))
        value_bytes--;
    copy_part(ret_parts->value, value, value_bytes);
    return value_bytes > 0;
}

static const char *find_metric(const char *name)
{
    for (const char *const *metric = metrics; *metric; metric++) {
        if (strcmp(*metric, name) == 0)
            return *metric;
    }
    return NULL;
}

static enum weft_status refuse_metric(const char *name, struct weft_error *error)
{
    const char *near = weft_suggest(name, metrics);
    if (near)
        return weft_error_set(error, WEFT_INVALID, "unknown metric '%.40s'; did you mean '%s'?",
                              name, near);
    return weft_error_set(
        error, WEFT_INVALID,
        "unknown metric '%.40s'; completion, latency, bandwidth, completion_intended and "
        "latency_intended take .min, .mean, .p1, .p50, .p95, .p99, .p99.9, .p99.99 or .max, such "
        "as completion.p99; others are algbw, busbw, ideal_share, offered, achieved, missed, "
        "throughput, lost, retransmitted; for repeats completion.p50.cv and similar; for jobs "
        "together interference",
        name);
}

static enum weft_status keep(const char *text, const char *metric, enum weft_relation relation,
                             double value, struct weft_expect *ret_expect, struct weft_error *error)
{
    struct weft_expect expect = {
        .text = strdup(text), .metric = strdup(metric), .relation = relation, .value = value};
    if (!expect.text || !expect.metric) {
        weft_expect_fini(&expect);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    }
    *ret_expect = expect;
    return WEFT_OK;
}

enum weft_status weft_expect_parse(const char *text, struct weft_expect *ret_expect,
                                   struct weft_error *error)
{
    struct parts parts;
    double value = 0;
    if (strnlen(text, TEXT_BYTES_MAX + 1) > TEXT_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID, "an expectation has up to %u characters",
                              TEXT_BYTES_MAX);
    if (!cut(text, &parts))
        return weft_error_set(error, WEFT_INVALID,
                              "'%s' is not an expectation; write it like 'completion.p99 <= 5ms', "
                              "with <, <=, >, >= or ==",
                              text);
    const char *metric = find_metric(parts.metric);
    if (!metric)
        return refuse_metric(parts.metric, error);
    enum weft_status status = parse_value(metric, parts.value, &value, error);
    if (status != WEFT_OK) {
        (void)weft_error_prefix(error, "%s: ", metric);
        return status;
    }
    return keep(text, metric, parts.relation, value, ret_expect, error);
}
