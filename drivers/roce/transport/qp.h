/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs: made, connected and gone; the rest of the folder runs them. */
#ifndef WEFT_ROCE_QP_H
#define WEFT_ROCE_QP_H

#include "drivers/roce/transport/state.h"

/* The path has become ready, or its neighbour was lost. */
void weft_qp_neighbour_changed(struct weft_roce_qp *qp);

#endif
