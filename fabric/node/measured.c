/* SPDX-License-Identifier: BSD-3-Clause */
/* What a phase came to, told to the control thread. */
#include "fabric/node/keeper.h"

#define BITS_PER_BYTE_NS 8e9

static uint64_t read_word(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Of the flows that this rank sends. The worker goes on while they are read. */
static void collect_rates(const struct weft_node *node, struct weft_flow_rates *rates)
{
    *rates = (struct weft_flow_rates){.slowest_bps = UINT64_MAX, .lowest_bps = UINT64_MAX};
    for (uint32_t i = 0; i < weft_node_setup(node)->channel_count; i++) {
        const struct weft_channel_setup *channel = weft_node_channel(node, i);
        const struct weft_endpoint_counters *counters =
            weft_node_setup(node)->driver->endpoint_counters(channel->endpoint);
        uint64_t rate_bps = read_word(&counters->rate_bps);
        uint64_t least_bps = read_word(&counters->least_rate_bps);
        if (!rate_bps || !channel->send_count)
            continue;
        rates->flows++;
        if (rate_bps < rates->slowest_bps)
            rates->slowest_bps = rate_bps;
        if (rate_bps > rates->fastest_bps)
            rates->fastest_bps = rate_bps;
        if (least_bps < rates->lowest_bps)
            rates->lowest_bps = least_bps;
    }
    if (!rates->flows)
        *rates = (struct weft_flow_rates){0};
}

static void collect_spread(const struct weft_node *node, const struct weft_flow *flows,
                           struct weft_flow_spread *spread)
{
    *spread = (struct weft_flow_spread){0};
    for (uint32_t i = 0; i < weft_node_setup(node)->channel_count; i++) {
        const struct weft_flow *flow = &flows[i];
        if (!flow->bytes || !flow->ns)
            continue;
        double rate_bps = (double)flow->bytes * BITS_PER_BYTE_NS / (double)flow->ns;
        if (!spread->flows || rate_bps < spread->worst_bps) {
            spread->worst_bps = rate_bps;
            spread->worst_from =
                weft_node_named(weft_node_setup(node), weft_node_channel(node, i)->peer);
        }
        spread->flows++;
        spread->sum_bps += rate_bps;
        spread->squares += rate_bps * rate_bps;
    }
}

static void collect_open_loop(const struct weft_node *node, const struct weft_node_tally *tally,
                              struct weft_open_loop_measured *measured)
{
    const struct weft_open_loop *loop = &tally->open_loop;
    *measured = (struct weft_open_loop_measured){.paced = weft_node_setup(node)->paced};
    if (!measured->paced || !loop->begun)
        return;
    uint64_t end_ns = tally->last_end_ns > loop->due_ns ? tally->last_end_ns : loop->due_ns;
    measured->latency_intended_ns = loop->latency_intended_ns;
    measured->missed = loop->missed;
    measured->offered_ns = loop->due_ns - loop->first_due_ns;
    measured->achieved_ns = end_ns - loop->first_due_ns;
}

void weft_node_measured(const struct weft_node *node, struct weft_node_measured *ret_measured)
{
    const struct weft_node_tally *tally = weft_node_tallied(node);
    /* A node that was halted may have begun and ended nothing. */
    uint64_t last_end_ns =
        tally->last_end_ns > tally->first_start_ns ? tally->last_end_ns : tally->first_start_ns;
    *ret_measured = (struct weft_node_measured){.latency_ns = tally->latency_ns,
                                                .bandwidth_bps = tally->bandwidth_bps,
                                                .sent_messages = tally->sent_messages,
                                                .sent_bytes = tally->sent_bytes,
                                                .received_messages = tally->received_messages,
                                                .received_bytes = tally->received_bytes,
                                                .first_start_ns = tally->first_start_ns,
                                                .last_end_ns = last_end_ns,
                                                .stalled_iterations = tally->stalled_iterations,
                                                .iterations = tally->iterations};
    collect_open_loop(node, tally, &ret_measured->open_loop);
    collect_rates(node, &ret_measured->rates);
    collect_spread(node, tally->flows, &ret_measured->spread);
}
