/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program says to people, and its exit status. */
#ifndef WEFT_TOOLS_OUTPUT_H
#define WEFT_TOOLS_OUTPUT_H

#include "fabric/base/error.h"

enum weft_exit {
    WEFT_EXIT_DONE = 0,
    WEFT_EXIT_FAILED = 1,    /* an expectation or the verification */
    WEFT_EXIT_BAD_INPUT = 2, /* nothing ran */
    WEFT_EXIT_BROKEN = 3,    /* an agent was lost, a driver failed; partial results are kept */
};

/* On stderr; "weft: error: " goes before it unless it names a place in a file. */
void weft_output_error(const struct weft_error *error);
void weft_output_note(const char *format, ...) WEFT_FORMAT(1, 2);

/* The status to end with: `wanted`, unless stdout could not be written (for example a full disk). A
 * reader that closed the pipe, as `head` does, does not count as a failure. */
int weft_output_end(int wanted);

#endif
