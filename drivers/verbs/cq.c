/* SPDX-License-Identifier: BSD-3-Clause */
/* Completion queues: progress moves what the device has completed into a ring in memory, from which
 * cq_poll reads; so a completion's time is that of the progress which found it. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "drivers/verbs/internal.h"

enum weft_status weft_verbs_cq_create(struct weft_device *device, uint32_t depth,
                                      struct weft_cq **ret_cq, struct weft_error *error)
{
    enum weft_status status = weft_verbs_limit_check("completion queue depth", depth,
                                                     device->capabilities.max_cq_depth, error);
    if (status != WEFT_OK)
        return weft_error_prefix(error, "%s: ", device->name.device);
    assert(depth > 0);
    struct weft_cq *cq = calloc(1, sizeof(*cq));
    if (!cq || !weft_completions_init(&cq->completions, depth)) {
        free(cq);
        return weft_error_set(error, WEFT_NO_MEMORY, "%s: no memory for a completion queue of %u",
                              device->name.device, depth);
    }
    cq->cq = ibv_create_cq(device->context, (int)depth, NULL, NULL, 0);
    if (!cq->cq) {
        int number = errno;
        weft_completions_fini(&cq->completions);
        free(cq);
        return weft_verbs_errno_error(error, number, "%s: making a completion queue of %u",
                                      device->name.device, depth);
    }
    cq->next = device->cqs;
    device->cqs = cq;
    *ret_cq = cq;
    return WEFT_OK;
}

void weft_verbs_cq_destroy(struct weft_device *device, struct weft_cq *cq)
{
    if (!cq)
        return;
    struct weft_cq **at = &device->cqs;
    while (*at != cq) {
        assert(*at); /* it is this device's */
        at = &(*at)->next;
    }
    *at = cq->next;
    int failed = ibv_destroy_cq(cq->cq);
    assert(!failed); /* its endpoints are gone */
    weft_completions_fini(&cq->completions);
    free(cq);
}

/* NULL: its endpoint is gone. */
static struct weft_endpoint *owner(const struct weft_device *device,
                                   const struct weft_verbs_tag *tag)
{
    assert(tag->endpoint < device->max_endpoints);
    if (device->generations[tag->endpoint] != tag->generation)
        return NULL;
    return device->endpoints[tag->endpoint];
}

static void note_failure(struct weft_endpoint *endpoint, const struct ibv_wc *wc)
{
    if (endpoint->state == WEFT_ENDPOINT_FAILED)
        return;
    endpoint->state = WEFT_ENDPOINT_FAILED;
    endpoint->failure = weft_verbs_status(wc->status);
    endpoint->device_status = wc->status;
    endpoint->vendor_error = wc->vendor_err;
}

static void count_received(struct weft_endpoint *endpoint, uint32_t len_bytes)
{
    endpoint->counters.received_payload_bytes += len_bytes;
    endpoint->device->counters->received_bytes += len_bytes;
}

/* How a receive ended; a send's length and kind come from its slot. */
static void finish_receive(struct weft_endpoint *endpoint, const struct ibv_wc *wc,
                           struct weft_completion *completion)
{
    if (wc->status != IBV_WC_SUCCESS)
        return;
    uint32_t header_bytes = endpoint->transport == WEFT_TRANSPORT_UD ? WEFT_GRH_BYTES : 0;
    completion->len_bytes = wc->byte_len;
    completion->has_immediate = (wc->wc_flags & IBV_WC_WITH_IMM) != 0;
    if (completion->has_immediate)
        completion->immediate = ntohl(wc->imm_data);
    assert(wc->byte_len >= header_bytes);
    count_received(endpoint, wc->byte_len - header_bytes);
}

static void count_sent(struct weft_endpoint *endpoint, const struct weft_verbs_slot *slot)
{
    if (weft_verbs_fetches(slot->operation))
        count_received(endpoint, slot->len_bytes);
    else
        endpoint->device->counters->sent_bytes += slot->len_bytes;
}

static void finish(struct weft_device *device, const struct ibv_wc *wc)
{
    struct weft_verbs_tag tag = weft_verbs_tag_unpack(wc->wr_id);
    struct weft_endpoint *endpoint = owner(device, &tag);
    if (!endpoint)
        return;
    const struct weft_verbs_slot *slot =
        tag.is_receive ? &endpoint->receive_slots[tag.slot] : &endpoint->send_slots[tag.slot];
    weft_verbs_window_release(tag.is_receive ? &endpoint->receive : &endpoint->send, tag.slot);
    struct weft_completion completion = {
        .id = slot->id,
        .user = endpoint->user,
        .status = weft_verbs_status(wc->status),
        .operation = slot->operation,
    };
    if (tag.is_receive)
        finish_receive(endpoint, wc, &completion);
    if (completion.status != WEFT_OK) {
        completion.vendor_error = wc->vendor_err;
        note_failure(endpoint, wc);
    } else if (!tag.is_receive) {
        count_sent(endpoint, slot);
        if (slot->unsignaled)
            return;
    }
    weft_completions_put(&endpoint->cq->completions, &completion);
}

/* At most four batches, and never more than the ring has room for. */
static uint32_t drain(struct weft_device *device, struct weft_cq *cq)
{
    uint32_t found = 0;
    for (uint32_t batch = 0; batch < 4 && !cq->broken; batch++) {
        struct ibv_wc completions[WEFT_VERBS_BATCH];
        uint32_t room = weft_completions_room(&cq->completions);
        uint32_t asked = room < WEFT_VERBS_BATCH ? room : WEFT_VERBS_BATCH;
        if (asked == 0)
            break;
        int got = ibv_poll_cq(cq->cq, (int)asked, completions);
        cq->broken = got < 0;
        for (int i = 0; i < got; i++)
            finish(device, &completions[i]);
        found += got > 0 ? (uint32_t)got : 0;
        if (got < (int)asked)
            break;
    }
    return found;
}

uint32_t weft_verbs_progress(struct weft_device *device, uint64_t now_ns)
{
    (void)now_ns; /* the device keeps its own time */
    uint32_t found = 0;
    if (device->connecting_count)
        weft_verbs_connect_turn(device);
    for (struct weft_cq *cq = device->cqs; cq; cq = cq->next)
        found += drain(device, cq);
    return found;
}
