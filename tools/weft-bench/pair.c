/* SPDX-License-Identifier: BSD-3-Clause */
/* Two devices in one process, a thread for each: one sends as fast as it can, the other takes. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fabric/hist/hist.h"
#include "tools/weft-bench/bench.h"

#define BATCH 32u

struct taker {
    struct bench_end *end;
    const struct bench_options *options;
    atomic_bool stop;
};

static void check(const struct weft_completion *completion)
{
    if (completion->status != WEFT_OK)
        bench_fail("completion: %s (vendor error %u)", weft_status_text(completion->status),
                   completion->vendor_error);
}

static uint32_t take_completions(struct bench_end *end, uint32_t *ret_receives)
{
    struct weft_completion completions[BATCH];
    uint32_t count = end->driver->cq_poll(end->cq, completions, BATCH);
    uint32_t receives = 0;
    for (uint32_t i = 0; i < count; i++) {
        check(&completions[i]);
        receives += completions[i].operation == WEFT_OPERATION_RECEIVE;
    }
    *ret_receives = receives;
    return count - receives;
}

static void post_receives(struct bench_end *end, const struct bench_options *options,
                          uint32_t count)
{
    const struct weft_work work = {.memory = end->buffer,
                                   .lkey = end->region.lkey,
                                   .len_bytes = options->size_bytes,
                                   .operation = WEFT_OPERATION_RECEIVE};
    for (uint32_t i = 0; i < count; i++) {
        if (end->driver->post_receive(end->endpoint, &work, 1) != 1)
            bench_fail("the receive queue is full");
    }
}

static void *take(void *argument)
{
    struct taker *taker = argument;
    bench_pin(1);
    while (!atomic_load_explicit(&taker->stop, memory_order_relaxed)) {
        uint32_t receives;
        taker->end->driver->progress(taker->end->device, bench_now_ns());
        (void)take_completions(taker->end, &receives);
        post_receives(taker->end, taker->options, receives);
    }
    return NULL;
}

static void wait_ready(struct bench_end *ends, uint32_t count)
{
    struct weft_error error = {0};
    uint64_t deadline_ns = bench_now_ns() + UINT64_C(10000000000);
    uint32_t ready = 0;
    while (ready < count) {
        ready = 0;
        for (uint32_t i = 0; i < count; i++) {
            ends[i].driver->progress(ends[i].device, bench_now_ns());
            enum weft_endpoint_state state =
                ends[i].driver->endpoint_state(ends[i].endpoint, &error);
            if (state == WEFT_ENDPOINT_FAILED)
                bench_fail("%s", error.text);
            ready += state == WEFT_ENDPOINT_READY;
        }
        if (bench_now_ns() > deadline_ns)
            bench_fail("the endpoints did not connect within 10 s");
    }
}

static void connect_both(struct bench_end *ends)
{
    struct weft_error error = {0};
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_endpoint_address address;
        ends[1 - i].driver->endpoint_address(ends[1 - i].endpoint, &address);
        if (ends[i].driver->endpoint_connect(ends[i].endpoint, &address, &error) != WEFT_OK)
            bench_fail("%s", error.text);
    }
    wait_ready(ends, 2);
}

static void open_both(const struct bench_options *options, struct bench_end *ends)
{
    bench_start(options, 2);
    bench_open(options, 0, WEFT_TRANSPORT_RC, &ends[0]);
    bench_open(options, 1, WEFT_TRANSPORT_RC, &ends[1]);
    if (options->operation == WEFT_OPERATION_SEND) {
        post_receives(&ends[0], options, options->depth);
        post_receives(&ends[1], options, options->depth);
    }
    connect_both(ends);
}

static struct weft_work work_to(const struct bench_options *options, const struct bench_end *from,
                                const struct bench_end *to)
{
    struct weft_capabilities can;
    from->driver->capabilities(from->device, &can);
    return (struct weft_work){
        .memory = from->buffer,
        .lkey = from->region.lkey,
        .len_bytes = options->size_bytes,
        .operation = options->operation,
        .inlined = options->size_bytes <= 64 && options->size_bytes <= can.max_inline_bytes,
        .remote_address = (uint64_t)(uintptr_t)to->buffer,
        .rkey = to->region.rkey,
    };
}

/* Posts what there is room for, in chains; returns how many. */
static uint32_t post(const struct bench_end *end, const struct weft_work *work, uint32_t room)
{
    struct weft_work works[BATCH];
    uint32_t count = room < BATCH ? room : BATCH;
    for (uint32_t i = 0; i < count; i++)
        works[i] = *work;
    return count ? end->driver->post_send(end->endpoint, works, count) : 0;
}

/* The most messages in any of the windows of 5 ms: what the code can do where others take the
 * processors away in between. */
#define PEAK_WINDOW_NS UINT64_C(5000000)
struct peak {
    uint64_t until_ns;
    uint64_t messages;
    uint64_t most;
};

static void note_peak(struct peak *peak, uint64_t now_ns, uint32_t messages)
{
    if (now_ns >= peak->until_ns) {
        bool whole = now_ns < peak->until_ns + PEAK_WINDOW_NS / 50;
        if (whole && peak->messages > peak->most)
            peak->most = peak->messages;
        peak->messages = 0;
        peak->until_ns = now_ns + PEAK_WINDOW_NS;
    }
    peak->messages += messages;
}

/* Posted in chains, each work with a completion of its own, so that room is known. */
static uint64_t send_for(struct bench_end *end, const struct weft_work *work,
                         const struct bench_options *options, uint64_t until_ns, struct peak *peak)
{
    uint64_t done = 0;
    uint32_t outstanding = 0;
    while (bench_now_ns() < until_ns || outstanding) {
        uint64_t now_ns = bench_now_ns();
        if (now_ns < until_ns)
            outstanding += post(end, work, options->depth - outstanding);
        end->driver->progress(end->device, now_ns);
        uint32_t receives;
        uint32_t sends = take_completions(end, &receives);
        outstanding -= sends;
        done += sends;
        note_peak(peak, now_ns, sends);
        if (now_ns > until_ns + UINT64_C(10000000000))
            bench_fail("%u works did not complete within 10 s", outstanding);
    }
    return done;
}

static void report(const struct bench_options *options, uint64_t messages, uint64_t elapsed_ns,
                   const struct peak *peak)
{
    double seconds = (double)elapsed_ns / 1e9;
    double window_s = (double)PEAK_WINDOW_NS / 1e9;
    (void)printf("{\"messages\": %lu, \"seconds\": %.6f, \"messages_per_s\": %.1f, "
                 "\"goodput_bps\": %.1f, \"peak_messages_per_s\": %.1f, "
                 "\"peak_goodput_bps\": %.1f}\n",
                 messages, seconds, (double)messages / seconds,
                 (double)messages * options->size_bytes * 8 / seconds,
                 (double)peak->most / window_s,
                 (double)peak->most * options->size_bytes * 8 / window_s);
}

static struct taker *start_taker(pthread_t *thread, struct bench_end *end,
                                 const struct bench_options *options)
{
    static struct taker taker;
    taker = (struct taker){.end = end, .options = options};
    if (pthread_create(thread, NULL, take, &taker) != 0)
        bench_fail("no thread");
    return &taker;
}

void bench_pair(const struct bench_options *options)
{
    struct bench_end ends[2];
    pthread_t thread;
    /* Where a kernel carries the messages it does so on the CPU that posted them: as perftest's,
     * this thread then goes where there is room. */
    if (!options->passive_peer)
        bench_pin(0);
    open_both(options, ends);
    struct taker *taker = options->passive_peer ? NULL : start_taker(&thread, &ends[1], options);
    const struct weft_work work = work_to(options, &ends[0], &ends[1]);
    struct peak peak = {0};
    (void)send_for(&ends[0], &work, options, bench_now_ns() + 200000000u, &peak);
    uint64_t start_ns = bench_now_ns();
    uint64_t messages = send_for(&ends[0], &work, options,
                                 start_ns + options->seconds * UINT64_C(1000000000), &peak);
    uint64_t elapsed_ns = bench_now_ns() - start_ns;
    if (taker) {
        atomic_store(&taker->stop, true);
        pthread_join(thread, NULL);
    }
    report(options, messages, elapsed_ns, &peak);
    bench_close(&ends[0]);
    bench_close(&ends[1]);
    options->driver->stop(NULL);
}

/* Answers every message with one of its own. */
static void *echo(void *argument)
{
    struct taker *taker = argument;
    struct bench_end *end = taker->end;
    const struct weft_work work = work_to(taker->options, end, end);
    bench_pin(1);
    while (!atomic_load_explicit(&taker->stop, memory_order_relaxed)) {
        uint32_t receives;
        end->driver->progress(end->device, bench_now_ns());
        (void)take_completions(end, &receives);
        post_receives(end, taker->options, receives);
        for (uint32_t i = 0; i < receives; i++)
            (void)end->driver->post_send(end->endpoint, &work, 1);
    }
    return NULL;
}

static bool await_answer(struct bench_end *end, const struct bench_options *options)
{
    uint64_t deadline_ns = bench_now_ns() + UINT64_C(10000000000);
    uint32_t receives = 0;
    while (!receives) {
        uint64_t now_ns = bench_now_ns();
        end->driver->progress(end->device, now_ns);
        (void)take_completions(end, &receives);
        if (now_ns > deadline_ns)
            return false;
    }
    post_receives(end, options, receives);
    return true;
}

void bench_pingpong(const struct bench_options *given)
{
    struct bench_options options = *given;
    options.operation = WEFT_OPERATION_SEND;
    struct bench_end ends[2];
    pthread_t thread;
    bench_pin(0);
    open_both(&options, ends);
    struct taker taker = {.end = &ends[1], .options = &options};
    if (pthread_create(&thread, NULL, echo, &taker) != 0)
        bench_fail("no thread");
    const struct weft_work work = work_to(&options, &ends[0], &ends[1]);
    struct weft_hist *hist = weft_hist_create();
    uint64_t until_ns = bench_now_ns() + options.seconds * UINT64_C(1000000000);
    while (hist && bench_now_ns() < until_ns) {
        uint64_t start_ns = bench_now_ns();
        if (ends[0].driver->post_send(ends[0].endpoint, &work, 1) != 1)
            continue;
        if (!await_answer(&ends[0], &options))
            bench_fail("no answer within 10 s");
        weft_hist_record(hist, bench_now_ns() - start_ns);
    }
    atomic_store(&taker.stop, true);
    pthread_join(thread, NULL);
    uint64_t p50 = 0;
    uint64_t p99 = 0;
    if (!hist || !weft_hist_percentile(hist, 500000, &p50) ||
        !weft_hist_percentile(hist, 990000, &p99))
        bench_fail("too few round trips");
    (void)printf("{\"round_trips\": %lu, \"p50_ns\": %lu, \"p99_ns\": %lu}\n", hist->count, p50,
                 p99);
    weft_hist_destroy(hist);
    bench_close(&ends[0]);
    bench_close(&ends[1]);
    options.driver->stop(NULL);
}
