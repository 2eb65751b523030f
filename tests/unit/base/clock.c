/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/clock.h"

#include <criterion/criterion.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* A counter of `ticks_a_us` that the system's clock is read from `width` ticks apart. */
static struct weft_clock_sample sample_at(uint64_t time_ns, uint64_t ticks_a_us, uint64_t width)
{
    uint64_t middle = 5000000000u + time_ns * ticks_a_us / 1000;
    return (struct weft_clock_sample){middle - width / 2, middle + width / 2, time_ns};
}

Test(clock, follows_the_systems)
{
    static const uint64_t rates[] = {1, 25, 1000, 2100, 2999, 5000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        const struct weft_clock_sample samples[] = {sample_at(77 * MS, rates[i], 100),
                                                    sample_at(177 * MS, rates[i], 100)};
        struct weft_clock clock;
        cr_assert_eq(weft_clock_calibrate(samples, 2, &clock, NULL), WEFT_OK);
        /* A day later the 32 bits of the multiplier's fraction still hold it within 1 in 10^8. */
        for (uint64_t later_ns = 0; later_ns < 86400000 * MS; later_ns += 3600123 * MS) {
            struct weft_clock_sample then = sample_at(77 * MS + later_ns, rates[i], 0);
            uint64_t own_ns = weft_clock_ns(&clock, then.ticks_before);
            uint64_t apart_ns =
                own_ns > then.system_ns ? own_ns - then.system_ns : then.system_ns - own_ns;
            cr_assert_leq(apart_ns, 1000 + later_ns / 100000000, "%lu ticks a us, %lu ns", rates[i],
                          later_ns);
            cr_assert_leq(labs(weft_clock_drift_ppb(&clock, &then)), later_ns ? 20 : 0);
        }
    }
}

Test(clock, trusts_the_tightest_samples)
{
    /* An interrupt hit all but one sample at either end: their times are wrong by 1 ms. */
    struct weft_clock_sample samples[] = {
        sample_at(10 * MS, 2000, 5000000), sample_at(12 * MS, 2000, 60),
        sample_at(15 * MS, 2000, 5000000), sample_at(110 * MS, 2000, 5000000),
        sample_at(114 * MS, 2000, 40),     sample_at(118 * MS, 2000, 5000000),
    };
    samples[0].system_ns -= MS;
    samples[2].system_ns += MS;
    samples[3].system_ns -= MS;
    samples[5].system_ns += MS;
    struct weft_clock clock;
    cr_assert_eq(weft_clock_calibrate(samples, 6, &clock, NULL), WEFT_OK);
    cr_assert_eq(clock.multiplier, UINT64_C(1) << 31);
    cr_assert_eq(clock.base_ns, 12 * MS);
}

Test(clock, sees_drift_in_both_directions)
{
    const struct weft_clock_sample samples[] = {sample_at(0, 2000, 10), sample_at(MS, 2000, 10)};
    struct weft_clock clock;
    cr_assert_eq(weft_clock_calibrate(samples, 2, &clock, NULL), WEFT_OK);
    struct weft_clock_sample later = sample_at(1000 * MS, 2000, 10);
    cr_assert_eq(weft_clock_drift_ppb(&clock, &later), 0);
    later.ticks_before += 2000;
    later.ticks_after += 2000;
    cr_assert_eq(weft_clock_drift_ppb(&clock, &later), 1000);
    later.ticks_before -= 4000;
    later.ticks_after -= 4000;
    cr_assert_eq(weft_clock_drift_ppb(&clock, &later), -1000);
    cr_assert_eq(weft_clock_drift_ppb(&clock, &samples[0]), 0, "no time has gone");
}

static void refuses(const struct weft_clock_sample *samples, uint32_t count, const char *phrase)
{
    struct weft_clock clock = {1, 2, 3};
    struct weft_error error = {0};
    cr_assert_eq(weft_clock_calibrate(samples, count, &clock, &error), WEFT_INVALID, "%s", phrase);
    cr_assert_not_null(strstr(error.text, phrase), "%s", error.text);
    cr_assert_eq(clock.multiplier, 3u);
}

Test(clock, refuses_what_is_no_clock)
{
    const struct weft_clock_sample still[] = {{5, 5, 0}, {5, 5, 2 * MS}};
    const struct weft_clock_sample counter_back[] = {{500, 501, 0}, {100, 101, 2 * MS}};
    const struct weft_clock_sample pair_back[] = {{500, 499, 0}, {600, 601, 2 * MS}};
    const struct weft_clock_sample system_back[] = {{5, 6, 3 * MS}, {7, 8, MS}};
    const struct weft_clock_sample narrow[] = {{5, 6, 0}, {1000, 1001, MS - 1}};
    refuses(still, 2, "stands still");
    refuses(counter_back, 2, "counter went backwards");
    refuses(pair_back, 2, "counter went backwards");
    refuses(system_back, 2, "system's clock went backwards");
    refuses(narrow, 2, "1 ms");
    refuses(still, 1, "2 samples");
}

Test(clock, reads_the_processors_counter)
{
    uint64_t first = weft_ticks();
    uint64_t second = weft_ticks();
    for (int i = 0; i < 1000000 && second == first; i++)
        second = weft_ticks();
    cr_assert_gt(second, first);
}
