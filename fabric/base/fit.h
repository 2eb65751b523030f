/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people, made to fit where it is shown. */
#ifndef WEFT_BASE_FIT_H
#define WEFT_BASE_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many columns the first `len_bytes` of `text` take, at one a character. */
uint32_t weft_text_columns(const char *text, size_t len_bytes);

/* `text` with each line that is wider than `columns` (0: none is) broken between words, best where
 * figures are parted ("·", or a gap of several blanks); what follows stands indented below. A word
 * that is wider than a line stays whole. `ascii`: every other character gives way to one or more of
 * ASCII. Malloc'd; NULL without memory. */
char *weft_text_fit(const char *text, uint32_t columns, bool ascii);

#endif
