/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer of a loopback transfer: what one core copies, between buffers of one message each. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/weft-bench/bench.h"

static uint8_t *map(size_t len_bytes)
{
    void *memory = mmap(NULL, len_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        bench_fail("no memory");
    memset(memory, 1, len_bytes);
    return memory;
}

void bench_memcpy(const struct bench_options *options)
{
    bench_pin(0);
    uint8_t *from = map(options->size_bytes);
    uint8_t *to = map(options->size_bytes);
    uint64_t copies = 0;
    uint64_t start_ns = bench_now_ns();
    uint64_t until_ns = start_ns + options->seconds * UINT64_C(1000000000);
    while (bench_now_ns() < until_ns) {
        for (int i = 0; i < 16; i++, copies++) {
            memcpy(to, from, options->size_bytes);
            __asm__ volatile("" ::"r"(to) : "memory");
        }
    }
    double seconds = (double)(bench_now_ns() - start_ns) / 1e9;
    (void)printf("{\"goodput_bps\": %.1f}\n", (double)copies * options->size_bytes * 8 / seconds);
}
