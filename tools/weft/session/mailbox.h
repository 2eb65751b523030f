/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages in order of arrival, copied in, bounded. The local agent is linked to the controller by
 * two of them, so neither is called from inside the other. */
#ifndef WEFT_TOOLS_MAILBOX_H
#define WEFT_TOOLS_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_letter {
    struct weft_letter *next;
    size_t len_bytes;
    uint8_t message[];
};

/* Zero-initialised is empty. */
struct weft_mailbox {
    struct weft_letter *first, *last;
    size_t held_bytes;
};

void weft_mailbox_fini(struct weft_mailbox *mailbox);

/* False: no room or no memory. */
bool weft_mailbox_put(struct weft_mailbox *mailbox, const uint8_t *message, size_t len_bytes);

/* The caller's to free; NULL: there is none. */
struct weft_letter *weft_mailbox_take(struct weft_mailbox *mailbox);

#endif
