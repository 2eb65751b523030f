/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "drivers/null/internal.h"

#define KEY_INDEX_BITS 16u
#define KEY_INDEX_MASK ((1u << KEY_INDEX_BITS) - 1)

enum weft_status weft_null_region_register(struct weft_device *device, void *memory,
                                           uint64_t len_bytes, struct weft_region *ret_region,
                                           struct weft_error *error)
{
    struct weft_null_regions *regions = device->regions;
    uint32_t index = 0;
    while (index < regions->count && regions->entries[index].key)
        index++;
    if (index == regions->count)
        return weft_error_set(error, WEFT_NO_MEMORY,
                              "null: all %u memory regions that the device was opened with are in "
                              "use",
                              regions->count);
    regions->entries[index] = (struct weft_null_region){
        .key = regions->base | index, .address = (uintptr_t)memory, .len_bytes = len_bytes};
    *ret_region = (struct weft_region){.memory = memory,
                                       .len_bytes = len_bytes,
                                       .lkey = regions->base | index,
                                       .rkey = regions->base | index};
    return WEFT_OK;
}

void weft_null_region_deregister(struct weft_device *device, struct weft_region *region)
{
    struct weft_null_region *entry = &device->regions->entries[region->lkey & KEY_INDEX_MASK];
    assert(entry->key == region->lkey && entry->address == (uintptr_t)region->memory);
    *entry = (struct weft_null_region){0};
}

bool weft_null_region_holds(const struct weft_null_regions *regions, uint32_t key, uint64_t address,
                            uint64_t len_bytes)
{
    uint32_t index = key & KEY_INDEX_MASK;
    if (!key || index >= regions->count)
        return false;
    const struct weft_null_region *region = &regions->entries[index];
    return region->key == key && address >= region->address &&
           address - region->address <= region->len_bytes &&
           len_bytes <= region->len_bytes - (address - region->address);
}
