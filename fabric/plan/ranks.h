/* SPDX-License-Identifier: BSD-3-Clause */
/* On which ranks of the topology a test runs: "8", the first eight; "0-3,8", these; or a list of
 * such. */
#ifndef WEFT_PLAN_RANKS_H
#define WEFT_PLAN_RANKS_H

#include <stdio.h>

#include "fabric/base/yaml.h"

struct weft_rank_choice {
    uint32_t count;  /* 0: nothing is said */
    uint32_t *ranks; /* in the order in which they were named; malloc'd; NULL: only how many */
};

/* struct weft_rank_choice */
enum weft_status weft_ranks_read(const struct weft_yaml_node *node, void *ret_field,
                                 struct weft_error *error);

/* "0-3, 8" */
void weft_ranks_write(FILE *out, const uint32_t *ranks, uint32_t count);

#endif
