/* SPDX-License-Identifier: BSD-3-Clause */
/* Between start and idle nothing is allocated. A plain program, for Criterion allocates as it
 * likes.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cluster.h"
#include "tests/unit/allocations.h"

static int check(const char *pattern, const struct weft_pattern_options *pattern_options)
{
    struct cluster_options options = {.pattern = pattern, .options = *pattern_options};
    struct cluster cluster;
    uint64_t before = allocations;
    cluster_init(&cluster, &options);
    if (allocations == before) {
        printf("not ok - the calls are not seen\n");
        return 1;
    }
    before = allocations;
    bool done = true;
    for (int phase = 0; phase < WEFT_PHASE_COUNT; phase++) {
        cluster_start(&cluster, (enum weft_phase)phase);
        cluster_grant(&cluster, 2);
        done = done && cluster_reach(&cluster, 2);
    }
    uint64_t during = allocations - before;
    cluster_fini(&cluster);
    printf("%s - %s: %" PRIu64 " calls while running\n", done && !during ? "ok" : "not ok", pattern,
           during);
    return done && !during ? 0 : 1;
}

int main(void)
{
    int failed = 0;
    printf("1..4\n");
    failed += check("ping-pong", &(struct weft_pattern_options){.rank_count = 2, .size_bytes = 8});
    failed +=
        check("all-reduce", &(struct weft_pattern_options){.rank_count = 5, .size_bytes = 400000});
    failed +=
        check("incast", &(struct weft_pattern_options){.rank_count = 5, .size_bytes = 100000});
    failed +=
        check("pipeline",
              &(struct weft_pattern_options){.rank_count = 5, .size_bytes = 1000, .calc_ns = 500});
    return failed ? 1 : 0;
}
