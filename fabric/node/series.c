/* SPDX-License-Identifier: BSD-3-Clause */
/* Goodput of each incoming flow, interval by interval.
 *
 * What counts are bytes that have reached memory: of a message under way as much as the driver
 * knows to have come, never more than the receives that wait, and never less than the messages that
 * are whole. A driver that counts whole messages only (verbs: a NIC says no more) makes intervals
 * of a few messages coarse, but nothing is counted twice or left out.
 *
 * An interval goes from one poll to another and is at least as long as was asked for. Its rate is
 * its bytes over the time that really passed. A poll that comes so late that several intervals have
 * passed cannot tell them apart: it records their mean once for each of them. What a poll is late
 * beyond whole intervals counts with the next, so that there are as many records as intervals: were
 * it dropped, time with slow polls would weigh less than it lasted. Intervals lie within iterations
 * that follow each other without a gap, or, in an open loop, with none but that until the next is
 * due; what is left at the end of such a stretch is dropped. */
#include "fabric/base/wide.h"
#include "fabric/node/steps.h"

#define NS_PER_S 1000000000u
#define BITS_PER_BYTE 8u

/* 2^126 / value for value in [2^63, 2^64), by Newton's iteration: each round squares the error,
 * which the line through the ends makes at most 1/17. */
static uint64_t reciprocal(uint64_t value)
{
    const uint64_t one = UINT64_C(1) << 62;
    const uint64_t c48_17 = UINT64_C(0xb4b4b4b4b4b4b4b4); /* 48/17 in 2.62 */
    const uint64_t c32_17 = UINT64_C(0x7878787878787878); /* 32/17 in 2.62 */
    uint64_t inverse = c48_17 - (uint64_t)((weft_u128)value * c32_17 >> 64);
    for (uint32_t round = 0; round < 3; round++) {
        uint64_t product = (uint64_t)((weft_u128)value * inverse >> 64);
        if (product <= one)
            inverse += (uint64_t)((weft_u128)inverse * (one - product) >> 62);
        else
            inverse -= (uint64_t)((weft_u128)inverse * (product - one) >> 62);
    }
    return inverse;
}

uint64_t weft_series_rate(uint64_t len_bytes, uint64_t elapsed_ns)
{
    if (!elapsed_ns)
        return 0;
    uint32_t shift = (uint32_t)__builtin_clzll(elapsed_ns);
    uint64_t inverse = reciprocal(elapsed_ns << shift);
    /* bits * 1e9 * (inverse / 2^126) * 2^shift, with 32 bits dropped in between */
    uint64_t per_bit = (uint64_t)((weft_u128)inverse * NS_PER_S >> 32);
    weft_u128 rate_bps = (weft_u128)len_bytes * BITS_PER_BYTE * per_bit >> (94 - shift);
    return rate_bps > UINT64_MAX ? UINT64_MAX : (uint64_t)rate_bps;
}

/* Slots that the peer has written, for it writes them through the same endpoint. */
static uint64_t slots_arrived(const struct weft_node *node, const struct weft_channel *channel)
{
    uint64_t count = channel->sent;
    struct weft_slot slot;
    while (count - channel->sent <= node->setup.slots_mask &&
           weft_slot_read(&channel->setup.slots[count & node->setup.slots_mask], count + 1, &slot))
        count++;
    return count;
}

static uint64_t flow_bytes(const struct weft_node *node, const struct weft_channel *channel)
{
    uint64_t arrived =
        node->setup.driver->endpoint_counters(channel->setup.endpoint)->received_payload_bytes;
    uint64_t slots = slots_arrived(node, channel) * WEFT_SLOT_BYTES;
    uint64_t payload = arrived > slots ? arrived - slots : 0;
    if (payload < channel->completed_bytes)
        return channel->completed_bytes;
    return payload < channel->posted_bytes ? payload : channel->posted_bytes;
}

void weft_series_restart(struct weft_node *node)
{
    node->worker.series_start_ns = node->worker.now_ns;
    node->worker.series_late_ns = 0;
    for (uint32_t i = 0; i < node->setup.channel_count; i++)
        node->worker.channels[i].series_bytes = flow_bytes(node, &node->worker.channels[i]);
}

void weft_series_begin(struct weft_node *node)
{
    if (node->worker.series_running)
        return;
    node->worker.series_running = true;
    weft_series_restart(node);
}

/* How many intervals have ended, and how late the poll is beyond them. The inverse is rounded up,
 * so the product may be one too many. */
static uint64_t intervals_of(uint64_t elapsed_ns, const struct weft_node *node,
                             uint64_t *ret_late_ns)
{
    uint64_t count = (uint64_t)((weft_u128)elapsed_ns * node->setup.interval_inverse >> 64);
    if (count * node->setup.interval_ns > elapsed_ns)
        count--;
    count = count ? count : 1; /* an interval of 1 ns has no inverse in 64 bits */
    *ret_late_ns = elapsed_ns - count * node->setup.interval_ns;
    return count;
}

void weft_series_sample(struct weft_node *node)
{
    uint64_t elapsed_ns = node->worker.now_ns - node->worker.series_start_ns;
    if (elapsed_ns < node->setup.interval_ns)
        return;
    uint64_t times =
        intervals_of(elapsed_ns + node->worker.series_late_ns, node, &node->worker.series_late_ns);
    for (uint32_t i = 0; i < node->setup.channel_count; i++) {
        struct weft_channel *channel = &node->worker.channels[i];
        uint64_t bytes = flow_bytes(node, channel);
        /* A driver's count may lag behind one that was clamped: never back. */
        uint64_t grown = bytes > channel->series_bytes ? bytes - channel->series_bytes : 0;
        if (channel->setup.carries_bytes && !node->tally.unrecorded)
            weft_hist_record_times(node->tally.bandwidth_bps, weft_series_rate(grown, elapsed_ns),
                                   times);
        channel->series_bytes += grown;
    }
    node->worker.series_start_ns = node->worker.now_ns;
}
