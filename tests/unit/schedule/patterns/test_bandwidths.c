/* SPDX-License-Identifier: BSD-3-Clause */
/* Algorithmic and bus bandwidth of every pattern: nccl-tests' definitions (its PERFORMANCE.md)
 * where it has the collective; docs/PLANS.md has the table. And what verification expects, computed
 * anew from what a collective is. */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/schedule/verify.h"
#include "tests/unit/schedule/interpret.h"
#include "tests/unit/schedule/patterns/try.h"

#define RANKS 5u
#define SIZE UINT64_C(1000)

static const struct {
    const char *name;
    double factor_of_5; /* 0: none */
    uint64_t bytes;     /* that count for 1000 B and 5 ranks; 0: none */
} rows[] = {
    {"ping-pong", 0, 0},
    {"stream", 1, 16 * SIZE},
    {"all-pairs", 1, 4 * SIZE},
    {"permutation", 1, SIZE},
    {"outcast", 1, 4 * SIZE},
    {"incast", 1, 4 * SIZE},
    {"bursts", 0, 32 * SIZE},
    {"all-reduce", 1.6, SIZE},
    {"reduce-scatter", 0.8, SIZE},
    {"all-gather", 0.8, SIZE},
    {"broadcast", 1, SIZE},
    {"reduce", 1, SIZE},
    {"gather", 0.8, SIZE},
    {"scatter", 0.8, SIZE},
    {"all-to-all", 0.8, SIZE},
    {"all-to-all-v", 1, 8 * SIZE / 5}, /* four fifths, there and back */
    {"data-parallel", 1.6, SIZE},
    {"tensor-parallel", 1.6, 8 * SIZE},
    {"pipeline", 0, 0},
    {"parameter-server", 0, SIZE},
    {"kv-cache", 0, 16 * SIZE},
    {"checkpoint", 0, 4 * SIZE},
    {"fan-out", 0, 0},
    {"goal", 0, 0},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

Test(bandwidths, as_the_field_defines_them)
{
    size_t count = 0;
    while (weft_patterns()[count])
        count++;
    cr_assert_eq(count, ROWS, "a pattern is not in this table, or in that of PLANS.md");
    for (size_t i = 0; i < ROWS; i++) {
        const struct weft_pattern *pattern = find(rows[i].name);
        struct weft_pattern_options options =
            weft_pattern_resolve(pattern, OPTIONS(.rank_count = RANKS, .size_bytes = SIZE));
        cr_expect_float_eq(pattern->bus_factor(RANKS), rows[i].factor_of_5, 1e-12, "%s: %g",
                           rows[i].name, pattern->bus_factor(RANKS));
        cr_expect_float_eq(pattern->algorithm_bytes(&options), (double)rows[i].bytes, 1e-6,
                           "%s: %g", rows[i].name, pattern->algorithm_bytes(&options));
    }
}

/* Victims take part in no round. */
Test(bandwidths, of_an_incast_with_victims)
{
    struct weft_pattern_options options = weft_pattern_resolve(
        find("incast"), OPTIONS(.rank_count = 9, .size_bytes = SIZE, .victims = 2));
    cr_assert_eq(find("incast")->algorithm_bytes(&options), 4 * SIZE);
}

/* ---- what verification expects ---- */

enum meaning {
    ALL_OF_ALL,   /* every rank: the sum of all */
    ROOT_OF_ALL,  /* the root */
    PART_OF_ALL,  /* every rank: its part of the sum */
    COPY_OF_ROOT, /* every rank: what the root had */
    PARTS,        /* every rank: each rank's part in its place */
};

static uint32_t sum_at(const struct world *world, uint64_t index)
{
    uint32_t sum = 0;
    for (uint32_t rank = 0; rank < world->rank_count; rank++)
        sum += weft_verify_value(world->schedules[rank], rank, index, 0);
    return sum;
}

/* What element `index` of rank `rank` must be; false: anything. */
static bool must_be(const struct world *world, enum meaning meaning, uint32_t root, uint32_t rank,
                    uint64_t index, uint64_t elements, uint32_t *ret)
{
    uint32_t owner = 0;
    while (elements * (owner + UINT64_C(1)) / world->rank_count <= index)
        owner++;
    if ((meaning == ROOT_OF_ALL && rank != root) || (meaning == PART_OF_ALL && rank != owner))
        return false;
    uint32_t source = meaning == PARTS ? owner : root;
    *ret = meaning <= PART_OF_ALL ? sum_at(world, index)
                                  : weft_verify_value(world->schedules[source], source, index, 0);
    return true;
}

/* Each such element is expected once, and expected to be that: a buffer that has it passes, and one
 * that has another there fails. */
static void check_element(const struct world *world, uint32_t rank, uint64_t index, uint32_t value)
{
    const struct weft_schedule *schedule = world->schedules[rank];
    uint32_t width = weft_element_bytes(schedule->element);
    uint8_t *at = world->buffers[rank] + index * width, right[WEFT_ELEMENT_BYTES_MAX];
    struct weft_verify_result result = {0};
    weft_element_write(schedule->element, value, right);
    cr_assert_eq(memcmp(at, right, width), 0, "rank %u, element %lu", rank, index);
    at[0] ^= 1;
    weft_verify_check(schedule, world->buffers[rank], 0, &result);
    at[0] ^= 1;
    cr_assert_eq(result.wrong_bytes, 1, "rank %u, element %lu is not looked at", rank, index);
}

Test(bandwidths, verification_expects_what_a_collective_is)
{
    static const struct {
        const char *name;
        enum meaning meaning;
        uint32_t root, element_bytes;
    } meanings[] = {{"all-reduce", ALL_OF_ALL, 0, 4},
                    {"reduce", ROOT_OF_ALL, 3, 4},
                    {"reduce-scatter", PART_OF_ALL, 0, 4},
                    {"broadcast", COPY_OF_ROOT, 2, 1},
                    {"all-gather", PARTS, 0, 1}};
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        for (uint64_t elements = 3; elements < 60; elements += 20) {
            struct world world;
            struct weft_pattern_options options = {.rank_count = 7,
                                                   .size_bytes =
                                                       elements * meanings[i].element_bytes,
                                                   .root = meanings[i].root};
            world_init(&world, find(meanings[i].name), &options);
            cr_assert(world_run(&world, 0, elements));
            for (uint32_t rank = 0; rank < 7; rank++) {
                for (uint64_t index = 0; index < elements; index++) {
                    uint32_t value = 0;
                    if (must_be(&world, meanings[i].meaning, meanings[i].root, rank, index,
                                elements, &value))
                        check_element(&world, rank, index, value);
                }
            }
            world_fini(&world);
        }
    }
}
