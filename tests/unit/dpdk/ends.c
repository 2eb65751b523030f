/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/dpdk/ends.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "drivers/dpdk/dpdk.h"

/* No test comes near; a hang ends here. */
enum {
    ROUNDS_MAX = 20000000
};

static const struct weft_driver *const driver = &weft_driver_dpdk;
static uint64_t clock_ns = 1000;
static bool real_time;

void ends_use_real_time(void)
{
    real_time = true;
}

uint64_t ends_now_ns(void)
{
    if (!real_time)
        return clock_ns;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void ends_start(uint32_t devices)
{
    struct weft_error error = {0};
    const struct weft_driver_start start = {.device_count = devices, .worker_count = 1};
    enum weft_status status = driver->start(&start, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
}

struct weft_endpoint *end_endpoint(struct end *end, enum weft_transport transport)
{
    struct weft_error error = {0};
    struct weft_endpoint *endpoint = NULL;
    const struct weft_endpoint_options options = {
        .transport = transport,
        .cq = end->cq,
        .send_depth = 64,
        .receive_depth = 64,
        .inline_bytes = 64,
        .user = 7,
    };
    enum weft_status status = driver->endpoint_create(end->device, &options, &endpoint, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    return endpoint;
}

void end_open(struct end *end, const struct end_options *options)
{
    struct weft_error error = {0};
    uint32_t endpoints = options->endpoints ? options->endpoints : 1;
    const struct weft_device_options device_options = {
        .device = options->device ? options->device : "loopback",
        .address = {.version = 4,
                    .prefix_bits = 16,
                    .bytes = {10, 0, (uint8_t)(options->host >> 8), (uint8_t)options->host}},
        .max_endpoints = endpoints,
        .max_regions = 4,
        .seed = options->host,
        .pcap_path = options->pcap_path,
        .fault = options->fault,
    };
    *end = (struct end){.buffer_bytes = options->buffer_bytes};
    enum weft_status status = driver->open(&device_options, &end->device, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    end->buffer = malloc(end->buffer_bytes);
    cr_assert(end->buffer);
    memset(end->buffer, 0, end->buffer_bytes);
    cr_assert_eq(
        driver->region_register(end->device, end->buffer, end->buffer_bytes, &end->region, &error),
        WEFT_OK, "%s", error.text);
    cr_assert_eq(driver->cq_create(end->device, endpoints * 128, &end->cq, &error), WEFT_OK, "%s",
                 error.text);
    end->endpoint = end_endpoint(end, options->transport);
}

void end_close(struct end *end)
{
    driver->endpoint_destroy(end->device, end->endpoint);
    driver->cq_destroy(end->device, end->cq);
    driver->region_deregister(end->device, &end->region);
    driver->close(end->device);
    free(end->buffer);
}

uint32_t ends_round(struct end *ends, uint32_t count)
{
    uint32_t work = 0;
    clock_ns += 1000;
    for (uint32_t i = 0; i < count; i++)
        work += driver->progress(ends[i].device, ends_now_ns());
    return work;
}

static void await_ready(struct end *ends, uint32_t count, struct weft_endpoint *endpoint)
{
    struct weft_error error = {0};
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        enum weft_endpoint_state state = driver->endpoint_state(endpoint, &error);
        cr_assert_neq(state, WEFT_ENDPOINT_FAILED, "%s", error.text);
        if (state == WEFT_ENDPOINT_READY)
            return;
        ends_round(ends, count);
    }
    cr_assert_fail("an endpoint did not become ready");
}

void ends_connect(struct end *ends, uint32_t count, struct weft_endpoint *a,
                  struct weft_endpoint *b)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address;
    driver->endpoint_address(b, &address);
    cr_assert_eq(driver->endpoint_connect(a, &address, &error), WEFT_OK, "%s", error.text);
    driver->endpoint_address(a, &address);
    cr_assert_eq(driver->endpoint_connect(b, &address, &error), WEFT_OK, "%s", error.text);
    await_ready(ends, count, a);
    await_ready(ends, count, b);
}

struct weft_completion ends_await(struct end *ends, uint32_t count, struct end *at)
{
    struct weft_completion completion;
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        if (driver->cq_poll(at->cq, &completion, 1) == 1) {
            cr_assert_eq(completion.status, WEFT_OK, "%s", weft_status_text(completion.status));
            return completion;
        }
        ends_round(ends, count);
    }
    cr_assert_fail("no completion");
    return (struct weft_completion){0};
}

void end_fill(struct end *end, uint32_t seed)
{
    uint32_t value = seed * 2654435761u + 1;
    for (uint64_t i = 0; i < end->buffer_bytes; i++) {
        value = value * 1664525u + 1013904223u;
        end->buffer[i] = (uint8_t)(value >> 24);
    }
}

struct weft_work end_work(struct end *end, enum weft_operation operation, uint32_t len_bytes)
{
    return (struct weft_work){
        .id = len_bytes,
        .memory = end->buffer,
        .lkey = end->region.lkey,
        .len_bytes = len_bytes,
        .operation = operation,
    };
}

struct weft_work end_work_to(struct end *end, enum weft_operation operation, uint32_t len_bytes,
                             const struct end *peer)
{
    struct weft_work work = end_work(end, operation, len_bytes);
    work.remote_address = (uint64_t)(uintptr_t)peer->buffer;
    work.rkey = peer->region.rkey;
    work.immediate = 0x12345678;
    return work;
}
