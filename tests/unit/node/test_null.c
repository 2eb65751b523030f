/* SPDX-License-Identifier: BSD-3-Clause */
/* The null driver by itself: two endpoints on two devices. */
#include <criterion/criterion.h>
#include <string.h>

#include "drivers/null/null.h"
#include "drivers/registry.h"

enum {
    DEPTH = 4,
    BYTES = 1024
};

struct end {
    struct weft_device *device;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    struct weft_region region;
    _Alignas(8) uint8_t memory[BYTES];
};

static const struct weft_driver *const null = &weft_driver_null;

static void end_init(struct end *end, uint64_t user)
{
    struct weft_error error = {0};
    struct weft_device_options options = {.max_endpoints = 1, .max_regions = 1};
    cr_assert_eq(null->open(&options, &end->device, &error), WEFT_OK);
    cr_assert_eq(null->region_register(end->device, end->memory, BYTES, &end->region, &error),
                 WEFT_OK);
    cr_assert_eq(null->cq_create(end->device, 2 * DEPTH, &end->cq, &error), WEFT_OK);
    struct weft_endpoint_options endpoint = {.cq = end->cq,
                                             .send_depth = DEPTH,
                                             .receive_depth = DEPTH,
                                             .inline_bytes = 64,
                                             .user = user};
    cr_assert_eq(null->endpoint_create(end->device, &endpoint, &end->endpoint, &error), WEFT_OK);
}

static void end_fini(struct end *end)
{
    null->endpoint_destroy(end->device, end->endpoint);
    null->cq_destroy(end->device, end->cq);
    null->region_deregister(end->device, &end->region);
    null->close(end->device);
}

static void join(struct end *a, struct end *b)
{
    struct weft_endpoint_address address;
    struct weft_error error = {0};
    null->endpoint_address(a->endpoint, &address);
    cr_assert_eq(null->endpoint_connect(b->endpoint, &address, &error), WEFT_OK);
    null->endpoint_address(b->endpoint, &address);
    cr_assert_eq(null->endpoint_connect(a->endpoint, &address, &error), WEFT_OK);
    cr_assert_eq(null->endpoint_state(a->endpoint, NULL), WEFT_ENDPOINT_READY);
}

static void pair_init(struct end *a, struct end *b)
{
    end_init(a, 11);
    end_init(b, 22);
    join(a, b);
}

static void pair_fini(struct end *a, struct end *b)
{
    end_fini(a);
    end_fini(b);
}

static uint32_t post(struct end *from, enum weft_operation operation, uint64_t id,
                     uint64_t offset_bytes, uint32_t len_bytes, const struct end *to)
{
    struct weft_work work = {.id = id,
                             .memory = from->memory + offset_bytes,
                             .lkey = from->region.lkey,
                             .len_bytes = len_bytes,
                             .operation = operation,
                             .immediate = 0xfeed,
                             .remote_address = (uintptr_t)to->memory + offset_bytes,
                             .rkey = to->region.rkey};
    return null->post_send(from->endpoint, &work, 1);
}

static uint32_t post_receive(struct end *end, uint64_t id, uint64_t offset_bytes,
                             uint32_t len_bytes)
{
    struct weft_work work = {.id = id,
                             .memory = end->memory + offset_bytes,
                             .lkey = end->region.lkey,
                             .len_bytes = len_bytes,
                             .operation = WEFT_OPERATION_RECEIVE};
    return null->post_receive(end->endpoint, &work, 1);
}

static struct weft_completion take(struct end *end)
{
    struct weft_completion completion = {0};
    null->progress(end->device, 0);
    cr_assert_eq(null->cq_poll(end->cq, &completion, 1), 1);
    return completion;
}

static void assert_nothing(struct end *end)
{
    struct weft_completion completion;
    null->progress(end->device, 0);
    cr_assert_eq(null->cq_poll(end->cq, &completion, 1), 0);
}

Test(null, registered)
{
    cr_assert_eq(weft_driver_find("null"), null);
    cr_assert_null(weft_driver_find("nul"));
    uint32_t count = 0;
    for (const struct weft_driver *const *at = weft_drivers(); *at; at++, count++)
        cr_assert_eq(weft_driver_find((*at)->name), *at);
    cr_assert_geq(count, 1);
}

Test(null, send)
{
    struct end a, b;
    pair_init(&a, &b);
    memset(a.memory, 7, BYTES);
    memset(b.memory, 0, BYTES);
    cr_assert_eq(post_receive(&b, 5, 100, 200), 1);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 6, 0, 150, &b), 1);
    struct weft_completion sent = take(&a), received = take(&b);
    cr_assert(sent.status == WEFT_OK && sent.id == 6 && sent.user == 11);
    cr_assert_eq(sent.operation, WEFT_OPERATION_SEND);
    cr_assert(received.status == WEFT_OK && received.id == 5 && received.user == 22);
    cr_assert_eq(received.operation, WEFT_OPERATION_RECEIVE);
    cr_assert_eq(received.len_bytes, 150);
    cr_assert_not(received.has_immediate);
    cr_assert(b.memory[99] == 0 && b.memory[100] == 7 && b.memory[249] == 7 && !b.memory[250]);
    cr_assert_eq(null->endpoint_counters(b.endpoint)->received_payload_bytes, 150);
    cr_assert_eq(null->counters(a.device)->sent_bytes, 150);
    cr_assert_eq(null->counters(b.device)->received_bytes, 150);
    pair_fini(&a, &b);
}

/* A plain WRITE says nothing at the receiver; one with immediate takes a receive. */
Test(null, writes)
{
    struct end a, b;
    pair_init(&a, &b);
    memset(a.memory, 9, BYTES);
    memset(b.memory, 0, BYTES);
    cr_assert_eq(post(&a, WEFT_OPERATION_WRITE, 1, 8, 16, &b), 1);
    cr_assert_eq(take(&a).operation, WEFT_OPERATION_WRITE);
    assert_nothing(&b);
    cr_assert(b.memory[7] == 0 && b.memory[8] == 9 && b.memory[23] == 9 && b.memory[24] == 0);
    cr_assert_eq(post_receive(&b, 2, 0, 0), 1);
    cr_assert_eq(post(&a, WEFT_OPERATION_WRITE_IMMEDIATE, 3, 31, 3, &b), 1);
    struct weft_completion received = take(&b);
    cr_assert(received.has_immediate && received.immediate == 0xfeed && received.len_bytes == 3);
    cr_assert_eq(received.id, 2);
    cr_assert(b.memory[30] == 0 && b.memory[31] == 9 && b.memory[33] == 9 && b.memory[34] == 0);
    cr_assert_eq(null->endpoint_counters(b.endpoint)->received_payload_bytes, 19);
    pair_fini(&a, &b);
}

/* Without a receive a send waits, what comes after it too, and inline memory may be used again. */
Test(null, send_with_immediate)
{
    struct end a, b;
    pair_init(&a, &b);
    memset(a.memory, 9, BYTES);
    memset(b.memory, 0, BYTES);
    cr_assert_eq(post_receive(&b, 5, 100, 200), 1);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND_IMMEDIATE, 6, 0, 150, &b), 1);
    cr_assert_eq(take(&a).status, WEFT_OK);
    struct weft_completion received = take(&b);
    cr_assert(received.status == WEFT_OK && received.has_immediate);
    cr_assert_eq(received.immediate, 0xfeed);
    cr_assert_eq(received.len_bytes, 150);
    cr_assert(b.memory[0] == 0 && b.memory[100] == 9 && b.memory[249] == 9 && !b.memory[250]);
    pair_fini(&a, &b);
}

/* The peer's memory comes here, and the peer notices nothing. */
Test(null, reads)
{
    struct end a, b;
    pair_init(&a, &b);
    memset(a.memory, 0, BYTES);
    memset(b.memory, 7, BYTES);
    cr_assert_eq(post(&a, WEFT_OPERATION_READ, 6, 100, 200, &b), 1);
    struct weft_completion done = take(&a);
    cr_assert(done.status == WEFT_OK && done.id == 6 && done.operation == WEFT_OPERATION_READ);
    cr_assert(!a.memory[99] && a.memory[100] == 7 && a.memory[299] == 7 && !a.memory[300]);
    assert_nothing(&b);
    cr_assert_eq(null->endpoint_counters(a.endpoint)->received_payload_bytes, 200);
    cr_assert_eq(null->endpoint_counters(b.endpoint)->received_payload_bytes, 0);
    cr_assert_eq(post(&a, WEFT_OPERATION_READ, 7, BYTES - 9, 10, &b), 1);
    cr_assert_eq(take(&a).status, WEFT_LOCAL_PROTECTION);
    pair_fini(&a, &b);
}

static uint64_t atomic(struct end *from, const struct end *to, enum weft_operation operation,
                       uint64_t compare, uint64_t operand, enum weft_status status)
{
    uint64_t before;
    struct weft_work work = {.memory = from->memory,
                             .lkey = from->region.lkey,
                             .len_bytes = 8,
                             .operation = operation,
                             .remote_address = (uintptr_t)to->memory + 8,
                             .compare = compare,
                             .operand = operand,
                             .rkey = to->region.rkey};
    work.remote_address += status == WEFT_REMOTE_INVALID_REQUEST ? 4 : 0;
    cr_assert_eq(null->post_send(from->endpoint, &work, 1), 1);
    cr_assert_eq(take(from).status, status);
    memcpy(&before, from->memory, sizeof(before));
    return before;
}

Test(null, atomics)
{
    struct end a, b;
    uint64_t value = 40;
    pair_init(&a, &b);
    memcpy(b.memory + 8, &value, sizeof(value));
    cr_assert_eq(atomic(&a, &b, WEFT_OPERATION_FETCH_ADD, 0, 2, WEFT_OK), 40);
    cr_assert_eq(atomic(&a, &b, WEFT_OPERATION_COMPARE_SWAP, 40, 9, WEFT_OK), 42);
    cr_assert_eq(atomic(&a, &b, WEFT_OPERATION_COMPARE_SWAP, 42, 9, WEFT_OK), 42);
    cr_assert_eq(atomic(&a, &b, WEFT_OPERATION_FETCH_ADD, 0, 0, WEFT_OK), 9);
    (void)atomic(&a, &b, WEFT_OPERATION_FETCH_ADD, 0, 1, WEFT_REMOTE_INVALID_REQUEST);
    memcpy(&value, b.memory + 8, sizeof(value));
    cr_assert_eq(value, 9);
    pair_fini(&a, &b);
}

Test(null, waits_for_a_receive)
{
    struct end a, b;
    pair_init(&a, &b);
    uint8_t word[8] = "before!";
    struct weft_work work = {.id = 1,
                             .memory = word,
                             .len_bytes = sizeof(word),
                             .operation = WEFT_OPERATION_SEND,
                             .inlined = true};
    cr_assert_eq(null->post_send(a.endpoint, &work, 1), 1);
    memcpy(word, "after!!", sizeof(word));
    cr_assert_eq(post(&a, WEFT_OPERATION_WRITE, 2, 512, 8, &b), 1);
    assert_nothing(&a);
    cr_assert_eq(post_receive(&b, 3, 0, 8), 1);
    cr_assert_eq(take(&a).id, 1);
    cr_assert_eq(take(&a).id, 2);
    cr_assert_eq(take(&b).id, 3);
    cr_assert_str_eq((const char *)b.memory, "before!");
    pair_fini(&a, &b);
}

Test(null, depths)
{
    struct end a, b;
    pair_init(&a, &b);
    for (uint32_t i = 0; i < DEPTH; i++) {
        cr_assert_eq(post(&a, WEFT_OPERATION_SEND, i, 0, 8, &b), 1);
        cr_assert_eq(post_receive(&a, i, 0, 8), 1);
    }
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 9, 0, 8, &b), 0);
    cr_assert_eq(post_receive(&a, 9, 0, 8), 0);
    for (uint32_t i = 0; i < DEPTH; i++)
        cr_assert_eq(post_receive(&b, i, 0, 8), 1);
    for (uint32_t i = 0; i < DEPTH; i++)
        cr_assert_eq(take(&a).id, i);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 9, 0, 8, &b), 1);
    pair_fini(&a, &b);
}

Test(null, unsignaled)
{
    struct end a, b;
    pair_init(&a, &b);
    struct weft_work work = {.operation = WEFT_OPERATION_WRITE,
                             .memory = a.memory,
                             .lkey = a.region.lkey,
                             .len_bytes = 8,
                             .remote_address = (uintptr_t)b.memory,
                             .rkey = b.region.rkey,
                             .unsignaled = true};
    cr_assert_eq(null->post_send(a.endpoint, &work, 1), 1);
    assert_nothing(&a);
    work.rkey++;
    cr_assert_eq(null->post_send(a.endpoint, &work, 1), 1);
    cr_assert_eq(take(&a).status, WEFT_REMOTE_ACCESS, "a failure is told all the same");
    pair_fini(&a, &b);
}

static void fail_write(uint64_t offset_bytes, uint32_t len_bytes, bool wrong_rkey, bool wrong_lkey,
                       enum weft_status expected)
{
    struct end a, b;
    pair_init(&a, &b);
    memset(b.memory, 1, BYTES);
    struct weft_work work = {.operation = WEFT_OPERATION_WRITE,
                             .memory = a.memory,
                             .lkey = wrong_lkey ? b.region.lkey : a.region.lkey,
                             .len_bytes = len_bytes,
                             .remote_address = (uintptr_t)b.memory + offset_bytes,
                             .rkey = wrong_rkey ? a.region.rkey : b.region.rkey};
    cr_assert_eq(null->post_send(a.endpoint, &work, 1), 1);
    cr_assert_eq(take(&a).status, expected);
    struct weft_error error = {0};
    cr_assert_eq(null->endpoint_state(a.endpoint, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_eq(error.status, expected);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 1, 0, 8, &b), 1);
    cr_assert_eq(take(&a).status, WEFT_FLUSHED);
    for (uint32_t i = 0; i < BYTES; i++)
        cr_assert_eq(b.memory[i], 1);
    pair_fini(&a, &b);
}

Test(null, writes_past_the_region)
{
    fail_write(BYTES - 8, 16, false, false, WEFT_REMOTE_ACCESS);
    fail_write(UINT64_MAX - 7, 16, false, false, WEFT_REMOTE_ACCESS);
    fail_write(BYTES, 1, false, false, WEFT_REMOTE_ACCESS);
    fail_write(0, 8, true, false, WEFT_REMOTE_ACCESS);
    fail_write(0, 8, false, true, WEFT_LOCAL_PROTECTION);
}

Test(null, send_longer_than_the_receive)
{
    struct end a, b;
    pair_init(&a, &b);
    cr_assert_eq(post_receive(&b, 1, 0, 8), 1);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 2, 0, 9, &b), 1);
    cr_assert_eq(take(&a).status, WEFT_REMOTE_INVALID_REQUEST);
    cr_assert_eq(take(&b).status, WEFT_LOCAL_LENGTH);
    pair_fini(&a, &b);
}

Test(null, peer_gone)
{
    struct end a, b;
    pair_init(&a, &b);
    end_fini(&b);
    struct weft_error error = {0};
    cr_assert_eq(null->endpoint_state(a.endpoint, &error), WEFT_ENDPOINT_FAILED);
    cr_assert_eq(error.status, WEFT_PEER_LOST);
    cr_assert_eq(post(&a, WEFT_OPERATION_SEND, 2, 0, 9, &b), 1);
    cr_assert_eq(take(&a).status, WEFT_RETRY_EXCEEDED);
    end_fini(&a);
}

Test(null, connect_refused)
{
    struct end a, b, c;
    pair_init(&a, &b);
    end_init(&c, 33);
    struct weft_endpoint_address address;
    struct weft_error error = {0};
    null->endpoint_address(a.endpoint, &address);
    cr_assert_eq(null->endpoint_connect(c.endpoint, &address, &error), WEFT_EXISTS);
    address.psn++;
    cr_assert_eq(null->endpoint_connect(c.endpoint, &address, &error), WEFT_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "one process"), "%s", error.text);
    address.qpn = 0xffffff;
    cr_assert_eq(null->endpoint_connect(c.endpoint, &address, &error), WEFT_NOT_FOUND);
    cr_assert_eq(null->endpoint_state(c.endpoint, NULL), WEFT_ENDPOINT_NEW);
    end_fini(&c);
    pair_fini(&a, &b);
}

Test(null, options_refused)
{
    struct end a;
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    end_init(&a, 1);
    struct weft_endpoint *endpoint = NULL;
    struct weft_endpoint_options options = {
        .transport = WEFT_TRANSPORT_UD, .cq = a.cq, .send_depth = 1, .receive_depth = 1};
    cr_assert_eq(null->endpoint_create(a.device, &options, &endpoint, &error), WEFT_UNSUPPORTED);
    options.transport = WEFT_TRANSPORT_RC;
    cr_assert_eq(null->endpoint_create(a.device, &options, &endpoint, &error), WEFT_NO_MEMORY);
    struct weft_region region;
    cr_assert_eq(null->region_register(a.device, a.memory, 8, &region, &error), WEFT_NO_MEMORY);
    struct weft_device_options capture = {.pcap_path = "x.pcap"};
    cr_assert_eq(null->open(&capture, &device, &error), WEFT_UNSUPPORTED);
    struct weft_destination *destination = NULL;
    cr_assert_eq(null->destination_create(a.endpoint, NULL, &destination, &error),
                 WEFT_UNSUPPORTED);
    end_fini(&a);
}
