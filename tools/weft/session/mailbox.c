/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/control/control.h"

#define HELD_BYTES_MAX (2u * (size_t)WEFT_FRAME_BYTES_MAX)

void weft_mailbox_fini(struct weft_mailbox *mailbox)
{
    struct weft_letter *letter = NULL;
    while ((letter = weft_mailbox_take(mailbox)))
        free(letter);
}

bool weft_mailbox_put(struct weft_mailbox *mailbox, const uint8_t *message, size_t len_bytes)
{
    if (mailbox->held_bytes + len_bytes > HELD_BYTES_MAX)
        return false;
    struct weft_letter *letter = malloc(sizeof(*letter) + len_bytes);
    if (!letter)
        return false;
    letter->next = NULL;
    letter->len_bytes = len_bytes;
    if (len_bytes)
        memcpy(letter->message, message, len_bytes);
    if (mailbox->last)
        mailbox->last->next = letter;
    else
        mailbox->first = letter;
    mailbox->last = letter;
    mailbox->held_bytes += len_bytes;
    return true;
}

struct weft_letter *weft_mailbox_take(struct weft_mailbox *mailbox)
{
    struct weft_letter *letter = mailbox->first;
    if (!letter)
        return NULL;
    mailbox->first = letter->next;
    if (!mailbox->first)
        mailbox->last = NULL;
    mailbox->held_bytes -= letter->len_bytes;
    return letter;
}
