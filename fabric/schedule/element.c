/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/element.h"

#include <stddef.h>

const char *const weft_element_names[WEFT_ELEMENT_COUNT + 1] = {
    [WEFT_ELEMENT_FLOAT32] = "float32",   [WEFT_ELEMENT_FLOAT16] = "float16",
    [WEFT_ELEMENT_BFLOAT16] = "bfloat16", [WEFT_ELEMENT_INT32] = "int32",
    [WEFT_ELEMENT_UINT8] = "uint8",       [WEFT_ELEMENT_COUNT] = NULL,
};

const char *const weft_reduction_names[WEFT_REDUCTION_COUNT + 1] = {
    [WEFT_REDUCTION_SUM] = "sum",
    [WEFT_REDUCTION_MAX] = "max",
    [WEFT_REDUCTION_COUNT] = NULL,
};

uint32_t weft_element_bytes(enum weft_element element)
{
    static const uint8_t bytes[WEFT_ELEMENT_COUNT] = {
        [WEFT_ELEMENT_FLOAT32] = 4, [WEFT_ELEMENT_FLOAT16] = 2, [WEFT_ELEMENT_BFLOAT16] = 2,
        [WEFT_ELEMENT_INT32] = 4,   [WEFT_ELEMENT_UINT8] = 1,
    };
    return bytes[element];
}

/* Two to the power of the significand's bits, the hidden one included. */
uint32_t weft_element_exact_max(enum weft_element element)
{
    static const uint32_t most[WEFT_ELEMENT_COUNT] = {
        [WEFT_ELEMENT_FLOAT32] = 1u << 24, [WEFT_ELEMENT_FLOAT16] = 1u << 11,
        [WEFT_ELEMENT_BFLOAT16] = 1u << 8, [WEFT_ELEMENT_INT32] = UINT32_MAX,
        [WEFT_ELEMENT_UINT8] = UINT32_MAX,
    };
    return most[element];
}

static void write_half(uint16_t bits, uint8_t *into)
{
    memcpy(into, &bits, sizeof(bits));
}

void weft_element_write(enum weft_element element, uint32_t value, uint8_t *into)
{
    uint32_t bits = value;
    switch (element) {
    case WEFT_ELEMENT_FLOAT16:
        write_half(weft_float16_of_float((float)value), into);
        break;
    case WEFT_ELEMENT_BFLOAT16:
        write_half(weft_bfloat16_of_float((float)value), into);
        break;
    case WEFT_ELEMENT_UINT8:
        *into = (uint8_t)value;
        break;
    case WEFT_ELEMENT_FLOAT32:
        bits = weft_bits_of_float((float)value);
        memcpy(into, &bits, sizeof(bits));
        break;
    case WEFT_ELEMENT_INT32:
    case WEFT_ELEMENT_COUNT:
        memcpy(into, &bits, sizeof(bits));
        break;
    }
}

float weft_element_read(enum weft_element element, const uint8_t *from)
{
    uint32_t bits = 0;
    memcpy(&bits, from, weft_element_bytes(element));
    switch (element) {
    case WEFT_ELEMENT_FLOAT16:
        return weft_float16_to_float((uint16_t)bits);
    case WEFT_ELEMENT_BFLOAT16:
        return weft_bfloat16_to_float((uint16_t)bits);
    case WEFT_ELEMENT_UINT8:
        return (float)bits;
    case WEFT_ELEMENT_INT32:
        return (float)(int32_t)bits;
    case WEFT_ELEMENT_FLOAT32:
    case WEFT_ELEMENT_COUNT:
        break;
    }
    return weft_float_of_bits(bits);
}
