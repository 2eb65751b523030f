/* SPDX-License-Identifier: BSD-3-Clause */
/* The data path: a send is done by the thread that posts it, or by its progress where it had to
 * wait for a receive. */
#include <string.h>

#include "drivers/null/internal.h"

/* ---- queues, between two threads without a lock ---- */

/* NULL: the queue is full. The work counts as posted after queue_publish. */
static struct weft_null_slot *queue_free_slot(struct weft_null_queue *queue)
{
    uint64_t posted = atomic_load_explicit(&queue->posted, memory_order_relaxed);
    return posted - queue->completed < queue->depth ? &queue->slots[posted & queue->mask] : NULL;
}

/* One more is posted, or done. */
static void queue_publish(_Atomic uint64_t *count)
{
    uint64_t before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before + 1, memory_order_release);
}

/* The first work that is not done; NULL: there is none. */
static struct weft_null_slot *queue_next(struct weft_null_queue *queue)
{
    uint64_t done = atomic_load_explicit(&queue->done, memory_order_relaxed);
    if (done == atomic_load_explicit(&queue->posted, memory_order_acquire))
        return NULL;
    return &queue->slots[done & queue->mask];
}

static uint32_t queue_complete(struct weft_null_queue *queue, struct weft_completions *completions)
{
    uint64_t done = atomic_load_explicit(&queue->done, memory_order_acquire);
    uint32_t count = (uint32_t)(done - queue->completed);
    for (; queue->completed != done; queue->completed++) {
        const struct weft_null_slot *slot = &queue->slots[queue->completed & queue->mask];
        if (!slot->work.unsignaled || slot->completion.status != WEFT_OK)
            weft_completions_put(completions, &slot->completion);
    }
    return count;
}

/* Does the key stand for a region that holds the whole range? */
static bool holds(const struct weft_device *device, uint32_t key, uint64_t address,
                  uint64_t len_bytes)
{
    uint32_t index = key % WEFT_NULL_REGIONS_MAX;
    if (!key || index >= device->region_count || device->regions[index].lkey != key)
        return false;
    uint64_t start = (uintptr_t)device->regions[index].memory;
    uint64_t held_bytes = device->regions[index].len_bytes;
    return address >= start && address - start <= held_bytes &&
           len_bytes <= held_bytes - (address - start);
}

/* ---- one message ---- */

#define SENDS (WEFT_BIT(WEFT_OPERATION_SEND) | WEFT_BIT(WEFT_OPERATION_SEND_IMMEDIATE))
#define TAKES_RECEIVE (SENDS | WEFT_BIT(WEFT_OPERATION_WRITE_IMMEDIATE))
#define ATOMICS (WEFT_BIT(WEFT_OPERATION_COMPARE_SWAP) | WEFT_BIT(WEFT_OPERATION_FETCH_ADD))
#define FETCHES (ATOMICS | WEFT_BIT(WEFT_OPERATION_READ))

static bool is(const struct weft_work *work, uint32_t operations)
{
    return WEFT_BIT(work->operation) & operations;
}

/* What the sender learns before a byte moves. */
static enum weft_status check_work(const struct weft_endpoint *endpoint,
                                   const struct weft_work *work)
{
    const struct weft_endpoint *peer = endpoint->peer;
    if (atomic_load_explicit(&peer->closed, memory_order_acquire))
        return WEFT_RETRY_EXCEEDED;
    if (!work->len_bytes)
        return WEFT_OK;
    if (!work->inlined &&
        !holds(endpoint->device, work->lkey, (uintptr_t)work->memory, work->len_bytes))
        return WEFT_LOCAL_PROTECTION;
    if (is(work, ATOMICS) && work->remote_address % sizeof(uint64_t))
        return WEFT_REMOTE_INVALID_REQUEST;
    if (!is(work, SENDS) && !holds(peer->device, work->rkey, work->remote_address, work->len_bytes))
        return WEFT_REMOTE_ACCESS;
    return WEFT_OK;
}

/* In rising order, word by word, as a NIC writes memory that somebody may be reading. What is
 * longer is a message's payload, which nobody reads before its completion. */
static void copy_ordered(uint8_t *to, const uint8_t *from, uint32_t len_bytes)
{
    if (((uintptr_t)to | len_bytes) % sizeof(uint64_t) || len_bytes > 8192) {
        memcpy(to, from, len_bytes);
        return;
    }
    for (uint32_t i = 0; i < len_bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, from + i, sizeof(word));
        __atomic_store_n((uint64_t *)(void *)(to + i), word, __ATOMIC_RELEASE);
    }
}

static void do_atomic(uint64_t *remote, const struct weft_work *work)
{
    uint64_t before = work->compare;
    if (work->operation == WEFT_OPERATION_FETCH_ADD)
        before = __atomic_fetch_add(remote, work->operand, __ATOMIC_SEQ_CST);
    else
        (void)__atomic_compare_exchange_n(remote, &before, work->operand, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST);
    memcpy(work->memory, &before, sizeof(before));
}

static void move(const struct weft_work *work, void *remote)
{
    if (is(work, ATOMICS))
        do_atomic(remote, work);
    else if (work->operation == WEFT_OPERATION_READ)
        memcpy(work->memory, remote, work->len_bytes);
    else if (work->operation == WEFT_OPERATION_WRITE)
        copy_ordered(remote, work->memory, work->len_bytes);
    else
        memcpy(remote, work->memory, work->len_bytes);
}

static void finish_receive(struct weft_endpoint *peer, struct weft_null_slot *receive,
                           const struct weft_work *work, enum weft_status status)
{
    receive->completion =
        (struct weft_completion){.id = receive->work.id,
                                 .user = peer->user,
                                 .status = status,
                                 .operation = WEFT_OPERATION_RECEIVE,
                                 .len_bytes = work->len_bytes,
                                 .immediate = work->immediate,
                                 .has_immediate = work->operation != WEFT_OPERATION_SEND};
    queue_publish(&peer->receives.done);
}

static void count_sent(struct weft_endpoint *endpoint, const struct weft_work *work)
{
    endpoint->device->counters.sent_packets++;
    endpoint->device->counters.sent_bytes += work->len_bytes;
    if (work->operation == WEFT_OPERATION_READ)
        endpoint->fetched_bytes += work->len_bytes;
    if (is(work, FETCHES))
        return;
    _Atomic uint64_t *bytes = &endpoint->peer->receives.payload_bytes;
    uint64_t before = atomic_load_explicit(bytes, memory_order_relaxed);
    atomic_store_explicit(bytes, before + work->len_bytes, memory_order_relaxed);
}

/* WEFT_AGAIN: it must wait for a receive. */
static enum weft_status execute(struct weft_endpoint *endpoint, const struct weft_work *work)
{
    if (endpoint->failure != WEFT_OK)
        return WEFT_FLUSHED;
    enum weft_status status = check_work(endpoint, work);
    if (status != WEFT_OK)
        return status;
    struct weft_null_slot *receive = NULL;
    if (is(work, TAKES_RECEIVE) && !(receive = queue_next(&endpoint->peer->receives)))
        return WEFT_AGAIN;
    void *remote = (void *)(uintptr_t)work->remote_address;
    if (is(work, SENDS)) {
        assert(receive);
        remote = receive->work.memory;
        if (work->len_bytes > receive->work.len_bytes) {
            finish_receive(endpoint->peer, receive, work, WEFT_LOCAL_LENGTH);
            return WEFT_REMOTE_INVALID_REQUEST;
        }
    }
    if (work->len_bytes)
        move(work, remote);
    count_sent(endpoint, work);
    if (receive)
        finish_receive(endpoint->peer, receive, work, WEFT_OK);
    return WEFT_OK;
}

/* ---- the data path ---- */

/* Does posted sends in order until one must wait. */
static uint32_t run_sends(struct weft_endpoint *endpoint)
{
    uint32_t done = 0;
    struct weft_null_slot *send;
    for (; endpoint->peer && (send = queue_next(&endpoint->sends)); done++) {
        enum weft_status status = execute(endpoint, &send->work);
        if (status == WEFT_AGAIN)
            break;
        if (status != WEFT_OK && endpoint->failure == WEFT_OK)
            endpoint->failure = status;
        send->completion = (struct weft_completion){.id = send->work.id,
                                                    .user = endpoint->user,
                                                    .status = status,
                                                    .operation = send->work.operation};
        queue_publish(&endpoint->sends.done);
    }
    return done;
}

uint32_t weft_null_post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count)
{
    struct weft_null_queue *sends = &endpoint->sends;
    uint32_t taken = 0;
    struct weft_null_slot *slot;
    for (; taken < count && (slot = queue_free_slot(sends)); taken++) {
        const struct weft_work *work = &works[taken];
        assert(work->operation < WEFT_OPERATION_RECEIVE);
        assert(work->len_bytes <= WEFT_MESSAGE_BYTES_MAX);
        assert(!work->inlined || (work->len_bytes <= WEFT_NULL_INLINE_BYTES && !is(work, FETCHES)));
        assert(!is(work, ATOMICS) || work->len_bytes == sizeof(uint64_t));
        slot->work = *work;
        queue_publish(&sends->posted);
        (void)run_sends(endpoint);
        /* The caller may use the memory again at once, so what waits needs a copy. */
        if (work->inlined && work->len_bytes && queue_next(sends)) {
            slot->work.memory =
                endpoint->inline_copies + (slot - sends->slots) * WEFT_NULL_INLINE_BYTES;
            memcpy(slot->work.memory, work->memory, work->len_bytes);
        }
    }
    return taken;
}

uint32_t weft_null_post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                                uint32_t count)
{
    uint32_t taken = 0;
    struct weft_null_slot *slot;
    for (; taken < count && (slot = queue_free_slot(&endpoint->receives)); taken++) {
        const struct weft_work *work = &works[taken];
        assert(!work->len_bytes ||
               holds(endpoint->device, work->lkey, (uintptr_t)work->memory, work->len_bytes));
        slot->work = (struct weft_work){
            .id = work->id, .memory = work->memory, .len_bytes = work->len_bytes};
        queue_publish(&endpoint->receives.posted);
    }
    return taken;
}

/* The peer writes its count of bytes; the public counters are written by this thread. */
static void take_counters(struct weft_endpoint *endpoint, uint32_t received)
{
    struct weft_device_counters *counters = &endpoint->device->counters;
    uint64_t bytes = endpoint->fetched_bytes +
                     atomic_load_explicit(&endpoint->receives.payload_bytes, memory_order_relaxed);
    counters->received_packets += received;
    counters->received_bytes += bytes - endpoint->counters.received_payload_bytes;
    endpoint->counters.received_payload_bytes = bytes;
}

uint32_t weft_null_progress(struct weft_device *device, uint64_t now_ns)
{
    (void)now_ns;
    uint32_t found = 0;
    for (uint32_t i = 0; i < device->endpoint_count; i++) {
        struct weft_endpoint *endpoint = device->endpoints[i];
        found += run_sends(endpoint);
        found += queue_complete(&endpoint->sends, endpoint->completions);
        uint32_t received = queue_complete(&endpoint->receives, endpoint->completions);
        take_counters(endpoint, received);
        found += received;
    }
    return found;
}
