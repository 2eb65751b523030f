/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/verify.h"

#include <string.h>

#define ELEMENT_BYTES ((uint64_t)sizeof(float))

/* A value is 1 + (place + rank * RANK_STRIDE) mod PRIME. So it is at most 509 < 2^24 / 2^15, two
 * ranks less than 509 apart never agree in a place, and a sum over ranks depends on the place's
 * residue alone: one table of 509 sums serves a vector of any length. */
#define PRIME 509u
#define RANK_STRIDE 131u
#define PASS_STRIDE 263u
#define INDEX_STRIDE 7u

/* Neighbours differ by the stride; blocks of 64 elements are shuffled against each other, so that a
 * chunk in a wrong place shows. */
static uint32_t residue(uint64_t index, uint32_t pass)
{
    uint64_t block = (index >> 6) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t place =
        (index & 63u) * INDEX_STRIDE + (block >> 40) + UINT64_C(1) * (pass % PRIME) * PASS_STRIDE;
    return (uint32_t)(place % PRIME);
}

static uint32_t value_of(uint32_t rank, uint32_t place)
{
    return 1 + (place + rank % PRIME * RANK_STRIDE) % PRIME;
}

float weft_verify_value(uint32_t rank, uint64_t index, uint32_t pass)
{
    return (float)value_of(rank, residue(index, pass));
}

/* Small whole numbers as float32 have zeros in their low bytes, so what does not fill an element
 * would tell nothing. */
static uint8_t tail_byte(uint32_t rank, uint64_t offset_bytes, uint32_t pass)
{
    uint32_t value = value_of(rank, residue(offset_bytes, pass));
    return (uint8_t)(1 + value % 255);
}

void weft_verify_fill(uint8_t *buffer, uint64_t len_bytes, uint32_t rank, uint32_t pass)
{
    uint64_t whole = len_bytes / ELEMENT_BYTES;
    for (uint64_t i = 0; i < whole; i++) {
        float value = weft_verify_value(rank, i, pass);
        memcpy(buffer + i * ELEMENT_BYTES, &value, ELEMENT_BYTES);
    }
    for (uint64_t i = whole * ELEMENT_BYTES; i < len_bytes; i++)
        buffer[i] = tail_byte(rank, i, pass);
}

/* The bytes of one element, or of the part of one that ends an expectation. */
static void compare(const uint8_t *found, const uint8_t *expected, uint64_t offset_bytes,
                    uint64_t len_bytes, struct weft_verify_result *result)
{
    result->compared_bytes += len_bytes;
    if (!memcmp(found, expected, len_bytes))
        return;
    for (uint64_t i = 0; i < len_bytes; i++) {
        if (found[i] == expected[i])
            continue;
        if (!result->wrong_bytes++) {
            result->first_wrong_offset_bytes = offset_bytes + i;
            result->expected = result->found = 0;
            memcpy(&result->expected, expected, len_bytes);
            memcpy(&result->found, found, len_bytes);
        }
    }
}

static void check_copy(const struct weft_expectation *expectation, const uint8_t *buffer,
                       uint32_t pass, struct weft_verify_result *result)
{
    uint64_t whole = expectation->len_bytes / ELEMENT_BYTES;
    uint64_t first = expectation->from_offset_bytes / ELEMENT_BYTES;
    for (uint64_t i = 0; i < whole; i++) {
        float value = weft_verify_value(expectation->rank, first + i, pass);
        uint8_t bytes[sizeof(value)];
        memcpy(bytes, &value, sizeof(value));
        uint64_t at = expectation->offset_bytes + i * ELEMENT_BYTES;
        compare(buffer + at, bytes, at, ELEMENT_BYTES, result);
    }
    for (uint64_t i = whole * ELEMENT_BYTES; i < expectation->len_bytes; i++) {
        uint8_t byte = tail_byte(expectation->rank, expectation->from_offset_bytes + i, pass);
        uint64_t at = expectation->offset_bytes + i;
        compare(buffer + at, &byte, at, 1, result);
    }
}

/* The sums over all ranks for each residue of a place. */
static void make_sums(uint32_t rank_count, uint32_t sums[PRIME])
{
    for (uint32_t place = 0; place < PRIME; place++) {
        sums[place] = 0;
        for (uint32_t rank = 0; rank < rank_count; rank++)
            sums[place] += value_of(rank, place);
    }
}

static void check_sum(const struct weft_expectation *expectation, uint32_t rank_count,
                      const uint8_t *buffer, uint32_t pass, struct weft_verify_result *result)
{
    uint32_t sums[PRIME];
    make_sums(rank_count, sums);
    uint64_t first = expectation->from_offset_bytes / ELEMENT_BYTES;
    for (uint64_t i = 0; i < expectation->len_bytes / ELEMENT_BYTES; i++) {
        float value = (float)sums[residue(first + i, pass)];
        uint8_t bytes[sizeof(value)];
        memcpy(bytes, &value, sizeof(value));
        uint64_t at = expectation->offset_bytes + i * ELEMENT_BYTES;
        compare(buffer + at, bytes, at, ELEMENT_BYTES, result);
    }
}

void weft_verify_check(const struct weft_schedule *schedule, const uint8_t *buffer, uint32_t pass,
                       struct weft_verify_result *result)
{
    for (uint32_t i = 0; i < schedule->expectation_count; i++) {
        const struct weft_expectation *expectation = &schedule->expectations[i];
        switch (expectation->kind) {
        case WEFT_EXPECT_COPY:
            check_copy(expectation, buffer, pass, result);
            break;
        case WEFT_EXPECT_SUM:
            check_sum(expectation, schedule->rank_count, buffer, pass, result);
            break;
        }
    }
}
