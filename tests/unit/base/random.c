/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/random.h"

#include <criterion/criterion.h>

/* The generator's published reference gives this from the state 1, 2, 3, 4. */
Test(random, is_xoshiro256_star_star)
{
    static const uint64_t expected[] = {11520,
                                        0,
                                        1509978240,
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600)};
    struct weft_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_assert_eq(weft_random_next(&random), expected[i], "draw %zu", i);
}

Test(random, is_seeded_by_splitmix64)
{
    struct weft_random random;
    weft_random_seed(&random, 1234567);
    cr_assert_eq(random.state[0], UINT64_C(6457827717110365317));
    cr_assert_eq(random.state[1], UINT64_C(3203168211198807973));
    cr_assert_eq(random.state[2], UINT64_C(9817491932198370423));
    cr_assert_eq(random.state[3], UINT64_C(4593380528125082431));
}

Test(random, stays_below_the_bound_and_reaches_all)
{
    struct weft_random random;
    weft_random_seed(&random, 7);
    for (uint64_t bound = 1; bound < 70; bound++) {
        uint32_t seen[70] = {0};
        for (int i = 0; i < 4000; i++) {
            uint64_t value = weft_random_below(&random, bound);
            cr_assert_lt(value, bound);
            seen[value]++;
        }
        for (uint64_t value = 0; value < bound; value++)
            cr_assert_gt(seen[value], 0u, "%lu of %lu never came", value, bound);
    }
}

/* A modulo instead of the rejection would give the lower third of the values twice as often. */
Test(random, favours_no_value)
{
    struct weft_random random;
    weft_random_seed(&random, 7);
    uint64_t bound = UINT64_MAX / 4 * 3;
    int low = 0;
    for (int i = 0; i < 100000; i++)
        low += weft_random_below(&random, bound) < bound / 3;
    cr_assert(low > 32600 && low < 34100, "%d of 100000 in the lower third", low);
}

Test(random, takes_the_largest_bounds)
{
    struct weft_random random;
    weft_random_seed(&random, 7);
    for (int i = 0; i < 1000; i++) {
        cr_assert_lt(weft_random_below(&random, UINT64_MAX), UINT64_MAX);
        cr_assert_leq(weft_random_below(&random, (UINT64_C(1) << 63) + 1), UINT64_C(1) << 63);
    }
}
