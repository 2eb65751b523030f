/* SPDX-License-Identifier: BSD-3-Clause */
/* What two cores can do with nothing but memory between them: the peer of the loopback figures. A
 * word goes to and fro; then 64 B messages go one way through a ring. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "fabric/hist/hist.h"
#include "tools/weft-bench/bench.h"

#define SLOTS 256u
#define MESSAGE_BYTES 64u

/* Each on lines of its own, and not on a neighbour that the processor fetches along. */
static struct {
    _Alignas(128) atomic_ulong ping;
    _Alignas(128) atomic_ulong pong;
    _Alignas(128) atomic_ulong head;
    _Alignas(128) atomic_ulong tail;
    _Alignas(128) uint8_t slots[SLOTS][MESSAGE_BYTES];
} shared;

static atomic_bool stopped;

static void *answer(void *argument)
{
    (void)argument;
    bench_pin(1);
    while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
        unsigned long word = atomic_load_explicit(&shared.ping, memory_order_acquire);
        atomic_store_explicit(&shared.pong, word, memory_order_release);
    }
    return NULL;
}

static void *take(void *argument)
{
    uint8_t *sink = argument;
    unsigned long tail = 0;
    bench_pin(1);
    while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
        unsigned long head = atomic_load_explicit(&shared.head, memory_order_acquire);
        for (; tail != head; tail++) {
            memcpy(sink, shared.slots[tail % SLOTS], MESSAGE_BYTES);
            __asm__ volatile("" ::"r"(sink) : "memory");
        }
        atomic_store_explicit(&shared.tail, tail, memory_order_release);
    }
    return NULL;
}

static void begin(pthread_t *thread, void *(*run)(void *), void *argument)
{
    atomic_store(&stopped, false);
    if (pthread_create(thread, NULL, run, argument) != 0)
        bench_fail("no thread");
}

static void end(pthread_t thread)
{
    atomic_store(&stopped, true);
    pthread_join(thread, NULL);
}

static uint64_t round_trip_p50_ns(uint64_t until_ns)
{
    pthread_t thread;
    struct weft_hist *hist = weft_hist_create();
    uint64_t p50_ns = 0;
    begin(&thread, answer, NULL);
    for (unsigned long word = 1; hist; word++) {
        uint64_t start_ns = bench_now_ns();
        if (start_ns > until_ns)
            break;
        atomic_store_explicit(&shared.ping, word, memory_order_release);
        while (atomic_load_explicit(&shared.pong, memory_order_acquire) != word)
            ;
        weft_hist_record(hist, bench_now_ns() - start_ns);
    }
    end(thread);
    if (!hist || !weft_hist_percentile(hist, 500000, &p50_ns))
        bench_fail("too few round trips");
    weft_hist_destroy(hist);
    return p50_ns;
}

static double messages_per_s(uint64_t span_ns)
{
    static const uint8_t message[MESSAGE_BYTES] = {1};
    static uint8_t sink[MESSAGE_BYTES];
    pthread_t thread;
    unsigned long head = 0;
    begin(&thread, take, sink);
    uint64_t start_ns = bench_now_ns();
    uint64_t now_ns = start_ns;
    while (now_ns < start_ns + span_ns) {
        unsigned long room =
            SLOTS - (head - atomic_load_explicit(&shared.tail, memory_order_acquire));
        for (; room; room--, head++)
            memcpy(shared.slots[head % SLOTS], message, MESSAGE_BYTES);
        atomic_store_explicit(&shared.head, head, memory_order_release);
        now_ns = bench_now_ns();
    }
    end(thread);
    return (double)head * 1e9 / (double)(now_ns - start_ns);
}

void bench_handoff(const struct bench_options *options)
{
    uint64_t half_ns = options->seconds * UINT64_C(500000000);
    bench_pin(0);
    uint64_t p50_ns = round_trip_p50_ns(bench_now_ns() + half_ns);
    (void)printf("{\"p50_ns\": %lu, \"messages_per_s\": %.1f}\n", p50_ns, messages_per_s(half_ns));
}
