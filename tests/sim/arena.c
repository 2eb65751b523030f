/* SPDX-License-Identifier: BSD-3-Clause */
#include "arena.h"

#include <assert.h>
#include <stddef.h>
#include <sys/mman.h>

#define ARENA_ADDRESS UINT64_C(0x200000000000)
#define ARENA_BYTES (UINT64_C(1) << 30)
#define PAGE_BYTES UINT64_C(4096)

static uint8_t *arena;
static uint64_t taken_bytes;

void arena_reset(void)
{
    taken_bytes = 0;
}

void *arena_take(uint64_t len_bytes)
{
    if (!arena) {
        void *at = mmap((void *)(uintptr_t)ARENA_ADDRESS, ARENA_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        assert(at == (void *)(uintptr_t)ARENA_ADDRESS);
        arena = at;
    }
    uint8_t *memory = arena + taken_bytes;
    taken_bytes += (len_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    assert(taken_bytes <= ARENA_BYTES);
    return memory;
}
