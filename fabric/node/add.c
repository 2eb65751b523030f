/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/node/add.h"

#include <stdint.h>

/* One body, compiled for each instruction set: the compiler makes the vectors. */
static inline __attribute__((always_inline)) void add(float *restrict into,
                                                      const float *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += from[i];
}

static void add_plain(float *into, const float *from, size_t count)
{
    add(into, from, count);
}

#if defined(__x86_64__)
/* Not target_clones: its resolver runs before the sanitizers are set up. */
__attribute__((target("avx2"))) static void add_avx2(float *into, const float *from, size_t count)
{
    add(into, from, count);
}

__attribute__((target("avx512f"))) static void add_avx512(float *into, const float *from,
                                                          size_t count)
{
    add(into, from, count);
}
#endif

size_t weft_add_list(weft_add_function *functions[WEFT_ADD_KINDS])
{
    size_t count = 0;
    functions[count++] = add_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        functions[count++] = add_avx2;
    if (__builtin_cpu_supports("avx512f"))
        functions[count++] = add_avx512;
#endif
    return count;
}

weft_add_function *weft_add_choose(void)
{
    weft_add_function *functions[WEFT_ADD_KINDS];
    return functions[weft_add_list(functions) - 1];
}
