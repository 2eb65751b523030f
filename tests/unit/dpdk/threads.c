/* SPDX-License-Identifier: BSD-3-Clause */
/* Two loopback devices, a thread each, which write to each other while the control thread reads
 * counters, and devices come and go beside them. A plain program: its workers are threads that EAL
 * did not make, and that end before it does. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/dpdk/dpdk.h"

enum {
    BYTES = 1 << 20,
    MESSAGES = 100,
    DEPTH = 8
};

static const struct weft_driver *const driver = &weft_driver_dpdk;

struct side {
    struct weft_device *device;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    struct weft_region region;
    uint8_t *buffer;
    struct side *peer;
    atomic_bool done;
    bool failed;
};

static void must(enum weft_status status, const struct weft_error *error)
{
    if (status == WEFT_OK)
        return;
    (void)printf("Bail out! %s\n", error->text);
    exit(1);
}

static void set_up(struct side *side, uint32_t host)
{
    struct weft_error error = {0};
    const struct weft_device_options options = {
        .device = "loopback",
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, (uint8_t)host}},
        .max_endpoints = 1,
        .max_regions = 1,
    };
    must(driver->open(&options, &side->device, &error), &error);
    must(driver->cq_create(side->device, 2 * DEPTH, &side->cq, &error), &error);
    const struct weft_endpoint_options endpoint = {
        .cq = side->cq, .send_depth = DEPTH, .receive_depth = DEPTH};
    must(driver->endpoint_create(side->device, &endpoint, &side->endpoint, &error), &error);
    /* The first half is sent from, the second written to. */
    side->buffer = malloc(UINT64_C(2) * BYTES);
    if (!side->buffer)
        exit(1);
    memset(side->buffer, (int)host, BYTES);
    memset(side->buffer + BYTES, 0, BYTES);
    must(driver->region_register(side->device, side->buffer, UINT64_C(2) * BYTES, &side->region,
                                 &error),
         &error);
}

static void connect_to_peer(struct side *side)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address;
    driver->endpoint_address(side->peer->endpoint, &address);
    must(driver->endpoint_connect(side->endpoint, &address, &error), &error);
}

static uint32_t post(const struct side *side, uint32_t count)
{
    const struct weft_work work = {
        .memory = side->buffer,
        .lkey = side->region.lkey,
        .len_bytes = BYTES,
        .operation = WEFT_OPERATION_WRITE,
        .remote_address = (uint64_t)(uintptr_t)side->peer->buffer + BYTES,
        .rkey = side->peer->region.rkey,
    };
    uint32_t posted = 0;
    while (posted < count && driver->post_send(side->endpoint, &work, 1) == 1)
        posted++;
    return posted;
}

/* Time by turns: no clock, and no timer that a slow machine sets off. */
static void *work(void *argument)
{
    struct side *side = argument;
    uint32_t posted = 0;
    uint32_t completed = 0;
    uint64_t now_ns = 0;
    while (completed < MESSAGES || !atomic_load(&side->peer->done)) {
        if (driver->progress(side->device, ++now_ns) == 0)
            sched_yield(); /* the machine may have one core for all of us */
        if (driver->endpoint_state(side->endpoint, NULL) == WEFT_ENDPOINT_READY)
            posted += post(side, MESSAGES - posted);
        struct weft_completion completion;
        while (driver->cq_poll(side->cq, &completion, 1) == 1) {
            side->failed |= completion.status != WEFT_OK;
            completed++;
        }
        if (completed == MESSAGES)
            atomic_store(&side->done, true);
    }
    return NULL;
}

static void come_and_go(void)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    const struct weft_device_options options = {
        .device = "loopback", .max_endpoints = 1, .max_regions = 1};
    must(driver->open(&options, &device, &error), &error);
    driver->progress(device, 1);
    driver->close(device);
}

static bool check(struct side *side, uint32_t host)
{
    const struct weft_device_counters *counters = driver->counters(side->device);
    bool good = !side->failed && counters->receive_dropped == 0 &&
                counters->retransmitted_packets == 0 && counters->out_of_order_packets == 0 &&
                counters->received_bytes > (uint64_t)MESSAGES * BYTES;
    for (uint32_t i = 0; i < BYTES && good; i++)
        good = side->buffer[BYTES + i] == host;
    return good;
}

static void tear_down(struct side *side)
{
    driver->endpoint_destroy(side->device, side->endpoint);
    driver->cq_destroy(side->device, side->cq);
    driver->region_deregister(side->device, &side->region);
    driver->close(side->device);
    free(side->buffer);
}

int main(void)
{
    static struct side sides[2];
    pthread_t threads[2];
    struct weft_error error = {0};
    const struct weft_driver_start start = {.device_count = 3, .worker_count = 2};
    must(driver->start(&start, &error), &error);
    for (uint32_t i = 0; i < 2; i++) {
        set_up(&sides[i], i + 1);
        sides[i].peer = &sides[1 - i];
    }
    for (uint32_t i = 0; i < 2; i++)
        connect_to_peer(&sides[i]);
    for (uint32_t i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, work, &sides[i]) != 0)
            return 1;
    while (!atomic_load(&sides[0].done) || !atomic_load(&sides[1].done)) {
        (void)driver->counters(sides[0].device);
        come_and_go();
        sched_yield();
    }
    for (uint32_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    bool good = true;
    for (uint32_t i = 0; i < 2; i++)
        good &= check(&sides[i], 2 - i);
    for (uint32_t i = 0; i < 2; i++)
        tear_down(&sides[i]);
    driver->stop(NULL);
    (void)printf("1..1\n%sok 1 - two threads write to each other\n", good ? "" : "not ");
    return 0;
}
