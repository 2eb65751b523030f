/* SPDX-License-Identifier: BSD-3-Clause */
/* What the terminal can show. */
#ifndef WEFT_TOOLS_SCREEN_H
#define WEFT_TOOLS_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* At the start of the program: takes the user's character set. */
void weft_screen_init(void);

/* How wide the terminal at `file` is now; 0 where it is none. */
uint32_t weft_screen_columns(int file);

/* Does the user's character set have nothing beyond ASCII that weft can write? */
bool weft_screen_is_ascii(void);

/* Prints on the standard output, as the terminal there takes it: its width, its character set.
 * False: no memory. */
bool weft_screen_print(const char *text);

#endif
