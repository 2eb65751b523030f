/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/cq.h"

#include <stdlib.h>

#include "drivers/roce/base/ring.h"

enum weft_status weft_roce_cq_create(struct weft_roce_port *port, uint32_t depth,
                                     struct weft_roce_cq **ret_cq, struct weft_error *error)
{
    assert(port && ret_cq);
    if (!depth || depth > WEFT_ROCE_CQ_DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "a completion queue of %u entries: it must have 1 to %u", depth,
                              WEFT_ROCE_CQ_DEPTH_MAX);
    struct weft_roce_cq *cq = calloc(1, sizeof(*cq));
    if (!cq)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a completion queue");
    uint32_t size = weft_ring_size(depth);
    cq->entries = calloc(size, sizeof(*cq->entries));
    if (!cq->entries) {
        free(cq);
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "no memory for a completion queue of %u entries", depth);
    }
    cq->port = port;
    cq->mask = size - 1;
    cq->depth = depth;
    port->cq_count++;
    *ret_cq = cq;
    return WEFT_OK;
}

void weft_roce_cq_destroy(struct weft_roce_port *port, struct weft_roce_cq *cq)
{
    if (!cq)
        return;
    assert(cq->port == port && port->cq_count);
    assert(!cq->reserved); /* its queue pairs are gone */
    port->cq_count--;
    free(cq->entries);
    free(cq);
}

static void release_slot(const struct weft_cq_entry *entry)
{
    uint32_t *outstanding = entry->completion.operation == WEFT_OPERATION_RECEIVE
                                ? &entry->qp->responder.outstanding
                                : &entry->qp->requester.outstanding;
    assert(*outstanding);
    (*outstanding)--;
}

uint32_t weft_roce_cq_poll(struct weft_roce_cq *cq, struct weft_completion *completions,
                           uint32_t count)
{
    const struct weft_lent *lent = &cq->port->lent;
    bool held = lent->filled && cq->held_loan == lent->loan;
    uint32_t ready = (held ? cq->held_from : cq->head) - cq->tail;
    if (count > ready)
        count = ready;
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_cq_entry *entry = &cq->entries[cq->tail++ & cq->mask];
        completions[i] = entry->completion;
        release_slot(entry);
    }
    return count;
}

void weft_cq_purge(struct weft_roce_cq *cq, const struct weft_roce_qp *qp)
{
    uint32_t kept = cq->tail;
    for (uint32_t i = cq->tail; i != cq->head; i++) {
        const struct weft_cq_entry *entry = &cq->entries[i & cq->mask];
        if (entry->qp == qp)
            release_slot(entry);
        else
            cq->entries[kept++ & cq->mask] = *entry;
    }
    cq->head = kept;
    /* What was held has moved. A completion is seen early, which is no harm. */
    cq->held_loan = cq->port->lent.loan - 1;
}
