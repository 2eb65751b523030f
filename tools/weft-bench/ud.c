/* SPDX-License-Identifier: BSD-3-Clause */
/* UD from one process to another: the receiver prints its address, the sender is given it. */
#include <stdio.h>
#include <string.h>

#include "drivers/dpdk/dpdk.h"
#include "tools/weft-bench/bench.h"

#define BATCH 32u

static void print_address(const struct bench_end *end)
{
    struct weft_endpoint_address address;
    end->driver->endpoint_address(end->endpoint, &address);
    for (int i = 0; i < 16; i++)
        (void)printf("%02x", address.gid[i]);
    (void)printf(":%x:%x:%u\n", address.qpn, address.qkey, address.mtu_bytes);
    (void)fflush(stdout);
}

static struct weft_endpoint_address parse_address(const char *text)
{
    struct weft_endpoint_address address = {0};
    for (int i = 0; text && i < 16; i++, text += 2) {
        unsigned byte;
        if (sscanf(text, "%2x", &byte) != 1)
            bench_fail("--peer wants what ud-receive printed");
        address.gid[i] = (uint8_t)byte;
    }
    if (!text || sscanf(text, ":%x:%x:%u", &address.qpn, &address.qkey, &address.mtu_bytes) != 3)
        bench_fail("--peer wants what ud-receive printed");
    return address;
}

static void post_receives(struct bench_end *end, const struct bench_options *options,
                          uint32_t count)
{
    const struct weft_work work = {.memory = end->buffer,
                                   .lkey = end->region.lkey,
                                   .len_bytes = options->size_bytes + WEFT_GRH_BYTES,
                                   .operation = WEFT_OPERATION_RECEIVE};
    for (uint32_t i = 0; i < count; i++)
        (void)end->driver->post_receive(end->endpoint, &work, 1);
}

void bench_ud_receive(const struct bench_options *options)
{
    struct bench_end end;
    bench_pin(1);
    bench_start(options, 1);
    bench_open(options, 0, WEFT_TRANSPORT_UD, &end);
    post_receives(&end, options, options->depth);
    print_address(&end);
    uint64_t received = 0;
    uint64_t until_ns = bench_now_ns() + options->seconds * UINT64_C(1000000000);
    while (bench_now_ns() < until_ns) {
        struct weft_completion completions[BATCH];
        end.driver->progress(end.device, bench_now_ns());
        uint32_t count = end.driver->cq_poll(end.cq, completions, BATCH);
        received += count;
        post_receives(&end, options, count);
    }
    (void)printf("{\"received\": %lu}\n", received);
    bench_close(&end);
    options->driver->stop(NULL);
}

static void add_neighbour(struct bench_end *end, const struct weft_endpoint_address *peer,
                          const char *text)
{
    struct weft_error error = {0};
    struct weft_ip address = {.version = 4};
    uint8_t mac[6];
    memcpy(address.bytes, peer->gid + 12, 4);
    if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
               &mac[5]) != 6)
        bench_fail("--peer-mac wants aa:bb:cc:dd:ee:ff");
    if (weft_dpdk_neighbour_add(end->device, &address, mac, &error) != WEFT_OK)
        bench_fail("%s", error.text);
}

static struct weft_destination *resolve(struct bench_end *end, const struct bench_options *options)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address = parse_address(options->peer);
    if (options->peer_mac)
        add_neighbour(end, &address, options->peer_mac);
    struct weft_destination *destination;
    if (end->driver->destination_create(end->endpoint, &address, &destination, &error) != WEFT_OK)
        bench_fail("%s", error.text);
    for (;;) {
        end->driver->progress(end->device, bench_now_ns());
        enum weft_endpoint_state state = end->driver->destination_state(destination, &error);
        if (state == WEFT_ENDPOINT_FAILED)
            bench_fail("%s", error.text);
        if (state == WEFT_ENDPOINT_READY)
            return destination;
    }
}

static uint32_t post_batch(struct bench_end *end, const struct weft_work *works)
{
    if (end->driver->post_send(end->endpoint, works, BATCH) != BATCH)
        bench_fail("the send queue took no batch though it has room for one");
    return BATCH;
}

/* The last of each batch has a completion, which tells of all before it. */
static uint64_t send_until(struct bench_end *end, const struct weft_work *work,
                           const struct bench_options *options, uint64_t until_ns)
{
    struct weft_work works[BATCH];
    struct weft_completion completions[BATCH];
    uint64_t sent = 0;
    uint32_t outstanding = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        works[i] = *work;
        works[i].unsignaled = i != BATCH - 1;
    }
    for (uint64_t now_ns = bench_now_ns(); now_ns < until_ns; now_ns = bench_now_ns()) {
        for (int turn = 0; turn < 16; turn++) {
            if (outstanding + BATCH <= options->depth)
                outstanding += post_batch(end, works);
            end->driver->progress(end->device, now_ns);
            uint32_t count = end->driver->cq_poll(end->cq, completions, BATCH);
            outstanding -= count * BATCH;
            sent += (uint64_t)count * BATCH;
        }
    }
    /* A later call must find the queue empty. */
    while (outstanding) {
        end->driver->progress(end->device, bench_now_ns());
        uint32_t count = end->driver->cq_poll(end->cq, completions, BATCH);
        outstanding -= count * BATCH;
        sent += (uint64_t)count * BATCH;
    }
    return sent;
}

void bench_ud_send(const struct bench_options *options)
{
    struct bench_end end;
    bench_pin(0);
    bench_start(options, 1);
    bench_open(options, 0, WEFT_TRANSPORT_UD, &end);
    struct weft_destination *destination = resolve(&end, options);
    const struct weft_work work = {.memory = end.buffer,
                                   .lkey = end.region.lkey,
                                   .len_bytes = options->size_bytes,
                                   .operation = WEFT_OPERATION_SEND,
                                   .destination = destination};
    (void)send_until(&end, &work, options, bench_now_ns() + 200000000u);
    uint64_t packets_before = end.driver->counters(end.device)->sent_packets;
    uint64_t start_ns = bench_now_ns();
    (void)send_until(&end, &work, options, start_ns + options->seconds * UINT64_C(1000000000));
    double seconds = (double)(bench_now_ns() - start_ns) / 1e9;
    uint64_t packets = end.driver->counters(end.device)->sent_packets - packets_before;
    (void)printf("{\"packets\": %lu, \"packets_per_s\": %.1f}\n", packets,
                 (double)packets / seconds);
    end.driver->destination_destroy(end.endpoint, destination);
    bench_close(&end);
    options->driver->stop(NULL);
}
