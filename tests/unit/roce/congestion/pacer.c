/* SPDX-License-Identifier: BSD-3-Clause */
/* The pacer in virtual time: the rate over a second, the gaps between packets, and what it does
 * after a stall. */
#include <criterion/criterion.h>

#include "drivers/roce/congestion/pacer.h"
#include "fabric/base/random.h"

#define SECOND_NS UINT64_C(1000000000)
#define FRAME_BYTES 4170u

/* Sends what is due; returns how many packets. */
static uint32_t poll(struct weft_pacer *pacer, uint32_t len_bytes, uint64_t now_ns)
{
    uint32_t sent = 0;
    while (weft_pacer_due_ns(pacer) <= now_ns) {
        weft_pacer_sent(pacer, len_bytes, now_ns);
        sent++;
    }
    return sent;
}

static void start(struct weft_pacer *pacer, uint64_t rate_bps)
{
    *pacer = (struct weft_pacer){.rested = true};
    weft_pacer_set_rate(pacer, rate_bps);
}

/* Polls as irregular as those of a worker with much to do, always within the slack; lengths vary.
 * `base_ns`: the clock of a machine that has been up for long. */
static void check_rate(uint64_t rate_bps, uint64_t gap_most_ns, uint64_t base_ns)
{
    struct weft_pacer pacer;
    struct weft_random random;
    uint64_t bytes = 0;
    uint64_t now_ns = base_ns;
    start(&pacer, rate_bps);
    weft_random_seed(&random, rate_bps);
    while (now_ns < base_ns + SECOND_NS) {
        while (weft_pacer_due_ns(&pacer) <= now_ns) {
            uint32_t len_bytes = 60 + (uint32_t)weft_random_below(&random, FRAME_BYTES - 60);
            weft_pacer_sent(&pacer, len_bytes, now_ns);
            bytes += len_bytes;
        }
        now_ns += 1 + weft_random_below(&random, gap_most_ns);
    }
    double share = (double)bytes * 8 / (double)rate_bps;
    cr_assert_float_eq(share, 1.0, 0.001, "%llu bit/s: %.6f of it", (unsigned long long)rate_bps,
                       share);
}

Test(pacer, rate__a_second)
{
    check_rate(100000000, 500000, 0);
    check_rate(9700000000, 50000, SECOND_NS);
    check_rate(99990000000, 5000, SECOND_NS);
    check_rate(99990000000, 1, UINT64_MAX / 2);
    check_rate(399000000000, 1000, SECOND_NS * 86400 * 365);
}

/* Without drift: the k-th of equal packets leaves at k times its time, also after a second. */
Test(pacer, deadline__absolute)
{
    struct weft_pacer pacer;
    uint64_t rate_bps = 9700000000;
    start(&pacer, rate_bps);
    uint64_t origin_ns = 12345;
    uint64_t now_ns = origin_ns;
    for (uint64_t k = 0; k < 290000; k++) {
        __extension__ unsigned __int128 bits = (unsigned __int128)k * FRAME_BYTES * 8 * SECOND_NS;
        uint64_t exact_ns = origin_ns + (uint64_t)(bits / rate_bps);
        now_ns = k ? weft_pacer_due_ns(&pacer) : origin_ns;
        cr_assert_leq(now_ns, exact_ns + 2, "packet %llu", (unsigned long long)k);
        cr_assert_geq(now_ns + 1, exact_ns, "packet %llu", (unsigned long long)k);
        weft_pacer_sent(&pacer, FRAME_BYTES, now_ns);
    }
    cr_assert_geq(now_ns, SECOND_NS * 99 / 100);
}

/* Polled each 100 ns: one packet at a time, each gap one of the two multiples of 100 ns next to the
 * exact one, so no packet leaves with another. */
static void check_gaps(uint64_t rate_bps)
{
    struct weft_pacer pacer;
    uint64_t last_ns = 0;
    uint64_t exact_ns = FRAME_BYTES * 8 * SECOND_NS / rate_bps;
    uint64_t below = 0;
    uint64_t above = 0;
    start(&pacer, rate_bps);
    for (uint64_t now_ns = 1000000; now_ns < 50000000; now_ns += 100) {
        uint32_t sent = poll(&pacer, FRAME_BYTES, now_ns);
        cr_assert_leq(sent, 1);
        if (!sent)
            continue;
        uint64_t gap_ns = now_ns - last_ns;
        if (last_ns && gap_ns == exact_ns / 100 * 100)
            below++;
        else if (last_ns && gap_ns == exact_ns / 100 * 100 + 100)
            above++;
        else
            cr_assert_eq(last_ns, 0, "a gap of %llu ns where %llu ns are right",
                         (unsigned long long)gap_ns, (unsigned long long)exact_ns);
        last_ns = now_ns;
    }
    cr_assert_gt(below, 0);
    cr_assert_gt(above, 0);
}

Test(pacer, gaps__no_bursts)
{
    check_gaps(1000000000);
    check_gaps(9700000000);
    check_gaps(99990000000);
}

Test(pacer, stall__bounded_burst)
{
    struct weft_pacer pacer;
    uint64_t now_ns = 5000;
    start(&pacer, 10000000000);
    for (uint32_t i = 0; i < 1000; i++, now_ns += 100)
        (void)poll(&pacer, FRAME_BYTES, now_ns);
    now_ns += 10000000;
    uint64_t burst_bytes = (uint64_t)poll(&pacer, FRAME_BYTES, now_ns) * FRAME_BYTES;
    cr_assert_leq(burst_bytes, WEFT_PACER_BURST_BYTES + FRAME_BYTES);
    cr_assert_geq(burst_bytes, WEFT_PACER_BURST_BYTES - FRAME_BYTES);
    /* Thereafter as before: nothing of the stall is left. */
    for (uint32_t i = 0; i < 30; i++, now_ns += 100)
        cr_assert_leq(poll(&pacer, FRAME_BYTES, now_ns), 1);
}

Test(pacer, rest__no_credit)
{
    struct weft_pacer pacer;
    start(&pacer, 10000000000);
    cr_assert_eq(poll(&pacer, FRAME_BYTES, 5000), 1);
    weft_pacer_rest(&pacer);
    cr_assert_eq(poll(&pacer, FRAME_BYTES, 10000000), 1);
    cr_assert_eq(weft_pacer_due_ns(&pacer), 10000000 + 3336);
    /* A rest does not bring the next packet forward either. */
    weft_pacer_rest(&pacer);
    cr_assert_eq(poll(&pacer, FRAME_BYTES, 10001000), 0);
}

Test(pacer, set_rate__from_the_next_packet)
{
    struct weft_pacer pacer;
    start(&pacer, 1000000000);
    cr_assert_eq(poll(&pacer, 1000, 1000000), 1);
    weft_pacer_set_rate(&pacer, 2000000000);
    cr_assert_eq(weft_pacer_due_ns(&pacer), 1008000);
    cr_assert_eq(poll(&pacer, 1000, 1008000), 1);
    cr_assert_eq(weft_pacer_due_ns(&pacer), 1012000);
}
