/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/search.h"

#include <assert.h>

void weft_search_begin(struct weft_search *search, const struct weft_search_options *options)
{
    assert(options->from_bps && options->from_bps <= options->to_bps);
    *search = (struct weft_search){.options = *options, .rate_bps = options->to_bps};
}

static void end(struct weft_search *search, uint64_t found_bps)
{
    search->done = true;
    search->found_bps = found_bps;
}

static void confirm(struct weft_search *search)
{
    search->rate_bps = search->passed_bps;
    search->confirms = true;
}

/* Between what passed and what failed; where nothing has passed yet, the lowest. */
static void halve(struct weft_search *search)
{
    uint64_t low_bps = search->passed_bps;
    uint64_t high_bps = search->failed_bps;
    if (!low_bps) {
        search->rate_bps = search->options.from_bps;
        if (high_bps <= search->options.from_bps)
            end(search, 0);
        return;
    }
    uint64_t middle_bps = low_bps + (high_bps - low_bps) / 2;
    bool close = (double)(high_bps - low_bps) <= search->options.resolution * (double)high_bps;
    if (close || middle_bps == low_bps)
        confirm(search);
    else
        search->rate_bps = middle_bps;
}

void weft_search_note(struct weft_search *search, bool passed)
{
    assert(!search->done);
    search->trials++;
    if (passed && search->confirms) {
        end(search, search->rate_bps);
        return;
    }
    if (passed) {
        search->passed_bps = search->rate_bps;
    } else {
        /* What passed once and failed when tried for longer fails: all below is open again. */
        search->failed_bps = search->rate_bps;
        if (search->confirms)
            search->passed_bps = 0;
    }
    search->confirms = false;
    if (search->trials == WEFT_SEARCH_TRIALS_MAX)
        end(search, 0);
    else if (!search->failed_bps)
        confirm(search);
    else
        halve(search);
}
