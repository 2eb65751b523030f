/* SPDX-License-Identifier: BSD-3-Clause */
/* What vectors are made of, and how two of them are joined. */
#ifndef WEFT_SCHEDULE_ELEMENT_H
#define WEFT_SCHEDULE_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fabric/base/status.h"

enum weft_element {
    WEFT_ELEMENT_FLOAT32 = 0,
    WEFT_ELEMENT_FLOAT16, /* IEEE 754 binary16 */
    WEFT_ELEMENT_BFLOAT16,
    WEFT_ELEMENT_INT32, /* signed; sums wrap */
    WEFT_ELEMENT_UINT8, /* sums wrap. Also what plain bytes are: any offset, any length */
    WEFT_ELEMENT_COUNT
};

enum weft_reduction {
    WEFT_REDUCTION_SUM = 0,
    WEFT_REDUCTION_MAX,
    WEFT_REDUCTION_COUNT
};

#define WEFT_ELEMENT_BYTES_MAX 4u

/* NULL-terminated, in the order of the enum. */
extern const char *const weft_element_names[];
extern const char *const weft_reduction_names[];

uint32_t weft_element_bytes(enum weft_element element);

/* Whole numbers from 0 to this are exact, and so is every sum that does not exceed it, in whatever
 * order it is made. UINT32_MAX where sums wrap, for then they are exact always. */
uint32_t weft_element_exact_max(enum weft_element element);

/* A whole number within the above as an element; of wrapping ones the low bits. */
void weft_element_write(enum weft_element element, uint32_t value, uint8_t *into);
/* For people: as near as a float comes to it. */
float weft_element_read(enum weft_element element, const uint8_t *from);

static inline float weft_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint32_t weft_bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline float weft_bfloat16_to_float(uint16_t bits)
{
    return weft_float_of_bits((uint32_t)bits << 16);
}

/* Rounds to the nearest, ties to even. What is not a number stays so. */
static inline uint16_t weft_bfloat16_of_float(float value)
{
    uint32_t bits = weft_bits_of_float(value);
    uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    bool nan = (bits & 0x7fffffff) > 0x7f800000;
    return (uint16_t)((nan ? bits | 0x400000 : rounded) >> 16);
}

/* The exponent's bias differs by 112: 2^112 scales what float makes of the shifted bits, subnormal
 * ones too. */
static inline float weft_float16_to_float(uint16_t bits)
{
    uint32_t magnitude = bits & 0x7fffu;
    float value = weft_float_of_bits(magnitude << 13) * weft_float_of_bits(239u << 23);
    uint32_t special = magnitude >= 0x7c00 ? 0x7f800000u : 0; /* infinite or not a number */
    return weft_float_of_bits(weft_bits_of_float(value) | special | (bits & 0x8000u) << 16);
}

/* Rounds to the nearest, ties to even; too large becomes infinite. */
static inline uint16_t weft_float16_of_float(float value)
{
    uint32_t bits = weft_bits_of_float(value);
    uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    uint32_t normal = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    /* Added to 0.5, a subnormal's last bit is the sum's last bit. */
    uint32_t subnormal = weft_bits_of_float(weft_float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
    uint32_t half = magnitude < 113u << 23 ? subnormal : normal;
    half = magnitude >= 143u << 23 ? 0x7c00u : half; /* 65536 and above */
    half = magnitude > 0x7f800000u ? 0x7e00u : half;
    return (uint16_t)(half | sign);
}

#endif
