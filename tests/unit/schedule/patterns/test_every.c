/* SPDX-License-Identifier: BSD-3-Clause */
/* What every pattern of the list must stand, with each of its algorithms: all ranks' schedules
 * match, an interpreter fulfils what they promise, and nothing that may be in flight at once
 * overlaps. No pattern is named here: a new one is tried as soon as it is in the list. */
#include <criterion/criterion.h>
#include <string.h>

#include "try.h"

static bool is_possible(const struct weft_pattern *pattern,
                        const struct weft_pattern_options *options)
{
    struct weft_error error = {0};
    return weft_pattern_check(pattern, options, &error) == WEFT_OK;
}

/* Sizes below, at and beyond an element and a chunk; of many ranks two of them, for time. */
static uint32_t try_sizes(const struct weft_pattern *pattern,
                          const struct weft_pattern_options *from,
                          void (*try)(const struct weft_pattern *pattern,
                                      const struct weft_pattern_options *options))
{
    static const uint64_t sizes[] = {1, 4, 5, 64, 264, 1001};
    uint32_t tried = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct weft_pattern_options options = *from;
        bool is_large = options.rank_count > 9;
        options.size_bytes = sizes[i];
        if ((is_large && i % 3 != 1) || !is_possible(pattern, &options))
            continue;
        try(pattern, &options);
        tried++;
    }
    return tried;
}

/* As it is unless told, in elements of a byte, and in small chunks. */
static uint32_t try_ways(const struct weft_pattern *pattern,
                         const struct weft_pattern_options *from,
                         void (*try)(const struct weft_pattern *pattern,
                                     const struct weft_pattern_options *options))
{
    uint32_t tried = try_sizes(pattern, from, try);
    struct weft_pattern_options options = *from;
    if (weft_pattern_taken(pattern, WEFT_OPTION_BUCKETS))
        weft_pattern_option_set(&options, WEFT_OPTION_BUCKETS, 1);
    if (weft_pattern_taken(pattern, WEFT_OPTION_TYPE))
        weft_pattern_option_set(&options, WEFT_OPTION_TYPE, WEFT_ELEMENT_UINT8);
    if (weft_pattern_taken(pattern, WEFT_OPTION_CHUNK))
        weft_pattern_option_set(&options, WEFT_OPTION_CHUNK, 48);
    return memcmp(&options, from, sizeof(options)) == 0 ? tried
                                                        : tried + try_sizes(pattern, &options, try);
}

/* Each algorithm; each has been tried at least so often. */
static void try_algorithms(const struct weft_pattern *pattern, uint32_t ranks_max, uint32_t least,
                           void (*try)(const struct weft_pattern *pattern,
                                       const struct weft_pattern_options *options))
{
    static const uint32_t counts[] = {2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33};
    const char *const *words = weft_pattern_option_words(pattern, WEFT_OPTION_ALGORITHM);
    uint64_t algorithm = 0;
    do {
        uint32_t tried = 0;
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && counts[i] <= ranks_max; i++) {
            struct weft_pattern_options options = {.rank_count = counts[i]};
            if (words)
                weft_pattern_option_set(&options, WEFT_OPTION_ALGORITHM, algorithm);
            tried += try_ways(pattern, &options, try);
        }
        uint32_t wanted = pattern->max_ranks == 2 ? 3 : least;
        cr_assert_geq(tried, wanted, "%s, %s: %u ways are possible", pattern->name,
                      words ? words[algorithm] : "", tried);
    } while (words && words[++algorithm]);
}

/* What is made from a file alone says nothing without one. */
static bool is_a_file(const struct weft_pattern *pattern)
{
    return pattern->takes_text && !pattern->default_size_bytes;
}

static void run(const struct weft_pattern *pattern, const struct weft_pattern_options *options)
{
    (void)try_pattern(pattern->name, options);
}

static void race(const struct weft_pattern *pattern, const struct weft_pattern_options *options)
{
    assert_no_races(pattern->name, options);
}

Test(every_pattern, matches_and_keeps_its_promises)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++) {
        if (!is_a_file(*at))
            try_algorithms(*at, 33, 8, run);
    }
}

Test(every_pattern, has_no_races)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++) {
        if (!is_a_file(*at))
            try_algorithms(*at, 5, 3, race);
    }
}

Test(every_pattern, says_what_it_is)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++) {
        const struct weft_pattern *pattern = *at;
        cr_assert(*pattern->summary && *pattern->text, "%s", pattern->name);
        cr_assert(strstr(pattern->text, "ompletion") || is_a_file(pattern),
                  "%s does not say what its completion is", pattern->name);
        cr_assert(!pattern->default_size_bytes || *pattern->size_text, "%s", pattern->name);
        cr_assert(pattern->bus_factor && pattern->algorithm_bytes && pattern->build, "%s",
                  pattern->name);
    }
}
