/* SPDX-License-Identifier: BSD-3-Clause */
/* The highest rate that passes, by halving: RFC 2544's throughput. Pure: rates out, outcomes in. */
#ifndef WEFT_PLAN_SEARCH_H
#define WEFT_PLAN_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

/* What is tried is bounded whatever the outcomes are. */
#define WEFT_SEARCH_TRIALS_MAX 64u
/* So much longer is the trial that confirms. */
#define WEFT_SEARCH_CONFIRM_TIMES 4u

struct weft_search_options {
    uint64_t from_bps, to_bps; /* to_bps 0: no search */
    double resolution;         /* ends where the rates that pass and fail differ by less, a share */
    double tolerance;          /* achieved may be less than offered by such a share */
};

struct weft_search {
    struct weft_search_options options;
    uint64_t rate_bps; /* to be tried */
    bool confirms;     /* by a longer trial: it has passed before */
    bool done;
    uint64_t found_bps;              /* once done: confirmed; 0: none passes */
    uint64_t passed_bps, failed_bps; /* the highest and the lowest that did; 0: none yet */
    uint32_t trials;
};

/* The highest rate is tried first: where it passes nothing need be searched. */
void weft_search_begin(struct weft_search *search, const struct weft_search_options *options);
/* What became of the trial at `rate_bps`: either `done`, or the next is to be tried. */
void weft_search_note(struct weft_search *search, bool passed);

#endif
