/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/node/reduce.h"

#include <stdint.h>

/* One body for each type and operator, compiled for each instruction set: the compiler makes the
 * vectors. Half floats are joined as floats: the sum of two, rounded once, is what a processor that
 * has them would give. */
#define INLINE static inline __attribute__((always_inline))

INLINE float add_float(float a, float b)
{
    return a + b;
}

INLINE float max_float(float a, float b)
{
    return a > b ? a : b;
}

INLINE uint16_t add_float16(uint16_t a, uint16_t b)
{
    return weft_float16_of_float(weft_float16_to_float(a) + weft_float16_to_float(b));
}

INLINE uint16_t max_float16(uint16_t a, uint16_t b)
{
    return weft_float16_to_float(a) > weft_float16_to_float(b) ? a : b;
}

INLINE uint16_t add_bfloat16(uint16_t a, uint16_t b)
{
    return weft_bfloat16_of_float(weft_bfloat16_to_float(a) + weft_bfloat16_to_float(b));
}

INLINE uint16_t max_bfloat16(uint16_t a, uint16_t b)
{
    return weft_bfloat16_to_float(a) > weft_bfloat16_to_float(b) ? a : b;
}

/* Two's complement wraps as unsigned numbers do. */
INLINE uint32_t add_int32(uint32_t a, uint32_t b)
{
    return a + b;
}

INLINE uint32_t max_int32(uint32_t a, uint32_t b)
{
    return (int32_t)a > (int32_t)b ? a : b;
}

INLINE uint8_t add_uint8(uint8_t a, uint8_t b)
{
    return (uint8_t)(a + b);
}

INLINE uint8_t max_uint8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

#define BODY(name, type, set, attribute)                                           \
    attribute static void name##_##set(void *into, const void *from, size_t count) \
    {                                                                              \
        __typeof__(type) *restrict target = into;                                  \
        const __typeof__(type) *restrict source = from;                            \
        for (size_t i = 0; i < count; i++)                                         \
            target[i] = name(target[i], source[i]);                                \
    }

#if defined(__x86_64__)
/* Not target_clones: its resolver runs before the sanitizers are set up. */
#define BODIES(name, type)                                  \
    BODY(name, type, plain, )                               \
    BODY(name, type, avx2, __attribute__((target("avx2")))) \
    BODY(name, type, avx512, __attribute__((target("avx512f,avx512bw"))))
#define ROW(name)                                \
    {                                            \
        name##_plain, name##_avx2, name##_avx512 \
    }
#else
#define BODIES(name, type) BODY(name, type, plain, )
#define ROW(name)    \
    {                \
        name##_plain \
    }
#endif

BODIES(add_float, float)
BODIES(max_float, float)
BODIES(add_float16, uint16_t)
BODIES(max_float16, uint16_t)
BODIES(add_bfloat16, uint16_t)
BODIES(max_bfloat16, uint16_t)
BODIES(add_int32, uint32_t)
BODIES(max_int32, uint32_t)
BODIES(add_uint8, uint8_t)
BODIES(max_uint8, uint8_t)

static weft_reduce_function
    *const table[WEFT_ELEMENT_COUNT][WEFT_REDUCTION_COUNT][WEFT_REDUCE_KINDS] = {
        [WEFT_ELEMENT_FLOAT32] =
            {[WEFT_REDUCTION_SUM] = ROW(add_float), [WEFT_REDUCTION_MAX] = ROW(max_float)},
        [WEFT_ELEMENT_FLOAT16] =
            {[WEFT_REDUCTION_SUM] = ROW(add_float16), [WEFT_REDUCTION_MAX] = ROW(max_float16)},
        [WEFT_ELEMENT_BFLOAT16] =
            {[WEFT_REDUCTION_SUM] = ROW(add_bfloat16), [WEFT_REDUCTION_MAX] = ROW(max_bfloat16)},
        [WEFT_ELEMENT_INT32] =
            {[WEFT_REDUCTION_SUM] = ROW(add_int32), [WEFT_REDUCTION_MAX] = ROW(max_int32)},
        [WEFT_ELEMENT_UINT8] =
            {[WEFT_REDUCTION_SUM] = ROW(add_uint8), [WEFT_REDUCTION_MAX] = ROW(max_uint8)},
};

size_t weft_reduce_list(enum weft_element element, enum weft_reduction reduction,
                        weft_reduce_function *functions[WEFT_REDUCE_KINDS])
{
    weft_reduce_function *const *row = table[element][reduction];
    size_t count = 0;
    functions[count++] = row[0];
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        functions[count++] = row[1];
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        functions[count++] = row[2];
#endif
    return count;
}

weft_reduce_function *weft_reduce_choose(enum weft_element element, enum weft_reduction reduction)
{
    weft_reduce_function *functions[WEFT_REDUCE_KINDS];
    return functions[weft_reduce_list(element, reduction, functions) - 1];
}
