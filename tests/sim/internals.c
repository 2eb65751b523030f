/* SPDX-License-Identifier: BSD-3-Clause */
/* Apart from the rest: the port's internals and the topology both have a weft_link. */
#include "drivers/roce/transport/state.h"

void transport_set_psn(struct weft_roce_qp *qp, uint32_t psn);

void transport_set_psn(struct weft_roce_qp *qp, uint32_t psn)
{
    qp->initial_psn = psn & WEFT_ROCE_NUMBER_MASK;
}
