/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast each CRC kernel is here. Run by hand. */
#include <stdio.h>
#include <time.h>

#include "drivers/roce/packet/crc.h"

static uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The best of many rounds: what the others took is not its own. */
static double best_ns(const struct weft_crc_kernel *kernel, uint32_t payload_bytes, uint32_t calls)
{
    static uint8_t frame[4400], payload[4096];
    double best = 1e18;
    for (int round = 0; round < 50; round++) {
        uint64_t start_ns = clock_ns();
        uint32_t state = 0;
        for (uint32_t i = 0; i < calls; i++)
            state ^= payload_bytes ? kernel->build(i, frame + 50, 12, payload, payload_bytes)
                                   : kernel->packet(frame + 14, 20, 4156);
        double each_ns = (double)(clock_ns() - start_ns) / calls;
        __asm__ volatile("" ::"r"(state));
        if (each_ns < best)
            best = each_ns;
    }
    return best;
}

int main(void)
{
    for (int level = 0; level < WEFT_CRC_LEVELS; level++) {
        const struct weft_crc_kernel *kernel = weft_crc_kernel((enum weft_crc_level)level);
        if (kernel)
            (void)printf("%-10s build 64 B %9.1f ns   build 4096 B %9.1f ns   packet 4096 B %9.1f "
                         "ns%s\n",
                         kernel->name, best_ns(kernel, 64, 500), best_ns(kernel, 4096, 20),
                         best_ns(kernel, 0, 20), kernel == weft_crc ? "   chosen" : "");
    }
    return 0;
}
