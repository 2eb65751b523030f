/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/utf8.h"

/* How much of a line is shown. */
#define EXCERPT_CHARACTERS 160u

/* Appends within the room of `error->text`; what does not fit is cut. */
WEFT_FORMAT(2, 0)
static void append_list(struct weft_error *error, const char *format, va_list arguments)
{
    size_t used = strlen(error->text);
    (void)vsnprintf(error->text + used, sizeof(error->text) - used, format, arguments);
}

WEFT_FORMAT(2, 3)
static void append(struct weft_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_list(error, format, arguments);
    va_end(arguments);
}

/* What users wrote is quoted in errors: it must not steer a terminal, nor break a file of text. */
static void make_printable(char *text)
{
    size_t len_bytes = strlen(text);
    for (size_t at = 0; at < len_bytes;) {
        size_t length = weft_utf8_printable(text + at, len_bytes - at);
        if (length == 0 && text[at] != '\n')
            text[at] = '?';
        at += length ? length : 1;
    }
}

enum weft_status weft_error_set(struct weft_error *error, enum weft_status status,
                                const char *format, ...)
{
    if (!error)
        return status;
    error->status = status;
    error->text[0] = '\0';
    va_list arguments;
    va_start(arguments, format);
    append_list(error, format, arguments);
    va_end(arguments);
    make_printable(error->text);
    return status;
}

/* Finds the line; its length goes without the line's end. */
static const char *line_of(const struct weft_source *source, uint32_t line, size_t *ret_len_bytes)
{
    const char *at = source->text;
    const char *end = source->text + source->len_bytes;
    for (uint32_t number = 1; number < line; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            return NULL;
        at = newline + 1;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *ret_len_bytes = (size_t)((newline ? newline : end) - at);
    return at;
}

/* One column a character, whatever the bytes are: a tab would move the caret. */
static void append_line(struct weft_error *error, const char *line, size_t len_bytes)
{
    for (uint32_t shown = 0; len_bytes > 0 && shown < EXCERPT_CHARACTERS; shown++) {
        size_t length = weft_utf8_printable(line, len_bytes);
        append(error, "%.*s", length ? (int)length : 1, length ? line : " ");
        line += length ? length : 1;
        len_bytes -= length ? length : 1;
    }
}

static void append_excerpt(struct weft_error *error, const struct weft_location *where)
{
    size_t len_bytes = 0;
    const char *line =
        where->line && where->source->text ? line_of(where->source, where->line, &len_bytes) : NULL;
    if (!line)
        return;
    append(error, "\n%6u | ", where->line);
    append_line(error, line, len_bytes);
    if (where->column && where->column <= EXCERPT_CHARACTERS)
        append(error, "\n%6s | %*s^", "", (int)where->column - 1, "");
}

enum weft_status weft_error_at(struct weft_error *error, const struct weft_location *where,
                               const char *format, ...)
{
    if (!error)
        return WEFT_INVALID;
    error->status = WEFT_INVALID;
    error->text[0] = '\0';
    append(error, "%s:", where->source->name);
    if (where->line)
        append(error, "%u:", where->line);
    if (where->line && where->column)
        append(error, "%u:", where->column);
    append(error, " error: ");
    va_list arguments;
    va_start(arguments, format);
    append_list(error, format, arguments);
    va_end(arguments);
    append_excerpt(error, where);
    make_printable(error->text);
    return WEFT_INVALID;
}

enum weft_status weft_error_prefix(struct weft_error *error, const char *format, ...)
{
    if (!error)
        return WEFT_INVALID;
    struct weft_error whole = {.status = error->status};
    va_list arguments;
    va_start(arguments, format);
    append_list(&whole, format, arguments);
    va_end(arguments);
    append(&whole, "%s", error->text);
    make_printable(whole.text);
    *error = whole;
    return error->status;
}
