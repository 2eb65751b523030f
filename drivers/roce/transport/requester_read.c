/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/requester_read.h"

#include <assert.h>

#include "drivers/roce/transport/failure.h"
#include "drivers/roce/transport/progress.h"
#include "drivers/roce/transport/ready.h"

void weft_requester_build_read(struct weft_roce_qp *qp, const struct weft_send *work,
                               struct weft_roce_frame *frame)
{
    struct weft_requester *requester = &qp->requester;
    uint32_t psn_word =
        ((uint32_t)requester->next_sequence & WEFT_ROCE_NUMBER_MASK) | WEFT_ACK_REQUEST;
    uint32_t offset_bytes = (uint32_t)(requester->next_sequence - work->first) << qp->mtu_shift;
    uint8_t opcode = WEFT_OPCODE_RC_READ_REQUEST;
    if (work->operation != WEFT_OPERATION_READ)
        opcode = work->operation == WEFT_OPERATION_COMPARE_SWAP ? WEFT_OPCODE_RC_COMPARE_SWAP
                                                                : WEFT_OPCODE_RC_FETCH_ADD;
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX);
    uint8_t *at = weft_build_start(&qp->path, frame->data, opcode, psn_word, 0);
    weft_wire_put64(at, work->remote_address + offset_bytes);
    weft_wire_put32(at + 8, work->rkey);
    if (work->operation == WEFT_OPERATION_READ) {
        weft_wire_put32(at + 12, work->len_bytes - offset_bytes);
    } else {
        const struct weft_operands *operands = &requester->operands[work - requester->sends];
        weft_wire_put64(at + 12, operands->operand);
        weft_wire_put64(at + 20, operands->compare);
    }
    at += weft_opcodes[opcode].header_bytes - WEFT_BTH_BYTES;
    frame->len_bytes = weft_build_finish(&qp->path, frame->data, at, NULL, 0);
}

/* Whether the response is what the number `sequence` of the work must bring. One that was asked for
 * again from its middle may start with any kind, so only the end counts. */
static bool fits(const struct weft_roce_qp *qp, const struct weft_send *work, uint64_t sequence,
                 const struct weft_packet *packet)
{
    if (work->operation != WEFT_OPERATION_READ)
        return packet->opcode->kind == WEFT_OPCODE_ATOMIC_ACKNOWLEDGE;
    uint32_t index = (uint32_t)(sequence - work->first);
    bool last = index + 1 == work->packets;
    uint32_t len_bytes = last ? work->len_bytes - (index << qp->mtu_shift) : qp->mtu_bytes;
    return packet->opcode->kind == WEFT_OPCODE_READ_RESPONSE && packet->opcode->last == last &&
           packet->payload_bytes == len_bytes;
}

static void put_result(struct weft_roce_qp *qp, const struct weft_send *work, uint64_t sequence,
                       const struct weft_packet *packet)
{
    uint8_t *memory = (uint8_t *)(uintptr_t)work->memory;
    if (work->operation != WEFT_OPERATION_READ) {
        uint64_t before = weft_wire_get64(weft_packet_extension(packet, WEFT_AETH_BYTES));
        memcpy(memory, &before, sizeof(before));
        return;
    }
    if (packet->payload_bytes)
        memcpy(memory + ((size_t)(sequence - work->first) << qp->mtu_shift), packet->payload,
               packet->payload_bytes);
    qp->counters.received_payload_bytes += packet->payload_bytes;
}

static void fail(struct weft_roce_qp *qp, enum weft_failure failure, uint32_t detail,
                 enum weft_status status)
{
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = failure,
                                             .detail = detail,
                                             .send_status = status,
                                             .receive_status = WEFT_FLUSHED});
}

/* The response to the oldest work, at the number that is wanted. */
static void take(struct weft_roce_qp *qp, const struct weft_send *work,
                 const struct weft_packet *packet, uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    uint64_t sequence = requester->acked_sequence;
    assert(packet->bth);
    if (!fits(qp, work, sequence, packet)) {
        fail(qp, WEFT_FAILURE_BAD_RESPONSE, packet->bth[0], WEFT_REMOTE_OPERATION);
        return;
    }
    /* The region may have gone since it was posted. */
    if (work->len_bytes &&
        !weft_lkey_valid(&qp->port->regions, work->lkey, work->memory, work->len_bytes)) {
        fail(qp, WEFT_FAILURE_LOCAL_SEND, work->lkey, WEFT_LOCAL_PROTECTION);
        return;
    }
    put_result(qp, work, sequence, packet);
    if (requester->cursor != requester->completed && sequence + 1 != work->first + work->packets) {
        assert(requester->read_span);
        requester->read_span--;
    }
    weft_requester_advance(qp, sequence + 1, now_ns);
}

void weft_requester_response(struct weft_roce_qp *qp, const struct weft_packet *packet,
                             uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    const uint8_t *aeth =
        packet->opcode->headers & WEFT_HEADER_AETH ? weft_packet_extension(packet, 0) : NULL;
    if (aeth && (aeth[0] & 0xe0)) {
        qp->port->counters.malformed_packets++;
        return;
    }
    uint64_t acked = requester->acked_sequence;
    uint32_t distance = (packet->psn - (uint32_t)acked) & WEFT_ROCE_NUMBER_MASK;
    if (distance >= requester->sent_sequence - acked) {
        qp->port->counters.duplicate_packets++;
        return;
    }
    const struct weft_send *work = weft_requester_first_unanswered(requester);
    if (!work || acked + distance < weft_requester_wanted(requester, work)) {
        qp->port->counters.unexpected_packets++;
        return;
    }
    if (aeth)
        weft_credit_take(requester, aeth);
    /* It acknowledges all that was sent before its READ. */
    weft_requester_advance(qp, weft_requester_wanted(requester, work), now_ns);
    if (acked + distance == requester->acked_sequence) {
        take(qp, work, packet, now_ns);
    } else {
        qp->port->counters.out_of_order_packets++;
        weft_requester_implied_nak(qp);
        /* The peer may first bring the rest of what was asked before, which takes its time in a
         * READ of megabytes: as long as it does, it has not gone. */
        weft_timer_set(&qp->port->wheel, &qp->timer, now_ns + qp->port->ack_timeout_ns);
    }
    weft_qp_activate(qp);
}
