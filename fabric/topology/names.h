/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and what they stand for: finds doubles and looks up, in large topologies too. */
#ifndef WEFT_TOPOLOGY_NAMES_H
#define WEFT_TOPOLOGY_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/status.h"

struct weft_name {
    char *text;
    uint32_t index; /* what it stands for */
};

/* Zero-initialised: none. */
struct weft_names {
    struct weft_name *names;
    uint32_t count, room;
    bool out_of_memory; /* sticks: looked at once, after all were added */
};

void weft_names_fini(struct weft_names *names);
void weft_names_add(struct weft_names *names, uint32_t index, const char *format, ...)
    WEFT_FORMAT(3, 4);

/* To be called when all are added. False where two are alike: then the later of them (the one with
 * the greater index; of several such pairs the one that comes first) and the earlier. */
bool weft_names_sort(struct weft_names *names, uint32_t *ret_later, uint32_t *ret_earlier);

/* Of sorted names. False: there is none. */
bool weft_names_find(const struct weft_names *names, const char *text, uint32_t *ret_index);

/* A NULL-terminated list for suggestions; malloc'd, the texts stay here. NULL: out of memory. */
const char **weft_names_list(const struct weft_names *names);

#endif
