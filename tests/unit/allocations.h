/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts what this thread allocates and frees. In programs that have `count_allocations` among
 * their link_args the linker leads what they call through here (--wrap); in those compiled with
 * ALLOCATIONS_OF_ALL the allocator's names are taken here, before the C library's, for every
 * library of the process. */
#ifndef WEFT_TESTS_ALLOCATIONS_H
#define WEFT_TESTS_ALLOCATIONS_H

#include <stdint.h>

extern _Thread_local uint64_t allocations;

#endif
