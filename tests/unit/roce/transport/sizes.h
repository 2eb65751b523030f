/* SPDX-License-Identifier: BSD-3-Clause */
/* A transfer of every size at which something changes, with every MTU on a clean wire and with some
 * on one that loses, doubles and reorders. */
#ifndef WEFT_TESTS_ROCE_SIZES_H
#define WEFT_TESTS_ROCE_SIZES_H

#include "tests/unit/roce/net.h"

#define SIZES_LARGE_BYTES (8u << 20)

struct sizes {
    /* Returns how many bytes the receiver has got. */
    uint64_t (*transfer)(struct net *net, uint32_t len_bytes, uint64_t seed);
    uint32_t receiver; /* side */
    bool wraps;        /* both sides' packet numbers, on the way */
};

void sizes_clean(const struct sizes *sizes);
void sizes_lossy(const struct sizes *sizes);

#endif
