/* SPDX-License-Identifier: BSD-3-Clause */
/* The data path: a send is executed by the thread that posts it, or by its progress where it had to
 * wait for a receive. */
#include <assert.h>
#include <string.h>

#include "drivers/null/internal.h"

static bool is_send(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE;
}

static bool is_atomic(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD;
}

static bool takes_receive(enum weft_operation operation)
{
    return is_send(operation) || operation == WEFT_OPERATION_WRITE_IMMEDIATE;
}

/* What the sender learns before a byte moves. */
static enum weft_status check_work(const struct weft_endpoint *endpoint,
                                   const struct weft_work *work)
{
    const struct weft_null_mailbox *peer = endpoint->peer;
    if (atomic_load_explicit(&peer->closed, memory_order_acquire))
        return WEFT_RETRY_EXCEEDED;
    if (!work->len_bytes)
        return WEFT_OK;
    if (!work->inlined && !weft_null_region_holds(endpoint->device->regions, work->lkey,
                                                  (uintptr_t)work->memory, work->len_bytes))
        return WEFT_LOCAL_PROTECTION;
    if (is_atomic(work->operation) && (work->remote_address & 7))
        return WEFT_REMOTE_INVALID_REQUEST;
    if (!is_send(work->operation) &&
        !weft_null_region_holds(peer->regions, work->rkey, work->remote_address, work->len_bytes))
        return WEFT_REMOTE_ACCESS;
    return WEFT_OK;
}

static void execute_atomic(uint64_t *memory, const struct weft_work *work)
{
    uint64_t before = work->compare;
    if (work->operation == WEFT_OPERATION_FETCH_ADD)
        before = __atomic_fetch_add(memory, work->operand, __ATOMIC_SEQ_CST);
    else
        (void)__atomic_compare_exchange_n(memory, &before, work->operand, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST);
    memcpy(work->memory, &before, sizeof(before));
}

static void copy(const struct weft_work *work, const struct weft_null_posted *posted)
{
    if (!work->len_bytes)
        return;
    uint8_t *remote = (uint8_t *)(uintptr_t)work->remote_address;
    uint8_t *target = is_send(work->operation) ? posted->memory : remote;
    assert(target && work->memory);
    if (is_atomic(work->operation))
        execute_atomic((uint64_t *)(uintptr_t)work->remote_address, work);
    else if (work->operation == WEFT_OPERATION_READ)
        memcpy(work->memory, remote, work->len_bytes);
    else if (work->operation == WEFT_OPERATION_WRITE)
        weft_null_copy_ordered(target, work->memory, work->len_bytes);
    else
        memcpy(target, work->memory, work->len_bytes);
}

static bool fetches(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_READ || is_atomic(operation);
}

static enum weft_status execute(struct weft_endpoint *endpoint, const struct weft_work *work)
{
    if (endpoint->failure != WEFT_OK)
        return WEFT_FLUSHED;
    enum weft_status status = check_work(endpoint, work);
    if (status != WEFT_OK)
        return status;
    struct weft_null_posted posted = {0};
    if (takes_receive(work->operation) && !weft_null_mailbox_next(endpoint->peer, &posted))
        return WEFT_AGAIN;
    struct weft_null_arrival arrival = {.id = posted.id,
                                        .len_bytes = work->len_bytes,
                                        .immediate = work->immediate,
                                        .has_immediate = work->operation != WEFT_OPERATION_SEND};
    if (is_send(work->operation) && work->len_bytes > posted.len_bytes) {
        arrival.status = WEFT_LOCAL_LENGTH;
        weft_null_mailbox_deliver(endpoint->peer, &arrival);
        return WEFT_REMOTE_INVALID_REQUEST;
    }
    copy(work, &posted);
    if (fetches(work->operation))
        endpoint->fetched_bytes += work->operation == WEFT_OPERATION_READ ? work->len_bytes : 0;
    else
        weft_null_mailbox_count(endpoint->peer, work->len_bytes);
    if (takes_receive(work->operation))
        weft_null_mailbox_deliver(endpoint->peer, &arrival);
    endpoint->device->counters.sent_packets++;
    endpoint->device->counters.sent_bytes += work->len_bytes;
    return WEFT_OK;
}

uint32_t weft_null_run_sends(struct weft_endpoint *endpoint)
{
    uint32_t done = 0;
    for (; endpoint->peer && endpoint->send_next != endpoint->send_head; done++) {
        struct weft_null_send *send = &endpoint->sends[endpoint->send_next & endpoint->send_mask];
        send->status = execute(endpoint, &send->work);
        if (send->status == WEFT_AGAIN)
            break;
        if (send->status != WEFT_OK && endpoint->failure == WEFT_OK) {
            endpoint->failure = send->status;
            endpoint->state = WEFT_ENDPOINT_FAILED;
        }
        endpoint->send_next++;
    }
    return done;
}

static void queue_send(struct weft_endpoint *endpoint, const struct weft_work *work)
{
    assert(work->operation < WEFT_OPERATION_RECEIVE);
    assert(work->len_bytes <= WEFT_MESSAGE_BYTES_MAX);
    assert(!work->inlined ||
           (work->len_bytes <= WEFT_NULL_INLINE_BYTES && !fetches(work->operation)));
    assert(!is_atomic(work->operation) || work->len_bytes == sizeof(uint64_t));
    uint64_t place = endpoint->send_head & endpoint->send_mask;
    struct weft_null_send *send = &endpoint->sends[place];
    send->work = *work;
    endpoint->send_head++;
    (void)weft_null_run_sends(endpoint);
    /* The caller may use the memory again at once, so what waits needs a copy. */
    if (work->inlined && work->len_bytes && endpoint->send_next != endpoint->send_head) {
        send->work.memory = endpoint->inline_copies + place * WEFT_NULL_INLINE_BYTES;
        memcpy(send->work.memory, work->memory, work->len_bytes);
    }
}

uint32_t weft_null_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count)
{
    uint32_t taken = 0;
    for (; taken < count; taken++) {
        if (endpoint->send_head - endpoint->send_tail == endpoint->send_depth)
            break;
        queue_send(endpoint, &works[taken]);
    }
    return taken;
}

uint32_t weft_null_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                uint32_t count)
{
    uint32_t taken = 0;
    for (; taken < count; taken++) {
        const struct weft_work *work = &works[taken];
        assert(!work->len_bytes ||
               weft_null_region_holds(endpoint->device->regions, work->lkey,
                                      (uintptr_t)work->memory, work->len_bytes));
        struct weft_null_posted posted = {
            .id = work->id, .memory = work->memory, .len_bytes = work->len_bytes};
        if (!weft_null_mailbox_post(endpoint->mailbox, &posted))
            break;
    }
    return taken;
}

static void complete(struct weft_cq *cq, const struct weft_completion *completion)
{
    assert(cq->head - cq->tail < cq->depth);
    cq->completions[cq->head++ & cq->mask] = *completion;
}

static uint32_t take_sent(struct weft_endpoint *endpoint)
{
    uint32_t done = 0;
    for (; endpoint->send_tail != endpoint->send_next; endpoint->send_tail++, done++) {
        const struct weft_null_send *send =
            &endpoint->sends[endpoint->send_tail & endpoint->send_mask];
        if (send->work.unsignaled && send->status == WEFT_OK)
            continue;
        struct weft_completion completion = {.id = send->work.id,
                                             .user = endpoint->user,
                                             .status = send->status,
                                             .operation = send->work.operation};
        complete(endpoint->cq, &completion);
    }
    return done;
}

static uint32_t take_received(struct weft_endpoint *endpoint)
{
    uint32_t done = 0;
    struct weft_null_arrival arrival;
    for (; done < endpoint->mailbox->depth && weft_null_mailbox_take(endpoint->mailbox, &arrival);
         done++) {
        struct weft_completion completion = {.id = arrival.id,
                                             .user = endpoint->user,
                                             .status = arrival.status,
                                             .operation = WEFT_OPERATION_RECEIVE,
                                             .len_bytes = arrival.len_bytes,
                                             .immediate = arrival.immediate,
                                             .has_immediate = arrival.has_immediate};
        complete(endpoint->cq, &completion);
    }
    return done;
}

/* The peer writes its count; the public counters are this thread's. */
static void take_counters(struct weft_endpoint *endpoint, uint32_t received)
{
    struct weft_device_counters *counters = &endpoint->device->counters;
    uint64_t bytes = atomic_load_explicit(&endpoint->mailbox->payload_bytes, memory_order_relaxed) +
                     endpoint->fetched_bytes;
    counters->received_packets += received;
    counters->received_bytes += bytes - endpoint->counted_bytes;
    endpoint->counted_bytes = bytes;
    endpoint->counters.received_payload_bytes = bytes;
}

uint32_t weft_null_progress(struct weft_device *device, uint64_t now_ns)
{
    (void)now_ns;
    uint32_t done = 0;
    for (uint32_t i = 0; i < device->endpoint_count; i++) {
        struct weft_endpoint *endpoint = device->endpoints[i];
        done += weft_null_run_sends(endpoint);
        done += take_sent(endpoint);
        uint32_t received = take_received(endpoint);
        take_counters(endpoint, received);
        done += received;
    }
    return done;
}

uint32_t weft_null_cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count)
{
    uint32_t taken = 0;
    for (; taken < count && cq->tail != cq->head; taken++)
        completions[taken] = cq->completions[cq->tail++ & cq->mask];
    return taken;
}
