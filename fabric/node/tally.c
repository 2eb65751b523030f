/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/node/tally.h"

#include <stdlib.h>

enum weft_status weft_tally_init(struct weft_node_tally *tally, const struct weft_node_setup *setup,
                                 struct weft_error *error)
{
    tally->latency_ns = weft_hist_create();
    tally->bandwidth_bps = weft_hist_create();
    tally->flows = calloc((size_t)setup->channel_count + 1, sizeof(*tally->flows));
    bool made = tally->latency_ns && tally->bandwidth_bps && tally->flows;
    if (setup->paced) {
        tally->open_loop.latency_intended_ns = weft_hist_create();
        made = made && tally->open_loop.latency_intended_ns;
    }
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its histograms",
                                 weft_node_rank(setup));
}

void weft_tally_fini(struct weft_node_tally *tally)
{
    weft_hist_destroy(tally->latency_ns);
    weft_hist_destroy(tally->bandwidth_bps);
    weft_hist_destroy(tally->open_loop.latency_intended_ns);
    free(tally->flows);
}

void weft_tally_clear(struct weft_node_tally *tally)
{
    weft_tally_forget(tally);
    *tally = (struct weft_node_tally){.latency_ns = tally->latency_ns,
                                      .bandwidth_bps = tally->bandwidth_bps,
                                      .open_loop.latency_intended_ns =
                                          tally->open_loop.latency_intended_ns,
                                      .flows = tally->flows};
}

void weft_tally_forget(struct weft_node_tally *tally)
{
    weft_hist_clear(tally->latency_ns);
    weft_hist_clear(tally->bandwidth_bps);
    if (tally->open_loop.latency_intended_ns)
        weft_hist_clear(tally->open_loop.latency_intended_ns);
}
