/* SPDX-License-Identifier: BSD-3-Clause */
/* Between start and idle nothing is allocated: the linker leads malloc and its like through here
 * (--wrap). A plain program, for Criterion allocates as it likes. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);

static unsigned calls;

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls++;
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    calls++;
    return __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *memory)
{
    calls++;
    __real_free(memory);
}

static int check(const char *pattern, const struct weft_pattern_options *pattern_options)
{
    struct cluster_options options = {.pattern = pattern, .options = *pattern_options};
    struct cluster cluster;
    unsigned before = calls;
    cluster_init(&cluster, &options);
    if (calls == before) {
        printf("not ok - the calls are not seen\n");
        return 1;
    }
    before = calls;
    bool done = true;
    for (int phase = 0; phase < WEFT_PHASE_COUNT; phase++) {
        cluster_start(&cluster, (enum weft_phase)phase);
        cluster_grant(&cluster, 2);
        done = done && cluster_reach(&cluster, 2);
    }
    unsigned during = calls - before;
    cluster_fini(&cluster);
    printf("%s - %s: %u calls while running\n", done && !during ? "ok" : "not ok", pattern, during);
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
