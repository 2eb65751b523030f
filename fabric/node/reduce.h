/* SPDX-License-Identifier: BSD-3-Clause */
/* Joining vectors with the widest instructions that this processor has. */
#ifndef WEFT_NODE_REDUCE_H
#define WEFT_NODE_REDUCE_H

#include <stddef.h>

#include "fabric/schedule/element.h"

/* into[i] = into[i] joined with from[i], for `count` elements. The two do not overlap, and lie at
 * multiples of an element. */
typedef void weft_reduce_function(void *into, const void *from, size_t count);

/* The best for this processor. */
weft_reduce_function *weft_reduce_choose(enum weft_element element, enum weft_reduction reduction);

/* Each that this build has and this processor can run, the plain one first; for tests. Returns how
 * many were filled. */
#define WEFT_REDUCE_KINDS 3
size_t weft_reduce_list(enum weft_element element, enum weft_reduction reduction,
                        weft_reduce_function *functions[WEFT_REDUCE_KINDS]);

#endif
