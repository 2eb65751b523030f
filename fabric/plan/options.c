/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/options.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/plan/plan.h"

#define WEFT_HOUR_NS UINT64_C(3600000000000)
#define WEFT_RATE_MAX_BPS UINT64_C(16000000000000)

_Static_assert(WEFT_TEST_OPTION_COUNT <= 64, "each option has a bit in `given`");

const char *const weft_transfer_names[WEFT_TRANSFER_COUNT + 1] = {
    [WEFT_TRANSFER_WRITE] = "write",
    [WEFT_TRANSFER_SEND] = "send",
};

const char *const weft_arrivals_names[WEFT_ARRIVALS_KIND_COUNT + 1] = {
    [WEFT_ARRIVALS_CONSTANT] = "constant",
    [WEFT_ARRIVALS_POISSON] = "poisson",
};

const struct weft_test_option weft_test_option_table[WEFT_TEST_OPTION_COUNT] = {
#define WEFT_NUMBER(id, type, path, name, of, kind, whose, words, ...)        \
    [WEFT_TEST_##id] = {.key = name,                                          \
                        .value = of,                                          \
                        .form = WEFT_FORM_##kind,                             \
                        .scope = WEFT_SCOPE_##whose,                          \
                        .help = words,                                        \
                        .offset = offsetof(struct weft_test, path),           \
                        .width_bytes = sizeof(((struct weft_test *)0)->path), \
                        __VA_ARGS__},
#define WEFT_PART(id, name, of, kind, whose, words, ...) \
    [WEFT_TEST_##id] = {.key = name,                     \
                        .value = of,                     \
                        .form = WEFT_FORM_##kind,        \
                        .scope = WEFT_SCOPE_##whose,     \
                        .help = words,                   \
                        __VA_ARGS__},
    WEFT_TEST_OPTIONS(WEFT_NUMBER, WEFT_NUMBER, WEFT_PART)
#undef WEFT_NUMBER
#undef WEFT_PART
};

enum weft_test_option_id weft_test_option_find(const char *key)
{
    uint32_t id = 0;
    while (id < WEFT_TEST_OPTION_COUNT && strcmp(weft_test_option_table[id].key, key) != 0)
        id++;
    return (enum weft_test_option_id)id;
}

/* ---- fields ---- */

uint64_t weft_test_option_get(const struct weft_test *test, enum weft_test_option_id id)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    const char *field = (const char *)test + row->offset;
    uint64_t value64;
    uint32_t value32;
    assert(row->width_bytes == 1 || row->width_bytes == 4 || row->width_bytes == 8);
    if (row->width_bytes == 1)
        return *(const uint8_t *)field;
    if (row->width_bytes == 4) {
        memcpy(&value32, field, sizeof(value32));
        return value32;
    }
    memcpy(&value64, field, sizeof(value64));
    return value64;
}

static void put(struct weft_test *test, const struct weft_test_option *row, uint64_t value)
{
    char *field = (char *)test + row->offset;
    uint32_t value32 = (uint32_t)value; /* the table's bounds fit */
    uint8_t value8 = (uint8_t)value;
    if (row->width_bytes == 1)
        memcpy(field, &value8, sizeof(value8));
    else if (row->width_bytes == 4)
        memcpy(field, &value32, sizeof(value32));
    else
        memcpy(field, &value, sizeof(value));
}

void weft_test_option_set(struct weft_test *test, enum weft_test_option_id id, uint64_t value)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    put(test, row, value);
    test->given |= UINT64_C(1) << id;
    if (!row->instead_of)
        return;
    put(test, &weft_test_option_table[row->instead_of], 0);
    test->given &= ~(UINT64_C(1) << row->instead_of);
}

bool weft_test_option_is_given(const struct weft_test *test, enum weft_test_option_id id)
{
    return test->given >> id & 1;
}

/* ---- bounds ---- */

static uint64_t count_words(const char *const *words)
{
    uint64_t count = 0;
    while (words[count])
        count++;
    return count;
}

static uint64_t most_of(const struct weft_test_option *row)
{
    if (row->form == WEFT_FORM_WORD)
        return count_words(row->words) - 1;
    bool is_switch = row->form == WEFT_FORM_SWITCH || row->form == WEFT_FORM_SWITCH_ON;
    return is_switch ? 1 : row->most;
}

static bool is_within(const struct weft_test_option *row, uint64_t value)
{
    if (row->form == WEFT_FORM_LENGTH && value == WEFT_FOREVER)
        return true;
    if (row->form == WEFT_FORM_POWER && (value & (value - 1)))
        return false;
    return value >= row->least && value <= most_of(row);
}

bool weft_test_option_holds(const struct weft_test *test, enum weft_test_option_id id)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    bool has_meaning =
        (row->needs != WEFT_NEEDS_RATE || test->rate_bps) &&
        (id != WEFT_TEST_SIZE || weft_pattern_has_size(test->pattern, &test->options));
    return has_meaning && row->width_bytes && is_within(row, weft_test_option_get(test, id));
}

enum weft_test_option_id weft_test_option_needing(const struct weft_test *test,
                                                  enum weft_option_needs needs)
{
    uint32_t id = 0;
    for (; id < WEFT_TEST_OPTION_COUNT; id++) {
        const struct weft_test_option *row = &weft_test_option_table[id];
        if (row->needs == needs && row->width_bytes &&
            weft_test_option_get(test, (enum weft_test_option_id)id) != row->default_value)
            break;
    }
    return (enum weft_test_option_id)id;
}

/* "256, 512 or 1024 bytes" */
static void list_powers(const struct weft_test_option *row, char *text, size_t room_bytes)
{
    size_t used = 0;
    for (uint64_t power = row->least; power <= row->most && used < room_bytes; power *= 2)
        used += (size_t)snprintf(text + used, room_bytes - used, "%s%llu",
                                 !used                   ? ""
                                 : power * 2 > row->most ? " or "
                                                         : ", ",
                                 (unsigned long long)power);
    if (used < room_bytes)
        (void)snprintf(text + used, room_bytes - used, " bytes");
}

enum weft_status weft_test_option_check(enum weft_test_option_id id, uint64_t value,
                                        struct weft_error *error)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    char least[WEFT_UNITS_TEXT], most[WEFT_UNITS_TEXT], powers[120];
    assert(row->width_bytes);
    if (is_within(row, value))
        return WEFT_OK;
    if (row->form == WEFT_FORM_POWER) {
        list_powers(row, powers, sizeof(powers));
        return weft_error_set(error, WEFT_INVALID, "'%s' must be %s", row->key, powers);
    }
    return weft_error_set(error, WEFT_INVALID, "'%s' must be from %s to %s%s", row->key,
                          weft_test_option_format(id, row->least, least),
                          weft_test_option_format(id, most_of(row), most),
                          row->form == WEFT_FORM_LENGTH ? ", or forever" : "");
}

/* ---- text ---- */

/* "neither write nor send" */
static enum weft_status refuse_word(const struct weft_test_option *row, const char *text,
                                    struct weft_error *error)
{
    const char *near = weft_suggest(text, row->words);
    char list[200] = "";
    size_t used = 0;
    if (near)
        return weft_error_set(error, WEFT_INVALID, "unknown %s '%.80s'; did you mean '%s'?",
                              row->noun, text, near);
    for (uint32_t i = 0; row->words[i] && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? " nor " : "",
                                 row->words[i]);
    return weft_error_set(error, WEFT_INVALID, "unknown %s '%.80s': it is neither %s", row->noun,
                          text, list);
}

static enum weft_status parse_word(const struct weft_test_option *row, const char *text,
                                   uint64_t *ret_value, struct weft_error *error)
{
    for (uint64_t i = 0; row->words[i]; i++) {
        if (strcmp(row->words[i], text) != 0)
            continue;
        *ret_value = i;
        return WEFT_OK;
    }
    return refuse_word(row, text, error);
}

static enum weft_status parse_switch(const char *text, uint64_t *ret_value,
                                     struct weft_error *error)
{
    *ret_value = strcmp(text, "true") == 0;
    if (*ret_value || strcmp(text, "false") == 0)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "'%.40s' is neither true nor false", text);
}

static enum weft_unit unit_of(enum weft_option_form form)
{
    if (form == WEFT_FORM_SIZE || form == WEFT_FORM_POWER)
        return WEFT_UNIT_SIZE;
    if (form == WEFT_FORM_TIME || form == WEFT_FORM_LENGTH)
        return WEFT_UNIT_TIME;
    return form == WEFT_FORM_RATE ? WEFT_UNIT_RATE : WEFT_UNIT_COUNT;
}

enum weft_status weft_test_option_parse(enum weft_test_option_id id, const char *text,
                                        uint64_t *ret_value, struct weft_error *error)
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    assert(row->width_bytes);
    if (row->form == WEFT_FORM_WORD)
        return parse_word(row, text, ret_value, error);
    if (row->form == WEFT_FORM_SWITCH || row->form == WEFT_FORM_SWITCH_ON)
        return parse_switch(text, ret_value, error);
    uint64_t value = WEFT_FOREVER;
    enum weft_status status = WEFT_OK;
    if (row->form != WEFT_FORM_LENGTH || strcmp(text, "forever") != 0)
        status = weft_unit_parse(unit_of(row->form), text, &value, error);
    if (status == WEFT_OK)
        status = weft_test_option_check(id, value, error);
    if (status == WEFT_OK)
        *ret_value = value;
    return status;
}

char *weft_test_option_format(enum weft_test_option_id id, uint64_t value,
                              char text[WEFT_UNITS_TEXT])
{
    const struct weft_test_option *row = &weft_test_option_table[id];
    const char *word = NULL;
    if (row->form == WEFT_FORM_WORD && value <= most_of(row))
        word = row->words[value];
    else if (row->form == WEFT_FORM_SWITCH || row->form == WEFT_FORM_SWITCH_ON)
        word = value ? "true" : "false";
    else if (row->form == WEFT_FORM_LENGTH && value == WEFT_FOREVER)
        word = "forever";
    if (!word && row->form == WEFT_FORM_POWER)
        return weft_unit_format(WEFT_UNIT_COUNT, value, text);
    if (!word)
        return weft_unit_format(unit_of(row->form), value, text);
    (void)snprintf(text, WEFT_UNITS_TEXT, "%s", word);
    return text;
}
