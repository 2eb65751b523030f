/* SPDX-License-Identifier: BSD-3-Clause */
/* Leases, the merge of durations, the table of channels. */
#include <criterion/criterion.h>

#include "fabric/base/random.h"
#include "fabric/control/channels.h"
#include "fabric/control/lease.h"
#include "fabric/control/merge.h"

#define MS_NS UINT64_C(1000000)

/* ---- leases ---- */

static struct weft_lease lease_of(struct weft_lease_options options)
{
    struct weft_lease lease;
    weft_lease_begin(&lease, &options, 1000);
    return lease;
}

static bool renew(struct weft_lease *lease, uint64_t done, uint64_t taken, uint64_t now_ns)
{
    const struct weft_lease_progress progress = {.done = done, .taken = taken};
    return weft_lease_renew(lease, &progress, now_ns);
}

static bool renew_waiting(struct weft_lease *lease, uint64_t done, uint64_t taken)
{
    const struct weft_lease_progress progress = {.done = done, .taken = taken, .waits = true};
    return weft_lease_renew(lease, &progress, 1000);
}

Test(lease, a_count_is_granted_at_once)
{
    struct weft_lease lease = lease_of((struct weft_lease_options){.iterations = 1000});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert_eq(lease.granted, 1000);
    cr_assert(lease.last);
    cr_assert_not(renew(&lease, 500, 0, 2000));
}

Test(lease, a_count_beyond_the_window_is_granted_as_durations_come_in)
{
    struct weft_lease lease =
        lease_of((struct weft_lease_options){.iterations = 1000, .window = 400});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert_eq(lease.granted, 400);
    cr_assert_not(lease.last);
    cr_assert_not(renew(&lease, 200, 100, 1000), "half a window is left");
    cr_assert_not(renew(&lease, 300, 0, 1000), "there is no room");
    cr_assert(renew(&lease, 300, 250, 1000));
    cr_assert_eq(lease.granted, 650);
    cr_assert(renew(&lease, 650, 650, 1000));
    cr_assert_eq(lease.granted, 1000);
    cr_assert(lease.last);
}

Test(lease, time_of_an_unknown_pace_begins_with_one_iteration)
{
    struct weft_lease lease = lease_of((struct weft_lease_options){.duration_ns = 1000 * MS_NS});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert_eq(lease.granted, 1);
    cr_assert_not(lease.last);
    cr_assert_not(renew(&lease, 0, 0, 1000 + 5 * MS_NS));
    cr_assert(renew(&lease, 1, 1, 1000 + 20 * MS_NS));
    /* 1 in 20 ms is 10 in 200 ms. */
    cr_assert_eq(lease.granted, 11);
}

Test(lease, time_of_a_known_pace_begins_with_a_lease_of_it)
{
    struct weft_lease lease =
        lease_of((struct weft_lease_options){.duration_ns = 1000 * MS_NS, .expected = 200});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert_eq(lease.granted, 200);
    cr_assert_not(renew(&lease, 100, 100, 1000 + 100 * MS_NS), "half is left");
    cr_assert(renew(&lease, 101, 101, 1000 + 101 * MS_NS));
    cr_assert_eq(lease.granted, 301);
}

Test(lease, time_that_has_passed_is_followed_by_a_last_piece)
{
    struct weft_lease lease =
        lease_of((struct weft_lease_options){.duration_ns = 300 * MS_NS, .expected = 200});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert(renew(&lease, 150, 150, 1000 + 150 * MS_NS));
    /* 150 ms remain. */
    cr_assert_eq(lease.granted, 300);
    cr_assert(renew(&lease, 290, 290, 1000 + 300 * MS_NS));
    /* 290 in 300 ms are 19 in the 20 ms that make up for a late start of the ranks. */
    cr_assert_eq(lease.granted, 309);
    cr_assert(lease.last);
    cr_assert_not(renew(&lease, 309, 309, 1000 + 400 * MS_NS));
}

Test(lease, slow_iterations_are_granted_one_by_one)
{
    struct weft_lease lease = lease_of((struct weft_lease_options){.duration_ns = 10000 * MS_NS});
    cr_assert(renew(&lease, 0, 0, 1000));
    for (uint64_t i = 1; i < 10; i++) {
        uint64_t now_ns = 1000 + i * 1000 * MS_NS;
        cr_assert_not(renew(&lease, i - 1, i - 1, now_ns - MS_NS));
        cr_assert(renew(&lease, i, i, now_ns));
        cr_assert_eq(lease.granted, i + 1);
    }
}

Test(lease, steps_are_granted_only_where_they_are_waited_for)
{
    struct weft_lease lease = lease_of((struct weft_lease_options){
        .duration_ns = INT64_MAX, .step = 100, .margin = 4, .window = 400, .expected = 5000});
    cr_assert(renew(&lease, 0, 0, 1000));
    cr_assert_eq(lease.granted, 104);
    cr_assert_not(renew(&lease, 104, 104, 1000000 * MS_NS), "the clock is another's");
    cr_assert_not(renew_waiting(&lease, 100, 100), "another waits");
    cr_assert(renew_waiting(&lease, 101, 101));
    cr_assert_eq(lease.granted, 229, "a quarter of what was done is added");
    cr_assert(renew_waiting(&lease, 228, 100));
    cr_assert_eq(lease.granted, 386);
    cr_assert(renew_waiting(&lease, 386, 100));
    cr_assert_eq(lease.granted, 500, "as far as the window goes");
    cr_assert_not(lease.last);
}

Test(lease, worth_does_not_overflow)
{
    cr_assert_eq(weft_lease_worth(1000, 100 * MS_NS), 2000);
    cr_assert_eq(weft_lease_worth(1000, 0), 20000, "a time too short to tell counts as 10 ms");
    cr_assert_leq(weft_lease_worth(UINT64_MAX, 1), INT64_MAX);
}

/* ---- merging ---- */

static struct weft_merge merge;
static struct weft_hist *hist;

static void setup_merge(void)
{
    hist = weft_hist_create();
    cr_assert(weft_merge_init(&merge));
}

static void teardown_merge(void)
{
    weft_merge_fini(&merge);
    weft_hist_destroy(hist);
}

TestSuite(merge, .init = setup_merge, .fini = teardown_merge);

Test(merge, what_does_not_count_is_passed_over)
{
    const uint64_t durations[] = {10, 500, 30};
    weft_merge_add(&merge, 0, durations, 3);
    weft_merge_advance(&merge, 2, NULL);
    cr_assert_eq(merge.merged, 2);
    cr_assert_eq(merge.slowest.count, 0);
    weft_merge_advance(&merge, 3, hist);
    cr_assert_eq(hist->count, 1);
    cr_assert_eq(hist->max, 30);
}

Test(merge, the_slowest_agent_of_each_iteration_counts)
{
    const uint64_t one[] = {10, 500, 30};
    const uint64_t other[] = {400, 20, 300};
    weft_merge_add(&merge, 0, one, 3);
    weft_merge_advance(&merge, 0, hist);
    cr_assert_eq(hist->count, 0);
    weft_merge_add(&merge, 0, other, 2);
    weft_merge_advance(&merge, 2, hist);
    cr_assert_eq(hist->count, 2);
    weft_merge_add(&merge, 2, other + 2, 1);
    weft_merge_advance(&merge, 3, hist);
    cr_assert_eq(hist->count, 3);
    cr_assert_eq(hist->buckets[400], 1);
    cr_assert_eq(hist->buckets[500], 1);
    cr_assert_eq(hist->buckets[300], 1);
}

Test(merge, a_slot_that_comes_round_again_is_empty)
{
    static uint64_t block[WEFT_MERGE_WINDOW];
    for (uint32_t i = 0; i < WEFT_MERGE_WINDOW; i++)
        block[i] = 2000;
    weft_merge_add(&merge, 0, block, WEFT_MERGE_WINDOW);
    weft_merge_advance(&merge, WEFT_MERGE_WINDOW, hist);
    const uint64_t quick[] = {7, 8};
    weft_merge_add(&merge, WEFT_MERGE_WINDOW, quick, 2);
    weft_merge_advance(&merge, WEFT_MERGE_WINDOW + 2, hist);
    cr_assert_eq(hist->count, WEFT_MERGE_WINDOW + 2);
    cr_assert_eq(hist->min, 7);
    cr_assert_eq(hist->buckets[8], 1);
}

/* ---- channels ---- */

/* Ranks 0 and 2 on agent 1, rank 1 on agent 0. */
static const uint32_t rank_agents[] = {1, 0, 1};
static struct weft_channels channels;
static struct weft_error error;

static struct weft_channel_address between(uint32_t from, uint32_t to)
{
    return (struct weft_channel_address){.from_rank = from, .to_rank = to, .depth = from * 10 + to};
}

static void add_on(uint32_t agent, uint32_t from, uint32_t to, uint32_t queue_pair)
{
    struct weft_channel_address address = between(from, to);
    address.queue_pair = queue_pair;
    cr_assert_eq(weft_channels_add(&channels, agent, &address, 1, rank_agents, &error), WEFT_OK);
}

static void add(uint32_t agent, uint32_t from, uint32_t to)
{
    add_on(agent, from, to, 0);
}

Test(channels, each_agent_gets_what_its_ranks_need)
{
    uint32_t count = 0;
    add(1, 0, 1);
    add(0, 1, 0);
    add(1, 2, 0);
    add(1, 0, 2);
    add(0, 1, 2);
    add(1, 2, 1);
    cr_assert_eq(weft_channels_finish(&channels, &error), WEFT_OK, "%s", error.text);
    const struct weft_channel_entry *entries = weft_channels_of(&channels, 0, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(entries[0].address.depth, 1);
    cr_assert_eq(entries[1].address.depth, 21);
    entries = weft_channels_of(&channels, 1, &count);
    cr_assert_eq(count, 4);
    cr_assert_eq(entries[0].address.depth, 10);
    cr_assert_eq(entries[3].address.depth, 12);
    (void)weft_channels_of(&channels, 2, &count);
    cr_assert_eq(count, 0);
    weft_channels_fini(&channels);
}

Test(channels, an_address_of_anothers_rank_is_refused)
{
    struct weft_channel_address address = between(1, 0);
    cr_assert_eq(weft_channels_add(&channels, 1, &address, 1, rank_agents, &error), WEFT_INVALID);
    cr_assert_str_eq(error.text,
                     "prepared.addresses[0].from_rank is 1, which is not a rank of this agent");
    weft_channels_fini(&channels);
}

Test(channels, an_address_given_twice_is_refused)
{
    add(1, 0, 1);
    add(0, 1, 0);
    add(1, 0, 1);
    cr_assert_eq(weft_channels_finish(&channels, &error), WEFT_INVALID);
    cr_assert_str_eq(error.text,
                     "rank 0 gave two addresses of its channel to rank 1 on queue pair 0");
    weft_channels_fini(&channels);
}

Test(channels, a_channel_needs_both_directions)
{
    add(1, 0, 1);
    add(0, 1, 0);
    add(1, 2, 1);
    cr_assert_eq(weft_channels_finish(&channels, &error), WEFT_INVALID);
    cr_assert_str_eq(error.text,
                     "rank 2 has a channel to rank 1 on queue pair 0, which has none to rank 2");
    weft_channels_fini(&channels);
}

Test(channels, each_queue_pair_is_a_channel)
{
    uint32_t count = 0;
    add_on(1, 0, 1, 7);
    add_on(0, 1, 0, 0);
    add_on(1, 0, 1, 0);
    add_on(0, 1, 0, 7);
    cr_assert_eq(weft_channels_finish(&channels, &error), WEFT_OK, "%s", error.text);
    const struct weft_channel_entry *entries = weft_channels_of(&channels, 0, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(entries[0].address.queue_pair, 0);
    cr_assert_eq(entries[1].address.queue_pair, 7);
    weft_channels_fini(&channels);
}

Test(channels, each_queue_pair_needs_both_directions)
{
    add_on(1, 0, 1, 0);
    add_on(0, 1, 0, 0);
    add_on(1, 0, 1, 3);
    add_on(0, 1, 0, 2);
    cr_assert_eq(weft_channels_finish(&channels, &error), WEFT_INVALID);
    cr_assert_str_eq(error.text,
                     "rank 0 has a channel to rank 1 on queue pair 3, which has none to rank 0");
    weft_channels_fini(&channels);
}

/* ---- the slowest iterations ---- */

Test(slowest, holds_the_slowest_each_in_its_place)
{
    struct weft_random random;
    weft_random_seed(&random, 5);
    for (uint32_t round = 0; round < 50; round++) {
        struct weft_slowest slowest = {0};
        uint64_t durations_ns[500], places[500];
        for (uint64_t i = 0; i < 500; i++) {
            durations_ns[i] = weft_random_below(&random, 1000000) * 512 + i;
            weft_slowest_offer(&slowest, i, durations_ns[i]);
            for (uint32_t place = 0; place < slowest.count; place++) {
                uint64_t iteration = slowest.places[place].iteration;
                if (iteration == i)
                    places[i] = place;
                cr_assert_eq(places[iteration], place, "it moved");
            }
        }
        cr_assert_eq(slowest.count, WEFT_NODE_TRACES_KEPT);
        for (uint32_t place = 0; place < slowest.count; place++) {
            uint32_t slower = 0;
            for (uint64_t i = 0; i < 500; i++)
                slower += durations_ns[i] > slowest.places[place].duration_ns;
            cr_assert_lt(slower, WEFT_NODE_TRACES_KEPT);
            cr_assert_eq(slowest.places[place].duration_ns,
                         durations_ns[slowest.places[place].iteration]);
        }
    }
}
