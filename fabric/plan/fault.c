/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/base/units.h"
#include "fabric/plan/plan.h"

#define WORD_BYTES_MAX 63u
#define DELAY_NS_MAX UINT64_C(1000000000)
#define REORDER_FRAMES_MAX 1000u
/* What a frame's draw can tell from never. */
#define SHARE_LEAST 1e-15

/* What may stand behind a share's colon. */
enum extra {
    EXTRA_NONE = 0,
    EXTRA_TIME,
    EXTRA_FRAMES
};

static const struct {
    const char *name;
    size_t offset;
    enum extra extra;
} shares[] = {
    {"drop", offsetof(struct weft_fault_options, drop), EXTRA_NONE},
    {"corrupt", offsetof(struct weft_fault_options, corrupt), EXTRA_NONE},
    {"duplicate", offsetof(struct weft_fault_options, duplicate), EXTRA_NONE},
    {"reorder", offsetof(struct weft_fault_options, reorder), EXTRA_FRAMES},
    {"delay", offsetof(struct weft_fault_options, delay), EXTRA_TIME},
    {"ecn", offsetof(struct weft_fault_options, mark), EXTRA_NONE},
};
#define SHARES (sizeof(shares) / sizeof(shares[0]))

static double *share_of(struct weft_fault_options *fault, size_t index)
{
    return (double *)(void *)((char *)fault + shares[index].offset);
}

static enum weft_status refuse_share(const char *name, const char *text, const char *why,
                                     struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID,
                          "%s: '%.40s' is not a share of frames: %s; write it like 0.001, 1e-3 or "
                          "0.1%%",
                          name, text, why);
}

static enum weft_status parse_share(const char *name, const char *text, double *ret_share,
                                    struct weft_error *error)
{
    size_t digits = strspn(text, "0123456789.eE+-");
    bool percent = text[digits] == '%' && text[digits + 1] == '\0';
    char *end = NULL;
    double share = strtod(text, &end);
    if (end == text || end != text + digits || (text[digits] && !percent))
        return refuse_share(name, text, "it is not a number", error);
    if (percent)
        share /= 100;
    if (!(share >= 0 && share <= 1))
        return refuse_share(name, text, "it must be from 0 to 1", error);
    if (share > 0 && share < SHARE_LEAST)
        return refuse_share(name, text, "it is too small to ever happen", error);
    *ret_share = share;
    return WEFT_OK;
}

static enum weft_status parse_delay(const char *text, uint64_t *ret_delay_ns,
                                    struct weft_error *error)
{
    uint64_t delay_ns = 0;
    enum weft_status status = weft_parse_time(text, &delay_ns, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "delay: ");
    if (delay_ns == 0 || delay_ns > DELAY_NS_MAX)
        return weft_error_set(error, WEFT_INVALID, "delay: %s is outside 1ns to 1s", text);
    *ret_delay_ns = delay_ns;
    return WEFT_OK;
}

static enum weft_status parse_frames(const char *text, uint32_t *ret_frames,
                                     struct weft_error *error)
{
    uint64_t frames = 0;
    enum weft_status status = weft_parse_count(text, &frames, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "reorder: ");
    if (frames == 0 || frames > REORDER_FRAMES_MAX)
        return weft_error_set(error, WEFT_INVALID, "reorder: %s frames are outside 1 to %u", text,
                              REORDER_FRAMES_MAX);
    *ret_frames = (uint32_t)frames;
    return WEFT_OK;
}

/* "SHARE", "SHARE:TIME" or "SHARE:FRAMES" */
static enum weft_status parse_one(size_t index, const char *text, struct weft_fault_options *fault,
                                  struct weft_error *error)
{
    char share[WORD_BYTES_MAX + 1];
    size_t share_bytes = strcspn(text, ":");
    const char *extra = text[share_bytes] ? text + share_bytes + 1 : NULL;
    memcpy(share, text, share_bytes);
    share[share_bytes] = '\0';
    if (extra && shares[index].extra == EXTRA_NONE)
        return weft_error_set(error, WEFT_INVALID, "%s: '%s': nothing may follow its share",
                              shares[index].name, text);
    enum weft_status status = parse_share(shares[index].name, share, share_of(fault, index), error);
    if (status != WEFT_OK || !extra)
        return status;
    return shares[index].extra == EXTRA_TIME ? parse_delay(extra, &fault->delay_ns, error)
                                             : parse_frames(extra, &fault->reorder_frames, error);
}

static enum weft_status refuse_name(const char *name, struct weft_error *error)
{
    const char *names[SHARES + 2] = {[SHARES] = "seed"};
    for (size_t i = 0; i < SHARES; i++)
        names[i] = shares[i].name;
    const char *near = weft_suggest(name, names);
    if (near)
        return weft_error_set(error, WEFT_INVALID, "unknown fault '%s'; did you mean '%s'?", name,
                              near);
    return weft_error_set(
        error, WEFT_INVALID,
        "unknown fault '%s'; use drop, corrupt, duplicate, reorder, delay, ecn or seed", name);
}

enum weft_status weft_fault_set(const char *name, const char *value,
                                struct weft_fault_options *fault, struct weft_error *error)
{
    if (strlen(value) > WORD_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID, "%.40s: its value has more than %u characters",
                              name, WORD_BYTES_MAX);
    if (strcmp(name, "seed") == 0) {
        enum weft_status status = weft_parse_count(value, &fault->seed, error);
        return status == WEFT_OK ? WEFT_OK : weft_error_prefix(error, "seed: ");
    }
    for (size_t i = 0; i < SHARES; i++) {
        if (strcmp(shares[i].name, name) == 0)
            return parse_one(i, value, fault, error);
    }
    return refuse_name(name, error);
}

/* ---- the list ---- */

struct word {
    char name[WORD_BYTES_MAX + 1];
    char value[WORD_BYTES_MAX + 1];
};

static enum weft_status cut(const char *text, size_t len_bytes, struct word *ret_word,
                            struct weft_error *error)
{
    const char *equals = memchr(text, '=', len_bytes);
    if (!equals || equals == text || len_bytes > WORD_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "'%.*s' is not a fault; write them like drop=1e-4,delay=1%%:50us",
                              len_bytes > 40 ? 40 : (int)len_bytes, text);
    size_t name_bytes = (size_t)(equals - text);
    size_t value_bytes = len_bytes - name_bytes - 1;
    memcpy(ret_word->name, text, name_bytes);
    ret_word->name[name_bytes] = '\0';
    memcpy(ret_word->value, equals + 1, value_bytes);
    ret_word->value[value_bytes] = '\0';
    return WEFT_OK;
}

static bool named_before(const char *text, const char *at, const char *name)
{
    size_t name_bytes = strlen(name);
    while (text < at) {
        if (strncmp(text, name, name_bytes) == 0 && text[name_bytes] == '=')
            return true;
        text += strcspn(text, ",") + 1;
        text += strspn(text, " ");
    }
    return false;
}

enum weft_status weft_fault_parse(const char *text, struct weft_fault_options *ret_fault,
                                  size_t *ret_at, struct weft_error *error)
{
    struct weft_fault_options fault = {.seed = WEFT_FAULT_SEED_DEFAULT};
    const char *at = text;
    struct word word;
    *ret_at = 0;
    if (strcmp(text, "none") == 0) {
        *ret_fault = (struct weft_fault_options){0};
        return WEFT_OK;
    }
    for (;;) {
        at += strspn(at, " ");
        *ret_at = (size_t)(at - text);
        size_t len_bytes = strcspn(at, ", ");
        enum weft_status status = cut(at, len_bytes, &word, error);
        if (status == WEFT_OK && named_before(text, at, word.name))
            status = weft_error_set(error, WEFT_INVALID, "duplicate '%s'", word.name);
        if (status == WEFT_OK)
            status = weft_fault_set(word.name, word.value, &fault, error);
        if (status != WEFT_OK)
            return status;
        at += len_bytes + strspn(at + len_bytes, " ");
        if (!*at)
            break;
        if (*at++ != ',') {
            *ret_at = (size_t)(at - 1 - text);
            return weft_error_set(error, WEFT_INVALID, "expected a comma between faults");
        }
    }
    *ret_fault = fault;
    return WEFT_OK;
}

/* ---- as text ---- */

/* The shortest that reads back as the same number. */
static void format_share(double share, char text[WEFT_UNITS_TEXT])
{
    int digits = 1;
    do {
        (void)snprintf(text, WEFT_UNITS_TEXT, "%.*g", digits, share);
    } while (fabs(strtod(text, NULL) - share) > 0 && ++digits <= 17);
}

char *weft_fault_format(const struct weft_fault_options *fault, char text[WEFT_FAULT_TEXT])
{
    struct weft_fault_options copy = *fault;
    char number[WEFT_UNITS_TEXT];
    size_t used = 0;
    (void)snprintf(text, WEFT_FAULT_TEXT, "none");
    for (size_t i = 0; i < SHARES; i++) {
        double share = *share_of(&copy, i);
        if (share <= 0)
            continue;
        format_share(share, number);
        used +=
            (size_t)snprintf(text + used, WEFT_FAULT_TEXT - used, "%s=%s", shares[i].name, number);
        if (shares[i].extra == EXTRA_TIME && fault->delay_ns)
            used += (size_t)snprintf(text + used, WEFT_FAULT_TEXT - used, ":%s",
                                     weft_format_time(fault->delay_ns, number));
        if (shares[i].extra == EXTRA_FRAMES && fault->reorder_frames)
            used +=
                (size_t)snprintf(text + used, WEFT_FAULT_TEXT - used, ":%u", fault->reorder_frames);
        used += (size_t)snprintf(text + used, WEFT_FAULT_TEXT - used, ",");
    }
    if (used)
        (void)snprintf(text + used, WEFT_FAULT_TEXT - used, "seed=%llu",
                       (unsigned long long)fault->seed);
    return text;
}
