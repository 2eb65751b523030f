/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of keys and ranges on the data path. A key is an index into the table of regions below
 * random bits, so that a stale or guessed one does not match. */
#ifndef WEFT_ROCE_REGION_H
#define WEFT_ROCE_REGION_H

#include "drivers/roce/state.h"

static inline bool weft_mr_contains(const struct weft_mr *region, uint64_t address,
                                    uint64_t len_bytes)
{
    uint64_t offset = address - (uint64_t)(uintptr_t)region->memory;
    return offset <= region->len_bytes && len_bytes <= region->len_bytes - offset;
}

/* NULL: the key is none. */
static inline const struct weft_mr *weft_lkey_region(const struct weft_roce_port *port,
                                                     uint32_t lkey)
{
    const struct weft_mr *region = &port->regions[lkey & port->region_mask];
    return region->used && region->lkey == lkey ? region : NULL;
}

static inline bool weft_lkey_valid(const struct weft_roce_port *port, uint32_t lkey,
                                   const void *memory, uint64_t len_bytes)
{
    const struct weft_mr *region = weft_lkey_region(port, lkey);
    return region && weft_mr_contains(region, (uint64_t)(uintptr_t)memory, len_bytes);
}

/* Where the peer may put `len_bytes` at `address`; NULL: nowhere. */
static inline uint8_t *weft_rkey_resolve(const struct weft_roce_port *port, uint32_t rkey,
                                         uint64_t address, uint64_t len_bytes)
{
    const struct weft_mr *region = &port->regions[rkey & port->region_mask];
    if (!region->used || region->rkey != rkey || !weft_mr_contains(region, address, len_bytes))
        return NULL;
    return region->memory + (address - (uint64_t)(uintptr_t)region->memory);
}

#endif
