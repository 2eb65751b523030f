/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/victims.h"

#include <math.h>

#include "fabric/schedule/patterns/incast.h"

static void take_lower(uint64_t *lowest_bps, uint64_t rate_bps)
{
    if (rate_bps && (!*lowest_bps || rate_bps < *lowest_bps))
        *lowest_bps = rate_bps;
}

static void take_rank(const struct weft_topology *topology, uint32_t rank, uint64_t *lowest_bps)
{
    uint32_t nic = rank < topology->rank_count ? topology->rank_nics[rank] : UINT32_MAX;
    if (nic >= topology->nic_count)
        return;
    take_lower(lowest_bps, topology->nics[nic].rate_bps);
    for (uint32_t i = 0; i < topology->link_count; i++) {
        const struct weft_link *link = &topology->links[i];
        for (uint32_t end = 0; end < 2; end++)
            if (!link->ends[end].is_switch && link->ends[end].index == nic)
                take_lower(lowest_bps, link->rate_bps);
    }
}

/* A flow's messages are posted at once, and the last of them has the flow's time: of all messages
 * those are the slowest, one in so many. */
static bool fill_rates(const struct weft_hist *latency_ns, uint64_t size_bytes, uint64_t messages,
                       struct weft_test_victims *ret)
{
    uint64_t median_ns = 0;
    if (!latency_ns->count || !latency_ns->max)
        return false;
    ret->worst_bps = (double)size_bytes * 8e9 / (double)latency_ns->max;
    ret->median_known = weft_hist_tail(latency_ns, 1, 2 * messages, &median_ns) && median_ns;
    if (ret->median_known)
        ret->median_bps = (double)size_bytes * 8e9 / (double)median_ns;
    return true;
}

bool weft_test_victims(const struct weft_result *result, const struct weft_test_result *test,
                       struct weft_test_victims *ret)
{
    const struct weft_pattern *pattern = test->test->pattern;
    struct weft_pattern_options options = weft_pattern_resolve(pattern, &test->test->options);
    options.rank_count = test->rank_count;
    *ret = (struct weft_test_victims){.flows = weft_incast_victims(pattern, &options)};
    struct weft_hist *all_ns = ret->flows ? weft_hist_create() : NULL;
    if (!all_ns)
        return false;
    for (uint32_t i = 0; i < ret->flows; i++) {
        uint32_t from = 0, to = 0;
        weft_incast_victim(&options, i, &from, &to);
        if (test->ranks[from].reported && test->ranks[from].latency_ns)
            weft_hist_merge(all_ns, test->ranks[from].latency_ns);
        take_rank(result->topology, test->ranks[from].rank, &ret->line_rate_bps);
        take_rank(result->topology, test->ranks[to].rank, &ret->line_rate_bps);
    }
    uint64_t messages = (options.size_bytes + options.chunk_bytes - 1) / options.chunk_bytes;
    bool known = fill_rates(all_ns, options.size_bytes, messages, ret);
    weft_hist_destroy(all_ns);
    return known;
}

static json_t *bps_json(bool known, double rate_bps)
{
    return known ? json_integer((json_int_t)llround(rate_bps)) : json_null();
}

static json_t *share_json(bool known, double rate_bps, uint64_t line_rate_bps)
{
    return known && line_rate_bps ? json_real(rate_bps / (double)line_rate_bps) : json_null();
}

json_t *weft_victims_json(const struct weft_result *result, const struct weft_test_result *test)
{
    struct weft_test_victims victims;
    if (!weft_test_victims(result, test, &victims))
        return json_null();
    bool median = victims.median_known;
    uint64_t line_bps = victims.line_rate_bps;
    json_t *object = json_object();
    int failed = json_object_set_new(object, "flows", json_integer(victims.flows));
    failed |= json_object_set_new(object, "median_bps", bps_json(median, victims.median_bps));
    failed |= json_object_set_new(object, "worst_bps", bps_json(true, victims.worst_bps));
    failed |= json_object_set_new(object, "median_share",
                                  share_json(median, victims.median_bps, line_bps));
    failed |=
        json_object_set_new(object, "worst_share", share_json(true, victims.worst_bps, line_bps));
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}
