/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/search.h"

#include <criterion/criterion.h>

#define GBPS UINT64_C(1000000000)

static const struct weft_search_options options = {
    .from_bps = GBPS, .to_bps = 100 * GBPS, .resolution = 0.01};

/* A fabric that carries up to so much for a short trial, and less for a long one. */
static uint64_t search_of(uint64_t short_bps, uint64_t long_bps, uint32_t *ret_trials)
{
    struct weft_search search;
    weft_search_begin(&search, &options);
    while (!search.done) {
        cr_assert(search.rate_bps >= options.from_bps && search.rate_bps <= options.to_bps);
        weft_search_note(&search, search.rate_bps <= (search.confirms ? long_bps : short_bps));
    }
    *ret_trials = search.trials;
    return search.found_bps;
}

Test(search, finds_the_edge_within_its_resolution)
{
    for (uint64_t edge_bps = GBPS; edge_bps <= 100 * GBPS; edge_bps += GBPS / 3) {
        uint32_t trials;
        uint64_t found_bps = search_of(edge_bps, edge_bps, &trials);
        cr_assert_leq(found_bps, edge_bps);
        cr_assert_geq((double)found_bps, (double)edge_bps * 0.9899);
        cr_assert_leq(trials, 17);
    }
}

Test(search, tries_the_highest_first_and_confirms_it)
{
    uint32_t trials;
    cr_assert_eq(search_of(100 * GBPS, 100 * GBPS, &trials), 100 * GBPS);
    cr_assert_eq(trials, 2);
}

Test(search, says_that_none_passes)
{
    uint32_t trials;
    cr_assert_eq(search_of(GBPS - 1, GBPS - 1, &trials), 0);
    cr_assert_eq(trials, 2);
}

/* Each failed confirmation lowers the edge; what is found has been confirmed. */
Test(search, goes_down_where_a_longer_trial_fails)
{
    uint32_t trials;
    uint64_t found_bps = search_of(50 * GBPS, 48 * GBPS, &trials);
    cr_assert(found_bps && found_bps <= 48 * GBPS);
    cr_assert_leq(trials, WEFT_SEARCH_TRIALS_MAX);
}

Test(search, ends_whatever_comes)
{
    uint32_t trials;
    cr_assert_eq(search_of(100 * GBPS, 0, &trials), 0);
    cr_assert_leq(trials, WEFT_SEARCH_TRIALS_MAX);
}
