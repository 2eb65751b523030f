/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of a pattern as text, and what is refused of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/schedule/pattern.h"

const struct weft_pattern_take *weft_pattern_taken(const struct weft_pattern *pattern,
                                                   enum weft_pattern_option_id id)
{
    for (uint32_t i = 0; i < pattern->take_count; i++)
        if (pattern->takes[i].option == id)
            return &pattern->takes[i];
    return NULL;
}

const char *const *weft_pattern_option_words(const struct weft_pattern *pattern,
                                             enum weft_pattern_option_id id)
{
    static const char *const directions[] = {"one-way", "both-ways", NULL};
    const struct weft_pattern_take *take = weft_pattern_taken(pattern, id);
    if (!take || weft_pattern_option_table[id].kind != WEFT_PATTERN_WORD)
        return NULL;
    if (take->words)
        return take->words;
    if (id == WEFT_OPTION_TYPE)
        return weft_element_names;
    if (id == WEFT_OPTION_OPERATOR)
        return weft_reduction_names;
    return id == WEFT_OPTION_DIRECTION ? directions : NULL;
}

static uint64_t count_words(const char *const *words)
{
    uint64_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

/* Which the pattern does take, in the words of an error. */
static void list_takes(const struct weft_pattern *pattern, char *text, size_t room_bytes)
{
    size_t used = (size_t)snprintf(text, room_bytes, "it takes ranks, size");
    for (uint32_t i = 0; i < pattern->take_count && used < room_bytes; i++)
        used += (size_t)snprintf(text + used, room_bytes - used, ", %s",
                                 weft_pattern_option_table[pattern->takes[i].option].name);
}

static enum weft_status refuse_option(const struct weft_pattern *pattern,
                                      enum weft_pattern_option_id id, struct weft_error *error)
{
    char text[512];
    list_takes(pattern, text, sizeof(text));
    return weft_error_set(error, WEFT_INVALID, "%s does not take '%s'; leave it out: %s",
                          pattern->name, weft_pattern_option_table[id].name, text);
}

static enum weft_status parse_word(const char *const *words, const char *text, uint64_t *ret_value,
                                   struct weft_error *error)
{
    for (uint64_t i = 0; words && words[i]; i++) {
        if (strcmp(words[i], text) != 0)
            continue;
        *ret_value = i;
        return WEFT_OK;
    }
    const char *near = words ? weft_suggest(text, words) : NULL;
    if (near)
        return weft_error_set(error, WEFT_INVALID, "unknown '%.64s'; did you mean '%s'?", text,
                              near);
    char list[256];
    size_t used = (size_t)snprintf(list, sizeof(list), "there is");
    for (uint32_t i = 0; words && words[i] && used < sizeof(list); i++)
        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, "%s %s", i ? "," : ":", words[i]);
    return weft_error_set(error, WEFT_INVALID, "unknown '%.64s'; %s", text, list);
}

/* "1.25" is 1250. */
static enum weft_status parse_share(const char *text, uint64_t *ret_thousandths,
                                    struct weft_error *error)
{
    uint64_t value = 0;
    uint32_t digits = 0, after = 0;
    bool point = false, right = true;
    for (const char *at = text; *at && right; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        right = *at >= '0' && *at <= '9' && ++digits <= 9 && (!point || ++after <= 3);
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (!right || !digits)
        return weft_error_set(error, WEFT_INVALID,
                              "'%.64s' is not a number with up to 3 digits after the point, such "
                              "as 1.25",
                              text);
    for (; after < 3; after++)
        value *= 10;
    *ret_thousandths = value;
    return WEFT_OK;
}

static enum weft_status parse_value(const struct weft_pattern *pattern,
                                    enum weft_pattern_option_id id, const char *text,
                                    uint64_t *ret_value, struct weft_error *error)
{
    switch (weft_pattern_option_table[id].kind) {
    case WEFT_PATTERN_SIZE:
        return weft_parse_size(text, ret_value, error);
    case WEFT_PATTERN_TIME:
        return weft_parse_time(text, ret_value, error);
    case WEFT_PATTERN_WORD:
        return parse_word(weft_pattern_option_words(pattern, id), text, ret_value, error);
    case WEFT_PATTERN_SHARE:
        return parse_share(text, ret_value, error);
    case WEFT_PATTERN_COUNT:
        break;
    }
    return weft_parse_count(text, ret_value, error);
}

char *weft_pattern_option_format(const struct weft_pattern *pattern, enum weft_pattern_option_id id,
                                 uint64_t value, char text[WEFT_UNITS_TEXT])
{
    const char *const *words = weft_pattern_option_words(pattern, id);
    switch (weft_pattern_option_table[id].kind) {
    case WEFT_PATTERN_SIZE:
        return weft_format_size(value, text);
    case WEFT_PATTERN_TIME:
        return weft_format_time(value, text);
    case WEFT_PATTERN_WORD:
        (void)snprintf(text, WEFT_UNITS_TEXT, "%s",
                       value < count_words(words) ? words[value] : "unknown");
        return text;
    case WEFT_PATTERN_SHARE:
        (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
        return text;
    case WEFT_PATTERN_COUNT:
        break;
    }
    (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64, value);
    return text;
}

/* Within the table's bounds, or one of the words. */
static enum weft_status check_value(const struct weft_pattern *pattern,
                                    enum weft_pattern_option_id id, uint64_t value,
                                    struct weft_error *error)
{
    const struct weft_pattern_option *row = &weft_pattern_option_table[id];
    uint64_t least = row->least, most = row->most;
    if (row->kind == WEFT_PATTERN_WORD)
        most = count_words(weft_pattern_option_words(pattern, id)) - 1;
    if (value >= least && value <= most)
        return WEFT_OK;
    char least_text[WEFT_UNITS_TEXT], most_text[WEFT_UNITS_TEXT], text[WEFT_UNITS_TEXT];
    return weft_error_set(error, WEFT_INVALID, "'%s' must be from %s to %s, not %s", row->name,
                          weft_pattern_option_format(pattern, id, least, least_text),
                          weft_pattern_option_format(pattern, id, most, most_text),
                          weft_pattern_option_format(pattern, id, value, text));
}

enum weft_status weft_pattern_option_parse(const struct weft_pattern *pattern,
                                           struct weft_pattern_options *options,
                                           enum weft_pattern_option_id id, const char *text,
                                           struct weft_error *error)
{
    uint64_t value = 0;
    if (!weft_pattern_taken(pattern, id))
        return refuse_option(pattern, id, error);
    enum weft_status status = parse_value(pattern, id, text, &value, error);
    if (status == WEFT_OK)
        status = check_value(pattern, id, value, error);
    if (status == WEFT_OK)
        weft_pattern_option_set(options, id, value);
    return status;
}

enum weft_status weft_pattern_check_options(const struct weft_pattern *pattern,
                                            const struct weft_pattern_options *options,
                                            struct weft_error *error)
{
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        enum weft_pattern_option_id id = (enum weft_pattern_option_id)i;
        if (!weft_pattern_option_is_given(options, id))
            continue;
        if (!weft_pattern_taken(pattern, id))
            return refuse_option(pattern, id, error);
        enum weft_status status =
            check_value(pattern, id, weft_pattern_option_get(options, id), error);
        if (status != WEFT_OK) {
            weft_error_prefix(error, "%s: ", pattern->name);
            return status;
        }
    }
    return WEFT_OK;
}

struct weft_pattern_options weft_pattern_resolve(const struct weft_pattern *pattern,
                                                 const struct weft_pattern_options *options)
{
    struct weft_pattern_options resolved = *options;
    if (!weft_pattern_taken(pattern, WEFT_OPTION_TYPE))
        resolved.element = WEFT_ELEMENT_UINT8; /* plain bytes */
    for (uint32_t i = 0; i < pattern->take_count; i++)
        if (!weft_pattern_option_is_given(options, pattern->takes[i].option))
            weft_pattern_option_set(&resolved, pattern->takes[i].option,
                                    pattern->takes[i].default_value);
    return resolved;
}
