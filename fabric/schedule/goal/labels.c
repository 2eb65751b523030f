/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/goal/labels.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 64u

/* A file's author who wants many labels in one place gains a slow start and no more: their number
 * is bounded. */
static uint32_t place_of(const struct weft_labels *labels, const char *text, size_t len_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len_bytes; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(hash >> 32) & (labels->room - 1);
    while (labels->items[at].text && (labels->items[at].len_bytes != len_bytes ||
                                      memcmp(labels->items[at].text, text, len_bytes) != 0))
        at = (at + 1) & (labels->room - 1);
    return at;
}

void weft_labels_clear(struct weft_labels *labels)
{
    if (labels->count)
        memset(labels->items, 0, labels->room * sizeof(*labels->items));
    labels->count = 0;
}

void weft_labels_fini(struct weft_labels *labels)
{
    free(labels->items);
    *labels = (struct weft_labels){0};
}

struct weft_label *weft_labels_find(const struct weft_labels *labels, const char *text,
                                    size_t len_bytes)
{
    if (!labels->count)
        return NULL;
    struct weft_label *found = &labels->items[place_of(labels, text, len_bytes)];
    return found->text ? found : NULL;
}

static bool grow(struct weft_labels *labels)
{
    struct weft_labels larger = {.room = labels->room ? 2 * labels->room : ROOM_MIN,
                                 .count = labels->count};
    larger.items = calloc(larger.room, sizeof(*larger.items));
    if (!larger.items)
        return false;
    for (uint32_t i = 0; i < labels->room; i++) {
        const struct weft_label *label = &labels->items[i];
        if (label->text)
            larger.items[place_of(&larger, label->text, label->len_bytes)] = *label;
    }
    free(labels->items);
    *labels = larger;
    return true;
}

bool weft_labels_add(struct weft_labels *labels, const struct weft_label *label)
{
    if (2 * (labels->count + 1) > labels->room && !grow(labels))
        return false;
    labels->items[place_of(labels, label->text, label->len_bytes)] = *label;
    labels->count++;
    return true;
}
