/* SPDX-License-Identifier: BSD-3-Clause */
/* The small parts: slots, sums, rates, the series of bandwidths. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "cluster.h"
#include "fabric/node/reduce.h"
#include "fabric/node/slot.h"
#include "fabric/node/steps.h"
#include "faulty.h"

/* ---- slots ---- */

Test(slot, reads_what_was_made)
{
    struct weft_slot slot = weft_slot_make(0x7f0012345678, 4097, 0xabcdef01, 9);
    struct weft_slot found = {0};
    cr_assert(weft_slot_read(&slot, 9, &found));
    cr_assert_eq(found.address, 0x7f0012345678);
    cr_assert_eq(weft_slot_len(&found), 4097);
    cr_assert_eq(weft_slot_rkey(&found), 0xabcdef01);
    cr_assert_not(weft_slot_read(&slot, 8, &found));
    cr_assert_not(weft_slot_read(&slot, 10, &found));
}

Test(slot, fresh_memory_is_none)
{
    struct weft_slot slot = {0}, found;
    cr_assert_not(weft_slot_read(&slot, 1, &found));
}

/* The words of a new slot may come in any order: every mix with the old one is refused. */
Test(slot, torn_is_none)
{
    for (uint64_t sequence = 17; sequence < 2000; sequence++) {
        struct weft_slot old = weft_slot_make(0x1000 * sequence, 64, 7, sequence - 16);
        struct weft_slot new = weft_slot_make(0x1000 * sequence + 64, 128, 7, sequence);
        for (uint32_t mask = 0; mask < 15; mask++) {
            struct weft_slot mixed = {.address = mask & 1 ? new.address : old.address,
                                      .len_and_key = mask & 2 ? new.len_and_key : old.len_and_key,
                                      .check = mask & 4 ? new.check : old.check,
                                      .sequence = mask & 8 ? new.sequence : old.sequence};
            struct weft_slot found;
            cr_assert_not(weft_slot_read(&mixed, sequence, &found), "mask %u", mask);
        }
    }
}

/* ---- reductions ---- */

enum {
    COUNT = 1000
};

/* What two whole numbers give, by plain arithmetic. */
static uint32_t joined(enum weft_element element, enum weft_reduction reduction, uint32_t a,
                       uint32_t b)
{
    if (reduction == WEFT_REDUCTION_MAX)
        return a > b ? a : b;
    return element == WEFT_ELEMENT_UINT8 ? (a + b) % 256 : a + b;
}

static void assert_joins(weft_reduce_function *join, enum weft_element element,
                         enum weft_reduction reduction)
{
    uint32_t bytes = weft_element_bytes(element);
    static uint32_t into_words[COUNT], from_words[COUNT];
    uint8_t *into = (uint8_t *)into_words, *from = (uint8_t *)from_words;
    for (uint32_t count = 0; count < 200; count++) {
        uint32_t offset = count % 5;
        for (uint32_t i = 0; i < COUNT; i++) {
            weft_element_write(element, i * 7 % 128, into + i * bytes);
            weft_element_write(element, i * 13 % 120, from + i * bytes);
        }
        join(into + offset * bytes, from + bytes, count);
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t expected = i * 7 % 128;
            if (i >= offset && i < offset + count)
                expected = joined(element, reduction, expected, (i - offset + 1) * 13 % 120);
            uint8_t wanted[WEFT_ELEMENT_BYTES_MAX];
            weft_element_write(element, expected, wanted);
            cr_assert_arr_eq(into + i * bytes, wanted, bytes, "%s %s: %u of %u, at %u",
                             weft_element_names[element], weft_reduction_names[reduction], i, count,
                             offset);
        }
    }
}

Test(reduce, all_kinds_agree)
{
    for (uint32_t element = 0; element < WEFT_ELEMENT_COUNT; element++) {
        for (uint32_t reduction = 0; reduction < WEFT_REDUCTION_COUNT; reduction++) {
            weft_reduce_function *functions[WEFT_REDUCE_KINDS];
            size_t kinds = weft_reduce_list((enum weft_element)element,
                                            (enum weft_reduction)reduction, functions);
            cr_assert_geq(kinds, 1);
            for (size_t kind = 0; kind < kinds; kind++)
                assert_joins(functions[kind], (enum weft_element)element,
                             (enum weft_reduction)reduction);
        }
    }
}

/* Negative numbers, which the tests above have none of. */
Test(reduce, signs)
{
    float floats[2] = {-3, -5}, others[2] = {-4, 2};
    weft_reduce_choose(WEFT_ELEMENT_FLOAT32, WEFT_REDUCTION_MAX)(floats, others, 2);
    cr_assert_eq(floats[0], -3);
    cr_assert_eq(floats[1], 2);
    int32_t whole[2] = {-3, INT32_MAX}, one[2] = {-4, 1};
    weft_reduce_choose(WEFT_ELEMENT_INT32, WEFT_REDUCTION_MAX)(whole, one, 2);
    cr_assert_eq(whole[0], -3);
    cr_assert_eq(whole[1], INT32_MAX);
    weft_reduce_choose(WEFT_ELEMENT_INT32, WEFT_REDUCTION_SUM)(whole, one, 2);
    cr_assert_eq(whole[0], -7);
    cr_assert_eq(whole[1], INT32_MIN);
    uint16_t half[1] = {weft_float16_of_float(-2)}, more[1] = {weft_float16_of_float(-7)};
    weft_reduce_choose(WEFT_ELEMENT_FLOAT16, WEFT_REDUCTION_MAX)(half, more, 1);
    cr_assert_eq(half[0], weft_float16_of_float(-2));
}

/* ---- rates ---- */

Test(rate, within_a_millionth)
{
    static const uint64_t elapsed[] = {1,       2,       3,       1000,    999983,     1000000,
                                       1000001, 1048575, 1048576, 1048577, 4294967295, 1ull << 40};
    static const uint64_t bytes[] = {1000, 999999, 1250000, 1ull << 30, 12345678901};
    for (uint32_t i = 0; i < sizeof(elapsed) / sizeof(elapsed[0]); i++) {
        for (uint32_t j = 0; j < sizeof(bytes) / sizeof(bytes[0]); j++) {
            long double exact = (long double)bytes[j] * 8e9L / (long double)elapsed[i];
            long double found = (long double)weft_series_rate(bytes[j], elapsed[i]);
            if (exact > (long double)UINT64_MAX)
                exact = (long double)UINT64_MAX;
            /* besides, it is a whole number */
            cr_assert_lt(fabsl(found - exact), exact * 1e-6L + 1, "%lu B in %lu ns: %Lf", bytes[j],
                         elapsed[i], found);
        }
    }
    cr_assert_eq(weft_series_rate(0, 1000), 0);
    cr_assert_eq(weft_series_rate(1000, 0), 0);
}

Test(rate, every_length_of_time)
{
    uint64_t random = 1;
    for (uint32_t i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        uint64_t elapsed_ns = (random >> 20) % 100000000 + 1;
        long double exact = 125000000.0L * 8e9L / (long double)elapsed_ns;
        long double found = (long double)weft_series_rate(125000000, elapsed_ns);
        cr_assert_lt(fabsl(found - exact), exact * 1e-6L + 1);
    }
}

/* ---- the series ---- */

/* Two ranks; every turn moves one message of `len_bytes` in `turn_ns`, more or less. */
static void start_incast(struct cluster *cluster, uint64_t step_ns, uint64_t chunks)
{
    struct cluster_options options = {
        .pattern = "incast",
        .driver = faulty(),
        .depth = 1,
        .interval_ns = 100000,
        .options = {.rank_count = 2, .size_bytes = 4096 * chunks, .chunk_bytes = 4096}};
    cluster_init(cluster, &options);
    cluster->step_ns = step_ns;
    cluster_start(cluster, WEFT_PHASE_MEASURE);
    cluster_grant(cluster, 1);
}

static struct weft_node_measured measured_of_target(const struct cluster *cluster)
{
    struct weft_node_measured measured;
    weft_node_measured(cluster->nodes[0], &measured);
    return measured;
}

/* A steady flow: every interval shows its rate, as the driver counts bytes or as messages do. */
static void steady(bool counts_nothing)
{
    struct cluster cluster;
    faults.counts_nothing = counts_nothing;
    start_incast(&cluster, 500, 1000);
    cr_assert(cluster_reach(&cluster, 1));
    struct weft_node_measured measured = measured_of_target(&cluster);
    uint64_t duration_ns = measured.last_end_ns - measured.first_start_ns;
    cr_assert_eq(measured.bandwidth_bps->count, duration_ns / 100000);
    double mean, expected = 4096e3 * 8e9 / (double)duration_ns;
    cr_assert(weft_hist_mean(measured.bandwidth_bps, &mean));
    cr_assert_float_eq(mean, expected, expected * 0.05, "%f, not %f", mean, expected);
    cr_assert_lt((double)measured.bandwidth_bps->max, expected * 1.1);
    cr_assert_gt((double)measured.bandwidth_bps->min, expected * 0.9);
    /* Rank 1 receives no bytes, only signals: it has no flow. */
    weft_node_measured(cluster.nodes[1], &measured);
    cr_assert_eq(measured.bandwidth_bps->count, 0);
    cluster_fini(&cluster);
}

Test(series, steady)
{
    steady(false);
}

Test(series, steady_by_whole_messages)
{
    steady(true);
}

/* Slots come through the same endpoint as messages, and are no goodput: on this driver a message
 * is whole at once, so nothing but whole messages may ever be counted. */
Test(series, slots_are_left_out)
{
    struct cluster_options options = {
        .pattern = "all-reduce",
        .interval_ns = 100,
        .options = {.rank_count = 2, .size_bytes = 12800, .chunk_bytes = 64}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster.step_ns = 200;
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 5);
    for (uint32_t i = 0; i < 200; i++) {
        cluster_turn(&cluster);
        for (uint32_t rank = 0; rank < 2; rank++) {
            const struct weft_channel *channel = &cluster.nodes[rank]->worker.channels[0];
            cr_assert_leq(channel->series_bytes, channel->completed_bytes);
        }
    }
    cr_assert(cluster_reach(&cluster, 5));
    cr_assert_gt(measured_of_target(&cluster).bandwidth_bps->max, 0);
    cluster_fini(&cluster);
}

/* A poll that comes ten intervals late must not show ten intervals' bytes as one's. */
Test(series, late_poll)
{
    struct cluster cluster;
    start_incast(&cluster, 500, 2000);
    for (uint32_t i = 0; i < 1000; i++)
        cluster_turn(&cluster);
    struct weft_node_measured before = measured_of_target(&cluster);
    uint64_t count = before.bandwidth_bps->count, max = before.bandwidth_bps->max;
    cluster.now_ns += 1000000;
    for (uint32_t i = 0; i < 2; i++)
        cluster_turn(&cluster);
    struct weft_node_measured after = measured_of_target(&cluster);
    cr_assert_geq(after.bandwidth_bps->count, count + 10);
    cr_assert_leq(after.bandwidth_bps->count, count + 11);
    cr_assert_eq(after.bandwidth_bps->max, max);
    cr_assert_lt(after.bandwidth_bps->min, max / 5);
    cluster_fini(&cluster);
}

/* Turns that outlast an interval, though not by a second one, are slow time like any other: the
 * mean is that of the whole time and not of how many samples were taken. */
Test(series, mean_is_over_time)
{
    struct cluster cluster;
    start_incast(&cluster, 500, 10000);
    for (uint32_t i = 0; i < 4000; i++)
        cluster_turn(&cluster);
    cluster.step_ns = 95000; /* two ranks a turn: 1.9 intervals */
    for (uint32_t i = 0; i < 100; i++)
        cluster_turn(&cluster);
    struct weft_node_measured measured = measured_of_target(&cluster);
    double mean, duration_ns = (double)(cluster.now_ns - measured.first_start_ns);
    double expected = (double)measured.received_bytes * 8e9 / duration_ns;
    cr_assert(weft_hist_mean(measured.bandwidth_bps, &mean));
    cr_assert_float_eq(mean, expected, expected * 0.03, "%f, not %f", mean, expected);
    cluster_fini(&cluster);
}

/* Time in which nothing was granted is nobody's interval. */
Test(series, pauses_are_left_out)
{
    struct cluster cluster;
    start_incast(&cluster, 500, 10);
    cr_assert(cluster_reach(&cluster, 1));
    cr_assert_eq(measured_of_target(&cluster).bandwidth_bps->count, 0);
    cluster.now_ns += 10000000;
    cluster_turn(&cluster);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    cr_assert_eq(measured_of_target(&cluster).bandwidth_bps->count, 0);
    cluster_fini(&cluster);
}

/* Warm-up leaves no trace in what is measured. */
Test(series, latency_is_from_post_to_completion)
{
    struct cluster_options options = {.pattern = "ping-pong",
                                      .options = {.rank_count = 2, .size_bytes = 8}};
    struct cluster cluster;
    cluster_init(&cluster, &options);
    cluster.step_ns = 100;
    cluster_start(&cluster, WEFT_PHASE_WARMUP);
    cluster_grant(&cluster, 10);
    cr_assert(cluster_reach(&cluster, 10));
    struct weft_node_measured measured = measured_of_target(&cluster);
    cr_assert_eq(measured.latency_ns->count, 0);
    cr_assert_eq(measured.sent_messages + measured.received_messages, 0);
    cluster_start(&cluster, WEFT_PHASE_MEASURE);
    cluster_grant(&cluster, 10);
    cr_assert(cluster_reach(&cluster, 10));
    measured = measured_of_target(&cluster);
    /* null completes in the next progress, and a turn polls both ranks */
    cr_assert_eq(measured.latency_ns->count, 10);
    cr_assert_eq(measured.latency_ns->min, 200);
    cr_assert_eq(measured.latency_ns->max, 200);
    cluster_fini(&cluster);
}
