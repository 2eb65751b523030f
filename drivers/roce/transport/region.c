/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions come and go. */
#include <assert.h>

#include "drivers/roce/transport/ready.h"

/* Never zero, and never the key that the slot had before. */
static uint32_t new_key(struct weft_roce_port *port, uint32_t index, uint32_t old_key)
{
    const struct weft_regions *regions = &port->regions;
    for (;;) {
        uint32_t key = ((uint32_t)weft_random_next(&port->random) & ~regions->mask) | index;
        if (key > regions->mask && key != old_key)
            return key;
    }
}

enum weft_status weft_roce_region_register(struct weft_roce_port *port, void *memory,
                                           uint64_t len_bytes, struct weft_region *ret_region,
                                           struct weft_error *error)
{
    assert(port && ret_region);
    struct weft_regions *regions = &port->regions;
    if (!memory || !len_bytes)
        return weft_error_set(error, WEFT_INVALID, "an empty region cannot be registered");
    if (regions->count == regions->max)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "all %u memory regions of this port are in use; open the device with "
                              "a larger max_regions",
                              regions->max);
    uint32_t index = regions->next;
    while (regions->slots[index].used)
        index = (index + 1) & regions->mask;
    struct weft_mr *region = &regions->slots[index];
    region->memory = memory;
    region->len_bytes = len_bytes;
    region->lkey = new_key(port, index, region->lkey);
    region->rkey = new_key(port, index, region->rkey);
    region->used = true;
    regions->count++;
    regions->next = (index + 1) & regions->mask;
    *ret_region = (struct weft_region){.memory = memory,
                                       .len_bytes = len_bytes,
                                       .lkey = region->lkey,
                                       .rkey = region->rkey,
                                       .driver_data = region};
    return WEFT_OK;
}

static bool is_inlined(const struct weft_requester *requester, const struct weft_send *work)
{
    uint64_t offset = (uint64_t)(uintptr_t)work->memory - (uint64_t)(uintptr_t)requester->inlined;
    return offset < (uint64_t)requester->inline_stride * (requester->mask + 1u);
}

/* Works that are posted with the key were good: from now on they are not. Done here, where nobody
 * is in a hurry, so that no packet has to look at its key again. */
static void disown(struct weft_roce_qp *qp, uint32_t lkey)
{
    struct weft_requester *requester = &qp->requester;
    for (uint32_t at = requester->completed; at != requester->posted; at++) {
        struct weft_send *work = &requester->sends[at & requester->mask];
        if (work->len_bytes && work->lkey == lkey && !is_inlined(requester, work))
            work->bad_lkey = true;
    }
    struct weft_responder *responder = &qp->responder;
    for (uint32_t at = responder->completed; at != responder->posted; at++) {
        struct weft_receive *receive = &responder->receives[at & responder->mask];
        if (receive->len_bytes && receive->lkey == lkey)
            receive->bad_lkey = true;
    }
}

void weft_roce_region_deregister(struct weft_roce_port *port, struct weft_region *region)
{
    struct weft_regions *regions = &port->regions;
    struct weft_mr *mr = &regions->slots[region->lkey & regions->mask];
    assert(mr->used && mr->lkey == region->lkey && regions->count);
    mr->used = false;
    regions->count--;
    for (uint32_t slot = 0; port->qp_count && slot <= port->qp_mask; slot++) {
        if (!port->qps[slot])
            continue;
        disown(port->qps[slot], mr->lkey);
        /* Such a work may have waited for what no longer matters. */
        weft_qp_activate(port->qps[slot]);
    }
    *region = (struct weft_region){0};
}
