/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fabric/schedule/verify.h"

#define ELEMENTS 1000u
#define BYTES (4u * ELEMENTS + 3u)

Test(verify, values_are_small_and_whole)
{
    for (uint32_t rank = 0; rank < 100; rank++) {
        for (uint64_t index = 0; index < 10000; index += 37) {
            float value = weft_verify_value(rank, index, rank % 3);
            cr_assert(value >= 1 && value <= 509 && value == floorf(value));
        }
    }
}

Test(verify, neighbours_differ)
{
    for (uint64_t index = 0; index < 5000; index++) {
        float value = weft_verify_value(7, index, 0);
        cr_assert_neq(value, weft_verify_value(8, index, 0));
        cr_assert_neq(value, weft_verify_value(263, index, 0));
        cr_assert_neq(value, weft_verify_value(7, index, 1));
        if (index % 64 != 63)
            cr_assert_neq(value, weft_verify_value(7, index + 1, 0));
    }
}

/* What is shifted by a chunk differs nearly everywhere. */
Test(verify, places_differ)
{
    for (uint64_t shift = 64; shift <= 1u << 20; shift *= 2) {
        uint32_t same = 0;
        for (uint64_t index = 0; index < 6400; index++)
            same += weft_verify_value(3, index, 0) == weft_verify_value(3, index + shift, 0);
        cr_assert_lt(same, 640, "shifted by %lu: %u of 6400 alike", shift, same);
    }
}

/* The largest sum that is promised to be exact, against the values one by one. */
Test(verify, sum_of_many_ranks)
{
    enum {
        RANKS = 32768,
        COUNT = 70
    };
    float buffer[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        buffer[i] = 0;
        for (uint32_t rank = 0; rank < RANKS; rank++)
            buffer[i] += weft_verify_value(rank, i, 1);
    }
    struct weft_expectation sum = {.kind = WEFT_EXPECT_SUM, .len_bytes = sizeof(buffer)};
    struct weft_schedule schedule = {.rank_count = RANKS,
                                     .expectation_count = 1,
                                     .expectations = &sum,
                                     .buffer_bytes = sizeof(buffer)};
    struct weft_verify_result result = {0};
    weft_verify_check(&schedule, (const uint8_t *)buffer, 1, &result);
    cr_assert_eq(result.compared_bytes, sizeof(buffer));
    cr_assert_eq(result.wrong_bytes, 0);
    buffer[69] += 1;
    weft_verify_check(&schedule, (const uint8_t *)buffer, 1, &result);
    cr_assert_gt(result.wrong_bytes, 0);
    cr_assert_eq(result.first_wrong_offset_bytes / 4, 69);
    cr_assert_eq(result.found, result.expected + 1);
}

/* A sum of another place's elements. */
Test(verify, sum_from_elsewhere)
{
    float buffer[100];
    for (uint32_t i = 0; i < 100; i++)
        buffer[i] = i < 10 ? 0
                           : weft_verify_value(0, 1000 + i - 10, 3) +
                                 weft_verify_value(1, 1000 + i - 10, 3);
    struct weft_expectation sum = {
        .kind = WEFT_EXPECT_SUM, .offset_bytes = 40, .from_offset_bytes = 4000, .len_bytes = 360};
    struct weft_schedule schedule = {.rank_count = 2,
                                     .expectation_count = 1,
                                     .expectations = &sum,
                                     .buffer_bytes = sizeof(buffer)};
    struct weft_verify_result result = {0};
    weft_verify_check(&schedule, (const uint8_t *)buffer, 3, &result);
    cr_assert_eq(result.compared_bytes, 360);
    cr_assert_eq(result.wrong_bytes, 0);
}

/* Every single byte of a copy counts, those of a part of an element too. */
Test(verify, each_corrupted_byte_is_found)
{
    static uint8_t buffer[BYTES + 8];
    weft_verify_fill(buffer + 8, BYTES, 4, 2);
    struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                    .rank = 4,
                                    .offset_bytes = 8 + 40,
                                    .from_offset_bytes = 40,
                                    .len_bytes = BYTES - 40};
    struct weft_schedule schedule = {.rank_count = 5,
                                     .expectation_count = 1,
                                     .expectations = &copy,
                                     .buffer_bytes = sizeof(buffer)};
    struct weft_verify_result clean = {0};
    weft_verify_check(&schedule, buffer, 2, &clean);
    cr_assert_eq(clean.compared_bytes, BYTES - 40);
    cr_assert_eq(clean.wrong_bytes, 0);
    for (uint32_t i = 48; i < BYTES + 8; i++) {
        struct weft_verify_result result = {0};
        buffer[i] ^= 0x10;
        weft_verify_check(&schedule, buffer, 2, &result);
        buffer[i] ^= 0x10;
        cr_assert_eq(result.wrong_bytes, 1, "byte %u", i);
        cr_assert_eq(result.first_wrong_offset_bytes, i);
    }
}

/* Bytes that never came are found too: neither zeros nor the receiver's own fill pass, be the
 * message a single byte. */
Test(verify, short_messages_are_told_apart)
{
    for (uint32_t len_bytes = 1; len_bytes < 9; len_bytes++) {
        uint8_t zeros[8] = {0}, own[8], sent[8];
        weft_verify_fill(own, len_bytes, 1, 0);
        weft_verify_fill(sent, len_bytes, 0, 0);
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY, .len_bytes = len_bytes};
        struct weft_schedule schedule = {.rank_count = 2,
                                         .expectation_count = 1,
                                         .expectations = &copy,
                                         .buffer_bytes = len_bytes};
        struct weft_verify_result result = {0};
        weft_verify_check(&schedule, sent, 0, &result);
        cr_assert_eq(result.wrong_bytes, 0);
        weft_verify_check(&schedule, zeros, 0, &result);
        cr_assert_gt(result.wrong_bytes, 0);
        result = (struct weft_verify_result){0};
        weft_verify_check(&schedule, own, 0, &result);
        cr_assert_gt(result.wrong_bytes, 0);
    }
}
