/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>

#include "drivers/null/internal.h"

struct weft_null_mailbox *weft_null_mailbox_create(uint32_t depth,
                                                   const struct weft_null_regions *regions)
{
    struct weft_null_mailbox *mailbox = aligned_alloc(WEFT_NULL_CACHE_LINE, sizeof(*mailbox));
    if (!mailbox)
        return NULL;
    uint32_t room = weft_null_power_of_two(depth);
    *mailbox = (struct weft_null_mailbox){
        .mask = room - 1, .depth = depth, .references = 1, .regions = regions};
    mailbox->posted = calloc(room, sizeof(*mailbox->posted));
    mailbox->arrivals = calloc(room, sizeof(*mailbox->arrivals));
    if (!mailbox->posted || !mailbox->arrivals) {
        weft_null_mailbox_release(mailbox);
        return NULL;
    }
    return mailbox;
}

void weft_null_mailbox_release(struct weft_null_mailbox *mailbox)
{
    if (!mailbox || --mailbox->references)
        return;
    free(mailbox->posted);
    free(mailbox->arrivals);
    free(mailbox);
}

bool weft_null_mailbox_post(struct weft_null_mailbox *mailbox,
                            const struct weft_null_posted *posted)
{
    uint64_t head = atomic_load_explicit(&mailbox->posted_head, memory_order_relaxed);
    if (head - mailbox->arrivals_tail == mailbox->depth)
        return false;
    mailbox->posted[head & mailbox->mask] = *posted;
    atomic_store_explicit(&mailbox->posted_head, head + 1, memory_order_release);
    return true;
}

bool weft_null_mailbox_take(struct weft_null_mailbox *mailbox,
                            struct weft_null_arrival *ret_arrival)
{
    uint64_t head = atomic_load_explicit(&mailbox->arrivals_head, memory_order_acquire);
    if (mailbox->arrivals_tail == head)
        return false;
    *ret_arrival = mailbox->arrivals[mailbox->arrivals_tail & mailbox->mask];
    mailbox->arrivals_tail++;
    return true;
}

bool weft_null_mailbox_next(struct weft_null_mailbox *mailbox, struct weft_null_posted *ret_posted)
{
    uint64_t head = atomic_load_explicit(&mailbox->posted_head, memory_order_acquire);
    if (mailbox->posted_tail == head)
        return false;
    *ret_posted = mailbox->posted[mailbox->posted_tail & mailbox->mask];
    return true;
}

void weft_null_mailbox_deliver(struct weft_null_mailbox *mailbox,
                               const struct weft_null_arrival *arrival)
{
    uint64_t head = atomic_load_explicit(&mailbox->arrivals_head, memory_order_relaxed);
    assert(head == mailbox->posted_tail);
    mailbox->arrivals[head & mailbox->mask] = *arrival;
    mailbox->posted_tail++;
    atomic_store_explicit(&mailbox->arrivals_head, head + 1, memory_order_release);
}

void weft_null_mailbox_count(struct weft_null_mailbox *mailbox, uint64_t len_bytes)
{
    uint64_t bytes = atomic_load_explicit(&mailbox->payload_bytes, memory_order_relaxed);
    atomic_store_explicit(&mailbox->payload_bytes, bytes + len_bytes, memory_order_relaxed);
}
