/* SPDX-License-Identifier: BSD-3-Clause */
/* Posting: works go into the rings; the packets are built when there are frames to fill. */
#include <assert.h>

#include "drivers/roce/transport/complete.h"
#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/responder.h"
#include "drivers/roce/transport/ud.h"

static uint32_t packets_of(const struct weft_roce_qp *qp, uint32_t len_bytes)
{
    if (!len_bytes)
        return 1;
    return ((len_bytes - 1) >> qp->mtu_shift) + 1;
}

/* By operation. */
struct needs {
    bool receive;  /* one of the peer's */
    bool response; /* READs and atomics */
    bool atomic;
};

static const struct needs needs[WEFT_OPERATION_COUNT] = {
    [WEFT_OPERATION_SEND] = {.receive = true},
    [WEFT_OPERATION_SEND_IMMEDIATE] = {.receive = true},
    [WEFT_OPERATION_WRITE_IMMEDIATE] = {.receive = true},
    [WEFT_OPERATION_READ] = {.response = true},
    [WEFT_OPERATION_COMPARE_SWAP] = {.response = true, .atomic = true},
    [WEFT_OPERATION_FETCH_ADD] = {.response = true, .atomic = true},
};

static void check_send(const struct weft_roce_qp *qp, const struct weft_work *work)
{
    assert(work->len_bytes <= WEFT_MESSAGE_BYTES_MAX);
    assert(!work->inlined || work->len_bytes <= qp->requester.inline_bytes);
    assert((unsigned)work->operation < WEFT_OPERATION_RECEIVE);
    if (needs[work->operation].response) {
        assert(qp->transport == WEFT_TRANSPORT_RC && !work->inlined);
        assert(!needs[work->operation].atomic || work->len_bytes == sizeof(uint64_t));
    }
    if (qp->transport != WEFT_TRANSPORT_UD)
        return;
    const struct weft_roce_destination *destination = (const void *)work->destination;
    assert(work->operation == WEFT_OPERATION_SEND ||
           work->operation == WEFT_OPERATION_SEND_IMMEDIATE);
    assert(work->len_bytes <= qp->port->mtu_bytes);
    assert(destination && weft_path_ready(&destination->path));
}

/* A READ or atomic. Where one of the two ends takes none it fails in its turn. */
static void put_request(struct weft_requester *requester, uint32_t slot,
                        const struct weft_work *work)
{
    requester->unanswered++;
    if (!requester->reads_max)
        requester->sends[slot].bad_lkey = true;
    else if (needs[work->operation].atomic)
        requester->operands[slot] =
            (struct weft_operands){.compare = work->compare, .operand = work->operand};
}

static void put_send(struct weft_roce_qp *qp, const struct weft_work *work)
{
    struct weft_requester *requester = &qp->requester;
    const struct needs need = needs[work->operation];
    uint32_t slot = requester->posted++ & requester->mask;
    struct weft_send *send = &requester->sends[slot];
    send->id = work->id;
    send->memory = work->memory;
    send->remote_address = work->remote_address;
    send->first = requester->posted_sequence;
    send->packets = packets_of(qp, work->len_bytes);
    send->len_bytes = work->len_bytes;
    send->rkey = work->rkey;
    send->lkey = work->lkey;
    send->immediate = work->immediate;
    send->operation = (uint8_t)work->operation;
    send->unsignaled = work->unsignaled;
    send->wants_receive = need.receive;
    send->wants_response = need.response;
    send->ssn = ++requester->posted_ssn & WEFT_ROCE_NUMBER_MASK;
    send->bad_lkey = false;
    if (need.response)
        put_request(requester, slot, work);
    requester->posted_sequence += send->packets;
    if (qp->transport == WEFT_TRANSPORT_UD)
        send->destination = (void *)(uintptr_t)work->destination;
    if (!work->len_bytes)
        return;
    if (work->inlined) {
        uint8_t *copy = requester->inlined + (size_t)slot * requester->inline_stride;
        memcpy(copy, work->memory, work->len_bytes);
        send->memory = copy;
    } else if (!weft_lkey_valid(&qp->port->regions, work->lkey, work->memory, work->len_bytes)) {
        send->bad_lkey = true;
    }
}

/* All before have been flushed already. */
static void flush_posted(struct weft_roce_qp *qp)
{
    struct weft_requester *requester = &qp->requester;
    requester->cursor = requester->posted;
    while (requester->completed != requester->posted)
        weft_qp_complete_send(qp, WEFT_FLUSHED, 0);
}

uint32_t weft_roce_post_send(struct weft_roce_qp *qp, const struct weft_work *works, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    /* Before it is connected neither the peer nor the path MTU is known. */
    if (qp->state == WEFT_ENDPOINT_NEW)
        return 0;
    uint32_t room = requester->depth - requester->outstanding;
    if (count > room)
        count = room;
    if (qp->transport == WEFT_TRANSPORT_UD && qp->state == WEFT_ENDPOINT_READY) {
        weft_ud_post_send(qp, works, count);
        weft_qp_activate(qp);
        return count;
    }
    requester->outstanding += count;
    for (uint32_t i = 0; i < count; i++) {
        check_send(qp, &works[i]);
        put_send(qp, &works[i]);
    }
    if (qp->state == WEFT_ENDPOINT_FAILED)
        flush_posted(qp);
    weft_qp_activate(qp);
    return count;
}

static void put_receive(struct weft_roce_qp *qp, const struct weft_work *work)
{
    struct weft_responder *responder = &qp->responder;
    struct weft_receive *receive = &responder->receives[responder->posted++ & responder->mask];
    receive->id = work->id;
    receive->memory = work->memory;
    receive->len_bytes = work->len_bytes;
    receive->lkey = work->lkey;
    receive->bad_lkey = work->len_bytes && !weft_lkey_valid(&qp->port->regions, work->lkey,
                                                            work->memory, work->len_bytes);
    responder->outstanding++;
}

uint32_t weft_roce_post_receive(struct weft_roce_qp *qp, const struct weft_work *works,
                                uint32_t count)
{
    struct weft_responder *responder = &qp->responder;
    uint32_t room = responder->depth - responder->outstanding;
    if (count > room)
        count = room;
    for (uint32_t i = 0; i < count; i++) {
        put_receive(qp, &works[i]);
        if (qp->state == WEFT_ENDPOINT_FAILED)
            (void)weft_qp_complete_receive(qp, WEFT_FLUSHED);
    }
    weft_responder_tell_receives(qp);
    return count;
}
