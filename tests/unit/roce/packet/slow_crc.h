/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC-32 bit by bit, sharing nothing with the code under test. */
#ifndef WEFT_TEST_ROCE_SLOW_CRC_H
#define WEFT_TEST_ROCE_SLOW_CRC_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t slow_byte(uint32_t state, uint8_t byte)
{
    state ^= byte;
    for (int bit = 0; bit < 8; bit++)
        state = (state >> 1) ^ ((state & 1) ? 0xedb88320u : 0);
    return state;
}

/* A table of that, made at the first call. */
static inline uint32_t slow_crc(uint32_t state, const uint8_t *bytes, size_t len_bytes)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++)
            table[i] = slow_byte(0, (uint8_t)i);
    for (size_t i = 0; i < len_bytes; i++)
        state = (state >> 8) ^ table[(state ^ bytes[i]) & 0xff];
    return state;
}

#endif
