/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns of flows between ranks: what each must move, between whom, and when. */
#include <criterion/criterion.h>

#include "fabric/schedule/shapes/shuffle.h"
#include "tests/unit/schedule/patterns/try.h"

#define RANKS_MAX 33u
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/* Sizes with the chunks and queue pairs that they are cut into; from one byte in one message. */
static const struct {
    uint64_t size_bytes, chunk_bytes, queue_pairs;
} cuts[] = {{1, 0, 0}, {7, 3, 0}, {7, 1, 7}, {64, 64, 1}, {101, 10, 4}};

static struct weft_pattern_options options_of(uint32_t ranks, size_t cut)
{
    return (struct weft_pattern_options){.rank_count = ranks,
                                         .size_bytes = cuts[cut].size_bytes,
                                         .chunk_bytes = cuts[cut].chunk_bytes,
                                         .queue_pairs = cuts[cut].queue_pairs};
}

Test(traffic, stream)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks += 2) {
        for (uint64_t messages = 0; messages < 6; messages++) {
            for (uint64_t both = 0; both < 2; both++) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = 1 + 6 * messages,
                                                       .messages = messages,
                                                       .queue_pairs = messages / 2,
                                                       .direction = both};
                uint64_t count = messages ? messages : 16;
                cr_assert_eq(try_pattern("stream", &options),
                             (1 + both) * ranks / 2 * count * options.size_bytes);
            }
        }
    }
}

/* How many sends of rank `rank` go to `peer`; queue pairs they are on, as bits. */
static uint32_t count_sends(const struct world *world, uint32_t rank, uint32_t peer,
                            uint64_t *ret_queue_pairs)
{
    const struct weft_schedule *schedule = world->schedules[rank];
    uint32_t count = 0;
    *ret_queue_pairs = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND || op->peer != peer)
            continue;
        count++;
        *ret_queue_pairs |= UINT64_C(1) << op->queue_pair;
    }
    return count;
}

Test(traffic, stream_takes_all_queue_pairs)
{
    struct world world;
    uint64_t queue_pairs;
    world_init(&world, find("stream"),
               OPTIONS(.rank_count = 4, .size_bytes = 3, .messages = 10, .queue_pairs = 4));
    cr_assert_eq(count_sends(&world, 2, 3, &queue_pairs), 10);
    cr_assert_eq(queue_pairs, 0xf);
    cr_assert_eq(count_sends(&world, 3, 2, &queue_pairs), 0);
    cr_assert_eq(count_sends(&world, 0, 1, &queue_pairs), 10);
    world_fini(&world);
}

Test(traffic, all_pairs)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (size_t cut = 0; cut < LENGTH(cuts) && (cut < 3 || ranks < 12); cut++) {
            struct weft_pattern_options options = options_of(ranks, cut);
            uint64_t pairs_bytes = ranks * (ranks - 1) / 2 * options.size_bytes;
            cr_assert_eq(try_pattern("all-pairs", &options), 2 * pairs_bytes);
            options.given = UINT64_C(1) << WEFT_OPTION_DIRECTION;
            cr_assert_eq(try_pattern("all-pairs", &options), pairs_bytes);
        }
    }
}

/* The k-th exchange of all ranks together is a round: who are together in it share no rank. */
Test(traffic, all_pairs_meet_once_in_rounds)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        struct world world;
        world_init(&world, find("all-pairs"), OPTIONS(.rank_count = ranks, .size_bytes = 1));
        for (uint32_t rank = 0; rank < ranks; rank++) {
            uint64_t met = UINT64_C(1) << rank;
            const struct weft_schedule *schedule = world.schedules[rank];
            uint32_t rounds = 0;
            for (uint32_t i = 0; i < schedule->op_count; i++) {
                const struct weft_op *op = &schedule->ops[i];
                if (op->kind == WEFT_OP_RECEIVE) {
                    cr_assert_eq(met >> op->peer & 1, 0);
                    met |= UINT64_C(1) << op->peer;
                    /* not before the round before is over */
                    cr_assert_eq(op->requires_count, rounds++ ? 1 : 0);
                }
            }
            cr_assert_eq(met, (UINT64_C(1) << ranks) - 1);
        }
        world_fini(&world);
    }
}

/* With an even number of ranks nobody rests, so all ranks' r-th partners are pairs. */
Test(traffic, all_pairs_rounds_are_disjoint)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks += 2) {
        struct world world;
        world_init(&world, find("all-pairs"), OPTIONS(.rank_count = ranks, .size_bytes = 1));
        uint32_t partners[RANKS_MAX][RANKS_MAX];
        for (uint32_t rank = 0; rank < ranks; rank++) {
            uint32_t round = 0;
            for (uint32_t i = 0; i < world.schedules[rank]->op_count; i++)
                if (world.schedules[rank]->ops[i].kind == WEFT_OP_SEND)
                    partners[round++][rank] = world.schedules[rank]->ops[i].peer;
            cr_assert_eq(round, ranks - 1);
        }
        for (uint32_t round = 0; round + 1 < ranks; round++)
            for (uint32_t rank = 0; rank < ranks; rank++)
                cr_assert_eq(partners[round][partners[round][rank]], rank);
        world_fini(&world);
    }
}

Test(traffic, permutation)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (size_t cut = 0; cut < LENGTH(cuts); cut++) {
            struct weft_pattern_options options = options_of(ranks, cut);
            for (options.shift = 0; options.shift < ranks; options.shift += 1 + ranks / 4)
                cr_assert_eq(try_pattern("permutation", &options), ranks * options.size_bytes);
            options.shift = 0;
            options.algorithm = 1;
            for (options.seed = 0; options.seed < 3; options.seed++)
                cr_assert_eq(try_pattern("permutation", &options), ranks * options.size_bytes);
            options.seed = 0;
            options.algorithm = 2;
            if (ranks % 2 == 0)
                cr_assert_eq(try_pattern("permutation", &options), ranks * options.size_bytes);
        }
    }
}

static void send_peers(const struct weft_pattern_options *options, uint32_t *peers)
{
    struct world world;
    world_init(&world, find("permutation"), options);
    for (uint32_t rank = 0; rank < world.rank_count; rank++) {
        cr_assert_eq(world.schedules[rank]->ops[0].kind, WEFT_OP_SEND);
        peers[rank] = world.schedules[rank]->ops[0].peer;
    }
    world_fini(&world);
}

Test(traffic, permutation_partners)
{
    uint32_t peers[32], others[32], differ = 0;
    send_peers(OPTIONS(.rank_count = 8, .size_bytes = 1, .shift = 3), peers);
    for (uint32_t rank = 0; rank < 8; rank++)
        cr_assert_eq(peers[rank], (rank + 3) % 8);
    send_peers(OPTIONS(.rank_count = 8, .size_bytes = 1, .algorithm = 2), peers);
    for (uint32_t rank = 0; rank < 8; rank++)
        cr_assert_eq(peers[rank], rank ^ 4);
    send_peers(OPTIONS(.rank_count = 32, .size_bytes = 1, .algorithm = 1, .seed = 1), peers);
    send_peers(OPTIONS(.rank_count = 32, .size_bytes = 1, .algorithm = 1, .seed = 2), others);
    for (uint32_t rank = 0; rank < 32; rank++)
        differ += peers[rank] != others[rank];
    cr_assert_gt(differ, 16);
}

/* Every value once, and back again; a seed's order is not another's. */
Test(traffic, shuffle)
{
    for (uint32_t count = 1; count <= 300; count += count < 40 ? 1 : 37) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            bool seen[300] = {false};
            for (uint32_t place = 0; place < count; place++) {
                uint32_t value = weft_shuffle_at(count, seed, place);
                cr_assert_lt(value, count);
                cr_assert_not(seen[value]);
                seen[value] = true;
                cr_assert_eq(weft_shuffle_place(count, seed, value), place);
            }
        }
    }
    cr_assert_eq(weft_shuffle_place(130000, 7, weft_shuffle_at(130000, 7, 129999)), 129999);
}

Test(traffic, outcast)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (size_t cut = 0; cut < LENGTH(cuts); cut++) {
            struct weft_pattern_options options = options_of(ranks, cut);
            for (options.root = 0; options.root < ranks; options.root += 1 + ranks / 3)
                cr_assert_eq(try_pattern("outcast", &options), (ranks - 1) * options.size_bytes);
        }
    }
}

Test(traffic, incast)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (size_t cut = 0; cut < LENGTH(cuts); cut++) {
            struct weft_pattern_options options = options_of(ranks, cut);
            for (options.root = 0; options.root < ranks; options.root += 1 + ranks / 2)
                for (options.victims = 0; options.victims <= (ranks - 2) / 2;
                     options.victims += 1 + ranks / 5)
                    cr_assert_eq(try_pattern("incast", &options),
                                 (ranks - 1 - options.victims) * options.size_bytes);
        }
    }
}

/* 9 ranks from rank 7 on: 7 the root, 8 0 1 2 send, 3 to 4 and 5 to 6 are victims. */
Test(traffic, incast_victims)
{
    struct world world;
    struct weft_pattern_options options = {
        .rank_count = 9, .size_bytes = 5, .root = 7, .victims = 2};
    uint64_t queue_pairs;
    world_init(&world, find("incast"), &options);
    static const uint32_t to[] = {7, 7, 7, 4, 9, 6, 9, 9, 7};
    for (uint32_t rank = 0; rank < 9; rank++) {
        for (uint32_t peer = 0; peer < 9; peer++) {
            uint32_t sends = count_sends(&world, rank, peer, &queue_pairs);
            bool signal = rank == 7 && peer != 7 && peer != 4 && peer != 6;
            cr_assert_eq(sends, to[rank] == peer || signal, "%u to %u", rank, peer);
        }
        cr_assert_eq(world.schedules[rank]->decides_completion, rank == 7);
    }
    cr_assert_eq(find("incast")->algorithm_bytes(&options), 20);
    world_fini(&world);
}

Test(traffic, bursts)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (size_t cut = 0; cut < LENGTH(cuts); cut++) {
            struct weft_pattern_options options = options_of(ranks, cut);
            options.bursts = cut + 1;
            for (options.root = 0; options.root < ranks; options.root += 1 + ranks / 2)
                cr_assert_eq(try_pattern("bursts", &options),
                             (ranks - 1) * (cut + 1) * options.size_bytes);
        }
    }
}

/* Burst k is due k periods after the signal, and each message of it waits for just that. */
Test(traffic, bursts_are_due)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    struct weft_pattern_options options = {
        .rank_count = 3, .size_bytes = 6, .chunk_bytes = 2, .bursts = 3, .period_ns = 5000};
    cr_assert_eq(weft_pattern_compile(find("bursts"), &options, 2, &schedule, &error), WEFT_OK);
    cr_assert_eq(schedule->op_count, 1 + 3 * 4);
    for (uint32_t burst = 0; burst < 3; burst++) {
        const struct weft_op *due = &schedule->ops[1 + 4 * burst];
        cr_assert_eq(due->kind, WEFT_OP_CALC);
        cr_assert_eq(due->duration_ns, burst * 5000);
        cr_assert_eq(due->requires_count, 1);
        cr_assert_eq(due->successor_count, 3);
        for (uint32_t i = 2; i < 5; i++)
            cr_assert_eq(schedule->ops[4 * burst + i].requires_count, 1);
    }
    cr_assert_eq(schedule->ops[0].successor_count, 3);
    weft_schedule_destroy(schedule);
}

Test(traffic, no_races)
{
    for (uint32_t ranks = 2; ranks < 8; ranks++) {
        struct weft_pattern_options options = {
            .rank_count = ranks, .size_bytes = 44, .chunk_bytes = 20, .queue_pairs = 2};
        assert_no_races("all-pairs", &options);
        assert_no_races("permutation", &options);
        assert_no_races("outcast", &options);
        assert_no_races("bursts", &options);
        options.victims = (ranks - 2) / 2;
        assert_no_races("incast", &options);
        if (ranks % 2 == 0)
            assert_no_races("stream", OPTIONS(.rank_count = ranks, .size_bytes = 44,
                                              .queue_pairs = 2, .direction = 1));
    }
}

Test(traffic, figures)
{
    struct weft_pattern_options options = {
        .rank_count = 9, .size_bytes = 1000, .messages = 3, .direction = 1, .bursts = 4};
    cr_assert_eq(find("stream")->algorithm_bytes(&options), 3000);
    cr_assert_eq(find("all-pairs")->algorithm_bytes(&options), 8000);
    cr_assert_eq(find("permutation")->algorithm_bytes(&options), 1000);
    cr_assert_eq(find("outcast")->algorithm_bytes(&options), 8000);
    cr_assert_eq(find("bursts")->algorithm_bytes(&options), 32000);
    options.direction = 0;
    cr_assert_eq(find("all-pairs")->algorithm_bytes(&options), 4000);
    cr_assert_float_eq(find("stream")->bus_factor(9), 1, 1e-12);
    cr_assert_float_eq(find("bursts")->bus_factor(9), 0, 1e-12);
}

Test(traffic, bad_options)
{
    refuse("stream", OPTIONS(.rank_count = 3, .size_bytes = 8), "choose 2 or 4");
    refuse("stream", OPTIONS(.rank_count = 2, .size_bytes = (1u << 30) + 1ull), "at most");
    refuse("stream", OPTIONS(.rank_count = 2, .size_bytes = 8, .messages = 3, .queue_pairs = 4),
           "at most 3 queue pairs");
    refuse("stream",
           OPTIONS(.rank_count = 2, .size_bytes = 8, .messages = 1u << 20, .direction = 1),
           "fewer of them");
    refuse("stream",
           OPTIONS(.rank_count = 2, .size_bytes = 8, .messages = 1000, .queue_pairs = 257),
           "'queue-pairs' must be from 1 to 256");
    refuse("all-pairs", OPTIONS(.rank_count = 3, .size_bytes = 8, .queue_pairs = 2),
           "at most 1 queue pairs, or smaller chunks");
    refuse("all-pairs", OPTIONS(.rank_count = 3, .size_bytes = 1ull << 40, .chunk_bytes = 1),
           "larger chunks");
    refuse("permutation", OPTIONS(.rank_count = 3, .size_bytes = 8, .shift = 3), "at most 2");
    refuse("permutation", OPTIONS(.rank_count = 3, .size_bytes = 8, .shift = 1, .algorithm = 1),
           "leave it out or choose shift");
    refuse("permutation", OPTIONS(.rank_count = 3, .size_bytes = 8, .seed = 1),
           "leave it out or choose random");
    refuse("permutation", OPTIONS(.rank_count = 3, .size_bytes = 8, .algorithm = 2),
           "choose 2 or 4");
    refuse("permutation", OPTIONS(.rank_count = 3, .size_bytes = 8, .algorithm = 3),
           "'algorithm' must be from shift to bisection");
    refuse("outcast", OPTIONS(.rank_count = 3, .size_bytes = 8, .root = 3), "choose from 0 to 2");
    refuse("incast", OPTIONS(.rank_count = 3, .size_bytes = 8, .root = 3), "choose from 0 to 2");
    refuse("incast", OPTIONS(.rank_count = 7, .size_bytes = 8, .victims = 3),
           "choose at most 2 victims");
    refuse("incast", OPTIONS(.rank_count = 7, .size_bytes = 8, .victims = UINT32_MAX - 1),
           "choose at most 2 victims");
    refuse("bursts", OPTIONS(.rank_count = 3, .size_bytes = 8, .root = 3), "choose from 0 to 2");
    refuse("bursts",
           OPTIONS(.rank_count = 3, .size_bytes = 8, .bursts = 3, .period_ns = 3600000000000),
           "longer than an hour");
    refuse("bursts", OPTIONS(.rank_count = 3, .size_bytes = 8, .bursts = 1u << 20),
           "larger chunks");
}
