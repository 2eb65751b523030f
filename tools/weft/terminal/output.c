/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/terminal/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool names_a_place(const char *text)
{
    const char *mark = strstr(text, ": error: ");
    const char *line_end = strchr(text, '\n');
    return mark && (!line_end || mark < line_end);
}

void weft_output_error(const struct weft_error *error)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s%s\n", names_a_place(error->text) ? "" : "weft: error: ", error->text);
}

void weft_output_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "weft: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

/* A pipe that nobody reads any more: `head` has seen enough. errno may be of an earlier write. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int weft_output_end(int wanted)
{
    if (!fflush(stdout) && !ferror(stdout))
        return wanted;
    int saved = errno;
    if (reader_is_gone())
        return wanted;
    errno = saved;
    (void)fprintf(stderr, "weft: error: cannot write to the standard output: %s\n",
                  strerror(errno));
    return WEFT_EXIT_BROKEN;
}
