/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/verify.h"

#include <string.h>

/* A value comes from (place + rank * RANK_STRIDE) mod PRIME, its residue. So two ranks less than
 * 509 apart never have the same residue in a place, and what depends on many ranks depends on the
 * place's residue alone: one table of 509 elements serves a vector of any length. */
#define PRIME 509u
#define RANK_STRIDE 131u
#define PASS_STRIDE 263u
#define INDEX_STRIDE 7u
#define BLOCK_ELEMENTS 64u
/* Of a type that counts to 255 the largest prime would do; no zero, so that a byte that never came
 * shows. */
#define BYTE_MODULUS 251u
/* Fewer different numbers would hide too much: then most are 0 instead. */
#define MODULUS_MIN 4u
#define SPARSE_MODULUS 3u

/* A value is 1 + residue mod `modulus` where the residue is below `kept`, and 0 elsewhere. */
struct scale {
    uint32_t modulus;
    uint32_t kept;
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static struct scale scale_of(enum weft_element element, enum weft_reduction reduction,
                             uint32_t rank_count)
{
    uint32_t exact_max = weft_element_exact_max(element);
    if (element == WEFT_ELEMENT_UINT8)
        return (struct scale){.modulus = BYTE_MODULUS, .kept = PRIME};
    if (exact_max == UINT32_MAX || reduction == WEFT_REDUCTION_MAX)
        return (struct scale){.modulus = least(exact_max, PRIME), .kept = PRIME};
    uint32_t share = exact_max / (rank_count ? rank_count : 1);
    if (share >= MODULUS_MIN)
        return (struct scale){.modulus = least(share, PRIME), .kept = PRIME};
    /* In a place, each residue is that of one rank in every 509. */
    uint32_t rounds = (rank_count - 1) / PRIME + 1;
    return (struct scale){.modulus = SPARSE_MODULUS,
                          .kept = least(exact_max / (SPARSE_MODULUS * rounds), PRIME)};
}

uint32_t weft_verify_ranks_max(enum weft_element element, enum weft_reduction reduction)
{
    uint32_t exact_max = weft_element_exact_max(element);
    if (exact_max == UINT32_MAX || reduction == WEFT_REDUCTION_MAX)
        return UINT32_MAX;
    return exact_max / SPARSE_MODULUS * PRIME;
}

/* Neighbours differ by the stride; blocks of 64 elements are shuffled against each other, so that a
 * chunk in a wrong place shows. */
static uint32_t residue_of(uint64_t index, uint32_t pass)
{
    uint64_t block = index / BLOCK_ELEMENTS * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t place = index % BLOCK_ELEMENTS * INDEX_STRIDE + (block >> 40) +
                     UINT64_C(1) * (pass % PRIME) * PASS_STRIDE;
    return (uint32_t)(place % PRIME);
}

/* That of `index`, given that of the one before. */
static uint32_t next_residue(uint64_t index, uint32_t pass, uint32_t before)
{
    if (index % BLOCK_ELEMENTS == 0)
        return residue_of(index, pass);
    uint32_t residue = before + INDEX_STRIDE;
    return residue < PRIME ? residue : residue - PRIME;
}

static uint32_t value_of(const struct scale *scale, uint32_t rank, uint32_t place)
{
    uint32_t residue = (place + rank % PRIME * RANK_STRIDE) % PRIME;
    return residue < scale->kept ? 1 + residue % scale->modulus : 0;
}

static struct scale scale_of_schedule(const struct weft_schedule *schedule)
{
    return scale_of(schedule->element, schedule->reduction, schedule->rank_count);
}

uint32_t weft_verify_value(const struct weft_schedule *schedule, uint32_t rank, uint64_t index,
                           uint32_t pass)
{
    struct scale scale = scale_of_schedule(schedule);
    return value_of(&scale, rank, residue_of(index, pass));
}

/* What an element is for each residue of its place. */
struct table {
    uint8_t elements[PRIME][WEFT_ELEMENT_BYTES_MAX];
};

static void make_copies(const struct weft_schedule *schedule, uint32_t rank, struct table *table)
{
    struct scale scale = scale_of_schedule(schedule);
    for (uint32_t place = 0; place < PRIME; place++)
        weft_element_write(schedule->element, value_of(&scale, rank, place),
                           table->elements[place]);
}

static uint32_t reduce(enum weft_reduction reduction, uint32_t a, uint32_t b)
{
    if (reduction == WEFT_REDUCTION_MAX)
        return a > b ? a : b;
    return a + b;
}

/* Of `count` ranks from `first` on, in steps of `stride`. */
static uint32_t reduce_ranks(const struct weft_schedule *schedule, const struct scale *scale,
                             uint32_t place, uint32_t first, uint32_t count, uint32_t stride)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = reduce(schedule->reduction, value, value_of(scale, first + i * stride, place));
    return value;
}

/* 509 ranks in a row, unless all of their residues are one, have every residue once: such a round
 * gives the same in each place, so only what is left over must be counted place by place. */
static void make_reduced(const struct weft_schedule *schedule,
                         const struct weft_expectation *expectation, struct table *table)
{
    struct scale scale = scale_of_schedule(schedule);
    bool all = !expectation->rank_count;
    uint32_t first = all ? 0 : expectation->rank;
    uint32_t count = all ? schedule->rank_count : expectation->rank_count;
    uint32_t stride = all || !expectation->rank_stride ? 1 : expectation->rank_stride;
    uint32_t rounds = stride % PRIME ? count / PRIME : 0;
    uint32_t round = reduce_ranks(schedule, &scale, 0, 0, PRIME, 1);
    for (uint32_t place = 0; place < PRIME; place++) {
        uint32_t value =
            reduce_ranks(schedule, &scale, place, first, count - rounds * PRIME, stride);
        if (rounds && schedule->reduction == WEFT_REDUCTION_SUM)
            value += rounds * round;
        else if (rounds)
            value = reduce(schedule->reduction, value, round);
        weft_element_write(schedule->element, value, table->elements[place]);
    }
}

void weft_verify_fill(const struct weft_schedule *schedule, uint8_t *buffer, uint32_t pass)
{
    uint32_t element_bytes = weft_element_bytes(schedule->element), residue = 0;
    uint64_t whole = schedule->buffer_bytes / element_bytes;
    struct table table;
    make_copies(schedule, schedule->rank, &table);
    for (uint64_t i = 0; i < whole; i++) {
        residue = next_residue(i, pass, residue);
        memcpy(buffer + i * element_bytes, table.elements[residue], element_bytes);
    }
    memset(buffer + whole * element_bytes, 0, schedule->buffer_bytes - whole * element_bytes);
}

/* One element. */
static void compare(const struct weft_schedule *schedule, const uint8_t *buffer,
                    const uint8_t *expected, uint64_t offset_bytes,
                    struct weft_verify_result *result)
{
    uint32_t element_bytes = weft_element_bytes(schedule->element);
    const uint8_t *found = buffer + offset_bytes;
    result->compared_bytes += element_bytes;
    if (!memcmp(found, expected, element_bytes))
        return;
    for (uint32_t i = 0; i < element_bytes; i++) {
        if (found[i] == expected[i])
            continue;
        if (!result->wrong_bytes++) {
            result->first_wrong_offset_bytes = offset_bytes + i;
            result->expected = weft_element_read(schedule->element, expected);
            result->found = weft_element_read(schedule->element, found);
        }
    }
}

static void check_expectation(const struct weft_schedule *schedule,
                              const struct weft_expectation *expectation, const uint8_t *buffer,
                              uint32_t pass, struct weft_verify_result *result)
{
    struct table table;
    if (expectation->kind == WEFT_EXPECT_COPY)
        make_copies(schedule, expectation->rank, &table);
    else
        make_reduced(schedule, expectation, &table);
    uint32_t element_bytes = weft_element_bytes(schedule->element);
    uint64_t first = expectation->from_offset_bytes / element_bytes;
    uint32_t residue = first ? residue_of(first - 1, pass) : 0;
    for (uint64_t i = 0; i < expectation->len_bytes / element_bytes; i++) {
        residue = next_residue(first + i, pass, residue);
        compare(schedule, buffer, table.elements[residue],
                expectation->offset_bytes + i * element_bytes, result);
    }
}

void weft_verify_check(const struct weft_schedule *schedule, const uint8_t *buffer, uint32_t pass,
                       struct weft_verify_result *result)
{
    for (uint32_t i = 0; i < schedule->expectation_count; i++)
        if (schedule->expectations[i].kind != WEFT_EXPECT_ARRIVAL)
            check_expectation(schedule, &schedule->expectations[i], buffer, pass, result);
}
