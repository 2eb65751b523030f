/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/ud.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/cq.h"
#include "drivers/roce/neighbour.h"
#include "drivers/roce/region.h"

enum weft_status weft_roce_destination_create(struct weft_roce_qp *qp,
                                              const struct weft_endpoint_address *peer,
                                              struct weft_roce_destination **ret_destination,
                                              struct weft_error *error)
{
    assert(qp && peer && ret_destination);
    if (qp->transport != WEFT_TRANSPORT_UD)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "destinations are for UD endpoints; connect an RC endpoint");
    struct weft_roce_destination *destination =
        aligned_alloc(_Alignof(struct weft_roce_destination), sizeof(*destination));
    if (!destination)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a UD destination");
    *destination = (struct weft_roce_destination){.qpn = peer->qpn, .qkey = peer->qkey};
    enum weft_status status =
        weft_path_open(qp->port, &destination->path,
                       &(struct weft_path_ends){.peer_gid = peer->gid,
                                                .local_qpn = qp->qpn,
                                                .peer_qpn = peer->qpn,
                                                .source_port = qp->source_port,
                                                .qp = NULL},
                       error);
    if (status != WEFT_OK) {
        free(destination);
        return status;
    }
    qp->destination_count++;
    *ret_destination = destination;
    return WEFT_OK;
}

enum weft_endpoint_state
weft_roce_destination_state(const struct weft_roce_destination *destination,
                            struct weft_error *error)
{
    const struct weft_neighbour *neighbour = destination->path.neighbour;
    if (neighbour->state == WEFT_ENDPOINT_FAILED)
        (void)weft_neighbour_error(destination->path.port, neighbour, error);
    return neighbour->state;
}

void weft_roce_destination_destroy(struct weft_roce_qp *qp,
                                   struct weft_roce_destination *destination)
{
    if (!destination)
        return;
    assert(qp->destination_count);
    qp->destination_count--;
    weft_path_close(qp->port, &destination->path);
    free(destination);
}

static bool reachable(const struct weft_roce_destination *destination)
{
    return destination && weft_path_ready(&destination->path);
}

static void put(struct weft_roce_qp *qp, const struct weft_work *work, uint32_t slot)
{
    struct weft_requester *requester = &qp->requester;
    struct weft_send *send = &requester->sends[slot];
    const uint8_t *memory = work->memory;
    uint32_t len_bytes = work->len_bytes;
    assert(work->operation == WEFT_OPERATION_SEND ||
           work->operation == WEFT_OPERATION_SEND_IMMEDIATE);
    assert(len_bytes <= qp->port->mtu_bytes);
    assert(reachable((const void *)work->destination));
    bool bad_lkey = false;
    if (work->inlined && len_bytes) {
        assert(len_bytes <= requester->inline_bytes);
        uint8_t *copy = requester->inlined + (size_t)slot * requester->inline_stride;
        memory = memcpy(copy, memory, len_bytes);
    } else if (len_bytes) {
        bad_lkey = !weft_lkey_valid(qp->port, work->lkey, memory, len_bytes);
    }
    send->id = work->id;
    send->memory = memory;
    send->destination = (void *)(uintptr_t)work->destination;
    send->len_bytes = len_bytes;
    send->lkey = work->lkey;
    send->immediate = work->immediate;
    send->operation = (uint8_t)work->operation;
    send->unsignaled = work->unsignaled;
    send->bad_lkey = bad_lkey;
}

void weft_ud_post_send(struct weft_roce_qp *qp, const struct weft_work *works, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    for (uint32_t i = 0; i < count; i++)
        put(qp, &works[i], (requester->posted + i) & requester->mask);
    requester->posted += count;
    requester->outstanding += count;
}

static inline void build_as(const struct weft_roce_qp *qp, const struct weft_send *work,
                            uint32_t psn, struct weft_roce_frame *frame, uint8_t opcode)
{
    struct weft_roce_destination *destination = work->destination;
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + work->len_bytes);
    struct weft_path *path = &destination->path;
    const struct weft_path_kind *kind = weft_path_kind(path, opcode, work->len_bytes);
    uint8_t *at = weft_kind_start(path, kind, frame->data, psn & WEFT_ROCE_NUMBER_MASK);
    weft_wire_put32(at, destination->qkey);
    weft_wire_put32(at + 4, qp->qpn);
    at += WEFT_DETH_BYTES;
    if (opcode == WEFT_OPCODE_UD_SEND_ONLY_IMMEDIATE) {
        weft_wire_put32(at, work->immediate);
        at += WEFT_IMMEDIATE_BYTES;
    }
    frame->len_bytes = weft_kind_finish(path, kind, frame->data, at, work->memory);
}

/* On its own, lest the one without gets slower. */
static __attribute__((noinline)) void build_immediate(const struct weft_roce_qp *qp,
                                                      const struct weft_send *work, uint32_t psn,
                                                      struct weft_roce_frame *frame)
{
    build_as(qp, work, psn, frame, WEFT_OPCODE_UD_SEND_ONLY_IMMEDIATE);
}

static inline void build(const struct weft_roce_qp *qp, const struct weft_send *work, uint32_t psn,
                         struct weft_roce_frame *frame)
{
    if (__builtin_expect(work->operation != WEFT_OPERATION_SEND, 0))
        build_immediate(qp, work, psn, frame);
    else
        build_as(qp, work, psn, frame, WEFT_OPCODE_UD_SEND_ONLY);
}

static void fail_work(struct weft_roce_qp *qp, const struct weft_send *work)
{
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_SEND,
                                             .detail = work->lkey,
                                             .send_status = WEFT_LOCAL_PROTECTION,
                                             .receive_status = WEFT_FLUSHED});
}

static void complete(struct weft_roce_qp *qp, const struct weft_send *work)
{
    *weft_cq_put(qp) = (struct weft_completion){.id = work->id,
                                                .user = qp->user,
                                                .status = WEFT_OK,
                                                .operation = (enum weft_operation)work->operation};
}

/* A work is complete once its frame is filled. */
uint32_t weft_ud_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    uint32_t psn = (uint32_t)requester->next_sequence;
    uint32_t waiting = requester->posted - requester->cursor;
    uint32_t filled = 0;
    uint32_t signaled = 0;
    const struct weft_send *bad = NULL;
    if (count > waiting)
        count = waiting;
    for (; filled < count; filled++) {
        uint32_t slot = (requester->cursor + filled) & requester->mask;
        const struct weft_send *work = &requester->sends[slot];
        if (work->bad_lkey) {
            bad = work;
            break;
        }
        build(qp, work, psn + filled, &frames[filled]);
        if (!work->unsignaled) {
            complete(qp, work);
            signaled++;
        }
    }
    requester->cursor += filled;
    requester->completed += filled;
    requester->next_sequence += filled;
    requester->outstanding -= filled - signaled;
    if (bad)
        fail_work(qp, bad);
    return filled;
}

/* The area of the GRH: an IPv4 header lies in its second half (Annex A17.4.5.2). */
static void put_grh(uint8_t *memory, const struct weft_packet *packet)
{
    if (packet->ip_bytes == WEFT_IPV4_BYTES) {
        memset(memory, 0, WEFT_GRH_BYTES - WEFT_IPV4_BYTES);
        memcpy(memory + WEFT_GRH_BYTES - WEFT_IPV4_BYTES, packet->ip, WEFT_IPV4_BYTES);
    } else {
        memcpy(memory, packet->ip, WEFT_GRH_BYTES);
    }
}

/* A mistake of this end's own: dropped in silence, it would keep all later datagrams out. */
static void fail_receive(struct weft_roce_qp *qp)
{
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_RECEIVE,
                                             .send_status = WEFT_FLUSHED,
                                             .receive_status = WEFT_LOCAL_PROTECTION});
}

/* What finds no receive, or one too small, is lost: nobody is told (IBTA vol. 1, 9.8.2). */
void weft_ud_receive(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    if (weft_wire_get32(weft_packet_extension(packet, 0)) != qp->qkey) {
        qp->port->counters.unexpected_packets++;
        return;
    }
    uint32_t len_bytes = WEFT_GRH_BYTES + packet->payload_bytes;
    const struct weft_receive *receive = weft_qp_oldest_receive(qp);
    if (weft_qp_receive_empty(qp) || receive->bad_lkey || receive->len_bytes < len_bytes) {
        qp->port->counters.receive_dropped++;
        if (!weft_qp_receive_empty(qp) && receive->bad_lkey)
            fail_receive(qp);
        return;
    }
    put_grh(receive->memory, packet);
    if (packet->payload_bytes)
        memcpy(receive->memory + WEFT_GRH_BYTES, packet->payload, packet->payload_bytes);
    qp->counters.received_payload_bytes += packet->payload_bytes;
    struct weft_completion *completion = weft_qp_complete_receive(qp, WEFT_OK);
    completion->len_bytes = len_bytes;
    if (packet->opcode->headers & WEFT_HEADER_IMMEDIATE) {
        completion->has_immediate = true;
        completion->immediate = weft_packet_immediate(packet);
    }
}
