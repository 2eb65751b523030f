/* SPDX-License-Identifier: BSD-3-Clause */
/* A Feistel network permutes all numbers of an even number of bits, at most four times as many as
 * are wanted. What falls outside is put in again until it falls inside: that permutes those inside
 * (cycle walking). */
#include "fabric/schedule/shapes/shuffle.h"

#define ROUNDS 6u

/* The finisher of SplitMix64. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint32_t half_bits_of(uint32_t count)
{
    uint32_t bits = 1;
    while (UINT64_C(1) << 2 * bits < count)
        bits++;
    return bits;
}

static uint64_t round_of(uint64_t seed, uint32_t round, uint64_t half, uint64_t mask)
{
    return mix(mix(seed + round) ^ half) & mask;
}

static uint64_t step(uint32_t half_bits, uint64_t seed, uint64_t value)
{
    uint64_t mask = (UINT64_C(1) << half_bits) - 1;
    uint64_t left = value >> half_bits, right = value & mask;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t next = left ^ round_of(seed, round, right, mask);
        left = right;
        right = next;
    }
    return left << half_bits | right;
}

static uint64_t step_back(uint32_t half_bits, uint64_t seed, uint64_t value)
{
    uint64_t mask = (UINT64_C(1) << half_bits) - 1;
    uint64_t left = value >> half_bits, right = value & mask;
    for (uint32_t round = ROUNDS; round-- > 0;) {
        uint64_t before = right ^ round_of(seed, round, left, mask);
        right = left;
        left = before;
    }
    return left << half_bits | right;
}

uint32_t weft_shuffle_at(uint32_t count, uint64_t seed, uint32_t place)
{
    uint32_t half_bits = half_bits_of(count);
    uint64_t value = step(half_bits, seed, place);
    while (value >= count)
        value = step(half_bits, seed, value);
    return (uint32_t)value;
}

uint32_t weft_shuffle_place(uint32_t count, uint64_t seed, uint32_t value)
{
    uint32_t half_bits = half_bits_of(count);
    uint64_t place = step_back(half_bits, seed, value);
    while (place >= count)
        place = step_back(half_bits, seed, place);
    return (uint32_t)place;
}
