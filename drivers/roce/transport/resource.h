/* SPDX-License-Identifier: BSD-3-Clause */
/* The READs and atomics that a responder keeps. */
#ifndef WEFT_ROCE_RESOURCE_H
#define WEFT_ROCE_RESOURCE_H

#include "drivers/roce/transport/state.h"

/* Whether responses are to be sent. */
static inline bool weft_resource_due(const struct weft_resource *resource)
{
    return resource->next < resource->end;
}

/* The `back`-th of those taken last, from 1. */
static inline struct weft_resource *weft_resource_at(struct weft_responder *responder,
                                                     uint32_t back)
{
    return &responder->resources[(responder->resource_head - back) & responder->resource_mask];
}

/* Those that are due are not sent any more. */
static inline void weft_responses_drop(struct weft_roce_qp *qp)
{
    struct weft_responder *responder = &qp->responder;
    for (uint32_t back = 1; back <= responder->read_depth; back++)
        weft_resource_at(responder, back)->next = weft_resource_at(responder, back)->end;
    qp->responding = 0;
}

#endif
