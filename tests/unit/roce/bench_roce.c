/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast the transport is by itself: two ports in one thread hand each other frames by pointer.
 * Run by hand; figures are for both ends together. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/roce/roce.h"

#define BURST 32u
#define DEPTH 256u

struct side {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_roce_qp *qp;
    struct weft_endpoint_address address;
    struct weft_region region;
    uint8_t *memory;
};

struct bench {
    struct side sides[2];
    uint8_t (*buffers)[WEFT_ROCE_FRAME_MAX + 16];
    uint64_t frames;
    uint64_t now_ns;
};

static uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check(enum weft_status status, const struct weft_error *error)
{
    if (status == WEFT_OK)
        return;
    (void)fprintf(stderr, "bench_roce: %s\n", error->text);
    exit(EXIT_FAILURE);
}

static void open_side(struct side *side, uint8_t last, uint32_t window_packets, size_t memory_bytes)
{
    struct weft_error error = {0};
    struct weft_roce_port_options options = {
        .mac = {2, 0, 0, 0, 0, last},
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, last}},
        .mtu_bytes = 4096,
        .max_qps = 4,
        .max_regions = 4,
        .window_packets = window_packets,
        .seed = last,
    };
    check(weft_roce_port_create(&options, &side->port, &error), &error);
    check(weft_roce_cq_create(side->port, 2 * DEPTH, &side->cq, &error), &error);
    struct weft_roce_qp_options qp = {.transport = WEFT_TRANSPORT_RC,
                                      .cq = side->cq,
                                      .send_depth = DEPTH,
                                      .receive_depth = DEPTH};
    check(weft_roce_qp_create(side->port, &qp, &side->qp, &error), &error);
    weft_roce_qp_address(side->qp, &side->address);
    side->memory = aligned_alloc(4096, memory_bytes);
    if (!side->memory)
        exit(EXIT_FAILURE);
    memset(side->memory, last, memory_bytes);
    check(weft_roce_region_register(side->port, side->memory, memory_bytes, &side->region, &error),
          &error);
}

static void close_side(struct side *side)
{
    weft_roce_qp_destroy(side->port, side->qp);
    weft_roce_cq_destroy(side->port, side->cq);
    weft_roce_region_deregister(side->port, &side->region);
    weft_roce_port_destroy(side->port);
    free(side->memory);
}

static void exchange(struct bench *bench, uint32_t from)
{
    struct weft_roce_frame frames[BURST];
    for (uint32_t i = 0; i < BURST; i++)
        frames[i] = (struct weft_roce_frame){bench->buffers[i] + 2, WEFT_ROCE_FRAME_MAX, 0};
    uint32_t filled = weft_roce_transmit(bench->sides[from].port, frames, BURST, bench->now_ns);
    for (uint32_t i = 0; i < filled; i++)
        weft_roce_receive(bench->sides[1 - from].port, frames[i].data, frames[i].len_bytes,
                          bench->now_ns);
    bench->frames += filled;
}

static void turn(struct bench *bench)
{
    bench->now_ns = clock_ns();
    exchange(bench, 0);
    exchange(bench, 1);
}

static uint32_t post(struct bench *bench, enum weft_operation operation, uint32_t len_bytes,
                     uint64_t count)
{
    struct side *sides = bench->sides;
    uint32_t posted = 0;
    struct weft_work work = {
        .memory = sides[0].memory,
        .lkey = sides[0].region.lkey,
        .len_bytes = len_bytes,
        .operation = operation,
        .remote_address = (uint64_t)(uintptr_t)sides[1].memory,
        .rkey = sides[1].region.rkey,
    };
    while (posted < count && weft_roce_post_send(sides[0].qp, &work, 1))
        posted++;
    return posted;
}

static void post_receives(struct side *side, uint32_t len_bytes)
{
    struct weft_work work = {
        .memory = side->memory, .lkey = side->region.lkey, .len_bytes = len_bytes};
    while (weft_roce_post_receive(side->qp, &work, 1))
        ;
}

static uint64_t take(struct side *side)
{
    struct weft_completion completions[BURST];
    uint64_t sends = 0;
    uint32_t count;
    while ((count = weft_roce_cq_poll(side->cq, completions, BURST)) != 0) {
        for (uint32_t i = 0; i < count; i++) {
            assert(completions[i].status == WEFT_OK);
            sends += completions[i].operation != WEFT_OPERATION_RECEIVE;
        }
    }
    return sends;
}

static void run(enum weft_operation operation, uint32_t len_bytes, uint64_t messages,
                uint32_t window_packets)
{
    struct bench bench = {.buffers = calloc(BURST, sizeof(*bench.buffers))};
    struct weft_error error = {0};
    for (uint32_t i = 0; i < 2; i++)
        open_side(&bench.sides[i], (uint8_t)(i + 1), window_packets, len_bytes);
    for (uint32_t i = 0; i < 2; i++)
        check(weft_roce_qp_connect(bench.sides[i].qp, &bench.sides[1 - i].address, &error), &error);
    while (weft_roce_qp_state(bench.sides[0].qp, NULL) != WEFT_ENDPOINT_READY ||
           weft_roce_qp_state(bench.sides[1].qp, NULL) != WEFT_ENDPOINT_READY)
        turn(&bench);
    uint64_t posted = 0;
    uint64_t done = 0;
    uint64_t start_ns = clock_ns();
    bench.frames = 0;
    while (done < messages) {
        if (operation != WEFT_OPERATION_WRITE)
            post_receives(&bench.sides[1], len_bytes);
        posted += post(&bench, operation, len_bytes, messages - posted);
        turn(&bench);
        done += take(&bench.sides[0]);
        (void)take(&bench.sides[1]);
    }
    double elapsed_ns = (double)(clock_ns() - start_ns);
    static const char *const names[] = {"SEND", "WRITE", "WRITE_IMMEDIATE"};
    (void)printf("%-15s %8u B  window %4u: %8.1f ns a message, %7.1f Gb/s, %6.1f ns a frame, "
                 "%.2f M/s\n",
                 names[operation], len_bytes, window_packets, elapsed_ns / (double)messages,
                 (double)messages * len_bytes * 8 / elapsed_ns, elapsed_ns / (double)bench.frames,
                 (double)messages * 1e3 / elapsed_ns);
    close_side(&bench.sides[0]);
    close_side(&bench.sides[1]);
    free(bench.buffers);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run(WEFT_OPERATION_WRITE, (uint32_t)atoi(argv[1]), (uint64_t)atoll(argv[2]), 128);
        return 0;
    }
    run(WEFT_OPERATION_SEND, 64, 5000000, 128);
    run(WEFT_OPERATION_WRITE, 64, 5000000, 128);
    run(WEFT_OPERATION_WRITE_IMMEDIATE, 64, 5000000, 128);
    run(WEFT_OPERATION_WRITE, 4096, 1000000, 128);
    run(WEFT_OPERATION_WRITE, 1u << 20, 10000, 64);
    run(WEFT_OPERATION_WRITE, 1u << 20, 10000, 128);
    run(WEFT_OPERATION_SEND, 1u << 20, 10000, 128);
    return EXIT_SUCCESS;
}
