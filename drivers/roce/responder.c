/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/responder.h"

#include <assert.h>

#include "drivers/roce/region.h"

/* What the requester waits after a packet that found no receive: 0.64 ms (code 12). Shorter ones
 * make storms with peers whose timers are coarse. */
#define RNR_TIMER_CODE 12u

static void refuse(struct weft_roce_qp *qp, uint8_t syndrome, const struct weft_qp_error *why)
{
    qp->responder.fatal_syndrome = syndrome;
    weft_qp_answer(qp, WEFT_ANSWER_NAK_FATAL);
    weft_qp_fail(qp, why);
}

static void refuse_request(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    refuse(qp, WEFT_AETH_NAK_INVALID_REQUEST,
           &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_REQUEST,
                                   .detail = packet->bth[0],
                                   .send_status = WEFT_FLUSHED,
                                   .receive_status = WEFT_FLUSHED});
}

static void refuse_access(struct weft_roce_qp *qp, uint32_t rkey)
{
    refuse(qp, WEFT_AETH_NAK_REMOTE_ACCESS,
           &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_ACCESS,
                                   .detail = rkey,
                                   .send_status = WEFT_FLUSHED,
                                   .receive_status = WEFT_FLUSHED});
}

/* Whether the packet fits to what went before and has the length of its place in the message. */
static bool well_placed(const struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    const struct weft_opcode *opcode = packet->opcode;
    uint8_t under_way = qp->responder.kind;
    if (opcode->kind != WEFT_OPCODE_SEND && opcode->kind != WEFT_OPCODE_WRITE)
        return false;
    if (opcode->first ? under_way != WEFT_OPCODE_NONE : under_way != opcode->kind)
        return false;
    if (!opcode->last)
        return packet->payload_bytes == qp->mtu_bytes;
    return packet->payload_bytes <= qp->mtu_bytes && (opcode->first || packet->payload_bytes > 0);
}

/* The oldest receive, for a packet that needs one. NULL: an answer is due, or all has failed. */
static struct weft_receive *take_receive(struct weft_roce_qp *qp)
{
    if (weft_qp_receive_empty(qp)) {
        qp->responder.nak_sent = true;
        weft_qp_answer(qp, WEFT_ANSWER_RNR);
        return NULL;
    }
    struct weft_receive *receive = weft_qp_oldest_receive(qp);
    if (!receive->bad_lkey)
        return receive;
    refuse(qp, WEFT_AETH_NAK_REMOTE_OPERATION,
           &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_RECEIVE,
                                   .send_status = WEFT_FLUSHED,
                                   .receive_status = WEFT_LOCAL_PROTECTION});
    return NULL;
}

static void put_payload(uint8_t *memory, const struct weft_packet *packet)
{
    if (packet->payload_bytes)
        memcpy(memory, packet->payload, packet->payload_bytes);
}

static bool execute_send(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    struct weft_receive *receive = take_receive(qp);
    if (!receive)
        return false;
    uint32_t before_bytes = packet->opcode->first ? 0 : responder->message_bytes;
    if (packet->payload_bytes > receive->len_bytes - before_bytes) {
        refuse(qp, WEFT_AETH_NAK_INVALID_REQUEST,
               &(struct weft_qp_error){.failure = WEFT_FAILURE_PEER_LENGTH,
                                       .detail = receive->len_bytes,
                                       .send_status = WEFT_FLUSHED,
                                       .receive_status = WEFT_LOCAL_LENGTH});
        return false;
    }
    if (packet->opcode->first)
        responder->message_bytes = 0;
    put_payload(receive->memory + before_bytes, packet);
    return true;
}

/* What a WRITE's first packet says of its message; later ones go on from there. */
struct write_target {
    uint64_t address;
    uint32_t rkey;
    uint32_t left_bytes;
};

static struct write_target write_target(const struct weft_responder *responder,
                                        const struct weft_packet *packet)
{
    if (!packet->opcode->first)
        return (struct write_target){responder->address, responder->rkey, responder->left_bytes};
    const uint8_t *reth = weft_packet_extension(packet, 0);
    return (struct write_target){weft_wire_get64(reth), weft_wire_get32(reth + 8),
                                 weft_wire_get32(reth + 12)};
}

static bool execute_write(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    const struct weft_opcode *opcode = packet->opcode;
    struct write_target target = write_target(responder, packet);
    bool fits = opcode->last ? packet->payload_bytes == target.left_bytes
                             : packet->payload_bytes < target.left_bytes;
    if (!fits) {
        refuse_request(qp, packet);
        return false;
    }
    /* The whole rest is looked up each time: the region may have gone since the first packet. */
    uint8_t *memory = NULL;
    if (target.left_bytes) {
        memory = weft_rkey_resolve(qp->port, target.rkey, target.address, target.left_bytes);
        if (!memory) {
            refuse_access(qp, target.rkey);
            return false;
        }
    }
    if ((opcode->headers & WEFT_HEADER_IMMEDIATE) && !take_receive(qp))
        return false;
    if (opcode->first)
        responder->message_bytes = 0;
    put_payload(memory, packet);
    responder->rkey = target.rkey;
    responder->address = target.address + packet->payload_bytes;
    responder->left_bytes = target.left_bytes - packet->payload_bytes;
    return true;
}

static void end_message(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    const struct weft_opcode *opcode = packet->opcode;
    bool immediate = (opcode->headers & WEFT_HEADER_IMMEDIATE) != 0;
    responder->kind = WEFT_OPCODE_NONE;
    responder->msn = (responder->msn + 1) & WEFT_ROCE_NUMBER_MASK;
    if (opcode->kind == WEFT_OPCODE_WRITE && !immediate)
        return;
    struct weft_completion completion = {
        .status = WEFT_OK,
        .len_bytes = responder->message_bytes,
        .has_immediate = immediate,
        .immediate = immediate ? weft_packet_immediate(packet) : 0,
    };
    weft_qp_complete_receive(qp, &completion);
}

static void accept(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    responder->expected_psn = (responder->expected_psn + 1) & WEFT_ROCE_NUMBER_MASK;
    responder->message_bytes += packet->payload_bytes;
    responder->kind = packet->opcode->kind;
    qp->counters.received_payload_bytes += packet->payload_bytes;
    if (packet->opcode->last)
        end_message(qp, packet);
    if (responder->answer > WEFT_ANSWER_ACK) {
        /* A refusal is still to be sent, and what followed it was dropped: it now names the next
         * packet, whatever its reason was. */
        responder->answer = WEFT_ANSWER_NAK_SEQUENCE;
        return;
    }
    /* What was missing has come: told unasked, for a peer such as rxe counts retries until it sees
     * an ACK, and would give up in the middle of a long message that loses a packet now and then.
     */
    bool recovered = responder->nak_sent;
    responder->nak_sent = false;
    if (packet->ack_request || recovered)
        weft_qp_answer(qp, WEFT_ANSWER_ACK);
}

static void out_of_sequence(struct weft_roce_qp *qp, int32_t distance)
{
    struct weft_responder *responder = &qp->responder;
    if (distance < 0) {
        qp->port->counters.duplicate_packets++;
        if (responder->answer == WEFT_ANSWER_NONE)
            weft_qp_answer(qp, WEFT_ANSWER_ACK);
        return;
    }
    qp->port->counters.out_of_order_packets++;
    if (responder->nak_sent)
        return;
    responder->nak_sent = true;
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
    if (distance) {
        out_of_sequence(qp, distance);
        return;
    }
    if (!well_placed(qp, packet)) {
        refuse_request(qp, packet);
        return;
    }
    bool done = packet->opcode->kind == WEFT_OPCODE_SEND ? execute_send(qp, packet)
                                                         : execute_write(qp, packet);
    if (done)
        accept(qp, packet);
}

static uint8_t answer_syndrome(const struct weft_responder *responder)
{
    switch (responder->answer) {
    case WEFT_ANSWER_RNR:
        return WEFT_AETH_RNR | RNR_TIMER_CODE;
    case WEFT_ANSWER_NAK_SEQUENCE:
        return WEFT_AETH_NAK_SEQUENCE;
    case WEFT_ANSWER_NAK_FATAL:
        return responder->fatal_syndrome;
    default:
        return WEFT_AETH_ACK;
    }
}

void weft_responder_build(struct weft_roce_qp *qp, struct weft_roce_frame *frame)
{
    struct weft_responder *responder = &qp->responder;
    assert(responder->answer != WEFT_ANSWER_NONE);
    bool ack = responder->answer == WEFT_ANSWER_ACK;
    /* An ACK names the last packet that arrived, a refusal the one that is wanted. */
    uint32_t psn = (responder->expected_psn - (ack ? 1 : 0)) & WEFT_ROCE_NUMBER_MASK;
    uint8_t *at = weft_build_start(&qp->path, frame->data, WEFT_OPCODE_RC_ACKNOWLEDGE, psn, 0);
    weft_wire_put32(at, (uint32_t)answer_syndrome(responder) << 24 | responder->msn);
    frame->len_bytes = weft_build_finish(&qp->path, frame->data, at + WEFT_AETH_BYTES, NULL, 0);
    responder->answer = WEFT_ANSWER_NONE;
}
