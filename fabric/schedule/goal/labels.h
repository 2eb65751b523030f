/* SPDX-License-Identifier: BSD-3-Clause */
/* The labels of one rank of a GOAL file; for goal_read.c only. */
#ifndef WEFT_SCHEDULE_GOAL_LABELS_H
#define WEFT_SCHEDULE_GOAL_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_label {
    const char *text; /* in the source; NULL: the place is free */
    uint32_t len_bytes;
    uint32_t op;
    uint32_t line;
    uint32_t again_line; /* where another operation has it too; 0: nowhere */
};

struct weft_labels {
    struct weft_label *items;
    uint32_t room; /* a power of two, or 0 */
    uint32_t count;
};

void weft_labels_clear(struct weft_labels *labels);
void weft_labels_fini(struct weft_labels *labels);
/* NULL: there is none. */
struct weft_label *weft_labels_find(const struct weft_labels *labels, const char *text,
                                    size_t len_bytes);
/* It must not be there yet. False: out of memory. */
bool weft_labels_add(struct weft_labels *labels, const struct weft_label *label);

#endif
