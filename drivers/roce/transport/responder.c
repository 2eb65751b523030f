/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/responder.h"

#include <assert.h>

#include "drivers/roce/transport/message.h"
#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/refuse.h"
#include "drivers/roce/transport/responder_read.h"

/* What the requester waits after a packet that found no receive: 0.64 ms (code 12). Shorter ones
 * make storms with peers whose timers are coarse. */
#define RNR_TIMER_CODE 12u

static void refuse_length(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    weft_responder_refuse(qp, WEFT_AETH_NAK_INVALID_REQUEST, packet->psn,
                          &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_LENGTH,
                                                  .detail = weft_qp_oldest_receive(qp)->len_bytes,
                                                  .send_status = WEFT_FLUSHED,
                                                  .receive_status = WEFT_LOCAL_LENGTH});
}

static void refuse_receive(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    weft_responder_refuse(qp, WEFT_AETH_NAK_REMOTE_OPERATION, packet->psn,
                          &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_RECEIVE,
                                                  .send_status = WEFT_FLUSHED,
                                                  .receive_status = WEFT_LOCAL_PROTECTION});
}

static void execute(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    bool recovered = qp->responder.nak_sent;
    switch (weft_message_execute(qp, packet)) {
    case WEFT_EXECUTED:
        weft_message_accept(qp, packet);
        /* What was missing has come: told unasked, for a peer such as rxe counts retries until it
         * sees an ACK, and would give up in the middle of a long message that loses a packet now
         * and then. */
        if (weft_responder_in_order(qp) && (packet->ack_request || recovered))
            weft_qp_answer(qp, WEFT_ANSWER_ACK);
        break;
    case WEFT_EXECUTION_NO_RECEIVE:
        qp->responder.nak_sent = true;
        weft_qp_answer(qp, WEFT_ANSWER_RNR);
        break;
    case WEFT_EXECUTION_BAD_RECEIVE:
        refuse_receive(qp, packet);
        break;
    case WEFT_EXECUTION_TOO_LONG:
        refuse_length(qp, packet);
        break;
    case WEFT_EXECUTION_MISFIT:
        weft_responder_refuse_request(qp, packet);
        break;
    case WEFT_EXECUTION_NO_ACCESS:
        weft_responder_refuse_access(qp, packet->psn, weft_message_rkey(qp, packet));
        break;
    }
}

static bool wants_response(const struct weft_packet *packet)
{
    return packet->opcode->kind == WEFT_OPCODE_READ_REQUEST ||
           packet->opcode->kind == WEFT_OPCODE_ATOMIC;
}

static void out_of_sequence(struct weft_roce_qp *qp, const struct weft_packet *packet,
                            int32_t distance)
{
    struct weft_responder *responder = &qp->responder;
    if (distance < 0) {
        qp->port->counters.duplicate_packets++;
        if (wants_response(packet))
            weft_responder_repeat(qp, packet);
        else if (responder->answer == WEFT_ANSWER_NONE)
            weft_qp_answer(qp, WEFT_ANSWER_ACK);
        return;
    }
    qp->port->counters.out_of_order_packets++;
    if (responder->nak_sent)
        return;
    responder->nak_sent = true;
    if (responder->answer == WEFT_ANSWER_ACK)
        responder->nak_waits = true;
    else
        weft_qp_answer(qp, WEFT_ANSWER_NAK_SEQUENCE);
}

void weft_responder_receive(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    int32_t distance = weft_psn_distance(qp->responder.expected_psn, packet->psn);
    if (qp->state == WEFT_ENDPOINT_FAILED) {
        /* The refusal may have been lost: said again, it spares the peer a riddle. */
        if (qp->responder.fatal_syndrome && distance >= 0)
            weft_qp_answer(qp, WEFT_ANSWER_NAK_FATAL);
        return;
    }
    if (distance)
        out_of_sequence(qp, packet, distance);
    else if (wants_response(packet))
        weft_responder_request(qp, packet);
    else if (weft_message_fits(qp, packet))
        execute(qp, packet);
    else
        weft_responder_refuse_request(qp, packet);
}

void weft_responder_tell_receives(struct weft_roce_qp *qp)
{
    if (weft_credit_exhausted(&qp->responder) && qp->state == WEFT_ENDPOINT_READY &&
        qp->responder.answer == WEFT_ANSWER_NONE)
        weft_qp_answer(qp, WEFT_ANSWER_ACK);
}

/* Syndrome and MSN. */
static uint32_t answer_word(struct weft_responder *responder)
{
    switch (responder->answer) {
    case WEFT_ANSWER_RNR:
        return (WEFT_AETH_RNR | RNR_TIMER_CODE) << 24 | responder->msn;
    case WEFT_ANSWER_NAK_SEQUENCE:
        return WEFT_AETH_NAK_SEQUENCE << 24 | responder->msn;
    case WEFT_ANSWER_NAK_FATAL:
        return (uint32_t)responder->fatal_syndrome << 24 | responder->msn;
    default:
        return weft_credit_tell(responder);
    }
}

/* An ACK names the last packet that arrived, a refusal the one that is wanted. */
static uint32_t answer_psn(const struct weft_responder *responder)
{
    if (responder->answer == WEFT_ANSWER_NAK_FATAL)
        return responder->fatal_psn;
    uint32_t back = responder->answer == WEFT_ANSWER_ACK ? 1 : 0;
    return (responder->expected_psn - back) & WEFT_ROCE_NUMBER_MASK;
}

void weft_responder_build(struct weft_roce_qp *qp, struct weft_roce_frame *frame)
{
    struct weft_responder *responder = &qp->responder;
    assert(responder->answer != WEFT_ANSWER_NONE && !qp->responding);
    uint8_t *at = weft_build_start(&qp->path, frame->data, WEFT_OPCODE_RC_ACKNOWLEDGE,
                                   answer_psn(responder), 0);
    weft_wire_put32(at, answer_word(responder));
    frame->len_bytes = weft_build_finish(&qp->path, frame->data, at + WEFT_AETH_BYTES, NULL, 0);
    bool nak_follows = responder->nak_waits && responder->answer == WEFT_ANSWER_ACK;
    responder->nak_waits = false;
    responder->answer = WEFT_ANSWER_NONE;
    if (nak_follows)
        weft_qp_answer(qp, WEFT_ANSWER_NAK_SEQUENCE);
}
