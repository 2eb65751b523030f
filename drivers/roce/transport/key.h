/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of keys and ranges on the data path. A key is an index into the table of regions below
 * random bits, so that a stale or guessed one does not match. */
#ifndef WEFT_ROCE_KEY_H
#define WEFT_ROCE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_mr {
    uint8_t *memory;
    uint64_t len_bytes;
    uint32_t lkey;
    uint32_t rkey;
    bool used;
};

struct weft_regions {
    struct weft_mr *slots;
    uint32_t mask;
    uint32_t count;
    uint32_t max;
    uint32_t next; /* where to look for a free slot */
};

static inline bool weft_mr_contains(const struct weft_mr *region, uint64_t address,
                                    uint64_t len_bytes)
{
    uint64_t offset = address - (uint64_t)(uintptr_t)region->memory;
    return offset <= region->len_bytes && len_bytes <= region->len_bytes - offset;
}

/* NULL: the key is none. */
static inline const struct weft_mr *weft_lkey_region(const struct weft_regions *regions,
                                                     uint32_t lkey)
{
    const struct weft_mr *region = &regions->slots[lkey & regions->mask];
    return region->used && region->lkey == lkey ? region : NULL;
}

static inline bool weft_lkey_valid(const struct weft_regions *regions, uint32_t lkey,
                                   const void *memory, uint64_t len_bytes)
{
    const struct weft_mr *region = weft_lkey_region(regions, lkey);
    return region && weft_mr_contains(region, (uint64_t)(uintptr_t)memory, len_bytes);
}

/* Where the peer may put `len_bytes` at `address`; NULL: nowhere. */
static inline uint8_t *weft_rkey_resolve(const struct weft_regions *regions, uint32_t rkey,
                                         uint64_t address, uint64_t len_bytes)
{
    const struct weft_mr *region = &regions->slots[rkey & regions->mask];
    if (!region->used || region->rkey != rkey || !weft_mr_contains(region, address, len_bytes))
        return NULL;
    return region->memory + (address - (uint64_t)(uintptr_t)region->memory);
}

#endif
