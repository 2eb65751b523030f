/* SPDX-License-Identifier: BSD-3-Clause */
/* When the iterations of an open loop are due. These times are fixed from the start and do not
 * depend on how the iterations themselves go. */
#ifndef WEFT_NODE_ARRIVALS_H
#define WEFT_NODE_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/base/random.h"
#include "fabric/base/wide.h"

enum weft_arrivals_kind {
    WEFT_ARRIVALS_CONSTANT = 0, /* all gaps are equal */
    WEFT_ARRIVALS_POISSON,      /* exponential gaps; the given gap is their mean */
    WEFT_ARRIVALS_KIND_COUNT
};

/* A gap is in units of 2^-32 ns, so its rounding error is far smaller than a clock's error. The
 * longest gap that fits is 4.29 s. */
#define WEFT_ARRIVALS_GAP_MAX_NS UINT64_C(4000000000)

/* Computes the gap between two iterations that each send len_bytes at rate_bps. Neither may be 0.
 * Returns false if the gap is longer than the longest one. A gap shorter than 2^-32 ns is rounded
 * up to it. */
bool weft_arrivals_gap(uint64_t len_bytes, uint64_t rate_bps, uint64_t *ret_gap);

struct weft_arrivals {
    uint64_t gap;
    uint64_t seed;
    uint64_t *table; /* Poisson; else NULL */
    struct weft_random random;
    uint64_t epoch_ns;
    weft_u128 at; /* the last time returned, since the epoch, in 2^-32 ns */
};

WEFT_CHECKED enum weft_status weft_arrivals_init(struct weft_arrivals *arrivals,
                                                 enum weft_arrivals_kind kind, uint64_t gap,
                                                 uint64_t seed, struct weft_error *error);
void weft_arrivals_fini(struct weft_arrivals *arrivals);

/* Starts again from the first arrival and returns its time: the epoch, or with Poisson one gap
 * after it. */
uint64_t weft_arrivals_start(struct weft_arrivals *arrivals, uint64_t epoch_ns);
/* Returns the next arrival's time. Uses no division and no logarithm. */
uint64_t weft_arrivals_next(struct weft_arrivals *arrivals);

#endif
