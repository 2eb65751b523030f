/* SPDX-License-Identifier: BSD-3-Clause */
/* Filling a completion queue. Every entry holds one slot of its queue pair until it is polled, and
 * the slots were reserved when the queue pair was made: so a queue cannot overflow. */
#ifndef WEFT_ROCE_CQ_H
#define WEFT_ROCE_CQ_H

#include <assert.h>

#include "drivers/roce/state.h"

static inline void weft_cq_push(struct weft_roce_qp *qp, const struct weft_completion *completion)
{
    struct weft_roce_cq *cq = qp->cq;
    assert(cq->head - cq->tail <= cq->mask);
    struct weft_cq_entry *entry = &cq->entries[cq->head++ & cq->mask];
    entry->completion = *completion;
    entry->completion.user = qp->user;
    entry->qp = qp;
}

/* Takes out what a queue pair that goes away has left there. */
void weft_cq_purge(struct weft_roce_cq *cq, const struct weft_roce_qp *qp);

#endif
