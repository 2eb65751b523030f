/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a requester has come: on with what its peer has done, and back to what was lost. */
#ifndef WEFT_ROCE_PROGRESS_H
#define WEFT_ROCE_PROGRESS_H

#include "drivers/roce/transport/state.h"

/* All before `sequence` are done: completes their works. */
void weft_requester_advance(struct weft_roce_qp *qp, uint64_t sequence, uint64_t now_ns);
/* How far up to `sequence` an acknowledgement reaches: to the first number that wants a response.
 */
uint64_t weft_requester_reach(const struct weft_requester *requester, uint64_t sequence);
/* The next to be sent is the first that is not done. */
void weft_requester_go_back(struct weft_roce_qp *qp);
/* What came shows that responses before it are lost (IBTA vol. 1, 9.7.5.1.4). */
void weft_requester_implied_nak(struct weft_roce_qp *qp);

/* The oldest work that waits for responses, sent or not; NULL: none. */
const struct weft_send *weft_requester_first_unanswered(const struct weft_requester *requester);
/* The first number of such a work that no response has come for. */
uint64_t weft_requester_wanted(const struct weft_requester *requester,
                               const struct weft_send *work);

#endif
