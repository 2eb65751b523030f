/* SPDX-License-Identifier: BSD-3-Clause */
/* A circular doubly linked list whose links lie in its members. A link that is on no list
 * points to itself. */
#ifndef WEFT_ROCE_LIST_H
#define WEFT_ROCE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct weft_link {
    struct weft_link *next;
    struct weft_link *previous;
};

#define WEFT_CONTAINER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void weft_link_init(struct weft_link *link)
{
    link->next = link;
    link->previous = link;
}

static inline bool weft_link_empty(const struct weft_link *link)
{
    return link->next == link;
}

static inline void weft_link_append(struct weft_link *list, struct weft_link *link)
{
    assert(weft_link_empty(link));
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

/* Taken where the link is on no list. */
static inline void weft_link_remove(struct weft_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    weft_link_init(link);
}

/* Moves all of `from` to `to`, which must be empty. */
static inline void weft_link_splice(struct weft_link *to, struct weft_link *from)
{
    assert(weft_link_empty(to));
    if (weft_link_empty(from))
        return;
    *to = *from;
    to->next->previous = to;
    to->previous->next = to;
    weft_link_init(from);
}

#endif
