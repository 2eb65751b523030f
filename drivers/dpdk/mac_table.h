/* SPDX-License-Identifier: BSD-3-Clause */
/* Which switch port has which MAC. Any thread looks up while the control thread changes it. */
#ifndef WEFT_DPDK_MAC_TABLE_H
#define WEFT_DPDK_MAC_TABLE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WEFT_MAC_TABLE_BITS 10u
#define WEFT_MAC_TABLE_SIZE (1u << WEFT_MAC_TABLE_BITS)
#define WEFT_MAC_TABLE_NONE UINT32_MAX

/* An entry is MAC << 16 | port + 1; 0 is empty and ends a search, 0xffff was removed. */
struct weft_mac_table {
    _Atomic uint64_t entries[WEFT_MAC_TABLE_SIZE];
};

static inline uint64_t weft_mac_number(const uint8_t mac[6])
{
    return (uint64_t)mac[0] << 40 | (uint64_t)mac[1] << 32 | (uint64_t)mac[2] << 24 |
           (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5];
}

static inline uint32_t weft_mac_table_slot(uint64_t mac)
{
    return (uint32_t)((mac * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - WEFT_MAC_TABLE_BITS));
}

static inline uint32_t weft_mac_table_find(const struct weft_mac_table *table, uint64_t mac)
{
    uint32_t slot = weft_mac_table_slot(mac);
    for (uint32_t i = 0; i < WEFT_MAC_TABLE_SIZE; i++) {
        uint64_t entry = atomic_load_explicit(
            &table->entries[(slot + i) & (WEFT_MAC_TABLE_SIZE - 1)], memory_order_acquire);
        if (entry >> 16 == mac && (entry & 0xffff) != 0xffff)
            return (uint32_t)(entry & 0xffff) - 1;
        if (entry == 0)
            break;
    }
    return WEFT_MAC_TABLE_NONE;
}

/* The MAC must not be there, and at most half of the table is ever used. */
static inline void weft_mac_table_add(struct weft_mac_table *table, uint64_t mac, uint32_t port)
{
    uint32_t slot = weft_mac_table_slot(mac);
    for (uint32_t i = 0; i < WEFT_MAC_TABLE_SIZE; i++) {
        _Atomic uint64_t *entry = &table->entries[(slot + i) & (WEFT_MAC_TABLE_SIZE - 1)];
        uint64_t old = atomic_load_explicit(entry, memory_order_relaxed);
        if (old != 0 && old != 0xffff)
            continue;
        atomic_store_explicit(entry, mac << 16 | (port + 1), memory_order_release);
        return;
    }
    assert(false); /* the table is full */
}

static inline void weft_mac_table_remove(struct weft_mac_table *table, uint64_t mac)
{
    uint32_t slot = weft_mac_table_slot(mac);
    for (uint32_t i = 0; i < WEFT_MAC_TABLE_SIZE; i++) {
        _Atomic uint64_t *entry = &table->entries[(slot + i) & (WEFT_MAC_TABLE_SIZE - 1)];
        uint64_t old = atomic_load_explicit(entry, memory_order_relaxed);
        if (old == 0)
            return;
        if (old >> 16 == mac && (old & 0xffff) != 0xffff)
            atomic_store_explicit(entry, 0xffff, memory_order_release);
    }
}

#endif
