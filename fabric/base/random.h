/* SPDX-License-Identifier: BSD-3-Clause */
/* A seeded generator (xoshiro256**, Blackman and Vigna 2018; seeded by splitmix64). The same seed
 * gives the same sequence on every machine. Not for secrets. */
#ifndef WEFT_BASE_RANDOM_H
#define WEFT_BASE_RANDOM_H

#include <stdint.h>

struct weft_random {
    uint64_t state[4];
};

void weft_random_seed(struct weft_random *random, uint64_t seed);
uint64_t weft_random_next(struct weft_random *random);
/* Uniform in [0, bound), without a division; `bound` > 0. */
uint64_t weft_random_below(struct weft_random *random, uint64_t bound);

#endif
