/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/schedule/verify.h"
#include "tests/unit/schedule/patterns/try.h"

Test(patterns, ping_pong)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 8, 63, 64, 65, 4096, 100003};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct weft_pattern_options options = {.rank_count = 2, .size_bytes = sizes[i]};
        cr_assert_eq(try_pattern("ping-pong", &options), 2 * sizes[i]);
    }
}

/* Every type and operator (one of them over many ranks), every number of ranks, vectors with fewer
 * elements than ranks, and in place; the size is in elements. */
static void try_reducing(const char *name, uint64_t algorithm, uint32_t ranks, uint64_t elements,
                         uint64_t chunk_elements)
{
    for (uint64_t kind = 0; kind < WEFT_ELEMENT_COUNT * WEFT_REDUCTION_COUNT; kind++) {
        if (ranks > 9 && kind != ranks % (WEFT_ELEMENT_COUNT * WEFT_REDUCTION_COUNT))
            continue;
        struct weft_pattern_options options = {.rank_count = ranks,
                                               .algorithm = algorithm,
                                               .element = kind / WEFT_REDUCTION_COUNT,
                                               .reduction = kind % WEFT_REDUCTION_COUNT};
        uint32_t bytes = weft_element_bytes((enum weft_element)options.element);
        options.size_bytes = elements * bytes;
        options.chunk_bytes = chunk_elements * bytes;
        cr_assert_eq(try_pattern(name, &options), ranks * options.size_bytes);
    }
}

Test(patterns, all_reduce)
{
    const char *const *words = weft_pattern_option_words(find("all-reduce"), WEFT_OPTION_ALGORITHM);
    for (uint64_t algorithm = 0; words[algorithm]; algorithm++) {
        for (uint32_t ranks = 2; ranks <= 33; ranks++) {
            try_reducing("all-reduce", algorithm, ranks, 1, 0);
            try_reducing("all-reduce", algorithm, ranks, 5, 0);
            try_reducing("all-reduce", algorithm, ranks, ranks + 1, 2);
            try_reducing("all-reduce", algorithm, ranks, 7 * ranks + ranks / 2 + 1,
                         ranks < 10 ? 3 : ranks);
        }
        try_reducing("all-reduce", algorithm, 5, 25050, 0);
        try_reducing("all-reduce", algorithm, 8, 25050, 1000);
    }
}

Test(patterns, all_reduce_by_host)
{
    const struct weft_pattern *pattern = find("all-reduce");
    struct weft_error error = {0};
    struct weft_pattern_options options = {0};
    cr_assert_eq(
        weft_pattern_option_parse(pattern, &options, WEFT_OPTION_ALGORITHM, "hierarchical", &error),
        WEFT_OK);
    for (uint32_t on_host = 1; on_host <= 8; on_host++) {
        for (uint32_t hosts = 1; hosts <= 4; hosts++) {
            if (hosts * on_host < 2)
                continue;
            options.rank_count = hosts * on_host;
            options.ranks_per_host = on_host;
            options.element = WEFT_ELEMENT_INT32;
            for (uint64_t elements = 1; elements < 100; elements += 7) {
                options.size_bytes = 4 * elements;
                options.chunk_bytes = elements % 2 ? 0 : 8;
                cr_assert_eq(try_pattern("all-reduce", &options),
                             options.rank_count * options.size_bytes);
            }
        }
    }
    options.rank_count = 9;
    options.ranks_per_host = 4;
    cr_assert_eq(weft_pattern_check(pattern, &options, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "choose 12 ranks"), "%s", error.text);
    options.algorithm = 0;
    cr_assert_eq(weft_pattern_check(pattern, &options, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "is only for the algorithm"), "%s", error.text);
}

/* Who sends what an all-reduce must at least, and what each way promises: of an 8-rank vector of
 * 4096 elements, rank 3. */
Test(patterns, all_reduce_traffic)
{
    static const struct {
        const char *way;
        uint64_t messages, bytes;
    } rows[] = {
        {"ring", 14, 14 * 2048},
        {"both-ways", 28, 28 * 1024},
        {"halving-doubling", 6, 14 * 2048},
        {"one-shot", 7, 7 * 16384},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct weft_pattern_options options = {.rank_count = 8, .size_bytes = 16384};
        struct weft_schedule *schedule = NULL;
        struct weft_error error = {0};
        uint64_t messages = 0, bytes = 0;
        cr_assert_eq(weft_pattern_option_parse(find("all-reduce"), &options, WEFT_OPTION_ALGORITHM,
                                               rows[i].way, &error),
                     WEFT_OK);
        cr_assert_eq(weft_pattern_compile(find("all-reduce"), &options, 3, &schedule, &error),
                     WEFT_OK);
        for (uint32_t op = 0; op < schedule->op_count; op++) {
            messages += schedule->ops[op].kind == WEFT_OP_SEND;
            bytes += schedule->ops[op].kind == WEFT_OP_SEND ? schedule->ops[op].len_bytes : 0;
        }
        cr_assert_eq(messages, rows[i].messages, "%s: %lu", rows[i].way, messages);
        cr_assert_eq(bytes, rows[i].bytes, "%s: %lu", rows[i].way, bytes);
        weft_schedule_destroy(schedule);
    }
}

/* No rank sends more than the vector up and the vector down: who has two children in one tree has
 * hardly any in the other. */
Test(patterns, two_trees_carry_alike)
{
    for (uint32_t ranks = 2; ranks <= 33; ranks++) {
        uint64_t most = 0;
        for (uint32_t rank = 0; rank < ranks; rank++) {
            struct weft_pattern_options options = {
                .rank_count = ranks, .size_bytes = 8000, .algorithm = 3};
            struct weft_schedule *schedule = NULL;
            cr_assert_eq(weft_pattern_compile(find("all-reduce"), &options, rank, &schedule, NULL),
                         WEFT_OK);
            uint64_t bytes = 0;
            for (uint32_t op = 0; op < schedule->op_count; op++)
                bytes += schedule->ops[op].kind == WEFT_OP_SEND ? schedule->ops[op].len_bytes : 0;
            most = bytes > most ? bytes : most;
            weft_schedule_destroy(schedule);
        }
        cr_assert_leq(most, 2 * 8000, "%u ranks", ranks);
    }
}

Test(patterns, incast)
{
    for (uint32_t ranks = 2; ranks <= 33; ranks++) {
        for (uint64_t size = 1; size < 40; size += 7) {
            struct weft_pattern_options options = {
                .rank_count = ranks, .size_bytes = size, .chunk_bytes = size % 3 ? 5 : 0};
            cr_assert_eq(try_pattern("incast", &options), (ranks - 1) * size);
        }
    }
}

Test(patterns, pipeline)
{
    for (uint32_t ranks = 2; ranks <= 33; ranks++) {
        for (uint32_t microbatches = 0; microbatches < 4; microbatches++) {
            struct weft_pattern_options options = {.rank_count = ranks,
                                                   .size_bytes = 1 + 6 * microbatches,
                                                   .microbatches = microbatches,
                                                   .calc_ns = 10};
            uint64_t count = microbatches ? microbatches : 8;
            cr_assert_eq(try_pattern("pipeline", &options), 2 * ranks * count * options.size_bytes);
        }
    }
}

/* The chunks are as large as was asked for and no larger, and a segment has at most 16 unless
 * told. */
Test(patterns, all_reduce_chunks)
{
    struct weft_pattern_options options = {
        .rank_count = 8, .size_bytes = 4u << 20, .chunk_bytes = 0};
    for (uint32_t i = 0; i < 3; i++) {
        static const uint64_t chunk_bytes[] = {0, 100000, 4096};
        static const uint64_t expected[] = {8, 6, 128};
        struct weft_schedule *schedule = NULL;
        struct weft_error error = {0};
        options.chunk_bytes = chunk_bytes[i];
        cr_assert_eq(weft_pattern_compile(find("all-reduce"), &options, 3, &schedule, &error),
                     WEFT_OK);
        uint64_t sends = 0, bytes = 0;
        for (uint32_t op = 0; op < schedule->op_count; op++) {
            if (schedule->ops[op].kind != WEFT_OP_SEND)
                continue;
            sends++;
            bytes += schedule->ops[op].len_bytes;
            if (options.chunk_bytes)
                cr_assert_leq(schedule->ops[op].len_bytes, options.chunk_bytes);
        }
        cr_assert_eq(sends, 14 * expected[i], "%lu", sends);
        cr_assert_eq(bytes, 14 * options.size_bytes / 8);
        weft_schedule_destroy(schedule);
    }
}

Test(patterns, who_decides)
{
    static const char *const names[] = {"ping-pong", "all-reduce", "incast", "pipeline"};
    for (uint32_t i = 0; i < 4; i++) {
        const struct weft_pattern *pattern = find(names[i]);
        struct weft_pattern_options options = {.rank_count = pattern->default_ranks,
                                               .size_bytes = pattern->default_size_bytes};
        struct world world;
        world_init(&world, pattern, &options);
        for (uint32_t rank = 0; rank < options.rank_count; rank++)
            cr_assert_eq(world.schedules[rank]->decides_completion, rank == 0 || i == 1);
        world_fini(&world);
    }
}

Test(patterns, figures)
{
    struct weft_pattern_options options = {.rank_count = 8, .size_bytes = 1000};
    cr_assert_float_eq(find("all-reduce")->bus_factor(8), 1.75, 1e-12);
    cr_assert_eq(find("all-reduce")->algorithm_bytes(&options), 1000);
    cr_assert_eq(find("incast")->algorithm_bytes(&options), 7000);
    cr_assert_float_eq(find("incast")->bus_factor(8), 1, 1e-12);
    cr_assert_eq(find("ping-pong")->algorithm_bytes(&options), 0);
    cr_assert_float_eq(find("pipeline")->bus_factor(8), 0, 1e-12);
}

Test(patterns, no_races)
{
    for (uint32_t ranks = 2; ranks < 8; ranks++) {
        struct weft_pattern_options options = {
            .rank_count = ranks, .size_bytes = 404, .chunk_bytes = 20};
        const char *const *words =
            weft_pattern_option_words(find("all-reduce"), WEFT_OPTION_ALGORITHM);
        for (options.algorithm = 0; words[options.algorithm]; options.algorithm++)
            assert_no_races("all-reduce", &options);
        options.algorithm = 5;
        options.ranks_per_host = ranks % 2 ? ranks : 2;
        assert_no_races("all-reduce", &options);
        options.algorithm = options.ranks_per_host = 0;
        assert_no_races("incast", &options);
        options.chunk_bytes = 0;
        assert_no_races("pipeline", &options);
        options.rank_count = 2;
        assert_no_races("ping-pong", &options);
    }
}

Test(patterns, bad_options)
{
    refuse("ping-pong", OPTIONS(.rank_count = 3, .size_bytes = 8), "exactly 2 ranks, not 3");
    refuse("ping-pong", OPTIONS(.rank_count = 2, .size_bytes = 0), "choose 1 B");
    refuse("ping-pong", OPTIONS(.rank_count = 2, .size_bytes = (1ull << 30) + 1), "at most");
    refuse("ping-pong", OPTIONS(.rank_count = 2, .size_bytes = 8, .chunk_bytes = 4),
           "does not take 'chunk'");
    refuse("all-reduce", OPTIONS(.rank_count = 1, .size_bytes = 8), "2 to 130000 ranks, not 1");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 1001), "choose 1004 B");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 1000, .chunk_bytes = 6),
           "choose 8 B");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 1ull << 40, .chunk_bytes = 4),
           "larger chunks");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 8, .microbatches = 4), "leave");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 8, .calc_ns = 4), "leave");
    refuse("incast", OPTIONS(.rank_count = 2, .size_bytes = 1ull << 40, .chunk_bytes = 1),
           "larger chunks");
    refuse("incast", OPTIONS(.rank_count = 2, .size_bytes = 8, .chunk_bytes = 1ull << 31),
           "'chunk' must be from 1B to 1GiB, not 2GiB");
    refuse("pipeline", OPTIONS(.rank_count = 2, .size_bytes = 8, .microbatches = 1u << 20),
           "'microbatches' must be from 1 to 4096");
    refuse("all-reduce",
           OPTIONS(.rank_count = 50000, .size_bytes = 8, .element = WEFT_ELEMENT_BFLOAT16),
           "at most 43265 ranks");
    refuse("all-reduce", OPTIONS(.rank_count = 2, .size_bytes = 8, .element = 99), "'type' must");
    refuse("all-reduce",
           OPTIONS(.rank_count = 2, .size_bytes = 8, .text = "x", .text_name = "a.goal"),
           "leave 'a.goal' out");
    /* 0 was said, and counts as said. */
    refuse("all-reduce",
           OPTIONS(.rank_count = 2, .size_bytes = 8, .given = UINT64_C(1) << WEFT_OPTION_CALC),
           "take 'calc'");
    refuse(
        "pipeline",
        OPTIONS(.rank_count = 2, .size_bytes = 8, .given = UINT64_C(1) << WEFT_OPTION_MICROBATCHES),
        "not 0");
}

/* Text in and out, by the table. */
Test(patterns, options_as_text)
{
    static const struct {
        const char *pattern, *option, *text, *error;
        uint64_t value;
    } rows[] = {
        {"all-reduce", "chunk", "64KiB", NULL, 65536},
        {"all-reduce", "type", "bfloat16", NULL, WEFT_ELEMENT_BFLOAT16},
        {"all-reduce", "operator", "max", NULL, WEFT_REDUCTION_MAX},
        {"all-reduce", "algorithm", "ring", NULL, 0},
        {"pipeline", "calc", "20us", NULL, 20000},
        {"pipeline", "calc", "0s", NULL, 0},
        {"pipeline", "microbatches", "12", NULL, 12},
        {"pipeline", "microbatches", "0", "must be from 1 to 4096, not 0", 0},
        {"pipeline", "chunk", "4KiB",
         "it takes ranks, size, algorithm, microbatches, interleave, calc", 0},
        {"all-reduce", "type", "bfloat", "did you mean 'bfloat16'?", 0},
        {"all-reduce", "operator", "multiply", "there is: sum, max", 0},
        {"all-reduce", "chunk", "64 potatoes", "64 potatoes", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct weft_pattern *pattern = find(rows[i].pattern);
        enum weft_pattern_option_id id = weft_pattern_option_find(rows[i].option);
        struct weft_pattern_options options = {0};
        struct weft_error error = {0};
        enum weft_status status =
            weft_pattern_option_parse(pattern, &options, id, rows[i].text, &error);
        if (rows[i].error) {
            cr_assert_eq(status, WEFT_INVALID);
            cr_assert_not_null(strstr(error.text, rows[i].error), "%s", error.text);
            cr_assert_eq(options.given, 0);
            continue;
        }
        char text[WEFT_UNITS_TEXT];
        cr_assert_eq(status, WEFT_OK, "%s", error.text);
        cr_assert_eq(weft_pattern_option_get(&options, id), rows[i].value);
        cr_assert(weft_pattern_option_is_given(&options, id));
        weft_pattern_option_format(pattern, id, rows[i].value, text);
        struct weft_pattern_options again = {0};
        cr_assert_eq(weft_pattern_option_parse(pattern, &again, id, text, &error), WEFT_OK);
        cr_assert_eq(weft_pattern_option_get(&again, id), rows[i].value);
    }
    cr_assert_eq(weft_pattern_option_find("colour"), WEFT_PATTERN_OPTION_COUNT);
}

/* One rank of very many, with the work of that rank alone: the buffer and the operations are those
 * of two neighbours in a pipeline, wherever it stands. */
Test(patterns, one_of_very_many)
{
    struct weft_pattern_options options = {.rank_count = 100000, .size_bytes = 8};
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_compile(find("pipeline"), &options, 77777, &schedule, &error),
                 WEFT_OK, "%s", error.text);
    cr_assert_eq(schedule->op_count, 8 * 2 * 3);
    weft_schedule_destroy(schedule);
    cr_assert_eq(weft_pattern_compile(find("all-reduce"), &options, 99999, &schedule, &error),
                 WEFT_OK, "%s", error.text);
    cr_assert_leq(schedule->op_count, 3 * 4);
    weft_schedule_destroy(schedule);
}

Test(patterns, no_such_rank)
{
    struct weft_pattern_options options = {.rank_count = 4, .size_bytes = 64};
    struct weft_error error = {0};
    struct weft_schedule *schedule = NULL;
    cr_assert_eq(weft_pattern_compile(find("incast"), &options, 4, &schedule, &error),
                 WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "no rank 4"), "%s", error.text);
}

Test(patterns, unknown_name)
{
    struct weft_error error = {0};
    cr_assert_null(weft_pattern_find("all-redcue", &error));
    cr_assert_eq(error.status, WEFT_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "did you mean 'all-reduce'?"), "%s", error.text);
    cr_assert_null(weft_pattern_find("zzz", &error));
    cr_assert_not_null(strstr(error.text, "there are ping-pong, "), "%s", error.text);
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++)
        cr_assert_eq(weft_pattern_find((*at)->name, &error), *at);
}
