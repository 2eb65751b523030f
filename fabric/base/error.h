/* SPDX-License-Identifier: BSD-3-Clause */
/* An error as the user reads it. The first to detect it writes it; the rest pass it on. */
#ifndef WEFT_BASE_ERROR_H
#define WEFT_BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "fabric/base/status.h"

/* Caller's storage; zero-initialised means "no error". The text is whole: it may span lines and
 * ends without a newline. */
struct weft_error {
    enum weft_status status;
    char text[1600];
};

/* A text file in memory, for errors that point into it. Not owned. */
struct weft_source {
    const char *name; /* as the user wrote it, such as "plan.yaml" */
    const char *text;
    size_t len_bytes;
};

struct weft_location {
    const struct weft_source *source;
    uint32_t line;   /* from 1; 0: no line is known */
    uint32_t column; /* from 1; 0: no column is known */
};

/* Writes the message and returns `status`, so that `return weft_error_set(...)` reads well. An
 * error that is set already is replaced. `error` may be NULL. */
enum weft_status weft_error_set(struct weft_error *error, enum weft_status status,
                                const char *format, ...) WEFT_FORMAT(3, 4);

/* The same with a place in a source, as compilers print it:
 *   plan.yaml:2:1: error: unknown key 'duraton'; did you mean 'duration'?
 *       2 | duraton: 5s
 *         | ^
 * The status is WEFT_INVALID. */
enum weft_status weft_error_at(struct weft_error *error, const struct weft_location *where,
                               const char *format, ...) WEFT_FORMAT(3, 4);

/* Puts words before the text that stands, such as "rank 3: ". Returns the error's status. */
enum weft_status weft_error_prefix(struct weft_error *error, const char *format, ...)
    WEFT_FORMAT(2, 3);

#endif
