/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of due times. */
#include <criterion/criterion.h>

#include "drivers/roce/congestion/due.h"
#include "fabric/base/random.h"

#define DUES 300u

struct world {
    struct weft_due dues[DUES];
    struct weft_due *entries[DUES];
    struct weft_due_heap heap;
    struct weft_random random;
};

static void init(struct world *world, uint64_t seed)
{
    *world = (struct world){.heap = {.count = 0}};
    world->heap.entries = world->entries;
    weft_random_seed(&world->random, seed);
}

/* Few values, so that there are equal ones. */
static void push_all(struct world *world)
{
    for (uint32_t i = 0; i < DUES; i++)
        weft_due_push(&world->heap, &world->dues[i], weft_random_below(&world->random, 100));
}

Test(due, first__rises)
{
    struct world world;
    init(&world, 1);
    cr_assert_null(weft_due_first(&world.heap));
    push_all(&world);
    uint64_t last_ns = 0;
    for (uint32_t i = 0; i < DUES; i++) {
        struct weft_due *due = weft_due_first(&world.heap);
        cr_assert_geq(due->due_ns, last_ns);
        last_ns = due->due_ns;
        weft_due_remove(&world.heap, due);
        weft_due_remove(&world.heap, due);
    }
    cr_assert_null(weft_due_first(&world.heap));
}

/* None is before its parent, so the least is first; all know their places. */
static void check_order(const struct world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < DUES; i++)
        count += world->dues[i].place != 0;
    cr_assert_eq(world->heap.count, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_due *due = world->entries[i];
        cr_assert_eq(due->place, i + 1);
        if (i)
            cr_assert_leq(world->entries[(i - 1) / 2]->due_ns, due->due_ns);
    }
}

Test(due, remove__anywhere)
{
    struct world world;
    init(&world, 2);
    push_all(&world);
    for (uint32_t round = 0; round < 10000; round++) {
        struct weft_due *due = &world.dues[weft_random_below(&world.random, DUES)];
        if (due->place)
            weft_due_remove(&world.heap, due);
        else
            weft_due_push(&world.heap, due, weft_random_below(&world.random, 1000));
        check_order(&world);
    }
}
