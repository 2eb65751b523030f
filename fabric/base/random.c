/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/random.h"

#include <assert.h>

/* splitmix64 (Steele, Lea and Flood 2014): no seed leaves the state all zero, in which xoshiro
 * would stay. */
static uint64_t next_of_seed(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

void weft_random_seed(struct weft_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = next_of_seed(&seed);
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t weft_random_next(struct weft_random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

/* Draws as many bits as the bound has and throws away what lies beyond it: under two draws on
 * average. */
uint64_t weft_random_below(struct weft_random *random, uint64_t bound)
{
    assert(bound > 0);
    if (bound == 1)
        return 0;
    unsigned unused_bits = (unsigned)__builtin_clzll(bound - 1);
    uint64_t value;
    do {
        value = weft_random_next(random) >> unused_bits;
    } while (value >= bound);
    return value;
}
