/* SPDX-License-Identifier: BSD-3-Clause */
/* How many iterations may run: of a timed phase ahead in leases, so that all ranks stop at the same
 * one without asking each other. */
#ifndef WEFT_CONTROL_LEASE_H
#define WEFT_CONTROL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_LEASE_NS 200000000u

struct weft_lease_options {
    uint64_t iterations;  /* 0: timed */
    uint64_t duration_ns; /* 0: counted */
    /* No grant goes further than this past what has been taken in; 0: without a limit. */
    uint64_t window;
    uint64_t expected; /* iterations that a lease is worth, as an earlier phase went; 0: unknown */
    /* Not 0: in steps of so many and more, and only where they are waited for: what is granted and
     * when depends on nothing but the iterations themselves. */
    uint64_t step;
    uint64_t margin; /* with a step: ranks wait when fewer are left */
};

struct weft_lease_progress {
    uint64_t done;  /* iterations that all agents have run */
    uint64_t taken; /* whose durations have been taken in */
    bool waits;     /* ranks wait for a grant, and their clock stands still */
};

struct weft_lease {
    struct weft_lease_options options;
    uint64_t started_ns, granted;
    uint64_t seen_ns; /* when an iteration was seen to be done: a duration counts from here */
    bool last;        /* no more will be granted */
    /* Two marks, so that the pace is that of a recent but not too short time. */
    uint64_t mark_ns, mark_done, older_ns, older_done;
};

void weft_lease_begin(struct weft_lease *lease, const struct weft_lease_options *options,
                      uint64_t now_ns);

/* True: `granted` or `last` has changed and is to be told. To be asked again at each progress and
 * each tick. */
bool weft_lease_renew(struct weft_lease *lease, const struct weft_lease_progress *progress,
                      uint64_t now_ns);

/* What iterations in so much time make of a lease. */
uint64_t weft_lease_worth(uint64_t iterations, uint64_t elapsed_ns);

#endif
