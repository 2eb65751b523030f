/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/allocations.h"

#include <stdlib.h>

#ifdef ALLOCATIONS_OF_ALL
#define TAKEN(name) name
#define REAL(name) __libc_##name
#define REAL_ALIGNED __libc_memalign
#else
#define TAKEN(name) __wrap_##name
#define REAL(name) __real_##name
#define REAL_ALIGNED __real_aligned_alloc
#endif
#define PUBLIC __attribute__((visibility("default")))

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *memory, size_t size);
void *REAL_ALIGNED(size_t alignment, size_t size);
void REAL(free)(void *memory);
PUBLIC void *TAKEN(malloc)(size_t size);
PUBLIC void *TAKEN(calloc)(size_t count, size_t size);
PUBLIC void *TAKEN(realloc)(void *memory, size_t size);
PUBLIC void *TAKEN(aligned_alloc)(size_t alignment, size_t size);
PUBLIC void TAKEN(free)(void *memory);

_Thread_local uint64_t allocations;

void *TAKEN(malloc)(size_t size)
{
    allocations++;
    return REAL(malloc)(size);
}

void *TAKEN(calloc)(size_t count, size_t size)
{
    allocations++;
    return REAL(calloc)(count, size);
}

void *TAKEN(realloc)(void *memory, size_t size)
{
    allocations++;
    return REAL(realloc)(memory, size);
}

void *TAKEN(aligned_alloc)(size_t alignment, size_t size)
{
    allocations++;
    return REAL_ALIGNED(alignment, size);
}

void TAKEN(free)(void *memory)
{
    allocations++;
    REAL(free)(memory);
}
