/* SPDX-License-Identifier: BSD-3-Clause */
/* A receiver writes a slot into its sender's ring to say: here is a buffer for message `sequence`.
 *
 * The reader polls memory that a NIC, a kernel or another thread writes, and nothing guarantees
 * that the words of one RDMA WRITE become visible in order. So the reader accepts a slot only if it
 * has the expected sequence and its check matches all other words. A slot that is still partly old
 * fails the check and counts as not yet arrived. Both ends have the same byte order, which is
 * little-endian. */
#ifndef WEFT_NODE_SLOT_H
#define WEFT_NODE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "slots travel as they lie in memory");

/* Half a cache line, and aligned to it. */
struct weft_slot {
    uint64_t address;
    uint64_t len_and_key; /* length in the upper half, rkey in the lower */
    uint64_t check;
    uint64_t sequence; /* starts at 1; new memory holds 0 */
};

#define WEFT_SLOT_BYTES ((uint32_t)sizeof(struct weft_slot))

static inline uint64_t weft_slot_check(const struct weft_slot *slot)
{
    uint64_t mixed = slot->address * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 32) ^ slot->len_and_key) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 29) ^ slot->sequence) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 32);
}

static inline struct weft_slot weft_slot_make(uint64_t address, uint32_t len_bytes, uint32_t rkey,
                                              uint64_t sequence)
{
    struct weft_slot slot = {
        .address = address, .len_and_key = (uint64_t)len_bytes << 32 | rkey, .sequence = sequence};
    slot.check = weft_slot_check(&slot);
    return slot;
}

static inline uint32_t weft_slot_len(const struct weft_slot *slot)
{
    return (uint32_t)(slot->len_and_key >> 32);
}

static inline uint32_t weft_slot_rkey(const struct weft_slot *slot)
{
    return (uint32_t)slot->len_and_key;
}

/* Returns false, and leaves *ret_slot undefined, until the whole expected slot has arrived. */
static inline bool weft_slot_read(const struct weft_slot *slot, uint64_t sequence,
                                  struct weft_slot *ret_slot)
{
    ret_slot->sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    if (ret_slot->sequence != sequence)
        return false;
    ret_slot->address = __atomic_load_n(&slot->address, __ATOMIC_RELAXED);
    ret_slot->len_and_key = __atomic_load_n(&slot->len_and_key, __ATOMIC_RELAXED);
    ret_slot->check = __atomic_load_n(&slot->check, __ATOMIC_RELAXED);
    return ret_slot->check == weft_slot_check(ret_slot);
}

#endif
