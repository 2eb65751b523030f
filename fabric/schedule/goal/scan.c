/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/goal/scan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum weft_status weft_scan_fail(const struct weft_goal_scan *scan, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct weft_location where = {.source = scan->source,
                                  .line = scan->line,
                                  .column = (uint32_t)(scan->at - scan->line_start) + 1};
    return weft_error_at(scan->error, &where, "%s", text);
}

bool weft_scan_done(const struct weft_goal_scan *scan)
{
    return scan->at == scan->end;
}

static bool starts(const struct weft_goal_scan *scan, const char *text)
{
    size_t len_bytes = strlen(text);
    return (size_t)(scan->end - scan->at) >= len_bytes && memcmp(scan->at, text, len_bytes) == 0;
}

void weft_scan_next_line(struct weft_goal_scan *scan)
{
    const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    scan->at = newline ? newline + 1 : scan->end;
    if (!newline)
        return;
    scan->line_start = scan->at;
    scan->line++;
}

/* One that spans lines ends where it ends: what follows it stands on that line. */
static void skip_comment(struct weft_goal_scan *scan)
{
    scan->at += 2;
    while (scan->at < scan->end && !starts(scan, "*/")) {
        if (*scan->at++ != '\n')
            continue;
        scan->line_start = scan->at;
        scan->line++;
    }
    if (scan->at < scan->end)
        scan->at += 2;
}

void weft_scan_blanks(struct weft_goal_scan *scan)
{
    while (scan->at < scan->end) {
        if (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')
            scan->at++;
        else if (!scan->in_mark && starts(scan, "/*"))
            skip_comment(scan);
        else
            return;
    }
}

bool weft_scan_at_end(struct weft_goal_scan *scan)
{
    weft_scan_blanks(scan);
    return scan->at == scan->end || *scan->at == '\n' || *scan->at == '}' ||
           (!scan->in_mark && starts(scan, "//"));
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_word(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || character == '_';
}

struct weft_goal_word weft_scan_word(struct weft_goal_scan *scan)
{
    weft_scan_blanks(scan);
    struct weft_goal_word word = {.text = scan->at};
    while (scan->at < scan->end && is_word(*scan->at))
        scan->at++;
    word.len_bytes = (size_t)(scan->at - word.text);
    return word;
}

bool weft_word_is(const struct weft_goal_word *word, const char *text)
{
    return word->len_bytes == strlen(text) && memcmp(word->text, text, word->len_bytes) == 0;
}

bool weft_scan_take(struct weft_goal_scan *scan, const char *text)
{
    weft_scan_blanks(scan);
    const char *before = scan->at;
    struct weft_goal_word word = weft_scan_word(scan);
    if (weft_word_is(&word, text))
        return true;
    scan->at = before;
    return false;
}

bool weft_scan_character(struct weft_goal_scan *scan, char character)
{
    weft_scan_blanks(scan);
    if (scan->at == scan->end || *scan->at != character)
        return false;
    scan->at++;
    return true;
}

bool weft_scan_any(struct weft_goal_scan *scan)
{
    weft_scan_blanks(scan);
    if (!starts(scan, "-1") || (scan->end - scan->at > 2 && is_word(scan->at[2])))
        return false;
    scan->at += 2;
    return true;
}

enum weft_status weft_scan_number(struct weft_goal_scan *scan, const char *what, uint64_t most,
                                  uint64_t *ret_value)
{
    uint64_t value = 0;
    weft_scan_blanks(scan);
    const char *begin = scan->at;
    if (starts(scan, "-"))
        return weft_scan_fail(scan,
                              "expected %s, not negative; -1, which means any, is only for the "
                              "rank and the tag of a receive in a file that weft did not write",
                              what);
    for (; scan->at < scan->end && is_digit(*scan->at); scan->at++) {
        uint64_t digit = (uint64_t)(*scan->at - '0');
        if (value <= (most - digit) / 10 && digit <= most) {
            value = value * 10 + digit;
            continue;
        }
        scan->at = begin;
        return weft_scan_fail(scan, "%s is at most %" PRIu64, what, most);
    }
    if (scan->at == begin)
        return weft_scan_fail(scan, "expected %s, a whole number", what);
    *ret_value = value;
    return WEFT_OK;
}

enum weft_status weft_scan_bytes(struct weft_goal_scan *scan, uint64_t *ret_len_bytes)
{
    enum weft_status status =
        weft_scan_number(scan, "a number of bytes", UINT64_C(1) << 56, ret_len_bytes);
    if (status != WEFT_OK)
        return status;
    struct weft_goal_word unit = weft_scan_word(scan);
    if (weft_word_is(&unit, "b"))
        return WEFT_OK;
    scan->at = unit.text;
    return weft_scan_fail(scan, "a number of bytes ends in 'b', as in 4096b");
}

enum weft_status weft_scan_end(struct weft_goal_scan *scan)
{
    if (weft_scan_at_end(scan))
        return WEFT_OK;
    return weft_scan_fail(scan, "unexpected text after a complete statement; start a new line");
}
