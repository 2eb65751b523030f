/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft-bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "weft-bench: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

uint64_t bench_now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC_RAW, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void bench_pin(uint32_t n)
{
    /* The first call's: a thread inherits the pin of the one that made it. */
    static cpu_set_t allowed;
    if (!CPU_COUNT(&allowed))
        sched_getaffinity(0, sizeof(allowed), &allowed);
    uint32_t seen = 0;
    uint32_t count = (uint32_t)CPU_COUNT(&allowed);
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || seen++ != n % count)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
        return;
    }
}

void bench_start(const struct bench_options *options, uint32_t device_count)
{
    struct weft_error error = {0};
    const struct weft_driver_start start = {
        .device_count = device_count, .mtu_bytes = options->mtu_bytes, .worker_count = 2};
    if (options->driver->start(&start, &error) != WEFT_OK)
        bench_fail("%s", error.text);
}

static void open_device(const struct bench_options *options, uint32_t which, struct bench_end *end)
{
    struct weft_error error = {0};
    const struct weft_device_options device = {
        .device = options->devices[which],
        .address = options->addresses[which],
        .mtu_bytes = options->mtu_bytes,
        .max_endpoints = 4,
        .max_regions = 4,
        .seed = which + 1,
    };
    if (end->driver->open(&device, &end->device, &error) != WEFT_OK)
        bench_fail("%s", error.text);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void create_endpoint(const struct bench_options *options, enum weft_transport transport,
                            struct bench_end *end)
{
    struct weft_error error = {0};
    struct weft_capabilities can;
    end->driver->capabilities(end->device, &can);
    if (end->driver->cq_create(end->device, 2 * options->depth + 64, &end->cq, &error) != WEFT_OK)
        bench_fail("%s", error.text);
    const struct weft_endpoint_options endpoint = {
        .transport = transport,
        .cq = end->cq,
        .send_depth = options->depth,
        .receive_depth = options->depth,
        .inline_bytes = least(can.max_inline_bytes, 64),
    };
    if (end->driver->endpoint_create(end->device, &endpoint, &end->endpoint, &error) != WEFT_OK)
        bench_fail("%s", error.text);
}

void bench_open(const struct bench_options *options, uint32_t which, enum weft_transport transport,
                struct bench_end *ret_end)
{
    struct weft_error error = {0};
    *ret_end = (struct bench_end){.driver = options->driver};
    open_device(options, which, ret_end);
    create_endpoint(options, transport, ret_end);
    ret_end->buffer_bytes =
        ((uint64_t)options->size_bytes + WEFT_GRH_BYTES + 4095u) & ~UINT64_C(4095);
    ret_end->buffer = mmap(NULL, ret_end->buffer_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (ret_end->buffer == MAP_FAILED)
        bench_fail("no memory");
    memset(ret_end->buffer, (int)which + 1, ret_end->buffer_bytes);
    if (options->driver->region_register(ret_end->device, ret_end->buffer, ret_end->buffer_bytes,
                                         &ret_end->region, &error) != WEFT_OK)
        bench_fail("%s", error.text);
}

void bench_close(struct bench_end *end)
{
    end->driver->endpoint_destroy(end->device, end->endpoint);
    end->driver->cq_destroy(end->device, end->cq);
    end->driver->region_deregister(end->device, &end->region);
    end->driver->close(end->device);
    munmap(end->buffer, end->buffer_bytes);
}
