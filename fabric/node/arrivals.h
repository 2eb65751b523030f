/* SPDX-License-Identifier: BSD-3-Clause */
/* When the iterations of an open loop are due: instants that are fixed from the start, whatever
 * becomes of the iterations themselves. */
#ifndef WEFT_NODE_ARRIVALS_H
#define WEFT_NODE_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/base/random.h"
#include "fabric/base/wide.h"

enum weft_arrivals_kind {
    WEFT_ARRIVALS_CONSTANT = 0, /* one gap after the other */
    WEFT_ARRIVALS_POISSON,      /* exponential gaps of that mean */
    WEFT_ARRIVALS_KIND_COUNT
};

/* A gap is in 2^-32 ns, so that a rate is kept to far less than a clock's error: up to 4.29 s. */
#define WEFT_ARRIVALS_GAP_MAX_NS UINT64_C(4000000000)

/* What lies between two iterations that send so much at this rate. Neither may be 0. False: more
 * than the longest gap. A gap of less than 2^-32 ns becomes that. */
bool weft_arrivals_gap(uint64_t len_bytes, uint64_t rate_bps, uint64_t *ret_gap);

struct weft_arrivals {
    uint64_t gap;
    uint64_t seed;
    uint64_t *table; /* Poisson; else NULL */
    struct weft_random random;
    uint64_t epoch_ns;
    weft_u128 at; /* of the last one given, since the epoch, in 2^-32 ns */
};

WEFT_CHECKED enum weft_status weft_arrivals_init(struct weft_arrivals *arrivals,
                                                 enum weft_arrivals_kind kind, uint64_t gap,
                                                 uint64_t seed, struct weft_error *error);
void weft_arrivals_fini(struct weft_arrivals *arrivals);

/* From the beginning. Returns the first: the epoch itself, or with Poisson a gap after it. */
uint64_t weft_arrivals_start(struct weft_arrivals *arrivals, uint64_t epoch_ns);
/* The next; no division, no logarithm. */
uint64_t weft_arrivals_next(struct weft_arrivals *arrivals);

#endif
