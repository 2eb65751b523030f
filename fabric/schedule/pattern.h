/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic shapes by name. A pattern compiles to the schedule of one rank at a time, from nothing
 * but its options: every agent compiles its own ranks. */
#ifndef WEFT_SCHEDULE_PATTERN_H
#define WEFT_SCHEDULE_PATTERN_H

#include "fabric/schedule/schedule.h"

struct weft_pattern_options {
    uint32_t rank_count;
    uint64_t size_bytes;   /* what the pattern says it is: see each one's text */
    uint64_t chunk_bytes;  /* 0: the pattern's default; all-reduce cuts its segments into chunks */
    uint32_t microbatches; /* pipeline; 0: default */
    uint64_t calc_ns;      /* pipeline: time of a stage's computation, a microbatch and direction */
};

struct weft_pattern {
    const char *name;
    const char *summary; /* one line */
    const char *text;    /* which job makes it, its schedule, its options: several lines */
    uint32_t default_ranks;
    uint32_t min_ranks;
    uint64_t default_size_bytes;
    /* busbw / algbw as nccl-tests defines it, for n ranks; 0: the pattern has no bus bandwidth. */
    double (*bus_factor)(uint32_t rank_count);
    /* The bytes that algbw counts, an iteration; 0: no algorithmic bandwidth. */
    uint64_t (*algorithm_bytes)(const struct weft_pattern_options *options);
    /* Are these options possible? The error names the option and the remedy. Called by compile. */
    enum weft_status (*check)(const struct weft_pattern_options *options, struct weft_error *error);
    enum weft_status (*compile)(const struct weft_pattern_options *options, uint32_t rank,
                                struct weft_schedule **ret_schedule, struct weft_error *error);
};

/* NULL-terminated, in the order in which they are listed. */
const struct weft_pattern *const *weft_patterns(void);

/* NULL and an error with the nearest name where there is none. */
const struct weft_pattern *weft_pattern_find(const char *name, struct weft_error *error);

#endif
