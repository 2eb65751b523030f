/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/end.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fabric/base/random.h"

/* Far longer than anything takes: how long a test waits before it has failed. */
#define PATIENCE_NS UINT64_C(30000000000)

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

bool end_open(struct end *end, const struct end_options *wanted)
{
    struct weft_error error = {0};
    const struct weft_driver *driver = wanted->driver;
    struct weft_device_options options = {
        .device = wanted->device,
        .address = wanted->address,
        .mtu_bytes = wanted->mtu_bytes,
        .max_endpoints = 2,
        .max_regions = 1,
        .seed = 7,
    };
    *end = (struct end){.driver = driver, .name = wanted->name};
    end->half_bytes = wanted->half_bytes ? wanted->half_bytes : END_HALF_DEFAULT;
    end->memory = aligned_alloc(4096, 2 * end->half_bytes);
    if (!end->memory ||
        !check(driver->open(&options, &end->device, &error) == WEFT_OK, "open: %s", error.text))
        return false;
    end->sink = end->memory + end->half_bytes;
    memset(end->memory, 0, 2 * end->half_bytes);
    return check(driver->region_register(end->device, end->memory, 2 * end->half_bytes,
                                         &end->region, &error) == WEFT_OK &&
                     driver->cq_create(end->device, 4 * END_DEPTH, &end->cq, &error) == WEFT_OK,
                 "set-up of %s: %s", end->name, error.text);
}

void end_close(struct end *end)
{
    const struct weft_driver *driver = end->driver;
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
        .read_depth = END_READ_DEPTH,
        .user = 0x77,
    };
    if (end->endpoint)
        end_endpoint_destroy(end);
    return check(end->driver->endpoint_create(end->device, &options, &end->endpoint, &error) ==
                     WEFT_OK,
                 "endpoint on %s: %s", end->name, error.text);
}

void end_endpoint_destroy(struct end *end)
{
    end->driver->endpoint_destroy(end->device, end->endpoint);
    end->endpoint = NULL;
    end_forget(end);
}

static bool connect_to(struct end *end, const struct end *peer)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address;
    peer->driver->endpoint_address(peer->endpoint, &address);
    return check(end->driver->endpoint_connect(end->endpoint, &address, &error) == WEFT_OK,
                 "connecting %s: %s", end->name, error.text);
}

void end_turn(struct end *end)
{
    uint32_t room =
        (uint32_t)(sizeof(end->completions) / sizeof(end->completions[0])) - end->completion_count;
    (void)end->driver->progress(end->device, now_ns());
    end->completion_count +=
        end->driver->cq_poll(end->cq, end->completions + end->completion_count, room);
}

uint64_t end_patience(void)
{
    return now_ns() + PATIENCE_NS;
}

bool end_patient(uint64_t deadline_ns)
{
    return now_ns() < deadline_ns;
}

static enum weft_endpoint_state state_of(const struct end *end, struct weft_error *error)
{
    return end->driver->endpoint_state(end->endpoint, error);
}

/* The packet engine asks for the peer's MAC; what another driver asks of it, it answers here. */
static bool await_ready(struct end *end, struct end *peer)
{
    struct weft_error error = {0};
    uint64_t deadline_ns = end_patience();
    while (end_patient(deadline_ns) && state_of(end, &error) == WEFT_ENDPOINT_CONNECTING) {
        end_turn(end);
        end_turn(peer);
    }
    return check(state_of(end, &error) == WEFT_ENDPOINT_READY, "%s: %s", end->name, error.text);
}

/* The kernel connects within a call, and learns our MAC from the question for its own: so the end
 * that asks in its own time goes first. */
static bool connects_in_a_call(const struct end *end)
{
    return strcmp(end->driver->name, "verbs") == 0;
}

bool ends_join(struct end *a, struct end *b, enum weft_transport transport)
{
    struct end *first = connects_in_a_call(a) ? b : a, *second = first == a ? b : a;
    if (!end_endpoint(a, transport) || !end_endpoint(b, transport))
        return false;
    return transport == WEFT_TRANSPORT_UD ||
           (connect_to(first, second) && await_ready(first, second) && connect_to(second, first) &&
            await_ready(second, first));
}

bool ends_connect(struct end *a, struct end *b)
{
    return ends_join(a, b, WEFT_TRANSPORT_RC);
}

struct weft_destination *ends_destination(struct end *from, struct end *to)
{
    struct weft_error error = {0};
    struct weft_endpoint_address peer;
    struct weft_destination *destination = NULL;
    to->driver->endpoint_address(to->endpoint, &peer);
    enum weft_status made =
        from->driver->destination_create(from->endpoint, &peer, &destination, &error);
    if (!check(made == WEFT_OK, "destination of %s: %s", from->name, error.text))
        return NULL;
    uint64_t deadline_ns = end_patience();
    while (end_patient(deadline_ns) &&
           from->driver->destination_state(destination, &error) == WEFT_ENDPOINT_CONNECTING) {
        end_turn(from);
        end_turn(to);
    }
    if (check(from->driver->destination_state(destination, &error) == WEFT_ENDPOINT_READY,
              "destination of %s: %s", from->name, error.text))
        return destination;
    from->driver->destination_destroy(from->endpoint, destination);
    return NULL;
}

bool ends_run(struct end *a, uint32_t a_count, struct end *b, uint32_t b_count)
{
    uint64_t deadline_ns = end_patience();
    while (end_patient(deadline_ns)) {
        end_turn(a);
        end_turn(b);
        if (a->completion_count >= a_count && b->completion_count >= b_count)
            break;
    }
    return a->completion_count == a_count && b->completion_count == b_count;
}

void end_forget(struct end *end)
{
    if (end->cq)
        end_turn(end);
    end->completion_count = 0;
}

struct weft_work end_work(const struct end *from, const struct end *to,
                          enum weft_operation operation, uint32_t len_bytes)
{
    /* What is fetched comes from what the peer sends from, into what is received into here. */
    bool reads = operation == WEFT_OPERATION_READ;
    bool atomic = operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD;
    return (struct weft_work){
        .id = 0x1000 + len_bytes,
        .memory = reads || atomic ? from->sink : from->memory,
        .lkey = from->region.lkey,
        .len_bytes = len_bytes,
        .operation = operation,
        .immediate = 0xfeed0000u + (len_bytes & 0xffff),
        .remote_address = (uintptr_t)(reads ? to->memory : to->sink),
        .rkey = to->region.rkey,
    };
}

struct weft_work end_receive(const struct end *to, uint32_t len_bytes)
{
    return (struct weft_work){
        .id = 0x2000 + len_bytes,
        .memory = to->sink,
        .lkey = to->region.lkey,
        .len_bytes = len_bytes,
        .operation = WEFT_OPERATION_RECEIVE,
    };
}

bool end_post(struct end *end, const struct weft_work *work)
{
    return end->driver->post_send(end->endpoint, work, 1) == 1;
}

bool ends_post_patiently(struct end *a, struct end *b, const struct weft_work *work)
{
    uint64_t deadline_ns = end_patience();
    bool posted = end_post(a, work);
    while (!posted && end_patient(deadline_ns)) {
        end_turn(a);
        end_turn(b);
        posted = end_post(a, work);
    }
    return posted;
}

bool end_wait_byte(const struct end *end, uint64_t offset, uint8_t value)
{
    const volatile uint8_t *byte = end->sink + offset;
    uint64_t deadline_ns = end_patience();
    while (*byte != value && end_patient(deadline_ns))
        ;
    return *byte == value;
}

bool end_post_receive(struct end *end, const struct weft_work *work)
{
    return end->driver->post_receive(end->endpoint, work, 1) == 1;
}

void end_fill_some(struct end *end, uint64_t seed, uint64_t len_bytes)
{
    struct weft_random random;
    weft_random_seed(&random, seed);
    for (uint64_t at = 0; at < len_bytes; at += sizeof(uint64_t)) {
        uint64_t word = weft_random_next(&random);
        memcpy(end->memory + at, &word, sizeof(word));
    }
}

void end_fill(struct end *end, uint64_t seed)
{
    end_fill_some(end, seed, end->half_bytes);
}

void end_clear(struct end *end)
{
    memset(end->sink, 0, end->half_bytes);
}

uint64_t end_grown(const struct end *end, size_t field, uint64_t before, uint64_t wanted)
{
    uint64_t deadline_ns = end_patience();
    uint64_t value;
    do
        memcpy(&value, (const char *)end->driver->counters(end->device) + field, sizeof(value));
    while (value - before < wanted && end_patient(deadline_ns));
    return value - before;
}
