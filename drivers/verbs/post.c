/* SPDX-License-Identifier: BSD-3-Clause */
/* Posting: works become a chain of work requests on the stack, handed over in one call. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>

#include "drivers/verbs/internal.h"

struct send_batch {
    struct ibv_send_wr requests[WEFT_VERBS_BATCH];
    struct ibv_sge elements[WEFT_VERBS_BATCH];
};

struct receive_batch {
    struct ibv_recv_wr requests[WEFT_VERBS_BATCH];
    struct ibv_sge elements[WEFT_VERBS_BATCH];
};

static uint64_t tag_of(const struct weft_endpoint *endpoint, bool is_receive, uint32_t slot)
{
    struct weft_verbs_tag tag = {
        .endpoint = endpoint->place,
        .generation = endpoint->device->generations[endpoint->place],
        .is_receive = is_receive,
        .slot = slot,
    };
    return weft_verbs_tag_pack(&tag);
}

/* No element at all where there are no bytes: an empty one is refused by some devices. */
static int element(const struct weft_work *work, struct ibv_sge *ret_element)
{
    *ret_element = (struct ibv_sge){
        .addr = (uintptr_t)work->memory,
        .length = work->len_bytes,
        .lkey = work->lkey,
    };
    return work->len_bytes > 0;
}

static enum ibv_wr_opcode opcode_of(enum weft_operation operation)
{
    switch (operation) {
    case WEFT_OPERATION_SEND:
        return IBV_WR_SEND;
    case WEFT_OPERATION_WRITE:
        return IBV_WR_RDMA_WRITE;
    case WEFT_OPERATION_WRITE_IMMEDIATE:
        return IBV_WR_RDMA_WRITE_WITH_IMM;
    case WEFT_OPERATION_SEND_IMMEDIATE:
        return IBV_WR_SEND_WITH_IMM;
    case WEFT_OPERATION_READ:
        return IBV_WR_RDMA_READ;
    case WEFT_OPERATION_COMPARE_SWAP:
        return IBV_WR_ATOMIC_CMP_AND_SWP;
    case WEFT_OPERATION_FETCH_ADD:
        return IBV_WR_ATOMIC_FETCH_AND_ADD;
    case WEFT_OPERATION_RECEIVE:
    case WEFT_OPERATION_COUNT:
        break;
    }
    assert(operation < WEFT_OPERATION_RECEIVE);
    return IBV_WR_SEND;
}

static void address_datagram(const struct weft_endpoint *endpoint, const struct weft_work *work,
                             struct ibv_send_wr *request)
{
    assert(weft_verbs_is_send(work->operation) && work->destination);
    assert(work->len_bytes <= endpoint->device->capabilities.mtu_bytes);
    request->wr.ud.ah = work->destination->ah;
    request->wr.ud.remote_qpn = work->destination->qpn;
    request->wr.ud.remote_qkey = work->destination->qkey;
}

/* What was there comes back in host order: that is what IBV_ATOMIC_HCA and GLOB promise. */
static void address_atomic(const struct weft_work *work, struct ibv_send_wr *request)
{
    bool swaps = work->operation == WEFT_OPERATION_COMPARE_SWAP;
    assert(work->len_bytes == sizeof(uint64_t));
    request->wr.atomic.remote_addr = work->remote_address;
    request->wr.atomic.rkey = work->rkey;
    request->wr.atomic.compare_add = swaps ? work->compare : work->operand;
    request->wr.atomic.swap = swaps ? work->operand : 0;
}

static void address_connected(const struct weft_endpoint *endpoint, const struct weft_work *work,
                              struct ibv_send_wr *request)
{
    assert(work->len_bytes <= endpoint->device->capabilities.max_message_bytes);
    if (weft_verbs_is_send(work->operation))
        return;
    if (weft_verbs_is_atomic(work->operation)) {
        address_atomic(work, request);
        return;
    }
    request->wr.rdma.remote_addr = work->remote_address;
    request->wr.rdma.rkey = work->rkey;
}

static void build_send(struct weft_endpoint *endpoint, const struct weft_work *work,
                       struct ibv_send_wr *request, struct ibv_sge *sge)
{
    uint32_t slot = weft_verbs_window_take(&endpoint->send);
    bool signaled = weft_verbs_window_signal(&endpoint->send, !work->unsignaled);
    assert(endpoint->device->capabilities.operations & WEFT_BIT(work->operation));
    assert(!work->inlined ||
           (work->len_bytes <= endpoint->inline_bytes && !weft_verbs_fetches(work->operation)));
    endpoint->send_slots[slot] = (struct weft_verbs_slot){
        .id = work->id,
        .operation = work->operation,
        .len_bytes = work->len_bytes,
        .unsignaled = work->unsignaled,
    };
    *request = (struct ibv_send_wr){
        .wr_id = tag_of(endpoint, false, slot),
        .sg_list = sge,
        .num_sge = element(work, sge),
        .opcode = opcode_of(work->operation),
        .imm_data = htonl(work->immediate),
        .send_flags = (signaled ? IBV_SEND_SIGNALED : 0u) | (work->inlined ? IBV_SEND_INLINE : 0u),
    };
    if (endpoint->transport == WEFT_TRANSPORT_UD)
        address_datagram(endpoint, work, request);
    else
        address_connected(endpoint, work, request);
}

/* A work that the device refuses for more than want of room ends as a failed completion, for a post
 * has no other way to say why. False: there is no room for it either. */
static bool refuse(struct weft_endpoint *endpoint, const struct weft_work *work,
                   enum weft_operation operation, int number)
{
    struct weft_cq *cq = endpoint->cq;
    if (number == ENOMEM || !weft_completions_room(&cq->completions))
        return false;
    enum weft_status status = number == EOPNOTSUPP ? WEFT_UNSUPPORTED : WEFT_IO;
    struct weft_completion completion = {
        .id = work->id,
        .user = endpoint->user,
        .status = status,
        .operation = operation,
        .vendor_error = (uint32_t)number,
    };
    weft_completions_put(&cq->completions, &completion);
    if (endpoint->state != WEFT_ENDPOINT_FAILED) {
        endpoint->failure = status;
        endpoint->failure_errno = number;
    }
    endpoint->state = WEFT_ENDPOINT_FAILED;
    return true;
}

/* Returns how many works were taken; fewer than count ends the post. */
static uint32_t send_some(struct weft_endpoint *endpoint, const struct weft_work *works,
                          uint32_t count)
{
    struct send_batch batch;
    for (uint32_t i = 0; i < count; i++) {
        build_send(endpoint, &works[i], &batch.requests[i], &batch.elements[i]);
        batch.requests[i].next = i + 1 < count ? &batch.requests[i + 1] : NULL;
    }
    struct ibv_send_wr *bad = NULL;
    int number = ibv_post_send(endpoint->qp, batch.requests, &bad);
    if (!number)
        return count;
    assert(bad >= batch.requests && bad < batch.requests + count);
    uint32_t taken = (uint32_t)(bad - batch.requests);
    weft_verbs_window_untake(&endpoint->send, count - taken);
    return taken + refuse(endpoint, &works[taken], works[taken].operation, number);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many of the works the queue pair can take: a READ or an atomic to a peer that takes none
 * would lie there for ever. */
static uint32_t possible(const struct weft_endpoint *endpoint, const struct weft_work *works,
                         uint32_t count)
{
    uint32_t i = 0;
    while (i < count && !(weft_verbs_fetches(works[i].operation) && endpoint->peer_depth == 0))
        i++;
    return i;
}

uint32_t weft_verbs_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                              uint32_t count)
{
    /* Before it is connected a queue pair takes no sends; one that failed flushes them. */
    if (endpoint->state < WEFT_ENDPOINT_READY)
        return 0;
    uint32_t taken = 0;
    uint32_t wanted = least(count, weft_verbs_window_room(&endpoint->send));
    while (taken < wanted) {
        const struct weft_work *next = works + taken;
        uint32_t batch = possible(endpoint, next, least(wanted - taken, WEFT_VERBS_BATCH));
        if (batch == 0)
            return taken + refuse(endpoint, next, next->operation, EOPNOTSUPP);
        uint32_t now = send_some(endpoint, next, batch);
        taken += now;
        if (now < batch)
            break;
    }
    return taken;
}

static uint32_t receive_some(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count)
{
    struct receive_batch batch;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = weft_verbs_window_take(&endpoint->receive);
        endpoint->receive_slots[slot] =
            (struct weft_verbs_slot){.id = works[i].id, .operation = WEFT_OPERATION_RECEIVE};
        batch.requests[i] = (struct ibv_recv_wr){
            .wr_id = tag_of(endpoint, true, slot),
            .next = i + 1 < count ? &batch.requests[i + 1] : NULL,
            .sg_list = &batch.elements[i],
            .num_sge = element(&works[i], &batch.elements[i]),
        };
    }
    struct ibv_recv_wr *bad = NULL;
    int number = ibv_post_recv(endpoint->qp, batch.requests, &bad);
    if (!number)
        return count;
    assert(bad >= batch.requests && bad < batch.requests + count);
    uint32_t taken = (uint32_t)(bad - batch.requests);
    weft_verbs_window_untake(&endpoint->receive, count - taken);
    return taken + refuse(endpoint, &works[taken], WEFT_OPERATION_RECEIVE, number);
}

uint32_t weft_verbs_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                 uint32_t count)
{
    uint32_t taken = 0;
    uint32_t wanted = least(count, weft_verbs_window_room(&endpoint->receive));
    while (taken < wanted) {
        uint32_t batch = least(wanted - taken, WEFT_VERBS_BATCH);
        uint32_t now = receive_some(endpoint, works + taken, batch);
        taken += now;
        if (now < batch)
            break;
    }
    return taken;
}
