/* SPDX-License-Identifier: BSD-3-Clause */
/* Uneven all-to-alls: Zipf's shares, and matrices with what is wrong in them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/shapes/traffic.h"
#include "tests/unit/schedule/patterns/try.h"

#define NAME "all-to-all-v"
#define RANKS_MAX 33u
enum {
    BOTH = 0,
    DISPATCH,
    COMBINE
};

static uint64_t given(enum weft_pattern_option_id id)
{
    return UINT64_C(1) << id;
}

static struct weft_pattern_options of_matrix(const char *text, uint32_t ranks)
{
    return (struct weft_pattern_options){.rank_count = ranks,
                                         .size_bytes = UINT64_C(4) << 20,
                                         .text = text,
                                         .text_bytes = strlen(text),
                                         .text_name = "m.txt"};
}

/* Every byte that goes to another rank is compared, there and back. */
Test(all_to_all_v, shares)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t i = 0; i < 6; i++) {
            static const uint64_t sizes[] = {1, 5, 64, 333, 64, 1000};
            struct weft_pattern_options options = {.rank_count = ranks,
                                                   .size_bytes = sizes[i],
                                                   .skew_thousandths = 400 * i,
                                                   .given = given(WEFT_OPTION_SKEW),
                                                   .phase = i % 3,
                                                   .seed = ranks + i,
                                                   .chunk_bytes = i % 2 ? 0 : 7,
                                                   .calc_ns = i};
            uint64_t phases = options.phase == BOTH ? 2 : 1;
            cr_assert_eq(try_pattern(NAME, &options), phases * (ranks - 1) * sizes[i]);
        }
    }
}

/* By the law, to a part in ten thousand, whatever the order: what the k-th gets is k ^ -skew of
 * what the first gets. */
static int compare_falling(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a > b ? -1 : a < b;
}

static void sorted_shares(const struct weft_pattern_options *options, uint64_t *shares)
{
    uint64_t *bounds = weft_zipf_bounds(options);
    cr_assert_not_null(bounds);
    cr_assert_eq(bounds[0], 0);
    cr_assert_eq(bounds[options->rank_count], options->size_bytes);
    for (uint32_t i = 0; i < options->rank_count; i++)
        shares[i] = bounds[i + 1] - bounds[i];
    qsort(shares, options->rank_count, sizeof(*shares), compare_falling);
    free(bounds);
}

Test(all_to_all_v, zipf)
{
    static const uint64_t skews[] = {0, 1, 500, 1000, 1234, 3000};
    for (size_t i = 0; i < sizeof(skews) / sizeof(skews[0]); i++) {
        uint64_t shares[100];
        sorted_shares(OPTIONS(.rank_count = 100, .size_bytes = UINT64_C(1) << 40,
                              .skew_thousandths = skews[i], .seed = 7),
                      shares);
        for (uint32_t k = 0; k < 100; k++) {
            double expected = (double)shares[0] * pow(k + 1, -(double)skews[i] / 1000);
            cr_assert_float_eq((double)shares[k], expected, 2 + expected * 1e-4, "skew %lu, %u",
                               skews[i], k);
        }
    }
}

/* The same bytes on every machine: these are from one of them. */
Test(all_to_all_v, zipf_is_exact)
{
    uint64_t shares[5];
    sorted_shares(
        OPTIONS(.rank_count = 5, .size_bytes = 1000000007, .skew_thousandths = 1200, .seed = 1),
        shares);
    cr_assert_eq(shares[0] + shares[1] + shares[2] + shares[3] + shares[4], 1000000007);
    cr_assert_eq(shares[0], 490851436, "%lu", shares[0]);
    cr_assert_eq(shares[4], 71151830, "%lu", shares[4]);
}

/* The seed draws who is popular; the steepest law leaves the others next to nothing. */
Test(all_to_all_v, seeds_differ)
{
    uint32_t popular[8] = {0};
    for (uint64_t seed = 1; seed <= 64; seed++) {
        uint64_t *bounds = weft_zipf_bounds(
            OPTIONS(.rank_count = 8, .size_bytes = 4096, .skew_thousandths = 10000, .seed = seed));
        for (uint32_t rank = 0; rank < 8; rank++)
            popular[rank] += bounds[rank + 1] - bounds[rank] > 4000;
        free(bounds);
    }
    for (uint32_t rank = 0; rank < 8; rank++) {
        cr_assert_geq(popular[rank], 1, "rank %u", rank);
        cr_assert_leq(popular[rank], 24, "rank %u", rank);
    }
}

static const char matrix[] = "# bytes from each rank to each\n"
                             "9 100 0 3\n"
                             "\n"
                             "1, 0, 20, 1KiB   # sizes and commas\n"
                             "0 0 0 0\r\n"
                             "5\t6 7 8";

static uint64_t bytes_between(const struct weft_pattern_options *options, uint32_t from,
                              uint32_t to)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    uint64_t len_bytes = 0;
    cr_assert_eq(weft_pattern_compile(find(NAME), options, from, &schedule, &error), WEFT_OK, "%s",
                 error.text);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        if (schedule->ops[i].kind == WEFT_OP_SEND && schedule->ops[i].peer == to)
            len_bytes += schedule->ops[i].len_bytes;
    weft_schedule_destroy(schedule);
    return len_bytes;
}

Test(all_to_all_v, matrix)
{
    static const uint64_t expected[4][4] = {
        {0, 100, 0, 3}, {1, 0, 20, 1024}, {0, 0, 0, 0}, {5, 6, 7, 0}};
    struct weft_pattern_options options = of_matrix(matrix, 4);
    for (options.phase = BOTH; options.phase <= COMBINE; options.phase++) {
        options.chunk_bytes = 10 * options.phase;
        cr_assert_eq(try_pattern(NAME, &options), (options.phase == BOTH ? 2 : 1) * 1166);
        assert_no_races(NAME, &options);
        for (uint32_t from = 0; from < 4; from++)
            for (uint32_t to = 0; to < 4; to++) {
                uint64_t there = from == to ? 0 : expected[from][to];
                uint64_t back = from == to ? 0 : expected[to][from];
                cr_assert_eq(bytes_between(&options, from, to), options.phase == BOTH ? there + back
                                                                : options.phase == DISPATCH ? there
                                                                                            : back);
            }
    }
}

Test(all_to_all_v, figures)
{
    const struct weft_pattern *pattern = find(NAME);
    struct weft_pattern_options options = {.rank_count = 8, .size_bytes = 8000};
    struct weft_pattern_options resolved = weft_pattern_resolve(pattern, &options);
    cr_assert_eq(pattern->algorithm_bytes(&resolved), 2 * 7000);
    resolved.phase = DISPATCH;
    cr_assert_eq(pattern->algorithm_bytes(&resolved), 7000);
    struct weft_pattern_options text = of_matrix(matrix, 4);
    cr_assert_eq(pattern->algorithm_bytes(&text), 2 * 1166 / 4);
    uint32_t ranks = 0;
    struct weft_error error = {0};
    cr_assert_eq(pattern->count_ranks(&text, &ranks, &error), WEFT_OK);
    cr_assert_eq(ranks, 4);
}

/* What comes back waits for all that was sent here. */
Test(all_to_all_v, combine_waits_for_all)
{
    struct weft_schedule *schedule = NULL;
    cr_assert_eq(weft_pattern_compile(find(NAME),
                                      OPTIONS(.rank_count = 4, .size_bytes = 4096, .calc_ns = 77),
                                      1, &schedule, NULL),
                 WEFT_OK);
    uint32_t sends = 0;
    cr_assert_eq(schedule->ops[0].kind, WEFT_OP_CALC);
    cr_assert_eq(schedule->ops[0].duration_ns, 77);
    cr_assert_eq(schedule->ops[0].requires_count, 3);
    for (uint32_t i = 0; i < schedule->ops[0].successor_count; i++)
        sends += schedule->ops[schedule->successors[schedule->ops[0].first_successor + i]].kind ==
                 WEFT_OP_SEND;
    cr_assert_eq(sends, 3);
    weft_schedule_destroy(schedule);
}

/* As numpy, spreadsheets and editors on Windows write it. */
Test(all_to_all_v, matrices_of_others)
{
    static const char *const texts[] = {
        "0 1000000\n24 0\n",
        "0.000000000000000000e+00 1.000000000000000000e+06\n2.400000000000000000e+01 0.0\n",
        "0,1e+06\n24,0\n",
        "0;1000000\n24;0\n",
        "0, 1000000,\n24, 0,\n",
        "\xef\xbb\xbf\x30 1000000\r\n24 0\r\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct weft_pattern_options options = of_matrix(texts[i], 2);
        options.phase = DISPATCH;
        cr_expect_eq(bytes_between(&options, 0, 1), 1000000, "%s", texts[i]);
        cr_expect_eq(bytes_between(&options, 1, 0), 24, "%s", texts[i]);
    }
}

Test(all_to_all_v, bad_matrices)
{
    static const struct {
        const char *text;
        uint32_t ranks;
        const char *error;
    } rows[] = {
        {"", 2, "m.txt:1:1: error: there is no row"},
        {"# nothing\n\n", 2, "m.txt:3:1: error: there is no row"},
        {"5\n", 2, "m.txt:1:2: error: a row needs a number for each rank"},
        {"0 1\n1 zero\n", 2, "m.txt:2:3: error:"},
        {"0 1\n1 -3\n", 2, "m.txt:2:3: error:"},
        {"0 1\n1 0 7\n", 2, "m.txt:2:5: error: each row must have 2 numbers"},
        {"0 1 2\n1 0\n", 3,
         "m.txt:2:4: error: each row must have 3 numbers, like the first, not 2"},
        {"0 1\n", 2, "as many rows as numbers in a row, 2, not 1"},
        {"0 1\n1 0\n3 4\n", 2, "m.txt:3:1: error: there must be as many rows as numbers in a row"},
        {"0, 1\n1,, 0\n", 2, "m.txt:2:3: error: expected a number of bytes"},
        {"0 1.5\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 1e300\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 nan\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 0x10\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 2TiB\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 99999999999999999999999999999999999999\n1 0\n", 2, "m.txt:1:3: error:"},
        {"0 1\n1 0\n", 3, "m.txt is a matrix of 2 ranks, not 3"},
        {"7 0\n0 7\n", 2, "m.txt: no rank has anything for another"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct weft_pattern_options options = of_matrix(rows[i].text, rows[i].ranks);
        refuse(NAME, &options, rows[i].error);
    }
    /* A NUL in the middle is no number, and what is behind the length is not read. */
    struct weft_pattern_options options = of_matrix("0 1\n1 0\nrubbish", 2);
    options.text_bytes = 8;
    cr_assert_eq(try_pattern(NAME, &options), 4);
    options.text = "0 1\n1 \0\n";
    refuse(NAME, &options, "m.txt:2:3: error: expected a number of bytes");
}

Test(all_to_all_v, bad_options)
{
    struct weft_pattern_options options = of_matrix(matrix, 4);
    options.size_bytes = 77;
    refuse(NAME, &options, "leave 'size' out");
    options = of_matrix(matrix, 4);
    options.skew_thousandths = 1500;
    refuse(NAME, &options, "leave 'skew' out");
    options = of_matrix(matrix, 4);
    options.seed = 3;
    refuse(NAME, &options, "leave 'pattern-seed' out");
    refuse(NAME, OPTIONS(.rank_count = 4, .size_bytes = 8, .skew_thousandths = 10001), "'skew'");
    refuse(NAME, OPTIONS(.rank_count = 4, .size_bytes = 8, .phase = 3), "'phase'");
    refuse(NAME, OPTIONS(.rank_count = 4, .size_bytes = 1ull << 40, .chunk_bytes = 4),
           "larger chunks");
}

Test(all_to_all_v, no_races)
{
    for (uint32_t ranks = 2; ranks < 8; ranks++)
        for (uint64_t phase = BOTH; phase <= COMBINE; phase++)
            assert_no_races(NAME, OPTIONS(.rank_count = ranks, .size_bytes = 404, .chunk_bytes = 20,
                                          .phase = phase, .seed = ranks));
}

/* One rank of very many; the popular one has the most, and still one message from each. */
Test(all_to_all_v, one_of_very_many)
{
    struct weft_pattern_options options = {
        .rank_count = 100000, .size_bytes = 400000, .skew_thousandths = 1200};
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_compile(find(NAME), &options, 77777, &schedule, &error), WEFT_OK,
                 "%s", error.text);
    cr_assert_leq(schedule->op_count, 4 * 100000);
    weft_schedule_destroy(schedule);
}
