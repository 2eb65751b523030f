/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "drivers/verbs/internal.h"

enum weft_status weft_verbs_region_register(struct weft_device *device, void *memory,
                                            uint64_t len_bytes, struct weft_region *ret_region,
                                            struct weft_error *error)
{
    assert(memory && len_bytes > 0);
    enum weft_status status = weft_verbs_limit_check(
        "memory regions", (uint64_t)device->region_count + 1, device->max_regions, error);
    if (status != WEFT_OK)
        return status;
    struct ibv_mr *region = ibv_reg_mr(device->pd, memory, len_bytes, weft_verbs_access(device));
    if (!region)
        return weft_verbs_errno_error(error, errno, "%s: registering %" PRIu64 " bytes of memory",
                                      device->name.device, len_bytes);
    device->region_count++;
    *ret_region = (struct weft_region){
        .memory = memory,
        .len_bytes = len_bytes,
        .lkey = region->lkey,
        .rkey = region->rkey,
        .driver_data = region,
    };
    return WEFT_OK;
}

void weft_verbs_region_deregister(struct weft_device *device, struct weft_region *region)
{
    if (!region || !region->driver_data)
        return;
    int failed = ibv_dereg_mr(region->driver_data);
    assert(!failed);
    assert(device->region_count > 0);
    device->region_count--;
    *region = (struct weft_region){0};
}
