/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/ud.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/neighbour/explain.h"
#include "drivers/roce/transport/complete.h"
#include "drivers/roce/transport/cq.h"
#include "drivers/roce/transport/failure.h"

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
        weft_path_open(&qp->port->neighbours, &destination->path,
                       &(struct weft_path_ends){.peer_gid = peer->gid,
                                                .local_qpn = qp->qpn,
                                                .peer_qpn = peer->qpn,
                                                .qkey = peer->qkey,
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
        (void)weft_neighbour_error(destination->path.neighbours, neighbour, error);
    return neighbour->state;
}

void weft_roce_destination_destroy(struct weft_roce_qp *qp,
                                   struct weft_roce_destination *destination)
{
    if (!destination)
        return;
    assert(qp->destination_count);
    qp->destination_count--;
    weft_path_close(&destination->path);
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
        bad_lkey = !weft_lkey_valid(&qp->port->regions, work->lkey, memory, len_bytes);
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

/* On its own, lest the one without gets slower. */
static __attribute__((noinline)) void build_plain(const struct weft_path_kind *kind,
                                                  const uint8_t *payload, uint32_t psn,
                                                  struct weft_roce_frame *frame)
{
    uint8_t *at = weft_kind_start(kind, frame->data, psn);
    frame->len_bytes = weft_kind_finish(kind, frame->data, at, payload);
}

static __attribute__((noinline)) void build_immediate(const struct weft_send *work, uint32_t psn,
                                                      struct weft_roce_frame *frame)
{
    const struct weft_path_kind *kind = weft_path_kind(
        &work->destination->path, WEFT_OPCODE_UD_SEND_ONLY_IMMEDIATE, work->len_bytes);
    uint8_t *at = weft_kind_start(kind, frame->data, psn);
    weft_wire_put32(at, work->immediate);
    frame->len_bytes = weft_kind_finish(kind, frame->data, at + WEFT_IMMEDIATE_BYTES, work->memory);
}

static inline void build(const struct weft_path_kind *kind, const uint8_t *payload, uint32_t psn,
                         struct weft_roce_frame *frame)
{
    if (__builtin_expect(!kind->build, 0)) {
        build_plain(kind, payload, psn, frame);
        return;
    }
    kind->build(kind, frame->data, psn, payload);
    frame->len_bytes = kind->frame_bytes;
}

static inline const struct weft_path_kind *kind_of(struct weft_roce_destination *destination,
                                                   uint32_t len_bytes)
{
    return weft_path_kind(&destination->path, WEFT_OPCODE_UD_SEND_ONLY, len_bytes);
}

static void build_work(const struct weft_send *work, uint32_t psn, struct weft_roce_frame *frame)
{
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + work->len_bytes);
    if (__builtin_expect(work->operation != WEFT_OPERATION_SEND, 0))
        build_immediate(work, psn, frame);
    else
        build(kind_of(work->destination, work->len_bytes), work->memory, psn, frame);
}

static void fail_work(struct weft_roce_qp *qp, const struct weft_send *work)
{
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_SEND,
                                             .detail = work->lkey,
                                             .send_status = WEFT_LOCAL_PROTECTION,
                                             .receive_status = WEFT_FLUSHED});
}

static void complete(struct weft_roce_qp *qp, uint64_t id, enum weft_operation operation)
{
    *weft_cq_put(qp) = (struct weft_completion){
        .id = id, .user = qp->user, .status = WEFT_OK, .operation = operation};
}

/* What one work has in common with the one before, most of the time. */
struct common {
    struct weft_roce_destination *destination;
    const struct weft_path_kind *kind;
    const struct weft_mr *region;
    uint32_t len_bytes;
    uint32_t lkey;
};

static __attribute__((noinline)) void
take_common(const struct weft_roce_qp *qp, const struct weft_work *work, struct common *common)
{
    const struct weft_roce_port *port = qp->port;
    common->destination = (void *)(uintptr_t)work->destination;
    common->len_bytes = work->len_bytes;
    common->lkey = work->lkey;
    assert(reachable(common->destination) && work->len_bytes <= port->mtu_bytes);
    common->kind = kind_of(common->destination, work->len_bytes);
    common->region = weft_lkey_region(&port->regions, work->lkey);
}

static inline bool is_common(const struct weft_work *work, const struct common *common)
{
    return (const void *)work->destination == common->destination &&
           work->len_bytes == common->len_bytes && work->lkey == common->lkey;
}

/* Whether its memory may be read now. One that fails has its turn, as everything unusual has. */
static inline bool readable(const struct weft_roce_qp *qp, const struct weft_work *work,
                            const struct common *common)
{
    if (work->inlined) {
        assert(work->len_bytes <= qp->requester.inline_bytes);
        return true;
    }
    return !work->len_bytes ||
           (common->region &&
            weft_mr_contains(common->region, (uint64_t)(uintptr_t)work->memory, work->len_bytes));
}

/* Builds works into lent frames, in place of queueing them; returns how many. */
static uint32_t build_now(struct weft_roce_qp *qp, const struct weft_work *works, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    struct weft_lent *lent = &qp->port->lent;
    struct weft_roce_frame *frame = lent->frames + lent->filled;
    struct common common;
    uint32_t psn = (uint32_t)requester->next_sequence;
    uint32_t signaled = 0;
    uint32_t i = 0;
    if (count > lent->count - lent->filled)
        count = lent->count - lent->filled;
    if (!count)
        return 0;
    take_common(qp, works, &common);
    for (; i < count; i++, frame++) {
        const struct weft_work *work = &works[i];
        if (work->operation != WEFT_OPERATION_SEND)
            break;
        if (!is_common(work, &common))
            take_common(qp, work, &common);
        if (!readable(qp, work, &common))
            break;
        assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + work->len_bytes);
        build(common.kind, work->memory, (psn + i) & WEFT_ROCE_NUMBER_MASK, frame);
        if (!work->unsignaled) {
            weft_cq_hold(qp->cq);
            complete(qp, work->id, WEFT_OPERATION_SEND);
            signaled++;
        }
    }
    lent->filled += i;
    requester->next_sequence += i;
    requester->outstanding += signaled;
    return i;
}

/* Works keep their order: what is posted after one that waits does so too. */
static bool may_build_now(const struct weft_roce_qp *qp)
{
    const struct weft_requester *requester = &qp->requester;
    return qp->port->lent.filled != qp->port->lent.count && !qp->paced &&
           requester->posted == requester->cursor && weft_link_empty(&qp->port->active);
}

void weft_ud_post_send(struct weft_roce_qp *qp, const struct weft_work *works, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    if (may_build_now(qp)) {
        uint32_t built = build_now(qp, works, count);
        works += built;
        count -= built;
    }
    for (uint32_t i = 0; i < count; i++)
        put(qp, &works[i], (requester->posted + i) & requester->mask);
    requester->posted += count;
    requester->outstanding += count;
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
        build_work(work, (psn + filled) & WEFT_ROCE_NUMBER_MASK, &frames[filled]);
        if (!work->unsignaled) {
            complete(qp, work->id, (enum weft_operation)work->operation);
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
