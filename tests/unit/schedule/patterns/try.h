/* SPDX-License-Identifier: BSD-3-Clause */
/* What every pattern must stand; each asserts. */
#ifndef WEFT_TESTS_TRY_H
#define WEFT_TESTS_TRY_H

#include "tests/unit/schedule/interpret.h"

#define OPTIONS(...)                     \
    &(const struct weft_pattern_options) \
    {                                    \
        __VA_ARGS__                      \
    }

const struct weft_pattern *find(const char *name);

/* Matches, runs to the end, and leaves what it promises. Returns the bytes that were compared. */
uint64_t try_pattern(const char *name, const struct weft_pattern_options *options);

/* Two operations of which one writes what the other touches wait for each other, one way or the
 * other: until a send is complete its memory is the device's. */
void assert_no_races(const char *name, const struct weft_pattern_options *options);

/* The options are refused, in words that have the remedy in them. */
void refuse(const char *name, const struct weft_pattern_options *options, const char *remedy);

#endif
