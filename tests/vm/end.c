/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/end.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/verbs/verbs.h"
#include "fabric/base/random.h"

static const struct weft_driver *const driver = &weft_driver_verbs;

/* Far longer than anything takes: how long a test waits before it has failed. */
#define PATIENCE_NS UINT64_C(10000000000)

unsigned passed_count, failed_count;

bool check(bool holds, const char *format, ...)
{
    *(holds ? &passed_count : &failed_count) += 1;
    if (holds)
        return true;
    va_list arguments;
    va_start(arguments, format);
    (void)printf("not ok ");
    (void)vprintf(format, arguments);
    (void)printf("\n");
    va_end(arguments);
    return false;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool end_open(struct end *end, const char *device, uint32_t mtu_bytes, uint8_t address_last)
{
    struct weft_error error = {0};
    struct weft_device_options options = {
        .device = device,
        .address = {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 1, address_last}},
        .mtu_bytes = mtu_bytes,
        .max_endpoints = 2,
        .max_regions = 1,
        .seed = 7,
    };
    *end = (struct end){.device_name = device};
    end->memory = aligned_alloc(4096, 2 * END_HALF);
    if (!end->memory ||
        !check(driver->open(&options, &end->device, &error) == WEFT_OK, "open: %s", error.text))
        return false;
    memset(end->memory, 0, 2 * END_HALF);
    return check(driver->region_register(end->device, end->memory, 2 * END_HALF, &end->region,
                                         &error) == WEFT_OK &&
                     driver->cq_create(end->device, 4 * END_DEPTH, &end->cq, &error) == WEFT_OK,
                 "set-up of %s: %s", device, error.text);
}

void end_close(struct end *end)
{
    if (end->device) {
        end_endpoint_destroy(end);
        driver->cq_destroy(end->device, end->cq);
        driver->region_deregister(end->device, &end->region);
    }
    driver->close(end->device);
    free(end->memory);
    *end = (struct end){0};
}

bool end_endpoint(struct end *end, enum weft_transport transport)
{
    struct weft_error error = {0};
    struct weft_endpoint_options options = {
        .transport = transport,
        .cq = end->cq,
        .send_depth = END_DEPTH,
        .receive_depth = END_DEPTH,
        .inline_bytes = 64,
        .user = 0x77,
    };
    if (end->endpoint)
        end_endpoint_destroy(end);
    return check(driver->endpoint_create(end->device, &options, &end->endpoint, &error) == WEFT_OK,
                 "endpoint on %s: %s", end->device_name, error.text);
}

void end_endpoint_destroy(struct end *end)
{
    driver->endpoint_destroy(end->device, end->endpoint);
    end->endpoint = NULL;
    end_forget(end);
}

static bool connect_to(struct end *end, const struct end *peer)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address;
    driver->endpoint_address(peer->endpoint, &address);
    return check(driver->endpoint_connect(end->endpoint, &address, &error) == WEFT_OK &&
                     driver->endpoint_state(end->endpoint, &error) == WEFT_ENDPOINT_READY,
                 "connecting %s: %s", end->device_name, error.text);
}

bool ends_connect(struct end *a, struct end *b)
{
    return end_endpoint(a, WEFT_TRANSPORT_RC) && end_endpoint(b, WEFT_TRANSPORT_RC) &&
           connect_to(a, b) && connect_to(b, a);
}

static void take(struct end *end)
{
    uint32_t room =
        (uint32_t)(sizeof(end->completions) / sizeof(end->completions[0])) - end->completion_count;
    (void)driver->progress(end->device, now_ns());
    end->completion_count +=
        driver->cq_poll(end->cq, end->completions + end->completion_count, room);
}

bool ends_run(struct end *a, uint32_t a_count, struct end *b, uint32_t b_count)
{
    uint64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (now_ns() < deadline_ns) {
        take(a);
        take(b);
        if (a->completion_count >= a_count && b->completion_count >= b_count)
            break;
    }
    return a->completion_count == a_count && b->completion_count == b_count;
}

void end_forget(struct end *end)
{
    if (end->cq)
        take(end);
    end->completion_count = 0;
}

struct weft_work end_work(const struct end *from, const struct end *to,
                          enum weft_operation operation, uint32_t len_bytes)
{
    return (struct weft_work){
        .id = 0x1000 + len_bytes,
        .memory = from->memory,
        .lkey = from->region.lkey,
        .len_bytes = len_bytes,
        .operation = operation,
        .immediate = 0xfeed0000u + (len_bytes & 0xffff),
        .remote_address = (uintptr_t)to->memory + END_HALF,
        .rkey = to->region.rkey,
    };
}

struct weft_work end_receive(const struct end *to, uint32_t len_bytes)
{
    return (struct weft_work){
        .id = 0x2000 + len_bytes,
        .memory = to->memory + END_HALF,
        .lkey = to->region.lkey,
        .len_bytes = len_bytes,
        .operation = WEFT_OPERATION_RECEIVE,
    };
}

bool end_post(struct end *end, const struct weft_work *work)
{
    return driver->post_send(end->endpoint, work, 1) == 1;
}

bool ends_post_patiently(struct end *a, struct end *b, const struct weft_work *work)
{
    uint64_t deadline_ns = now_ns() + PATIENCE_NS;
    bool posted = end_post(a, work);
    while (!posted && now_ns() < deadline_ns) {
        take(a);
        take(b);
        posted = end_post(a, work);
    }
    return posted;
}

bool end_wait_byte(const struct end *end, uint64_t offset, uint8_t value)
{
    const volatile uint8_t *byte = end->memory + END_HALF + offset;
    uint64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (*byte != value && now_ns() < deadline_ns)
        ;
    return *byte == value;
}

bool end_post_receive(struct end *end, const struct weft_work *work)
{
    return driver->post_receive(end->endpoint, work, 1) == 1;
}

void end_fill(struct end *end, uint64_t seed)
{
    struct weft_random random;
    weft_random_seed(&random, seed);
    for (uint64_t at = 0; at < END_HALF; at += sizeof(uint64_t)) {
        uint64_t word = weft_random_next(&random);
        memcpy(end->memory + at, &word, sizeof(word));
    }
}

void end_clear(struct end *end)
{
    memset(end->memory + END_HALF, 0, END_HALF);
}

uint64_t end_grown(const struct end *end, size_t field, uint64_t before, uint64_t wanted)
{
    uint64_t deadline_ns = now_ns() + PATIENCE_NS;
    uint64_t value;
    do
        memcpy(&value, (const char *)driver->counters(end->device) + field, sizeof(value));
    while (value - before < wanted && now_ns() < deadline_ns);
    return value - before;
}
