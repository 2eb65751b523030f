/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding float32 vectors with the widest instructions that this processor has. */
#ifndef WEFT_NODE_ADD_H
#define WEFT_NODE_ADD_H

#include <stddef.h>

/* into[i] += from[i]; the two do not overlap. */
typedef void weft_add_function(float *into, const float *from, size_t count);

/* The best for this processor. */
weft_add_function *weft_add_choose(void);

/* Each that this build has and this processor can run, the plain one first; for tests. Returns how
 * many were filled. */
#define WEFT_ADD_KINDS 3
size_t weft_add_list(weft_add_function *functions[WEFT_ADD_KINDS]);

#endif
