/* SPDX-License-Identifier: BSD-3-Clause */
/* Combines vectors with the widest instructions that this processor has. */
#ifndef WEFT_NODE_REDUCE_H
#define WEFT_NODE_REDUCE_H

#include <stddef.h>

#include "fabric/schedule/element.h"

/* into[i] = into[i] combined with from[i], for `count` elements. The vectors must not overlap and
 * must be aligned to the element size. */
typedef void weft_reduce_function(void *into, const void *from, size_t count);

/* Returns the fastest function for this processor. */
weft_reduce_function *weft_reduce_choose(enum weft_element element, enum weft_reduction reduction);

/* For tests: fills in all functions that this build has and this processor can run, the plain one
 * first. Returns how many. */
#define WEFT_REDUCE_KINDS 3
size_t weft_reduce_list(enum weft_element element, enum weft_reduction reduction,
                        weft_reduce_function *functions[WEFT_REDUCE_KINDS]);

#endif
