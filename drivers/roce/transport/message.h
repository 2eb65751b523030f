/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages as they arrive packet by packet, on RC and UC alike: SENDs into the oldest receive,
 * WRITEs into memory. What a failure means is the transport's. Inline:
 * two callers' innermost loops. */
#ifndef WEFT_ROCE_MESSAGE_H
#define WEFT_ROCE_MESSAGE_H

#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/complete.h"

enum weft_execution {
    WEFT_EXECUTED = 0,
    WEFT_EXECUTION_NO_RECEIVE,  /* none is posted */
    WEFT_EXECUTION_BAD_RECEIVE, /* its lkey */
    WEFT_EXECUTION_TOO_LONG,    /* for the receive */
    WEFT_EXECUTION_MISFIT,      /* the length is not what the first packet said */
    WEFT_EXECUTION_NO_ACCESS,   /* the rkey, or the range */
};

/* Whether the packet fits to what went before and has the length of its place in the message. */
static inline bool weft_message_fits(const struct weft_roce_qp *qp,
                                     const struct weft_packet *packet)
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

static inline enum weft_execution weft_message_check_receive(const struct weft_roce_qp *qp)
{
    if (weft_qp_receive_empty(qp))
        return WEFT_EXECUTION_NO_RECEIVE;
    return weft_qp_oldest_receive(qp)->bad_lkey ? WEFT_EXECUTION_BAD_RECEIVE : WEFT_EXECUTED;
}

static inline void weft_message_put_payload(uint8_t *memory, const struct weft_packet *packet)
{
    if (packet->payload_bytes)
        memcpy(memory, packet->payload, packet->payload_bytes);
}

static inline enum weft_execution weft_message_execute_send(struct weft_roce_qp *qp,
                                                            const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    enum weft_execution result = weft_message_check_receive(qp);
    if (result != WEFT_EXECUTED)
        return result;
    const struct weft_receive *receive = weft_qp_oldest_receive(qp);
    uint32_t before_bytes = packet->opcode->first ? 0 : responder->message_bytes;
    if (packet->payload_bytes > receive->len_bytes - before_bytes)
        return WEFT_EXECUTION_TOO_LONG;
    responder->message_bytes = before_bytes;
    weft_message_put_payload(receive->memory + before_bytes, packet);
    return WEFT_EXECUTED;
}

/* What a WRITE's first packet says of its message; later ones go on from there. */
struct weft_write_target {
    uint64_t address;
    uint32_t rkey;
    uint32_t left_bytes;
};

static inline struct weft_write_target weft_write_target(const struct weft_responder *responder,
                                                         const struct weft_packet *packet)
{
    if (!packet->opcode->first)
        return (struct weft_write_target){responder->address, responder->rkey,
                                          responder->left_bytes};
    const uint8_t *reth = weft_packet_extension(packet, 0);
    return (struct weft_write_target){weft_wire_get64(reth), weft_wire_get32(reth + 8),
                                      weft_wire_get32(reth + 12)};
}

/* What is said of a packet that was not executed. */
static inline uint32_t weft_message_rkey(const struct weft_roce_qp *qp,
                                         const struct weft_packet *packet)
{
    return weft_write_target(&qp->responder, packet).rkey;
}

static inline enum weft_execution weft_message_execute_write(struct weft_roce_qp *qp,
                                                             const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    const struct weft_opcode *opcode = packet->opcode;
    struct weft_write_target target = weft_write_target(responder, packet);
    bool fits = opcode->last ? packet->payload_bytes == target.left_bytes
                             : packet->payload_bytes < target.left_bytes;
    if (!fits)
        return WEFT_EXECUTION_MISFIT;
    /* The whole rest is looked up each time: the region may have gone since the first packet. */
    uint8_t *memory = NULL;
    if (target.left_bytes) {
        memory =
            weft_rkey_resolve(&qp->port->regions, target.rkey, target.address, target.left_bytes);
        if (!memory)
            return WEFT_EXECUTION_NO_ACCESS;
    }
    if (opcode->headers & WEFT_HEADER_IMMEDIATE) {
        enum weft_execution result = weft_message_check_receive(qp);
        if (result != WEFT_EXECUTED)
            return result;
    }
    if (opcode->first)
        responder->message_bytes = 0;
    weft_message_put_payload(memory, packet);
    responder->rkey = target.rkey;
    responder->address = target.address + packet->payload_bytes;
    responder->left_bytes = target.left_bytes - packet->payload_bytes;
    return WEFT_EXECUTED;
}

/* Puts the payload where it belongs; nothing is changed unless it is EXECUTED. */
static inline enum weft_execution weft_message_execute(struct weft_roce_qp *qp,
                                                       const struct weft_packet *packet)
{
    return packet->opcode->kind == WEFT_OPCODE_SEND ? weft_message_execute_send(qp, packet)
                                                    : weft_message_execute_write(qp, packet);
}

static inline void weft_message_end(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    const struct weft_opcode *opcode = packet->opcode;
    bool immediate = (opcode->headers & WEFT_HEADER_IMMEDIATE) != 0;
    responder->kind = WEFT_OPCODE_NONE;
    responder->msn = (responder->msn + 1) & WEFT_ROCE_NUMBER_MASK;
    if (opcode->kind == WEFT_OPCODE_WRITE && !immediate)
        return;
    struct weft_completion *completion = weft_qp_complete_receive(qp, WEFT_OK);
    completion->len_bytes = responder->message_bytes;
    if (immediate) {
        completion->has_immediate = true;
        completion->immediate = weft_packet_immediate(packet);
    }
}

/* Counts the packet that was executed; where it is the last the message is complete. */
static inline void weft_message_accept(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    responder->expected_psn = (responder->expected_psn + 1) & WEFT_ROCE_NUMBER_MASK;
    responder->message_bytes += packet->payload_bytes;
    responder->kind = packet->opcode->kind;
    qp->counters.received_payload_bytes += packet->payload_bytes;
    if (packet->opcode->last)
        weft_message_end(qp, packet);
}

#endif
