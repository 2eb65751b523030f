/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/schedule/patterns/try.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fabric/schedule/verify.h"

const struct weft_pattern *find(const char *name)
{
    struct weft_error error = {0};
    const struct weft_pattern *pattern = weft_pattern_find(name, &error);
    cr_assert_not_null(pattern, "%s", error.text);
    return pattern;
}

static uint64_t wrong_bytes(const struct world *world, uint32_t pass, uint64_t *ret_compared)
{
    struct weft_verify_result result = {0};
    for (uint32_t rank = 0; rank < world->rank_count; rank++)
        weft_verify_check(world->schedules[rank], world->buffers[rank], pass, &result);
    *ret_compared = result.compared_bytes;
    return result.wrong_bytes;
}

#define COMPARED_ENOUGH_BYTES 64u

uint64_t try_pattern(const char *name, const struct weft_pattern_options *options)
{
    struct world world;
    struct weft_error error = {0};
    world_init(&world, find(name), options);
    enum weft_status status = weft_schedules_match(
        (const struct weft_schedule *const *)world.schedules, world.rank_count, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    uint64_t compared = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        cr_assert(world_run(&world, pass, options->size_bytes + pass),
                  "%s of %u ranks stands still", name, options->rank_count);
        cr_assert_eq(wrong_bytes(&world, pass, &compared), 0, "%s, %u ranks, %lu B", name,
                     options->rank_count, options->size_bytes);
        /* the other pass looks different, unless there is too little of it */
        if (compared >= COMPARED_ENOUGH_BYTES * options->rank_count)
            cr_assert_neq(wrong_bytes(&world, 1 - pass, &compared), 0);
    }
    world_fini(&world);
    return compared;
}

/* ---- memory ---- */

struct touch {
    uint64_t first_bytes, end_bytes;
    bool writes;
};

static bool clash(const struct touch *a, const struct touch *b)
{
    return (a->writes || b->writes) && a->first_bytes < b->end_bytes &&
           b->first_bytes < a->end_bytes;
}

/* What an operation touches: a reduce reads one place and changes another. */
static uint32_t touches(const struct weft_op *op, struct touch found[2])
{
    found[0] = (struct touch){.first_bytes = op->offset_bytes,
                              .end_bytes = op->offset_bytes + op->len_bytes,
                              .writes = op->kind != WEFT_OP_SEND};
    found[1] = (struct touch){.first_bytes = op->source_offset_bytes,
                              .end_bytes = op->source_offset_bytes + op->len_bytes};
    return op->kind == WEFT_OP_REDUCE ? 2 : op->kind == WEFT_OP_CALC ? 0 : 1;
}

static bool ops_clash(const struct weft_op *a, const struct weft_op *b)
{
    struct touch of_a[2], of_b[2];
    uint32_t count_a = touches(a, of_a), count_b = touches(b, of_b);
    for (uint32_t i = 0; i < count_a; i++)
        for (uint32_t j = 0; j < count_b; j++)
            if (clash(&of_a[i], &of_b[j]))
                return true;
    return false;
}

/* Marks all that waits for `op`. */
static void reach(const struct weft_schedule *schedule, uint32_t op, bool *reached)
{
    if (reached[op])
        return;
    reached[op] = true;
    for (uint32_t i = 0; i < schedule->ops[op].successor_count; i++)
        reach(schedule, schedule->successors[schedule->ops[op].first_successor + i], reached);
}

void assert_no_races(const char *name, const struct weft_pattern_options *options)
{
    struct world world;
    world_init(&world, find(name), options);
    for (uint32_t rank = 0; rank < world.rank_count; rank++) {
        const struct weft_schedule *schedule = world.schedules[rank];
        enum {
            OPS = 1024
        };
        static bool reached[OPS][OPS];
        cr_assert_lt(schedule->op_count, OPS);
        memset(reached, 0, sizeof(reached));
        for (uint32_t a = 0; a < schedule->op_count; a++)
            reach(schedule, a, reached[a]);
        for (uint32_t a = 0; a < schedule->op_count; a++)
            for (uint32_t b = a + 1; b < schedule->op_count; b++)
                cr_assert(reached[a][b] || reached[b][a] ||
                              !ops_clash(&schedule->ops[a], &schedule->ops[b]),
                          "%s: operations %u and %u of rank %u race", name, a, b, rank);
    }
    world_fini(&world);
}

void refuse(const char *name, const struct weft_pattern_options *options, const char *remedy)
{
    struct weft_error error = {0};
    struct weft_schedule *schedule = NULL;
    cr_assert_eq(weft_pattern_compile(find(name), options, 0, &schedule, &error), WEFT_INVALID,
                 "%s: %s", name, remedy);
    cr_assert_null(schedule);
    cr_assert_not_null(strstr(error.text, remedy), "'%s' is not in '%s'", remedy, error.text);
}
