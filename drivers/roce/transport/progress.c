/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/progress.h"

#include <assert.h>

#include "drivers/roce/transport/complete.h"

void weft_requester_advance(struct weft_roce_qp *qp, uint64_t sequence, uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    assert(sequence >= requester->acked_sequence && sequence <= requester->sent_sequence);
    if (sequence == requester->acked_sequence)
        return;
    requester->acked_sequence = sequence;
    requester->retries = 0;
    requester->rnr_retries = 0;
    requester->rnr_waiting = false;
    requester->gone_back = false;
    while (requester->completed != requester->posted) {
        const struct weft_send *work = &requester->sends[requester->completed & requester->mask];
        if (work->first + work->packets > sequence)
            break;
        /* What was to be sent again has arrived meanwhile. */
        if (requester->cursor == requester->completed)
            requester->cursor++;
        else
            requester->reads = (uint16_t)(requester->reads - work->wants_response);
        weft_qp_complete_send(qp, WEFT_OK, 0);
    }
    if (requester->next_sequence < sequence)
        requester->next_sequence = sequence;
    bool all = sequence == requester->sent_sequence;
    weft_timer_set(&qp->port->wheel, &qp->timer,
                   all ? WEFT_TIMER_NEVER : now_ns + qp->port->ack_timeout_ns);
}

void weft_requester_go_back(struct weft_roce_qp *qp)
{
    struct weft_requester *requester = &qp->requester;
    requester->next_sequence = requester->acked_sequence;
    requester->cursor = requester->completed;
    requester->since_ack_request = 0;
    requester->reads = 0;
    requester->read_span = 0;
}

const struct weft_send *weft_requester_first_unanswered(const struct weft_requester *requester)
{
    if (!requester->unanswered)
        return NULL;
    uint32_t slot = requester->completed;
    while (!requester->sends[slot & requester->mask].wants_response)
        slot++;
    return &requester->sends[slot & requester->mask];
}

uint64_t weft_requester_wanted(const struct weft_requester *requester, const struct weft_send *work)
{
    return work->first > requester->acked_sequence ? work->first : requester->acked_sequence;
}

uint64_t weft_requester_reach(const struct weft_requester *requester, uint64_t sequence)
{
    const struct weft_send *work = weft_requester_first_unanswered(requester);
    if (!work)
        return sequence;
    uint64_t reach = weft_requester_wanted(requester, work);
    return reach < sequence ? reach : sequence;
}

void weft_requester_implied_nak(struct weft_roce_qp *qp)
{
    if (qp->requester.gone_back)
        return;
    weft_requester_go_back(qp);
    qp->requester.gone_back = true;
}
