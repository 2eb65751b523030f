/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/qp.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/base/address.h"
#include "drivers/roce/base/ring.h"
#include "drivers/roce/transport/cq.h"
#include "drivers/roce/transport/failure.h"
#include "drivers/roce/transport/flow.h"
#include "drivers/roce/transport/ready.h"

/* An index into the table below random bits; 0 and 1 are the management queue pairs', all ones is
 * multicast. A slot's next number differs from the one before: late packets find nobody. */
static uint32_t new_number(struct weft_roce_port *port, uint32_t slot)
{
    for (;;) {
        uint32_t random = (uint32_t)weft_random_next(&port->random) & WEFT_ROCE_NUMBER_MASK;
        uint32_t number = (random & ~port->qp_mask) | slot;
        if (number > port->qp_mask && number > 1 && number != WEFT_ROCE_NUMBER_MASK)
            return number;
    }
}

static void number_qp(struct weft_roce_port *port, struct weft_roce_qp *qp)
{
    uint32_t slot = port->qp_next;
    while (port->qps[slot])
        slot = (slot + 1) & port->qp_mask;
    port->qps[slot] = qp;
    port->qp_next = (slot + 1) & port->qp_mask;
    port->qp_count++;
    qp->qpn = new_number(port, slot);
}

static bool allocate_queues(struct weft_roce_qp *qp, const struct weft_roce_qp_options *options)
{
    struct weft_requester *requester = &qp->requester;
    struct weft_responder *responder = &qp->responder;
    uint32_t sends = weft_ring_size(options->send_depth);
    uint32_t receives = weft_ring_size(options->receive_depth);
    uint32_t inline_bytes = options->inline_bytes;
    if (inline_bytes > WEFT_ROCE_INLINE_MAX)
        inline_bytes = WEFT_ROCE_INLINE_MAX;
    requester->mask = sends - 1;
    requester->depth = options->send_depth;
    requester->inline_bytes = inline_bytes;
    requester->inline_stride = (inline_bytes + 63u) & ~63u;
    requester->sends = calloc(sends, sizeof(*requester->sends));
    requester->inlined = calloc(sends, requester->inline_stride ? requester->inline_stride : 1);
    responder->mask = receives - 1;
    responder->depth = options->receive_depth;
    responder->receives = calloc(receives, sizeof(*responder->receives));
    return requester->sends && requester->inlined && responder->receives;
}

/* What READs and atomics need, at both ends. */
static bool allocate_resources(struct weft_roce_qp *qp, const struct weft_roce_qp_options *options)
{
    struct weft_responder *responder = &qp->responder;
    uint32_t depth = options->read_depth;
    if (depth > WEFT_ROCE_READ_DEPTH_MAX)
        depth = WEFT_ROCE_READ_DEPTH_MAX;
    if (!depth || options->transport != WEFT_TRANSPORT_RC)
        return true;
    uint32_t size = weft_ring_size(depth);
    responder->read_depth = (uint16_t)depth;
    responder->resource_mask = size - 1;
    responder->resources = calloc(size, sizeof(*responder->resources));
    qp->requester.operands = calloc(qp->requester.mask + 1u, sizeof(*qp->requester.operands));
    if (!responder->resources || !qp->requester.operands)
        return false;
    for (uint32_t i = 0; i < size; i++)
        responder->resources[i].answered = true;
    return true;
}

static void free_qp(struct weft_roce_qp *qp)
{
    free(qp->requester.sends);
    free(qp->requester.inlined);
    free(qp->requester.operands);
    free(qp->responder.receives);
    free(qp->responder.resources);
    free(qp);
}

static enum weft_status check_options(const struct weft_roce_port *port,
                                      const struct weft_roce_qp_options *options,
                                      struct weft_error *error)
{
    if ((unsigned)options->transport >= WEFT_TRANSPORT_COUNT)
        return weft_error_set(error, WEFT_UNSUPPORTED, "transport %d is unknown: use RC, UC or UD",
                              (int)options->transport);
    if (!options->send_depth || options->send_depth > WEFT_ROCE_QUEUE_DEPTH_MAX ||
        options->receive_depth > WEFT_ROCE_QUEUE_DEPTH_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "queues of %u sends and %u receives: sends must be 1 to %u, "
                              "receives up to %u",
                              options->send_depth, options->receive_depth,
                              WEFT_ROCE_QUEUE_DEPTH_MAX, WEFT_ROCE_QUEUE_DEPTH_MAX);
    if (port->qp_count == port->qp_max)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "all %u endpoints of this port are in use; open the device with a "
                              "larger max_endpoints",
                              port->qp_max);
    const struct weft_roce_cq *cq = options->cq;
    uint32_t wanted = options->send_depth + options->receive_depth;
    if (wanted > cq->depth - cq->reserved)
        return weft_error_set(error, WEFT_INVALID,
                              "the completion queue of %u entries has %u left and this endpoint "
                              "may need %u; make the queue larger",
                              cq->depth, cq->depth - cq->reserved, wanted);
    return WEFT_OK;
}

enum weft_status weft_roce_qp_create(struct weft_roce_port *port,
                                     const struct weft_roce_qp_options *options,
                                     struct weft_roce_qp **ret_qp, struct weft_error *error)
{
    assert(port && options && options->cq && options->cq->port == port && ret_qp);
    enum weft_status status = check_options(port, options, error);
    if (status != WEFT_OK)
        return status;
    struct weft_roce_qp *qp = aligned_alloc(64, (sizeof(*qp) + 63u) & ~(size_t)63);
    if (!qp)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for an endpoint");
    memset(qp, 0, sizeof(*qp));
    if (!allocate_queues(qp, options) || !allocate_resources(qp, options)) {
        free_qp(qp);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for queues of %u and %u works",
                              options->send_depth, options->receive_depth);
    }
    qp->port = port;
    qp->cq = options->cq;
    qp->user = options->user;
    qp->transport = (uint8_t)options->transport;
    qp->source_port = options->source_port;
    qp->mtu_bytes = port->mtu_bytes;
    qp->mtu_shift = port->mtu_shift;
    qp->initial_psn = (uint32_t)weft_random_next(&port->random) & WEFT_ROCE_NUMBER_MASK;
    if (options->transport == WEFT_TRANSPORT_UD) {
        /* The top bit is for privileged keys. */
        qp->qkey = (uint32_t)weft_random_next(&port->random) & 0x7fffffffu;
        qp->state = WEFT_ENDPOINT_READY;
        port->datagram_qps++;
    }
    weft_link_init(&qp->active);
    weft_link_init(&qp->answer);
    weft_timer_init(&qp->timer, WEFT_TIMER_QP);
    weft_flow_init(qp);
    qp->cq->reserved += options->send_depth + options->receive_depth;
    number_qp(port, qp);
    *ret_qp = qp;
    return WEFT_OK;
}

void weft_roce_qp_destroy(struct weft_roce_port *port, struct weft_roce_qp *qp)
{
    if (!qp)
        return;
    assert(qp->port == port && port->qps[qp->qpn & port->qp_mask] == qp);
    assert(!qp->destination_count);
    port->datagram_qps -= qp->transport == WEFT_TRANSPORT_UD;
    weft_path_close(&qp->path);
    weft_timer_cancel(&qp->timer);
    weft_link_remove(&qp->active);
    weft_link_remove(&qp->answer);
    weft_flow_fini(qp);
    weft_cq_purge(qp->cq, qp);
    qp->cq->reserved -= qp->requester.depth + qp->responder.depth;
    port->qps[qp->qpn & port->qp_mask] = NULL;
    port->qp_count--;
    free_qp(qp);
}

void weft_roce_qp_address(const struct weft_roce_qp *qp, struct weft_endpoint_address *ret_address)
{
    *ret_address = (struct weft_endpoint_address){
        .qpn = qp->qpn,
        .psn = qp->initial_psn,
        .qkey = qp->qkey,
        .mtu_bytes = qp->port->mtu_bytes,
        .read_depth = qp->responder.read_depth,
    };
    weft_ip_to_gid(&qp->port->interface.address, ret_address->gid);
}

static enum weft_status check_peer(const struct weft_roce_qp *qp,
                                   const struct weft_endpoint_address *peer,
                                   struct weft_error *error)
{
    if (qp->transport == WEFT_TRANSPORT_UD)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "a UD endpoint is not connected; create destinations on it");
    if (qp->state != WEFT_ENDPOINT_NEW)
        return weft_error_set(error, WEFT_EXISTS, "this endpoint has been connected before");
    uint32_t mtu_bytes = peer->mtu_bytes;
    if (mtu_bytes < 256 || mtu_bytes > 4096 || (mtu_bytes & (mtu_bytes - 1)) != 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the peer's path MTU is %u; it must be 256, 512, 1024, 2048 or 4096",
                              mtu_bytes);
    if (peer->psn > WEFT_ROCE_NUMBER_MASK)
        return weft_error_set(error, WEFT_INVALID,
                              "the peer's first packet sequence number %#x has more than 24 bits",
                              peer->psn);
    return WEFT_OK;
}

static void start_sequences(struct weft_roce_qp *qp, const struct weft_endpoint_address *peer)
{
    qp->peer_qpn = peer->qpn;
    if (peer->mtu_bytes < qp->mtu_bytes)
        qp->mtu_bytes = peer->mtu_bytes;
    qp->mtu_shift = (uint8_t)__builtin_ctz(qp->mtu_bytes);
    qp->requester.reads_max =
        peer->read_depth < qp->responder.read_depth ? peer->read_depth : qp->responder.read_depth;
    qp->requester.posted_sequence = qp->initial_psn;
    qp->requester.next_sequence = qp->initial_psn;
    qp->requester.sent_sequence = qp->initial_psn;
    qp->requester.acked_sequence = qp->initial_psn;
    qp->responder.expected_psn = peer->psn;
}

enum weft_status weft_roce_qp_connect(struct weft_roce_qp *qp,
                                      const struct weft_endpoint_address *peer,
                                      struct weft_error *error)
{
    enum weft_status status = check_peer(qp, peer, error);
    if (status != WEFT_OK)
        return status;
    status = weft_path_open(&qp->port->neighbours, &qp->path,
                            &(struct weft_path_ends){.peer_gid = peer->gid,
                                                     .local_qpn = qp->qpn,
                                                     .peer_qpn = peer->qpn,
                                                     .source_port = qp->source_port,
                                                     .controlled = qp->port->flows.controlled,
                                                     .qp = qp},
                            error);
    if (status != WEFT_OK)
        return status;
    start_sequences(qp, peer);
    qp->state = WEFT_ENDPOINT_CONNECTING;
    weft_qp_neighbour_changed(qp);
    return WEFT_OK;
}

void weft_qp_neighbour_changed(struct weft_roce_qp *qp)
{
    if (qp->path.neighbour->state == WEFT_ENDPOINT_FAILED) {
        weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_NEIGHBOUR,
                                                 .send_status = WEFT_FLUSHED,
                                                 .receive_status = WEFT_FLUSHED});
        return;
    }
    if (!weft_path_ready(&qp->path))
        return;
    if (qp->state == WEFT_ENDPOINT_CONNECTING)
        qp->state = WEFT_ENDPOINT_READY;
    if (qp->responder.answer != WEFT_ANSWER_NONE)
        weft_qp_answer(qp, (enum weft_answer)qp->responder.answer);
    weft_qp_activate(qp);
}

const struct weft_endpoint_counters *weft_roce_qp_counters(const struct weft_roce_qp *qp)
{
    return &qp->counters;
}
