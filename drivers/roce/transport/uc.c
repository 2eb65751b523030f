/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/uc.h"

#include "drivers/roce/transport/failure.h"
#include "drivers/roce/transport/message.h"
#include "drivers/roce/transport/request.h"

uint32_t weft_uc_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    uint32_t filled = 0;
    while (filled < count && requester->cursor != requester->posted) {
        const struct weft_send *work = &requester->sends[requester->cursor & requester->mask];
        if (work->bad_lkey) {
            weft_qp_fail_bad_work(qp, work);
            break;
        }
        weft_request_build(qp, work, 0, &frames[filled++]);
        requester->next_sequence++;
        if (requester->next_sequence < work->first + work->packets)
            continue;
        requester->cursor++;
        weft_qp_complete_send(qp, WEFT_OK, 0);
    }
    return filled;
}

/* The rest of the message is dropped: nobody is told, and its receive serves the next. */
static void drop(struct weft_roce_qp *qp)
{
    qp->responder.kind = WEFT_OPCODE_NONE;
    qp->responder.dropping = true;
    qp->port->counters.receive_dropped++;
}

static void execute(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    enum weft_execution result = weft_message_execute(qp, packet);
    if (result == WEFT_EXECUTED) {
        weft_message_accept(qp, packet);
        return;
    }
    drop(qp);
    qp->responder.expected_psn = (packet->psn + 1) & WEFT_ROCE_NUMBER_MASK;
    /* That is a mistake of this end's own, and said as on RC. */
    if (result == WEFT_EXECUTION_BAD_RECEIVE)
        weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_RECEIVE,
                                                 .send_status = WEFT_FLUSHED,
                                                 .receive_status = WEFT_LOCAL_PROTECTION});
}

/* After a gap all is dropped up to the next first packet (IBTA vol. 1, 9.8.2.2). A packet from
 * before the gap comes too late: its message was given up. */
void weft_uc_receive(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    if (qp->state == WEFT_ENDPOINT_FAILED)
        return;
    int32_t distance = weft_psn_distance(responder->expected_psn, packet->psn);
    if (distance < 0) {
        qp->port->counters.duplicate_packets++;
        return;
    }
    if (distance > 0) {
        qp->port->counters.out_of_order_packets++;
        responder->dropping = true;
        responder->expected_psn = packet->psn;
    }
    if (packet->opcode->first) {
        responder->kind = WEFT_OPCODE_NONE;
        responder->dropping = false;
    }
    if (!responder->dropping && weft_message_fits(qp, packet)) {
        execute(qp, packet);
        return;
    }
    drop(qp);
    responder->expected_psn = (packet->psn + 1) & WEFT_ROCE_NUMBER_MASK;
}
