/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts what is allocated and freed: the linker leads malloc and its like through here (--wrap),
 * in the programs that have `count_allocations` among their link_args. */
#ifndef WEFT_TESTS_ALLOCATIONS_H
#define WEFT_TESTS_ALLOCATIONS_H

#include <stdint.h>

extern uint64_t allocations;

#endif
