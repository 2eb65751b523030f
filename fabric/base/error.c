/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends within the room of `error->text`; what does not fit is cut. */
static void append_list(struct weft_error *error, const char *format, va_list arguments)
{
    size_t used = strlen(error->text);
    (void)vsnprintf(error->text + used, sizeof(error->text) - used, format, arguments);
}

WEFT_FORMAT(2, 3) static void append(struct weft_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_list(error, format, arguments);
    va_end(arguments);
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

/* Control bytes would garble a terminal; a tab would move the caret. */
static void append_printable(struct weft_error *error, const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes && i < 160; i++) {
        unsigned char byte = (unsigned char)text[i];
        append(error, "%c", byte < 0x20 || byte == 0x7f ? ' ' : byte);
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
    append_printable(error, line, len_bytes);
    if (where->column && where->column <= 160)
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
    *error = whole;
    return error->status;
}
