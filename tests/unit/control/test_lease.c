/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a timed phase lasts, by the ranks' own time. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "fabric/control/lease.h"

#define MS_NS UINT64_C(1000000)
#define TICK_NS (5 * MS_NS)

/* Ranks that begin so long after the grant and take `period_ns` for an iteration; how many they do.
 */
static uint64_t iterations_done(uint64_t duration_ns, uint64_t late_ns, uint64_t period_ns)
{
    struct weft_lease lease;
    weft_lease_begin(&lease, &(struct weft_lease_options){.duration_ns = duration_ns}, 0);
    uint64_t done = 0;
    for (uint64_t now_ns = 0; !lease.last || done < lease.granted; now_ns += TICK_NS) {
        cr_assert_lt(now_ns, 4 * duration_ns, "no end");
        done = now_ns > late_ns ? (now_ns - late_ns) / period_ns : 0;
        done = done < lease.granted ? done : lease.granted;
        const struct weft_lease_progress progress = {.done = done, .taken = done};
        (void)weft_lease_renew(&lease, &progress, now_ns);
    }
    return done;
}

Test(lease, ranks_that_begin_late_measure_as_long_as_was_asked)
{
    static const uint64_t periods_ns[] = {100000, MS_NS, 20 * MS_NS};
    for (size_t i = 0; i < sizeof(periods_ns) / sizeof(periods_ns[0]); i++) {
        for (uint64_t late_ns = 0; late_ns <= 200 * MS_NS; late_ns += 40 * MS_NS) {
            uint64_t lasted_ns =
                periods_ns[i] * iterations_done(2000 * MS_NS, late_ns, periods_ns[i]);
            cr_expect_geq(lasted_ns, 2000 * MS_NS, "late %" PRIu64 ", period %" PRIu64 ": %" PRIu64,
                          late_ns, periods_ns[i], lasted_ns);
            cr_expect_lt(lasted_ns, 2200 * MS_NS, "late %" PRIu64 ", period %" PRIu64 ": %" PRIu64,
                         late_ns, periods_ns[i], lasted_ns);
        }
    }
}
