/* SPDX-License-Identifier: BSD-3-Clause */
/* Which bytes are text. */
#ifndef WEFT_BASE_UTF8_H
#define WEFT_BASE_UTF8_H

#include <stddef.h>

/* The length of the UTF-8 character (RFC 3629) that the bytes begin with; 0 where they begin with
 * none, are cut short, or begin with a control character, be it a line's end. */
size_t weft_utf8_printable(const char *text, size_t len_bytes);

/* The length of the byte order mark (U+FEFF) that some editors put first; 0 where there is none. */
size_t weft_utf8_mark(const char *text, size_t len_bytes);

#endif
