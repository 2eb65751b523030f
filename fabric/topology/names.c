/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void weft_names_fini(struct weft_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        free(names->names[i].text);
    free(names->names);
    *names = (struct weft_names){0};
}

static bool make_room(struct weft_names *names)
{
    if (names->count < names->room)
        return true;
    uint32_t room = names->room ? names->room * 2 : 16;
    struct weft_name *grown = realloc(names->names, room * sizeof(*grown));
    if (!grown)
        return false;
    names->names = grown;
    names->room = room;
    return true;
}

void weft_names_add(struct weft_names *names, uint32_t index, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0 || !make_room(names)) {
        if (length >= 0)
            free(text);
        names->out_of_memory = true;
        return;
    }
    names->names[names->count++] = (struct weft_name){text, index};
}

static int compare(const void *left, const void *right)
{
    const struct weft_name *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

bool weft_names_sort(struct weft_names *names, uint32_t *ret_later, uint32_t *ret_earlier)
{
    if (names->count == 0)
        return true;
    qsort(names->names, names->count, sizeof(names->names[0]), compare);
    bool unique = true;
    for (uint32_t i = 1; i < names->count; i++) {
        const struct weft_name *earlier = &names->names[i - 1], *later = &names->names[i];
        if (strcmp(earlier->text, later->text) == 0 && (unique || later->index < *ret_later)) {
            *ret_later = later->index;
            *ret_earlier = earlier->index;
            unique = false;
        }
    }
    return unique;
}

static int compare_text(const void *text, const void *name)
{
    return strcmp(text, ((const struct weft_name *)name)->text);
}

bool weft_names_find(const struct weft_names *names, const char *text, uint32_t *ret_index)
{
    if (names->count == 0)
        return false;
    const struct weft_name *found =
        bsearch(text, names->names, names->count, sizeof(names->names[0]), compare_text);
    if (!found)
        return false;
    *ret_index = found->index;
    return true;
}

const char **weft_names_list(const struct weft_names *names)
{
    const char **list = calloc(names->count + 1u, sizeof(*list));
    if (!list)
        return NULL;
    for (uint32_t i = 0; i < names->count; i++)
        list[i] = names->names[i].text;
    return list;
}
