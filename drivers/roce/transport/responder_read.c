/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/responder_read.h"

#include <assert.h>

#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/refuse.h"
#include "drivers/roce/transport/resource.h"

/* The longest message of IBTA (vol. 1, 9.7.7). Its numbers must lie within half of the circle. */
#define LENGTH_MAX (UINT32_C(1) << 31)
#define PACKETS_MAX (UINT32_C(1) << 22)

static uint32_t packets_of(const struct weft_roce_qp *qp, uint32_t len_bytes)
{
    return len_bytes ? ((len_bytes - 1) >> qp->mtu_shift) + 1 : 1;
}

/* A place for one more, where the oldest one has been answered; NULL: none. Nobody misses the rest
 * of a second answer to that: its requester would not ask for more before it had the first. */
static struct weft_resource *new_resource(struct weft_roce_qp *qp)
{
    struct weft_responder *responder = &qp->responder;
    if (!responder->read_depth)
        return NULL;
    struct weft_resource *oldest = weft_resource_at(responder, responder->read_depth);
    if (!oldest->answered)
        return NULL;
    if (weft_resource_due(oldest))
        qp->responding--;
    oldest->next = oldest->end;
    return &responder->resources[responder->resource_head++ & responder->resource_mask];
}

static void run(struct weft_roce_qp *qp, struct weft_resource *resource, uint32_t start,
                uint32_t len_bytes)
{
    if (!weft_resource_due(resource))
        qp->responding++;
    resource->start = start;
    resource->next = start;
    resource->end = start + packets_of(qp, len_bytes);
    resource->end_bytes = (start << qp->mtu_shift) + len_bytes;
    /* An answer that is due already comes after it. */
    weft_link_remove(&qp->answer);
    weft_qp_activate(qp);
}

static void accept(struct weft_roce_qp *qp, const struct weft_packet *packet,
                   const struct weft_resource *taken)
{
    struct weft_responder *responder = &qp->responder;
    struct weft_resource *resource = new_resource(qp);
    if (!resource) {
        weft_responder_refuse_request(qp, packet);
        return;
    }
    *resource = *taken;
    resource->kind = packet->opcode->kind;
    resource->psn = packet->psn;
    resource->packets = packets_of(qp, taken->len_bytes);
    responder->expected_psn = (responder->expected_psn + resource->packets) & WEFT_ROCE_NUMBER_MASK;
    responder->msn = (responder->msn + 1) & WEFT_ROCE_NUMBER_MASK;
    /* The response acknowledges all before it, so a NAK need not wait for an ACK. */
    if (weft_responder_in_order(qp))
        responder->answer = responder->nak_waits ? WEFT_ANSWER_NAK_SEQUENCE : WEFT_ANSWER_NONE;
    responder->nak_waits = false;
    run(qp, resource, 0, taken->len_bytes);
}

static void request_read(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    const uint8_t *reth = weft_packet_extension(packet, 0);
    struct weft_resource taken = {.address = weft_wire_get64(reth),
                                  .rkey = weft_wire_get32(reth + 8),
                                  .len_bytes = weft_wire_get32(reth + 12)};
    if (taken.len_bytes > LENGTH_MAX || packets_of(qp, taken.len_bytes) > PACKETS_MAX)
        weft_responder_refuse_request(qp, packet);
    else if (taken.len_bytes &&
             !weft_rkey_resolve(&qp->port->regions, taken.rkey, taken.address, taken.len_bytes))
        weft_responder_refuse_access(qp, packet->psn, taken.rkey);
    else
        accept(qp, packet, &taken);
}

/* Other threads may use the same memory, through other ports or by themselves: so it is done by
 * instructions that are atomic for them, too. */
static uint64_t execute_atomic(uint64_t *memory, const struct weft_packet *packet)
{
    const uint8_t *operands = weft_packet_extension(packet, 12);
    uint64_t operand = weft_wire_get64(operands);
    if (packet->bth[0] == WEFT_OPCODE_RC_FETCH_ADD)
        return __atomic_fetch_add(memory, operand, __ATOMIC_SEQ_CST);
    uint64_t before = weft_wire_get64(operands + 8);
    (void)__atomic_compare_exchange_n(memory, &before, operand, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
    return before;
}

static void request_atomic(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    const uint8_t *header = weft_packet_extension(packet, 0);
    struct weft_resource taken = {.address = weft_wire_get64(header),
                                  .rkey = weft_wire_get32(header + 8)};
    struct weft_responder *responder = &qp->responder;
    bool room =
        responder->read_depth && weft_resource_at(responder, responder->read_depth)->answered;
    if ((taken.address & 7) || !room) {
        weft_responder_refuse_request(qp, packet);
        return;
    }
    void *memory =
        weft_rkey_resolve(&qp->port->regions, taken.rkey, taken.address, sizeof(uint64_t));
    if (!memory) {
        weft_responder_refuse_access(qp, packet->psn, taken.rkey);
        return;
    }
    taken.result = execute_atomic(memory, packet);
    accept(qp, packet, &taken);
}

void weft_responder_request(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    if (qp->responder.kind != WEFT_OPCODE_NONE)
        weft_responder_refuse_request(qp, packet);
    else if (packet->opcode->kind == WEFT_OPCODE_READ_REQUEST)
        request_read(qp, packet);
    else
        request_atomic(qp, packet);
}

/* Asked for again, from the start or from the middle on: it must be a part of what was asked for
 * first, or it is nobody's (IBTA vol. 1, 9.7.2.2.1). */
static void repeat_read(struct weft_roce_qp *qp, struct weft_resource *resource, uint32_t index,
                        const struct weft_packet *packet)
{
    const uint8_t *reth = weft_packet_extension(packet, 0);
    uint32_t offset_bytes = index << qp->mtu_shift;
    uint32_t len_bytes = weft_wire_get32(reth + 12);
    if (weft_wire_get64(reth) != resource->address + offset_bytes ||
        weft_wire_get32(reth + 8) != resource->rkey ||
        len_bytes > resource->len_bytes - offset_bytes)
        return;
    run(qp, resource, index, len_bytes);
}

void weft_responder_repeat(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    struct weft_responder *responder = &qp->responder;
    for (uint32_t back = 1; back <= responder->read_depth; back++) {
        struct weft_resource *resource = weft_resource_at(responder, back);
        uint32_t index = (packet->psn - resource->psn) & WEFT_ROCE_NUMBER_MASK;
        if (index >= resource->packets)
            continue;
        if (resource->kind != packet->opcode->kind)
            return;
        if (resource->kind == WEFT_OPCODE_READ_REQUEST)
            repeat_read(qp, resource, index, packet);
        else
            run(qp, resource, 0, 0);
        return;
    }
}

static uint8_t read_opcode(const struct weft_resource *resource)
{
    bool first = resource->next == resource->start;
    bool last = resource->next + 1 == resource->end;
    if (first)
        return last ? WEFT_OPCODE_RC_READ_RESPONSE_ONLY : WEFT_OPCODE_RC_READ_RESPONSE_FIRST;
    return last ? WEFT_OPCODE_RC_READ_RESPONSE_LAST : WEFT_OPCODE_RC_READ_RESPONSE_MIDDLE;
}

static bool build_read(struct weft_roce_qp *qp, const struct weft_resource *resource,
                       struct weft_roce_frame *frame)
{
    uint32_t psn = (resource->psn + resource->next) & WEFT_ROCE_NUMBER_MASK;
    uint32_t offset_bytes = resource->next << qp->mtu_shift;
    uint32_t len_bytes = resource->end_bytes - offset_bytes;
    if (len_bytes > qp->mtu_bytes)
        len_bytes = qp->mtu_bytes;
    /* Each time, as the region may have gone. */
    const uint8_t *payload = NULL;
    if (len_bytes) {
        payload = weft_rkey_resolve(&qp->port->regions, resource->rkey,
                                    resource->address + offset_bytes, len_bytes);
        if (!payload) {
            weft_responses_drop(qp);
            weft_responder_refuse_access(qp, psn, resource->rkey);
            return false;
        }
    }
    uint8_t opcode = read_opcode(resource);
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + len_bytes);
    uint8_t *at = weft_build_start(&qp->path, frame->data, opcode, psn, len_bytes);
    if (weft_opcodes[opcode].headers & WEFT_HEADER_AETH) {
        weft_wire_put32(at, weft_credit_tell(&qp->responder));
        at += WEFT_AETH_BYTES;
    }
    frame->len_bytes = weft_build_finish(&qp->path, frame->data, at, payload, len_bytes);
    return true;
}

static void build_atomic(struct weft_roce_qp *qp, const struct weft_resource *resource,
                         struct weft_roce_frame *frame)
{
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX);
    uint8_t *at = weft_build_start(&qp->path, frame->data, WEFT_OPCODE_RC_ATOMIC_ACKNOWLEDGE,
                                   resource->psn, 0);
    weft_wire_put32(at, weft_credit_tell(&qp->responder));
    weft_wire_put64(at + WEFT_AETH_BYTES, resource->result);
    at += WEFT_AETH_BYTES + WEFT_ATOMIC_ACK_ETH_BYTES;
    frame->len_bytes = weft_build_finish(&qp->path, frame->data, at, NULL, 0);
}

/* In the requester's order. */
static struct weft_resource *oldest_due(struct weft_responder *responder)
{
    for (uint32_t back = responder->read_depth; back > 0; back--)
        if (weft_resource_due(weft_resource_at(responder, back)))
            return weft_resource_at(responder, back);
    return NULL;
}

uint32_t weft_responder_respond(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                uint32_t count)
{
    struct weft_responder *responder = &qp->responder;
    uint32_t filled = 0;
    while (filled < count && qp->responding) {
        struct weft_resource *resource = oldest_due(responder);
        assert(resource);
        for (; filled < count && weft_resource_due(resource); resource->next++) {
            if (resource->kind == WEFT_OPCODE_ATOMIC)
                build_atomic(qp, resource, &frames[filled++]);
            else if (build_read(qp, resource, &frames[filled]))
                filled++;
            else
                return filled;
        }
        if (weft_resource_due(resource))
            break;
        resource->answered = true;
        qp->responding--;
    }
    if (!qp->responding && responder->answer != WEFT_ANSWER_NONE)
        weft_qp_answer(qp, (enum weft_answer)responder->answer);
    return filled;
}
