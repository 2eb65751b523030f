/* SPDX-License-Identifier: BSD-3-Clause */
/* Filling a completion queue. Every entry holds one slot of its queue pair until it is polled, and
 * the slots were reserved when the queue pair was made: so a queue cannot overflow. */
#ifndef WEFT_ROCE_CQ_H
#define WEFT_ROCE_CQ_H

#include <assert.h>

#include "drivers/roce/transport/state.h"

/* Where the next completion goes: all of it is the caller's to fill, the user of `qp` too. In
 * place, since copying what was written field by field a moment ago waits for every one of the
 * stores. */
static inline struct weft_completion *weft_cq_put(struct weft_roce_qp *qp)
{
    struct weft_roce_cq *cq = qp->cq;
    uint32_t head = cq->head;
    assert(head - cq->tail <= cq->mask);
    struct weft_cq_entry *entry = &cq->entries[head & cq->mask];
    cq->head = head + 1;
    entry->qp = qp;
    return &entry->completion;
}

/* What is put from now on waits until the loan ends. */
static inline void weft_cq_hold(struct weft_roce_cq *cq)
{
    if (cq->held_loan == cq->port->lent.loan)
        return;
    cq->held_loan = cq->port->lent.loan;
    cq->held_from = cq->head;
}

/* Takes out what a queue pair that goes away has left there. */
void weft_cq_purge(struct weft_roce_cq *cq, const struct weft_roce_qp *qp);

#endif
