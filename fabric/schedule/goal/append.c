/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists that grow while a file is read. */
#include <stdlib.h>

#include "fabric/schedule/goal/read.h"

void *weft_goal_append(struct weft_goal_reader *reader, void **items, size_t item_bytes,
                       uint32_t *count, uint32_t *room, uint32_t most)
{
    if (*count == most) {
        (void)weft_scan_fail(&reader->scan, "the file has more than %u of these; use a part of it",
                             most);
        return NULL;
    }
    if (*count == *room) {
        uint32_t larger = *room ? 2 * *room : 64;
        void *moved = realloc(*items, larger * item_bytes);
        if (!moved) {
            (void)weft_error_set(reader->scan.error, WEFT_NO_MEMORY,
                                 "out of memory for a schedule");
            return NULL;
        }
        *items = moved;
        *room = larger;
    }
    return (char *)*items + (*count)++ * item_bytes;
}
