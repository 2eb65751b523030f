/* SPDX-License-Identifier: BSD-3-Clause */
/* Collectives: every way of each, over many numbers of ranks, sizes and roots. */
#include <criterion/criterion.h>

#include "fabric/schedule/verify.h"
#include "tests/unit/schedule/patterns/try.h"

#define RANKS_MAX 33u

/* What all ranks together must be compared of, for a size of whole elements. */
typedef uint64_t compared_function(uint32_t ranks, uint64_t size_bytes);

static uint64_t everywhere(uint32_t ranks, uint64_t size_bytes)
{
    return ranks * size_bytes;
}

static uint64_t once(uint32_t ranks, uint64_t size_bytes)
{
    (void)ranks;
    return size_bytes;
}

/* A rank's own part stays where it is. */
static uint64_t but_own(uint32_t ranks, uint64_t size_bytes)
{
    return (ranks - 1) * size_bytes;
}

struct collective {
    const char *name;
    compared_function *compared; /* NULL: it depends on the way */
    bool has_root, reduces;
    double factor_of_8;
};

static const struct collective collectives[] = {
    {"all-gather", everywhere, false, false, 0.875},
    {"reduce-scatter", once, false, true, 0.875},
    {"broadcast", everywhere, true, false, 1},
    {"reduce", once, true, true, 1},
    {"gather", once, true, false, 0.875},
    {"scatter", NULL, true, false, 0.875},
    {"all-to-all", but_own, false, false, 0.875},
};
#define COLLECTIVES (sizeof(collectives) / sizeof(collectives[0]))

static uint64_t count_ways(const char *name)
{
    const char *const *words = weft_pattern_option_words(find(name), WEFT_OPTION_ALGORITHM);
    uint64_t count = 0;
    while (words[count])
        count++;
    return count;
}

static void try_one(const struct collective *collective, const struct weft_pattern_options *options)
{
    uint64_t compared = try_pattern(collective->name, options);
    if (collective->compared)
        cr_assert_eq(compared, collective->compared(options->rank_count, options->size_bytes),
                     "%s, %u ranks, %lu B: %lu", collective->name, options->rank_count,
                     options->size_bytes, compared);
    else
        cr_assert_geq(compared, options->size_bytes);
}

/* All types and operators up to 9 ranks, one of them beyond. */
static void try_types(const struct collective *collective, struct weft_pattern_options options)
{
    uint32_t kinds = WEFT_ELEMENT_COUNT * WEFT_REDUCTION_COUNT;
    uint64_t elements = options.size_bytes, chunk = options.chunk_bytes;
    for (uint32_t kind = 0; kind < kinds; kind++) {
        if (options.rank_count > 9 && kind != options.rank_count % kinds)
            continue;
        options.element = kind / WEFT_REDUCTION_COUNT;
        options.reduction = kind % WEFT_REDUCTION_COUNT;
        uint32_t element_bytes = weft_element_bytes((enum weft_element)options.element);
        options.size_bytes = elements * element_bytes;
        options.chunk_bytes = chunk * element_bytes;
        try_one(collective, &options);
    }
}

static void try_sizes(const struct collective *collective, uint64_t way, uint32_t ranks)
{
    const struct {
        uint64_t size, chunk;
    } cuts[] = {{1, 0}, {5, 0}, {ranks + 1, 2}, {7 * ranks + ranks / 2 + 1, 5}};
    for (uint32_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct weft_pattern_options options = {.rank_count = ranks,
                                               .size_bytes = cuts[i].size,
                                               .chunk_bytes = cuts[i].chunk,
                                               .algorithm = way};
        if (collective->has_root)
            options.root = i == 0 ? ranks - 1 : i * 5 % ranks;
        if (collective->reduces)
            try_types(collective, options);
        else
            try_one(collective, &options);
    }
}

static void try_all(const struct collective *collective)
{
    for (uint64_t way = 0; way < count_ways(collective->name); way++)
        for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++)
            try_sizes(collective, way, ranks);
}

Test(collectives, all_gather)
{
    try_all(&collectives[0]);
}

Test(collectives, reduce_scatter)
{
    try_all(&collectives[1]);
}

Test(collectives, broadcast)
{
    try_all(&collectives[2]);
}

Test(collectives, reduce)
{
    try_all(&collectives[3]);
}

Test(collectives, gather)
{
    try_all(&collectives[4]);
}

Test(collectives, scatter)
{
    try_all(&collectives[5]);
}

Test(collectives, all_to_all)
{
    try_all(&collectives[6]);
}

/* Lengths beyond what default chunks hold, and every root. */
Test(collectives, long_vectors_and_all_roots)
{
    for (uint32_t i = 0; i < COLLECTIVES; i++) {
        for (uint64_t way = 0; way < count_ways(collectives[i].name); way++) {
            struct weft_pattern_options options = {
                .rank_count = 5, .size_bytes = 400008, .algorithm = way};
            try_one(&collectives[i], &options);
            options.rank_count = 7;
            options.size_bytes = 404;
            for (options.root = 0; collectives[i].has_root && options.root < 7; options.root++)
                try_one(&collectives[i], &options);
        }
    }
}

Test(collectives, no_races)
{
    for (uint32_t i = 0; i < COLLECTIVES; i++) {
        for (uint64_t way = 0; way < count_ways(collectives[i].name); way++) {
            for (uint32_t ranks = 2; ranks < 10; ranks++) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = 404,
                                                       .chunk_bytes = 20,
                                                       .algorithm = way,
                                                       .root = collectives[i].has_root};
                assert_no_races(collectives[i].name, &options);
            }
        }
    }
}

struct traffic {
    uint64_t messages, bytes;
};

static struct traffic sent_by(const char *name, const char *way, uint32_t rank)
{
    struct weft_pattern_options options = {.rank_count = 8, .size_bytes = 16384};
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    struct traffic sent = {0};
    cr_assert_eq(
        weft_pattern_option_parse(find(name), &options, WEFT_OPTION_ALGORITHM, way, &error),
        WEFT_OK, "%s", error.text);
    cr_assert_eq(weft_pattern_compile(find(name), &options, rank, &schedule, &error), WEFT_OK);
    for (uint32_t op = 0; op < schedule->op_count; op++) {
        if (schedule->ops[op].kind != WEFT_OP_SEND)
            continue;
        sent.messages++;
        sent.bytes += schedule->ops[op].len_bytes;
    }
    weft_schedule_destroy(schedule);
    return sent;
}

/* What the texts promise: of 16 KiB and 8 ranks, a part is 2 KiB. */
Test(collectives, traffic)
{
    static const struct {
        const char *name, *way;
        uint32_t rank;
        struct traffic sent;
    } rows[] = {
        {"all-gather", "ring", 3, {7, 14336}},
        {"all-gather", "doubling", 3, {3, 14336}}, /* before any arc goes past the last rank */
        {"all-gather", "one-shot", 3, {7, 14336}},
        {"reduce-scatter", "ring", 3, {7, 14336}},
        {"reduce-scatter", "halving", 3, {4, 14336}}, /* one that goes past the last rank */
        {"reduce-scatter", "one-shot", 3, {7, 14336}},
        {"broadcast", "chain", 0, {1, 16384}},
        {"broadcast", "chain", 7, {0, 0}},
        {"broadcast", "binomial", 0, {3, 3 * 16384}},
        {"broadcast", "binomial", 4, {2, 2 * 16384}},
        {"reduce", "binomial", 0, {0, 0}},
        {"reduce", "binomial", 4, {1, 16384}},
        {"reduce", "chain", 5, {1, 16384}},
        {"gather", "linear", 5, {1, 2048}},
        {"gather", "binomial", 4, {1, 4 * 2048}},
        {"scatter", "linear", 0, {7, 14336}},
        {"scatter", "binomial", 0, {3, 14336}},
        {"scatter", "binomial", 4, {2, 3 * 2048}},
        {"all-to-all", "pairwise", 6, {7, 14336}},
        {"all-to-all", "one-shot", 6, {7, 14336}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct traffic sent = sent_by(rows[i].name, rows[i].way, rows[i].rank);
        cr_assert_eq(sent.messages, rows[i].sent.messages, "%s, %s, rank %u: %lu messages",
                     rows[i].name, rows[i].way, rows[i].rank, sent.messages);
        cr_assert_eq(sent.bytes, rows[i].sent.bytes, "%s, %s: %lu B", rows[i].name, rows[i].way,
                     sent.bytes);
    }
}

/* nccl-tests' definitions. */
Test(collectives, figures)
{
    for (uint32_t i = 0; i < COLLECTIVES; i++) {
        const struct weft_pattern *pattern = find(collectives[i].name);
        cr_assert_float_eq(pattern->bus_factor(8), collectives[i].factor_of_8, 1e-12, "%s",
                           collectives[i].name);
        cr_assert_eq(pattern->algorithm_bytes(OPTIONS(.rank_count = 8, .size_bytes = 1000)), 1000);
    }
}

/* A message a round, in which one rank sends and one receives: the next begins after both. */
Test(collectives, rounds_wait)
{
    struct weft_schedule *schedule = NULL;
    cr_assert_eq(weft_pattern_compile(find("all-to-all"),
                                      OPTIONS(.rank_count = 6, .size_bytes = 60), 2, &schedule,
                                      NULL),
                 WEFT_OK);
    cr_assert_eq(schedule->op_count, 10);
    for (uint32_t op = 0; op < 10; op++)
        cr_assert_eq(schedule->ops[op].requires_count, op >= 2 && op % 2 == 0 ? 2 : 0);
    weft_schedule_destroy(schedule);
}

static bool waits_for(const struct weft_schedule *schedule, uint32_t op, uint32_t earlier)
{
    const struct weft_op *from = &schedule->ops[earlier];
    for (uint32_t i = 0; i < from->successor_count; i++)
        if (schedule->successors[from->first_successor + i] == op)
            return true;
    return false;
}

/* Three messages a round, sent and then received: the first goes before the last of the round
 * before are done, the others do not, and none before the round before that is done. */
Test(collectives, rounds_overlap_by_a_message)
{
    struct weft_schedule *schedule = NULL;
    cr_assert_eq(
        weft_pattern_compile(find("all-to-all"),
                             OPTIONS(.rank_count = 6, .size_bytes = 180, .chunk_bytes = 10), 2,
                             &schedule, NULL),
        WEFT_OK);
    cr_assert_eq(schedule->op_count, 30);
    for (uint32_t round = 2; round < 5; round++) {
        uint32_t at = round * 6, before = at - 6;
        for (uint32_t way = 0; way < 6; way += 3) {
            cr_assert(waits_for(schedule, at, before + way + 1));
            cr_assert_not(waits_for(schedule, at, before + way + 2));
            cr_assert(waits_for(schedule, at, before - 6 + way + 2));
            cr_assert(waits_for(schedule, at + 1, before + way + 2));
            cr_assert(waits_for(schedule, at + 2, before + way + 2));
        }
    }
    weft_schedule_destroy(schedule);
}

/* Who ends the iteration: who gets something. */
Test(collectives, who_decides)
{
    for (uint32_t i = 0; i < COLLECTIVES; i++) {
        struct world world;
        struct weft_pattern_options options = {
            .rank_count = 4, .size_bytes = 64, .root = collectives[i].has_root ? 2 : 0};
        bool at_root = i == 3 || i == 4;
        world_init(&world, find(collectives[i].name), &options);
        for (uint32_t rank = 0; rank < 4; rank++)
            cr_assert_eq(world.schedules[rank]->decides_completion, !at_root || rank == 2);
        world_fini(&world);
    }
}

/* A rank of very many has the work that is its own. */
Test(collectives, one_of_very_many)
{
    for (uint32_t i = 0; i < COLLECTIVES; i++) {
        for (uint64_t way = 0; way < count_ways(collectives[i].name); way++) {
            struct weft_pattern_options options = {
                .rank_count = 100000, .size_bytes = 400000, .algorithm = way};
            struct weft_schedule *schedule = NULL;
            struct weft_error error = {0};
            cr_assert_eq(
                weft_pattern_compile(find(collectives[i].name), &options, 77777, &schedule, &error),
                WEFT_OK, "%s", error.text);
            cr_assert_leq(schedule->op_count, 3 * 100000);
            weft_schedule_destroy(schedule);
        }
    }
}

Test(collectives, bad_options)
{
    refuse("broadcast", OPTIONS(.rank_count = 4, .size_bytes = 8, .root = 4), "choose from 0 to 3");
    refuse("reduce", OPTIONS(.rank_count = 4, .size_bytes = 8, .root = 9), "choose from 0 to 3");
    refuse("gather", OPTIONS(.rank_count = 4, .size_bytes = 8, .root = 9), "choose from 0 to 3");
    refuse("scatter", OPTIONS(.rank_count = 4, .size_bytes = 8, .root = 9), "choose from 0 to 3");
    refuse("all-gather", OPTIONS(.rank_count = 4, .size_bytes = 8, .root = 1), "not take 'root'");
    refuse("reduce-scatter", OPTIONS(.rank_count = 4, .size_bytes = 6), "choose 8 B");
    refuse("all-to-all", OPTIONS(.rank_count = 4, .size_bytes = 8, .element = 1), "take 'type'");
    for (uint32_t i = 0; i < COLLECTIVES; i++)
        for (uint64_t way = 0; way < count_ways(collectives[i].name); way++)
            refuse(collectives[i].name,
                   OPTIONS(.rank_count = 2, .size_bytes = 1ull << 40, .chunk_bytes = 4,
                           .algorithm = way),
                   "larger chunks");
}
