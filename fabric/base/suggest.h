/* SPDX-License-Identifier: BSD-3-Clause */
/* The nearest name, for "did you mean". */
#ifndef WEFT_BASE_SUGGEST_H
#define WEFT_BASE_SUGGEST_H

/* Of a NULL-terminated list, the name with the fewest inserted, dropped, changed or swapped letters
 * (case does not count); the first of several. NULL where none is near enough to be meant. */
const char *weft_suggest(const char *name, const char *const *candidates);

#endif
