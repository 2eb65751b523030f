/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns of whole jobs: what each must move, and in which order it computes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/schedule/patterns/try.h"

#define RANKS_MAX 33u
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

enum {
    GPIPE = 0,
    ONE_FORWARD_ONE_BACKWARD,
    INTERLEAVED,
};

Test(jobs, pipeline)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t microbatches = 1; microbatches < 7; microbatches++) {
            for (uint64_t algorithm = GPIPE; algorithm <= ONE_FORWARD_ONE_BACKWARD; algorithm++) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = 1 + 6 * microbatches,
                                                       .algorithm = algorithm,
                                                       .microbatches = microbatches,
                                                       .calc_ns = 10};
                cr_assert_eq(try_pattern("pipeline", &options),
                             2 * ranks * microbatches * options.size_bytes);
            }
        }
    }
}

Test(jobs, pipeline_interleaved)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t parts = 0; parts < 5 && (parts < 3 || ranks < 12); parts++) {
            for (uint64_t times = 1; times < 4 && (times == 1 || ranks < 12); times++) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = 1 + 2 * parts,
                                                       .algorithm = INTERLEAVED,
                                                       .interleave = parts,
                                                       .microbatches = times * ranks};
                uint64_t count = parts ? parts : 2;
                cr_assert_eq(try_pattern("pipeline", &options),
                             2 * count * ranks * options.microbatches * options.size_bytes);
            }
        }
    }
}

/* The order in which a rank computes, as text: F and B with the number of the microbatch, of the
 * part before it. Told from where the message that follows or precedes it lies. */
static void assert_order(const struct weft_pattern_options *options, uint32_t rank,
                         const char *expected)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    char text[512];
    size_t used = 0;
    cr_assert_eq(weft_pattern_compile(find("pipeline"), options, rank, &schedule, &error), WEFT_OK);
    uint64_t half = schedule->buffer_bytes / 2 / options->size_bytes;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (schedule->ops[i].kind != WEFT_OP_CALC)
            continue;
        bool has_before = i && schedule->ops[i - 1].kind == WEFT_OP_RECEIVE;
        const struct weft_op *message = &schedule->ops[has_before ? i - 1 : i + 1];
        uint64_t place = message->offset_bytes / options->size_bytes;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%c%lu ",
                                 place < half ? 'F' : 'B', place % half);
        cr_assert_lt(used, sizeof(text));
    }
    cr_assert_str_eq(text, expected, "rank %u: %s", rank, text);
    weft_schedule_destroy(schedule);
}

/* From the papers' figures. With two parts and four microbatches, part 1's are 4 to 7. */
Test(jobs, pipeline_orders)
{
    struct weft_pattern_options options = {
        .rank_count = 4, .size_bytes = 8, .microbatches = 4, .algorithm = GPIPE};
    assert_order(&options, 1, "F0 F1 F2 F3 B3 B2 B1 B0 ");
    options.algorithm = ONE_FORWARD_ONE_BACKWARD;
    options.microbatches = 6;
    assert_order(&options, 0, "F0 F1 F2 F3 B0 F4 B1 F5 B2 B3 B4 B5 ");
    assert_order(&options, 2, "F0 F1 B0 F2 B1 F3 B2 F4 B3 F5 B4 B5 ");
    assert_order(&options, 3, "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5 ");
    options.algorithm = INTERLEAVED;
    options.rank_count = 2;
    options.microbatches = 4;
    assert_order(&options, 0, "F0 F1 F4 F5 F2 B4 F3 B5 F6 B0 F7 B1 B6 B7 B2 B3 ");
    assert_order(&options, 1, "F0 F1 F4 B4 F5 B5 F2 B0 F3 B1 F6 B6 F7 B7 B2 B3 ");
}

/* Reducing ones: all types and operators, sizes in elements. */
static void try_kinds(const char *name, struct weft_pattern_options options, uint64_t elements,
                      uint64_t factor)
{
    for (uint64_t kind = 0; kind < WEFT_ELEMENT_COUNT * WEFT_REDUCTION_COUNT; kind++) {
        if (options.rank_count > 6 &&
            kind != options.rank_count % (WEFT_ELEMENT_COUNT * WEFT_REDUCTION_COUNT))
            continue;
        options.element = kind / WEFT_REDUCTION_COUNT;
        options.reduction = kind % WEFT_REDUCTION_COUNT;
        uint32_t element_bytes = weft_element_bytes((enum weft_element)options.element);
        options.size_bytes = elements * element_bytes;
        cr_assert_eq(try_pattern(name, &options), factor * options.size_bytes);
    }
}

Test(jobs, data_parallel)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t buckets = 1; buckets < (ranks < 12 ? 6 : 2); buckets += 2) {
            struct weft_pattern_options options = {.rank_count = ranks, .buckets = buckets};
            try_kinds("data-parallel", options, buckets, ranks);
            try_kinds("data-parallel", options, 3 * ranks + 7, ranks);
            options.chunk_bytes = 8;
            try_kinds("data-parallel", options, 5 * ranks + 4, ranks);
        }
    }
    /* one byte */
    cr_assert_eq(try_pattern("data-parallel", OPTIONS(.rank_count = 5, .size_bytes = 1,
                                                      .buckets = 1, .element = WEFT_ELEMENT_UINT8)),
                 5);
}

/* The computation is as long as was asked, over all buckets, and one bucket waits for another's
 * computation and not for its messages. */
Test(jobs, data_parallel_computes)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    struct weft_pattern_options options = {
        .rank_count = 3, .size_bytes = 120, .buckets = 7, .calc_ns = 1000};
    cr_assert_eq(weft_pattern_compile(find("data-parallel"), &options, 2, &schedule, &error),
                 WEFT_OK);
    uint64_t total_ns = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_CALC)
            continue;
        cr_assert(op->duration_ns == 142 || op->duration_ns == 143);
        cr_assert_eq(op->requires_count, count ? 1 : 0);
        total_ns += op->duration_ns;
        count++;
    }
    cr_assert_eq(count, 7);
    cr_assert_eq(total_ns, 1000);
    weft_schedule_destroy(schedule);
}

Test(jobs, tensor_parallel)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t layers = 1; layers < 4 && (layers == 1 || ranks < 12); layers++) {
            struct weft_pattern_options options = {.rank_count = ranks, .layers = layers};
            try_kinds("tensor-parallel", options, 1, 2 * layers * ranks);
            try_kinds("tensor-parallel", options, 2 * ranks + 3, 2 * layers * ranks);
        }
    }
}

Test(jobs, kv_cache)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t layers = 1; layers < 4; layers++) {
            struct weft_pattern_options options = {.rank_count = ranks,
                                                   .size_bytes = 1 + 9 * (layers - 1),
                                                   .layers = layers,
                                                   .chunk_bytes = layers,
                                                   .queue_pairs = layers};
            cr_assert_eq(try_pattern("kv-cache", &options),
                         (ranks + 1) / 2 * layers * options.size_bytes);
        }
    }
}

Test(jobs, checkpoint)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t servers = 0; servers < ranks; servers += 1 + ranks / 5) {
            static const uint64_t sizes[] = {1, 7, 100};
            for (size_t i = 0; i < LENGTH(sizes); i++) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = sizes[i],
                                                       .servers = servers,
                                                       .chunk_bytes = 3};
                uint64_t count = servers ? servers : 1;
                cr_assert_eq(try_pattern("checkpoint", &options), (ranks - count) * sizes[i]);
            }
        }
    }
}

/* The stripes of all writers are spread evenly. */
Test(jobs, checkpoint_spreads)
{
    struct world world;
    world_init(&world, find("checkpoint"),
               OPTIONS(.rank_count = 9, .size_bytes = 60, .chunk_bytes = 10, .servers = 3));
    for (uint32_t server = 0; server < 3; server++)
        cr_assert_eq(world.schedules[server]->buffer_bytes, 6 * 20);
    world_fini(&world);
}

Test(jobs, parameter_server)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t servers = 1; servers < ranks; servers += 1 + ranks / 5) {
            struct weft_pattern_options options = {.rank_count = ranks, .servers = servers};
            /* each worker all of it, and each server its part */
            try_kinds("parameter-server", options, 1, ranks - servers + 1);
            try_kinds("parameter-server", options, 2 * ranks + 3, ranks - servers + 1);
        }
    }
}

Test(jobs, fan_out)
{
    for (uint32_t ranks = 2; ranks <= RANKS_MAX; ranks++) {
        for (uint64_t degree = 0; degree < ranks; degree += 1 + ranks / 4) {
            for (uint64_t turns = 1; turns < 6; turns += 2) {
                struct weft_pattern_options options = {.rank_count = ranks,
                                                       .size_bytes = 2 * turns - 1,
                                                       .degree = degree,
                                                       .messages = turns};
                uint64_t asked = degree ? degree : ranks - 1;
                cr_assert_eq(try_pattern("fan-out", &options),
                             2 * turns * asked * options.size_bytes);
            }
        }
    }
}

/* The second turn's requests wait for all answers of the first, and go to the workers after. */
Test(jobs, fan_out_turns)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    struct weft_pattern_options options = {
        .rank_count = 6, .size_bytes = 8, .degree = 3, .messages = 2};
    cr_assert_eq(weft_pattern_compile(find("fan-out"), &options, 0, &schedule, &error), WEFT_OK);
    static const uint32_t peers[] = {1, 2, 3, 4, 5, 1};
    uint32_t sends = 0, answered = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind == WEFT_OP_CALC)
            cr_assert_eq(op->requires_count, 3);
        if (op->kind == WEFT_OP_CALC && !answered++)
            cr_assert_eq(op->successor_count, 3);
        if (op->kind != WEFT_OP_SEND)
            continue;
        cr_assert_eq(op->peer, peers[sends]);
        cr_assert_eq(op->requires_count, sends < 3 ? 0 : 1);
        sends++;
    }
    cr_assert_eq(sends, 6);
    weft_schedule_destroy(schedule);
}

/* ---- what waits for what ---- */

static bool waits(const struct weft_schedule *schedule, uint32_t later, uint32_t earlier)
{
    const struct weft_op *op = &schedule->ops[earlier];
    for (uint32_t i = 0; i < op->successor_count; i++) {
        uint32_t next = schedule->successors[op->first_successor + i];
        if (next == later || waits(schedule, later, next))
            return true;
    }
    return false;
}

static struct weft_schedule *compile(const char *name, const struct weft_pattern_options *options,
                                     uint32_t rank)
{
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_compile(find(name), options, rank, &schedule, &error), WEFT_OK, "%s",
                 error.text);
    return schedule;
}

/* The computations that take time, in their order. */
static uint32_t list_calcs(const struct weft_schedule *schedule, uint32_t *calcs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++)
        if (schedule->ops[i].kind == WEFT_OP_CALC && schedule->ops[i].duration_ns)
            calcs[count++] = i;
    return count;
}

/* What reads or changes part `part` of the vector, each of 96 B, waits for its computation. */
Test(jobs, gradients_are_computed_before_they_go)
{
    struct weft_schedule *schedule =
        compile("data-parallel",
                OPTIONS(.rank_count = 4, .size_bytes = 3 * 96, .buckets = 3, .calc_ns = 3000), 1);
    uint32_t calcs[3], checked = 0;
    cr_assert_eq(list_calcs(schedule, calcs), 3);
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND && op->kind != WEFT_OP_REDUCE)
            continue;
        cr_assert(waits(schedule, i, calcs[op->offset_bytes / 96]));
        checked++;
    }
    cr_assert_eq(checked, 3 * (6 + 3));
    weft_schedule_destroy(schedule);
}

/* And with nothing in between: the next computation waits for all of the vector before. */
Test(jobs, layers_follow_each_other)
{
    struct weft_schedule *schedule =
        compile("tensor-parallel",
                OPTIONS(.rank_count = 4, .size_bytes = 96, .layers = 2, .calc_ns = 1000), 1);
    uint32_t calcs[4], checked = 0;
    cr_assert_eq(list_calcs(schedule, calcs), 4);
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        uint64_t vector = op->offset_bytes / 96;
        if (op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_REDUCE)
            cr_assert(waits(schedule, i, calcs[vector]));
        if (op->kind != WEFT_OP_RECEIVE || vector >= 3)
            continue;
        cr_assert(waits(schedule, calcs[vector + 1], i));
        checked++;
    }
    cr_assert_eq(checked, 3 * 3);
    weft_schedule_destroy(schedule);
}

/* Rank `rank` tells a peer that all is there when it is. */
static void assert_told_at_last(const char *name, const struct weft_pattern_options *options,
                                uint32_t rank)
{
    struct weft_schedule *schedule = compile(name, options, rank);
    uint32_t checked = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *signal = &schedule->ops[i];
        if (signal->kind != WEFT_OP_SEND)
            continue;
        cr_assert_eq(signal->len_bytes, 0);
        for (uint32_t j = 0; j < schedule->op_count; j++) {
            const struct weft_op *op = &schedule->ops[j];
            if (op->kind != WEFT_OP_RECEIVE || op->peer != signal->peer)
                continue;
            cr_assert(waits(schedule, i, j));
            checked++;
        }
    }
    cr_assert_geq(checked, 8);
    weft_schedule_destroy(schedule);
}

Test(jobs, receivers_tell_when_all_is_there)
{
    assert_told_at_last(
        "kv-cache",
        OPTIONS(.rank_count = 5, .size_bytes = 8, .layers = 3, .chunk_bytes = 3, .queue_pairs = 2),
        3);
    assert_told_at_last("checkpoint",
                        OPTIONS(.rank_count = 5, .size_bytes = 80, .chunk_bytes = 9, .servers = 2),
                        1);
}

Test(jobs, no_races)
{
    for (uint32_t ranks = 2; ranks < 7; ranks++) {
        struct weft_pattern_options options = {.rank_count = ranks, .size_bytes = 404};
        assert_no_races("data-parallel", &options);
        assert_no_races("checkpoint", &options);
        assert_no_races("kv-cache", &options);
        assert_no_races("fan-out", &options);
        assert_no_races("parameter-server", &options);
        options.layers = 2;
        assert_no_races("tensor-parallel", &options);
        options.layers = 0;
        options.microbatches = ranks * 2;
        for (options.algorithm = GPIPE; options.algorithm <= INTERLEAVED; options.algorithm++)
            assert_no_races("pipeline", &options);
    }
}

Test(jobs, figures)
{
    struct weft_pattern_options options = {
        .rank_count = 8, .size_bytes = 1000, .layers = 3, .servers = 2};
    cr_assert_eq(find("data-parallel")->algorithm_bytes(&options), 1000);
    cr_assert_float_eq(find("data-parallel")->bus_factor(8), 1.75, 1e-12);
    cr_assert_eq(find("tensor-parallel")->algorithm_bytes(&options), 6000);
    cr_assert_float_eq(find("tensor-parallel")->bus_factor(8), 1.75, 1e-12);
    cr_assert_eq(find("kv-cache")->algorithm_bytes(&options), 3000);
    cr_assert_eq(find("checkpoint")->algorithm_bytes(&options), 6000);
    cr_assert_eq(find("parameter-server")->algorithm_bytes(&options), 1000);
    cr_assert_eq(find("fan-out")->algorithm_bytes(&options), 0);
}

Test(jobs, who_decides)
{
    static const struct {
        const char *name;
        uint32_t first, count; /* the ranks that do, of 8 */
    } rows[] = {{"data-parallel", 0, 8}, {"tensor-parallel", 0, 8},  {"kv-cache", 0, 4},
                {"checkpoint", 2, 6},    {"parameter-server", 2, 6}, {"fan-out", 0, 1},
                {"pipeline", 0, 1}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct weft_pattern_options options = {.rank_count = 8, .size_bytes = 64};
        if (rows[i].first)
            options.servers = rows[i].first;
        struct world world;
        world_init(&world, find(rows[i].name), &options);
        for (uint32_t rank = 0; rank < 8; rank++)
            cr_assert_eq(world.schedules[rank]->decides_completion,
                         rank - rows[i].first < rows[i].count, "%s, rank %u", rows[i].name, rank);
        world_fini(&world);
    }
}

Test(jobs, bad_options)
{
    refuse("pipeline", OPTIONS(.rank_count = 4, .size_bytes = 8, .interleave = 2),
           "leave it out or choose interleaved");
    refuse("pipeline",
           OPTIONS(.rank_count = 4, .size_bytes = 8, .algorithm = INTERLEAVED, .microbatches = 6),
           "choose 8");
    refuse("pipeline",
           OPTIONS(.rank_count = 4, .size_bytes = 8, .algorithm = INTERLEAVED, .microbatches = 4096,
                   .interleave = 65),
           "'interleave' must be from 1 to 64");
    refuse("data-parallel", OPTIONS(.rank_count = 4, .size_bytes = 8, .buckets = 3),
           "choose at most 2 buckets");
    refuse("data-parallel", OPTIONS(.rank_count = 4, .size_bytes = 9), "choose 12 B");
    refuse("data-parallel", OPTIONS(.rank_count = 4, .size_bytes = 1ull << 40, .chunk_bytes = 4),
           "larger chunks");
    refuse("tensor-parallel", OPTIONS(.rank_count = 130000, .size_bytes = 4, .layers = 5),
           "fewer ranks");
    refuse("kv-cache", OPTIONS(.rank_count = 4, .size_bytes = 8, .queue_pairs = 2),
           "at most 1 queue pairs");
    refuse("kv-cache", OPTIONS(.rank_count = 4, .size_bytes = 8, .layers = 4097),
           "'layers' must be from 1 to 4096");
    refuse("checkpoint", OPTIONS(.rank_count = 4, .size_bytes = 8, .servers = 4),
           "choose at most 3");
    refuse("checkpoint", OPTIONS(.rank_count = 4, .size_bytes = 1ull << 40, .chunk_bytes = 1),
           "larger chunks");
    refuse("parameter-server", OPTIONS(.rank_count = 4, .size_bytes = 8, .servers = 4),
           "choose at most 3");
    refuse("parameter-server", OPTIONS(.rank_count = 4, .size_bytes = 1ull << 31), "more servers");
    refuse("fan-out", OPTIONS(.rank_count = 4, .size_bytes = 8, .degree = 4), "at most 3");
    refuse("fan-out", OPTIONS(.rank_count = 4, .size_bytes = 8, .messages = 1u << 20),
           "fewer of them");
}
