/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tools/weft/machine/memory.h"

static bool available(const char *text, uint64_t *ret_bytes)
{
    FILE *meminfo = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    cr_assert_not_null(meminfo);
    bool found = weft_memory_available(meminfo, ret_bytes);
    (void)fclose(meminfo);
    return found;
}

/* On a machine that has read or written files most memory is not free, and yet to be had. */
Test(memory, what_caches_hold_is_available)
{
    uint64_t bytes = 0;
    cr_assert(available("MemTotal:       24683656 kB\n"
                        "MemFree:             400 kB\n"
                        "MemAvailable:   24011468 kB\n"
                        "Buffers:               0 kB\n",
                        &bytes));
    cr_assert_eq(bytes, UINT64_C(24011468) * 1024);
}

Test(memory, no_line_is_no_answer)
{
    uint64_t bytes = 7;
    cr_assert_not(available("MemTotal:       24683656 kB\nMemFree:             400 kB\n", &bytes));
    cr_assert_not(available("MemAvailable: much\n", &bytes));
    cr_assert_eq(bytes, 7);
}

Test(memory, more_than_there_is_is_refused)
{
    cr_assert_null(weft_memory_allocate(NULL, UINT64_C(1) << 50, -1));
    uint8_t *memory = weft_memory_allocate(NULL, 1 << 20, -1);
    cr_assert_not_null(memory);
    cr_assert_eq(memory[(1 << 20) - 1], 0);
    weft_memory_release(NULL, memory, 1 << 20);
}
