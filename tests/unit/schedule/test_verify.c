/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/schedule/verify.h"

#define BYTES 4003u

static struct weft_schedule schedule_of(enum weft_element element, enum weft_reduction reduction,
                                        uint32_t rank_count, uint64_t buffer_bytes)
{
    return (struct weft_schedule){.rank_count = rank_count,
                                  .element = element,
                                  .reduction = reduction,
                                  .buffer_bytes = buffer_bytes};
}

Test(verify, values_are_small)
{
    struct weft_schedule schedule = schedule_of(WEFT_ELEMENT_FLOAT32, WEFT_REDUCTION_SUM, 100, 0);
    for (uint32_t rank = 0; rank < 100; rank++) {
        for (uint64_t index = 0; index < 10000; index += 37) {
            uint32_t value = weft_verify_value(&schedule, rank, index, rank % 3);
            cr_assert(value >= 1 && value <= 509);
        }
    }
}

Test(verify, neighbours_differ)
{
    static const enum weft_element elements[] = {WEFT_ELEMENT_FLOAT32, WEFT_ELEMENT_INT32};
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_schedule schedule = schedule_of(elements[i], WEFT_REDUCTION_SUM, 300, 0);
        for (uint64_t index = 0; index < 5000; index++) {
            uint32_t value = weft_verify_value(&schedule, 7, index, 0);
            cr_assert_neq(value, weft_verify_value(&schedule, 8, index, 0));
            cr_assert_neq(value, weft_verify_value(&schedule, 263, index, 0));
            cr_assert_neq(value, weft_verify_value(&schedule, 7, index, 1));
            if (index % 64 != 63)
                cr_assert_neq(value, weft_verify_value(&schedule, 7, index + 1, 0));
        }
    }
}

/* What is shifted by a chunk differs nearly everywhere, bytes too. */
Test(verify, places_differ)
{
    static const enum weft_element elements[] = {WEFT_ELEMENT_FLOAT32, WEFT_ELEMENT_UINT8};
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_schedule schedule = schedule_of(elements[i], WEFT_REDUCTION_SUM, 8, 0);
        for (uint64_t shift = 64; shift <= 1u << 20; shift *= 2) {
            uint32_t same = 0;
            for (uint64_t index = 0; index < 6400; index++)
                same += weft_verify_value(&schedule, 3, index, 0) ==
                        weft_verify_value(&schedule, 3, index + shift, 0);
            cr_assert_lt(same, 640, "shifted by %lu: %u of 6400 alike", shift, same);
        }
    }
}

/* The fill is the values, element by element. */
Test(verify, fill_is_the_values)
{
    for (uint32_t element = 0; element < WEFT_ELEMENT_COUNT; element++) {
        uint8_t buffer[1001], wanted[WEFT_ELEMENT_BYTES_MAX];
        struct weft_schedule schedule =
            schedule_of((enum weft_element)element, WEFT_REDUCTION_SUM, 3, sizeof(buffer));
        uint32_t bytes = weft_element_bytes(schedule.element);
        schedule.rank = 2;
        weft_verify_fill(&schedule, buffer, 5);
        for (uint32_t i = 0; i < sizeof(buffer) / bytes; i++) {
            weft_element_write(schedule.element, weft_verify_value(&schedule, 2, i, 5), wanted);
            cr_assert_arr_eq(buffer + i * bytes, wanted, bytes);
        }
    }
}

/* ---- reductions ---- */

enum {
    COUNT = 600
};

/* Reduces the ranks one by one, each step rounded as the type does, and compares. Returns how often
 * a rank that is left out shows. */
static uint32_t try_reduction(enum weft_element element, enum weft_reduction reduction,
                              uint32_t rank_count, const struct weft_expectation *like)
{
    struct weft_schedule schedule = schedule_of(element, reduction, rank_count, 0);
    uint32_t bytes = weft_element_bytes(element), differ = 0;
    static uint8_t buffer[COUNT * WEFT_ELEMENT_BYTES_MAX];
    uint32_t first = like->rank, step = like->rank_stride ? like->rank_stride : 1;
    uint32_t count = like->rank_count ? like->rank_count : rank_count;
    for (uint32_t i = 0; i < COUNT; i++) {
        float sum = 0;
        for (uint32_t r = 0; r < count; r++) {
            float value = (float)weft_verify_value(&schedule, first + r * step, i, 1);
            bool larger = value > sum;
            sum = reduction == WEFT_REDUCTION_SUM ? sum + value : larger ? value : sum;
            if (element != WEFT_ELEMENT_INT32 && element != WEFT_ELEMENT_UINT8) {
                uint8_t rounded[WEFT_ELEMENT_BYTES_MAX];
                weft_element_write(element, (uint32_t)sum, rounded);
                sum = weft_element_read(element, rounded);
            }
        }
        weft_element_write(element, (uint32_t)sum, buffer + i * bytes);
        differ += weft_verify_value(&schedule, first, i, 1) > 0;
    }
    struct weft_expectation expectation = *like;
    expectation.kind = WEFT_EXPECT_REDUCED;
    expectation.len_bytes = COUNT * bytes;
    schedule.expectation_count = 1;
    schedule.expectations = &expectation;
    schedule.buffer_bytes = COUNT * bytes;
    struct weft_verify_result result = {0};
    weft_verify_check(&schedule, buffer, 1, &result);
    cr_assert_eq(result.compared_bytes, COUNT * bytes);
    cr_assert_eq(result.wrong_bytes, 0, "%s %s over %u ranks", weft_element_names[element],
                 weft_reduction_names[reduction], rank_count);
    buffer[(COUNT - 1) * bytes] ^= 1;
    weft_verify_check(&schedule, buffer, 1, &result);
    cr_assert_eq(result.wrong_bytes, 1);
    cr_assert_eq(result.first_wrong_offset_bytes, (COUNT - 1) * bytes);
    return differ;
}

/* Every type, both operators, and as many ranks as make the numbers small and then rare. Every rank
 * counts in some place, or a part that is missing would not show. */
Test(verify, reductions_are_exact)
{
    static const uint32_t ranks[] = {1, 2, 7, 63, 64, 65, 257, 600, 5000, 33000};
    for (uint32_t element = 0; element < WEFT_ELEMENT_COUNT; element++) {
        for (uint32_t reduction = 0; reduction < WEFT_REDUCTION_COUNT; reduction++) {
            for (uint32_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
                uint32_t differ =
                    try_reduction((enum weft_element)element, (enum weft_reduction)reduction,
                                  ranks[i], &(struct weft_expectation){0});
                cr_assert_gt(differ, 0);
            }
        }
    }
}

Test(verify, reductions_of_some_ranks)
{
    for (uint32_t element = 0; element < WEFT_ELEMENT_COUNT; element++) {
        static const struct weft_expectation some[] = {
            {.rank = 3, .rank_count = 5},
            {.rank = 1, .rank_count = 700, .rank_stride = 2},
            {.rank = 0, .rank_count = 3, .rank_stride = 509},
            {.rank = 1999, .rank_count = 1},
        };
        for (uint32_t i = 0; i < 4; i++) {
            (void)try_reduction((enum weft_element)element, WEFT_REDUCTION_SUM, 2000, &some[i]);
            (void)try_reduction((enum weft_element)element, WEFT_REDUCTION_MAX, 2000, &some[i]);
        }
    }
}

Test(verify, ranks_max)
{
    cr_assert_eq(weft_verify_ranks_max(WEFT_ELEMENT_INT32, WEFT_REDUCTION_SUM), UINT32_MAX);
    cr_assert_eq(weft_verify_ranks_max(WEFT_ELEMENT_BFLOAT16, WEFT_REDUCTION_MAX), UINT32_MAX);
    cr_assert_gt(weft_verify_ranks_max(WEFT_ELEMENT_FLOAT32, WEFT_REDUCTION_SUM), 1u << 30);
    uint32_t most = weft_verify_ranks_max(WEFT_ELEMENT_BFLOAT16, WEFT_REDUCTION_SUM);
    cr_assert_eq(most, 85 * 509);
    (void)try_reduction(WEFT_ELEMENT_BFLOAT16, WEFT_REDUCTION_SUM, most,
                        &(struct weft_expectation){0});
}

/* A sum of another place's elements. */
Test(verify, sum_from_elsewhere)
{
    float buffer[100];
    struct weft_expectation sum = {.kind = WEFT_EXPECT_REDUCED,
                                   .offset_bytes = 40,
                                   .from_offset_bytes = 4000,
                                   .len_bytes = 360};
    struct weft_schedule schedule =
        schedule_of(WEFT_ELEMENT_FLOAT32, WEFT_REDUCTION_SUM, 2, sizeof(buffer));
    schedule.expectation_count = 1;
    schedule.expectations = &sum;
    for (uint32_t i = 0; i < 100; i++)
        buffer[i] = i < 10 ? 0
                           : (float)(weft_verify_value(&schedule, 0, 1000 + i - 10, 3) +
                                     weft_verify_value(&schedule, 1, 1000 + i - 10, 3));
    struct weft_verify_result result = {0};
    weft_verify_check(&schedule, (const uint8_t *)buffer, 3, &result);
    cr_assert_eq(result.compared_bytes, 360);
    cr_assert_eq(result.wrong_bytes, 0);
    buffer[50] += 1;
    weft_verify_check(&schedule, (const uint8_t *)buffer, 3, &result);
    cr_assert_gt(result.wrong_bytes, 0);
    cr_assert_eq(result.first_wrong_offset_bytes / 4, 50);
    cr_assert_eq(result.found, result.expected + 1);
}

/* ---- copies ---- */

/* Every single byte of a copy counts, wherever it begins. */
Test(verify, each_corrupted_byte_is_found)
{
    static uint8_t source[BYTES], buffer[BYTES];
    struct weft_schedule sender = schedule_of(WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM, 5, BYTES);
    sender.rank = 4;
    weft_verify_fill(&sender, source, 2);
    struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                    .rank = 4,
                                    .offset_bytes = 11,
                                    .from_offset_bytes = 39,
                                    .len_bytes = BYTES - 39};
    struct weft_schedule schedule = sender;
    schedule.expectation_count = 1;
    schedule.expectations = &copy;
    memcpy(buffer + 11, source + 39, BYTES - 39);
    struct weft_verify_result clean = {0};
    weft_verify_check(&schedule, buffer, 2, &clean);
    cr_assert_eq(clean.compared_bytes, BYTES - 39);
    cr_assert_eq(clean.wrong_bytes, 0);
    for (uint32_t i = 11; i < 11 + BYTES - 39; i++) {
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
        struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY, .len_bytes = len_bytes};
        struct weft_schedule schedule =
            schedule_of(WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM, 2, len_bytes);
        schedule.expectation_count = 1;
        schedule.expectations = &copy;
        weft_verify_fill(&schedule, sent, 0);
        schedule.rank = 1;
        weft_verify_fill(&schedule, own, 0);
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

Test(verify, arrival_compares_nothing)
{
    struct weft_expectation any = {.kind = WEFT_EXPECT_ARRIVAL, .len_bytes = 8};
    struct weft_schedule schedule = schedule_of(WEFT_ELEMENT_UINT8, WEFT_REDUCTION_SUM, 2, 8);
    schedule.expectation_count = 1;
    schedule.expectations = &any;
    uint8_t buffer[8] = {0};
    struct weft_verify_result result = {0};
    weft_verify_check(&schedule, buffer, 0, &result);
    cr_assert_eq(result.compared_bytes, 0);
    cr_assert_eq(result.wrong_bytes, 0);
}

/* ---- elements ---- */

/* Against the definition: every float16 there is, to float and back, and halfway cases. */
Test(element, float16)
{
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
        double scale = bits & 0x8000 ? -1 : 1;
        double wanted = exponent ? (1024.0 + fraction) / 1024.0 : fraction / 512.0;
        for (uint32_t i = 15; i < exponent; i++)
            wanted *= 2;
        for (uint32_t i = exponent; i < 15; i++)
            wanted /= 2;
        float value = weft_float16_to_float((uint16_t)bits);
        if (exponent == 31 && fraction) {
            cr_assert(value != value);
            continue;
        }
        if (exponent < 31)
            cr_assert_eq((double)value, scale * wanted, "%x", bits);
        cr_assert_eq(weft_float16_of_float(value), bits);
    }
    cr_assert_eq(weft_float16_of_float(2049), weft_float16_of_float(2048));
    cr_assert_eq(weft_float16_of_float(2051), weft_float16_of_float(2052));
    cr_assert_eq(weft_float16_of_float(65520), 0x7c00);
    cr_assert_eq(weft_float16_of_float(65519), 0x7bff);
}

Test(element, bfloat16)
{
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        float value = weft_bfloat16_to_float((uint16_t)bits);
        if (value == value)
            cr_assert_eq(weft_bfloat16_of_float(value), bits);
    }
    cr_assert_eq(weft_bfloat16_of_float(257), weft_bfloat16_of_float(256));
    cr_assert_eq(weft_bfloat16_of_float(259), weft_bfloat16_of_float(260));
    float nan = weft_float_of_bits(0x7f800001);
    float kept = weft_bfloat16_to_float(weft_bfloat16_of_float(nan));
    cr_assert(kept != kept);
}
