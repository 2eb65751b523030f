/* SPDX-License-Identifier: BSD-3-Clause */
/* One packet size, one direction, as many packets as it says: tests/performance/instructions counts
 * the instructions of `measured_send` or `measured_receive` under callgrind. Two ports of
 * drivers/roce hand each other frames by pointer: no DPDK, no thread, no clock, so the count is the
 * same each time. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/roce/roce.h"

#define BURST 32u
#define DEPTH 256u
#define PACKETS 3200u

struct side {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_roce_qp *qp;
    struct weft_endpoint_address address;
    struct weft_region region;
    uint8_t *memory;
};

struct wire {
    uint8_t buffers[BURST][WEFT_ROCE_FRAME_MAX + 16];
    struct weft_roce_frame frames[BURST];
    uint32_t filled;
};

static struct side sides[2];
static struct wire there, back;
static struct weft_work sends[BURST];
static struct weft_work receives[BURST];
static uint64_t now_ns;

static void must(enum weft_status status, const struct weft_error *error)
{
    if (status == WEFT_OK)
        return;
    (void)fprintf(stderr, "instructions: %s\n", error->text);
    exit(EXIT_FAILURE);
}

static void open_side(struct side *side, uint8_t last, enum weft_transport transport)
{
    struct weft_error error = {0};
    const struct weft_roce_port_options options = {
        .mac = {2, 0, 0, 0, 0, last},
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, last}},
        .mtu_bytes = 4096,
        .max_qps = 4,
        .max_regions = 4,
        .seed = last,
    };
    must(weft_roce_port_create(&options, &side->port, &error), &error);
    must(weft_roce_cq_create(side->port, 2 * DEPTH, &side->cq, &error), &error);
    const struct weft_roce_qp_options qp = {
        .transport = transport, .cq = side->cq, .send_depth = DEPTH, .receive_depth = DEPTH};
    must(weft_roce_qp_create(side->port, &qp, &side->qp, &error), &error);
    weft_roce_qp_address(side->qp, &side->address);
    side->memory = aligned_alloc(4096, 8192);
    assert(side->memory);
    memset(side->memory, last, 8192);
    must(weft_roce_region_register(side->port, side->memory, 8192, &side->region, &error), &error);
}

static void close_side(struct side *side)
{
    weft_roce_qp_destroy(side->port, side->qp);
    weft_roce_cq_destroy(side->port, side->cq);
    weft_roce_region_deregister(side->port, &side->region);
    weft_roce_port_destroy(side->port);
    free(side->memory);
}

/* As a device does before it is posted to. */
static void lend(struct side *from, struct wire *wire)
{
    for (uint32_t i = 0; i < BURST; i++)
        wire->frames[i] = (struct weft_roce_frame){wire->buffers[i] + 2, WEFT_ROCE_FRAME_MAX, 0};
    weft_roce_lend(from->port, wire->frames, BURST);
}

static void transmit(struct side *from, struct wire *wire)
{
    wire->filled = weft_roce_transmit(from->port, wire->frames, BURST, now_ns);
}

static void fill(struct side *from, struct wire *wire)
{
    lend(from, wire);
    transmit(from, wire);
}

static void empty(struct side *to, struct wire *wire)
{
    for (uint32_t i = 0; i < wire->filled; i++)
        weft_roce_receive(to->port, wire->frames[i].data, wire->frames[i].len_bytes, now_ns);
    wire->filled = 0;
}

static uint32_t take(struct side *side)
{
    struct weft_completion completions[2 * BURST];
    uint32_t count = weft_roce_cq_poll(side->cq, completions, 2 * BURST);
    for (uint32_t i = 0; i < count; i++)
        assert(completions[i].status == WEFT_OK);
    return count;
}

/* A burst is posted and sent. */
__attribute__((noinline)) static void measured_send(void)
{
    lend(&sides[0], &there);
    uint32_t posted = weft_roce_post_send(sides[0].qp, sends, BURST);
    assert(posted == BURST);
    transmit(&sides[0], &there);
    __asm__ volatile("");
}

/* The acknowledgement is taken, and the completions. */
__attribute__((noinline)) static void measured_send_end(void)
{
    empty(&sides[0], &back);
    (void)take(&sides[0]);
    __asm__ volatile("");
}

/* A burst is taken in, acknowledged where it is RC, its completions taken, receives posted anew. */
__attribute__((noinline)) static void measured_receive(void)
{
    empty(&sides[1], &there);
    uint32_t count = take(&sides[1]);
    assert(count == BURST);
    (void)weft_roce_post_receive(sides[1].qp, receives, count);
    fill(&sides[1], &back);
    __asm__ volatile("");
}

static struct weft_roce_destination *connect(enum weft_transport transport)
{
    struct weft_error error = {0};
    struct weft_roce_destination *destination = NULL;
    if (transport == WEFT_TRANSPORT_UD)
        must(weft_roce_destination_create(sides[0].qp, &sides[1].address, &destination, &error),
             &error);
    else
        for (int i = 0; i < 2; i++)
            must(weft_roce_qp_connect(sides[i].qp, &sides[1 - i].address, &error), &error);
    for (int i = 0; i < 4; i++) {
        fill(&sides[0], &there);
        empty(&sides[1], &there);
        fill(&sides[1], &back);
        empty(&sides[0], &back);
    }
    return destination;
}

/* One by one at first: by its answers the sender learns how many receives there are. */
static void warm_up(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t posted = weft_roce_post_send(sides[0].qp, sends, 1);
        assert(posted == 1);
        fill(&sides[0], &there);
        empty(&sides[1], &there);
        (void)weft_roce_post_receive(sides[1].qp, receives, take(&sides[1]));
        fill(&sides[1], &back);
        empty(&sides[0], &back);
        posted = take(&sides[0]);
        assert(posted == 1);
    }
}

static void run(enum weft_transport transport, uint32_t len_bytes)
{
    uint32_t grh_bytes = transport == WEFT_TRANSPORT_UD ? WEFT_GRH_BYTES : 0;
    open_side(&sides[0], 1, transport);
    open_side(&sides[1], 2, transport);
    struct weft_roce_destination *destination = connect(transport);
    for (uint32_t i = 0; i < BURST; i++) {
        sends[i] = (struct weft_work){
            .memory = sides[0].memory,
            .lkey = sides[0].region.lkey,
            .len_bytes = len_bytes,
            .operation = WEFT_OPERATION_SEND,
            .destination = (const struct weft_destination *)(void *)destination,
        };
        receives[i] = (struct weft_work){.memory = sides[1].memory,
                                         .lkey = sides[1].region.lkey,
                                         .len_bytes = len_bytes + grh_bytes};
    }
    for (uint32_t i = 0; i < 4; i++)
        (void)weft_roce_post_receive(sides[1].qp, receives, BURST);
    warm_up();
    for (uint32_t i = 0; i < PACKETS; i += BURST) {
        measured_send();
        measured_receive();
        measured_send_end();
        now_ns += 10000;
    }
    uint64_t sent = weft_roce_port_counters(sides[0].port)->sent_packets;
    (void)printf("%u packets\n", PACKETS);
    assert(sent >= PACKETS && sent < PACKETS + 12);
    weft_roce_destination_destroy(sides[0].qp, destination);
    close_side(&sides[0]);
    close_side(&sides[1]);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: instructions ud|rc BYTES\n");
        return 2;
    }
    run(strcmp(argv[1], "ud") == 0 ? WEFT_TRANSPORT_UD : WEFT_TRANSPORT_RC,
        (uint32_t)strtoul(argv[2], NULL, 10));
    return 0;
}
