/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes in a burst in an awkward order, and what goes away while it is in use. Frames are
 * handed over one by one: which of them arrive before an answer goes out is the point. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define BURST 64u

struct burst {
    uint8_t frames[BURST][WEFT_ROCE_FRAME_MAX];
    uint32_t len_bytes[BURST];
    uint32_t count;
};

/* What the side would send now. */
static void take(const struct net *net, uint32_t side, struct burst *burst, uint32_t most)
{
    struct weft_roce_frame frames[BURST];
    for (uint32_t i = 0; i < most; i++)
        frames[i] = (struct weft_roce_frame){burst->frames[i], WEFT_ROCE_FRAME_MAX, 0};
    burst->count = weft_roce_transmit(net->sides[side].port, frames, most, net->now_ns);
    for (uint32_t i = 0; i < burst->count; i++)
        burst->len_bytes[i] = frames[i].len_bytes;
}

static void give(const struct net *net, uint32_t side, const struct burst *burst, uint32_t index)
{
    cr_assert_lt(index, burst->count);
    weft_roce_receive(net->sides[side].port, burst->frames[index], burst->len_bytes[index],
                      net->now_ns);
}

static void give_all(const struct net *net, uint32_t side, const struct burst *burst)
{
    for (uint32_t i = 0; i < burst->count; i++)
        give(net, side, burst, i);
}

static uint8_t opcode_of(const struct burst *burst, uint32_t index)
{
    return burst->frames[index][42];
}

static uint32_t psn_of(const struct burst *burst, uint32_t index)
{
    return weft_wire_get24(burst->frames[index] + 50);
}

static void expect_answer(const struct burst *burst, uint32_t index, uint8_t class, uint32_t psn)
{
    cr_assert_lt(index, burst->count, "%u answers", burst->count);
    cr_assert_eq(opcode_of(burst, index), WEFT_OPCODE_RC_ACKNOWLEDGE);
    cr_assert_eq(burst->frames[index][54] & WEFT_AETH_CLASS_MASK, class);
    cr_assert_eq(psn_of(burst, index), psn & 0xffffff);
}

static void expect(struct net *net, uint32_t side, uint64_t id, enum weft_status status)
{
    struct weft_completion completion = net_wait(net, side);
    cr_assert_eq(completion.id, id, "id %lu, not %lu", completion.id, id);
    cr_assert_eq(completion.status, status, "%lu: %s", id, weft_status_text(completion.status));
}

static void post(struct net *net, uint32_t from, uint64_t id, enum weft_operation operation,
                 uint32_t len_bytes)
{
    struct weft_work work = net_work(net, from, operation, 0, len_bytes);
    work.id = id;
    net_send(net, from, &work);
}

static void start(struct net *net, enum weft_transport transport)
{
    net_init(net, &(struct net_options){.seed = 5,
                                        .mtu_bytes = 256,
                                        .window_packets = 8,
                                        .memory_bytes = 1u << 17,
                                        .transport = transport});
    net_connect(net);
}

/* ---- ACK and NAK of one burst ---- */

/* Five packets, of which the second asks for an acknowledgement. */
static uint32_t start_write(struct net *net, struct burst *burst)
{
    start(net, WEFT_TRANSPORT_RC);
    post(net, 0, 1, WEFT_OPERATION_WRITE, 5 * 256);
    take(net, 0, burst, BURST);
    cr_assert_eq(burst->count, 5);
    return psn_of(burst, 0);
}

static struct burst sent, answered;

Test(adverse, acknowledges_before_it_refuses)
{
    struct net net;
    uint32_t psn = start_write(&net, &sent);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 1);
    give(&net, 1, &sent, 3);
    give(&net, 1, &sent, 4);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 2);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_ACK, psn + 1);
    expect_answer(&answered, 1, WEFT_AETH_CLASS_NAK, psn + 2);
    give_all(&net, 0, &answered);
    take(&net, 0, &sent, BURST);
    cr_assert_eq(sent.count, 3, "from the packet refused on");
    give_all(&net, 1, &sent);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 1, "nothing is missing any more");
    expect_answer(&answered, 0, WEFT_AETH_CLASS_ACK, psn + 4);
    give_all(&net, 0, &answered);
    expect(&net, 0, 1, WEFT_OK);
    net_fini(&net);
}

/* The missing one still comes in that burst: the refusal is of the next, which was dropped. */
Test(adverse, refuses_what_was_dropped)
{
    struct net net;
    uint32_t psn = start_write(&net, &sent);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 1);
    give(&net, 1, &sent, 3);
    give(&net, 1, &sent, 2);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 2);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_ACK, psn + 2);
    expect_answer(&answered, 1, WEFT_AETH_CLASS_NAK, psn + 3);
    give(&net, 1, &sent, 4);
    give_all(&net, 0, &answered);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 0, "it is refused once");
    expect(&net, 0, 1, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net_fini(&net);
}

/* One frame at a time: the refusal is not forgotten in between, and goes once. */
Test(adverse, refuses_in_the_next_burst)
{
    struct net net;
    uint32_t psn = start_write(&net, &sent);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 1);
    give(&net, 1, &sent, 3);
    take(&net, 1, &answered, 1);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_ACK, psn + 1);
    give(&net, 1, &sent, 4);
    take(&net, 1, &answered, 1);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_NAK, psn + 2);
    take(&net, 1, &answered, 1);
    cr_assert_eq(answered.count, 0);
    net_fini(&net);
}

/* A READ overtaken by the packet behind it: its response acknowledges what was before, and what
 * was dropped is refused all the same. */
Test(adverse, refuses_behind_a_response)
{
    struct net net;
    start(&net, WEFT_TRANSPORT_RC);
    post(&net, 0, 1, WEFT_OPERATION_WRITE, 8);
    post(&net, 0, 2, WEFT_OPERATION_READ, 300);
    post(&net, 0, 3, WEFT_OPERATION_WRITE, 8);
    take(&net, 0, &sent, BURST);
    cr_assert_eq(sent.count, 3);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 2);
    give(&net, 1, &sent, 1);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 2);
    cr_assert_eq(opcode_of(&answered, 0), WEFT_OPCODE_RC_READ_RESPONSE_FIRST);
    cr_assert_eq(opcode_of(&answered, 1), WEFT_OPCODE_RC_READ_RESPONSE_LAST);
    give_all(&net, 0, &answered);
    take(&net, 1, &answered, BURST);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_NAK, psn_of(&sent, 2));
    give_all(&net, 0, &answered);
    for (uint64_t id = 1; id <= 3; id++)
        expect(&net, 0, id, WEFT_OK);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net_fini(&net);
}

/* ---- a queue pair that fails ---- */

/* An ACK waits behind responses when the queue pair that owes them is refused a work of its own:
 * the responses go no more, the ACK does. */
Test(adverse, acknowledges_what_it_took_before_it_failed)
{
    struct net net;
    start(&net, WEFT_TRANSPORT_RC);
    post(&net, 0, 1, WEFT_OPERATION_READ, 100 * 256);
    post(&net, 0, 2, WEFT_OPERATION_WRITE, 8);
    take(&net, 0, &sent, BURST);
    cr_assert_eq(sent.count, 2);
    struct weft_work bad = net_work(&net, 1, WEFT_OPERATION_WRITE, 0, 8);
    bad.rkey++;
    net_send(&net, 1, &bad);
    take(&net, 1, &answered, 1);
    give_all(&net, 0, &answered);
    take(&net, 0, &answered, 1);
    give_all(&net, 1, &sent);
    give_all(&net, 1, &answered);
    cr_assert_eq(weft_roce_qp_state(net.sides[1].qp, NULL), WEFT_ENDPOINT_FAILED);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 1);
    expect_answer(&answered, 0, WEFT_AETH_CLASS_ACK, psn_of(&sent, 1));
    net_fini(&net);
}

/* An ACK that comes after its queue pair failed starts no timer. */
Test(adverse, late_acknowledgement_of_one_that_failed)
{
    struct net net;
    (void)start_write(&net, &sent);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 1);
    struct weft_work bad = net_work(&net, 1, WEFT_OPERATION_READ, 0, 8);
    bad.rkey++;
    net_send(&net, 1, &bad);
    take(&net, 1, &answered, BURST);
    cr_assert_eq(answered.count, 2);
    give(&net, 0, &answered, 1);
    cr_assert_eq(weft_roce_qp_state(net.sides[0].qp, NULL), WEFT_ENDPOINT_FAILED);
    give(&net, 0, &answered, 0);
    net_run(&net, net.now_ns + 10000000);
    cr_assert_eq(weft_roce_port_counters(net.sides[0].port)->timeouts, 0);
    net_fini(&net);
}

/* ---- a region that goes ---- */

static void let_go(struct net *net, uint32_t side)
{
    struct net_side *at = &net->sides[side];
    weft_roce_region_deregister(at->port, &at->region);
}

/* For net_fini. */
static void take_back(struct net *net, uint32_t side)
{
    struct net_side *at = &net->sides[side];
    struct weft_error error = {0};
    cr_assert_eq(weft_roce_region_register(at->port, at->memory, net->options.memory_bytes,
                                           &at->region, &error),
                 WEFT_OK);
}

/* In the middle of a message: no byte goes to memory that is registered no more. */
static void check_receive_goes(enum weft_transport transport)
{
    struct net net;
    start(&net, transport);
    net_fill(net.sides[0].memory, 1280, 3);
    net_receive(&net, 1, 7, 0, 1280);
    post(&net, 0, 1, WEFT_OPERATION_SEND, 1280);
    take(&net, 0, &sent, BURST);
    cr_assert_eq(sent.count, 5);
    give(&net, 1, &sent, 0);
    give(&net, 1, &sent, 1);
    let_go(&net, 1);
    memset(net.sides[1].memory, 0xee, 1280);
    give(&net, 1, &sent, 2);
    give(&net, 1, &sent, 3);
    give(&net, 1, &sent, 4);
    for (uint32_t i = 0; i < 1280; i++)
        cr_assert_eq(net.sides[1].memory[i], 0xee);
    expect(&net, 1, 7, WEFT_LOCAL_PROTECTION);
    expect(&net, 0, 1, transport == WEFT_TRANSPORT_RC ? WEFT_REMOTE_OPERATION : WEFT_OK);
    take_back(&net, 1);
    net_fini(&net);
}

Test(adverse, region_of_a_receive_goes)
{
    check_receive_goes(WEFT_TRANSPORT_RC);
    check_receive_goes(WEFT_TRANSPORT_UC);
}

static void check_send_goes(enum weft_transport transport)
{
    struct net net;
    start(&net, transport);
    struct weft_work inlined = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    inlined.inlined = true;
    net_send(&net, 0, &inlined);
    post(&net, 0, 1, WEFT_OPERATION_WRITE, 1280);
    post(&net, 0, 2, WEFT_OPERATION_WRITE, 8);
    take(&net, 0, &sent, 3);
    cr_assert_eq(sent.count, 3);
    let_go(&net, 0);
    give_all(&net, 1, &sent);
    expect(&net, 0, 0, WEFT_OK);
    expect(&net, 0, 1, WEFT_LOCAL_PROTECTION);
    expect(&net, 0, 2, WEFT_FLUSHED);
    take_back(&net, 0);
    net_fini(&net);
}

Test(adverse, region_of_a_send_goes)
{
    check_send_goes(WEFT_TRANSPORT_RC);
    check_send_goes(WEFT_TRANSPORT_UC);
}

/* It was copied when it was posted: it needs no region. */
Test(adverse, region_of_an_inlined_send_goes)
{
    struct net net;
    start(&net, WEFT_TRANSPORT_RC);
    struct weft_work inlined = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 8);
    inlined.inlined = true;
    net_send(&net, 0, &inlined);
    let_go(&net, 0);
    expect(&net, 0, 0, WEFT_OK);
    take_back(&net, 0);
    net_fini(&net);
}

/* ---- a ring that overflows ---- */

#define RING 512u
#define LONG_BYTES (8u << 20)

struct ring {
    uint8_t (*frames)[WEFT_ROCE_FRAME_MAX];
    uint32_t len_bytes[RING];
    uint32_t count;
    uint64_t lost;
};

/* The side that responds sends up to 2048 frames in a row, of which the ring takes 512. */
static uint32_t burst_into(const struct net *net, struct ring *ring, uint32_t bursts)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < bursts; i++) {
        take(net, 1, &answered, BURST);
        total += answered.count;
        for (uint32_t k = 0; k < answered.count; k++) {
            if (ring->count == RING) {
                ring->lost++;
                continue;
            }
            memcpy(ring->frames[ring->count], answered.frames[k], answered.len_bytes[k]);
            ring->len_bytes[ring->count++] = answered.len_bytes[k];
        }
    }
    return total;
}

static uint32_t drain(const struct net *net, struct ring *ring, uint32_t most)
{
    uint32_t count = ring->count < most ? ring->count : most;
    for (uint32_t i = 0; i < count; i++)
        weft_roce_receive(net->sides[0].port, ring->frames[i], ring->len_bytes[i], net->now_ns);
    ring->count -= count;
    memmove(ring->frames, ring->frames + count, ring->count * sizeof(ring->frames[0]));
    memmove(ring->len_bytes, ring->len_bytes + count, ring->count * sizeof(ring->len_bytes[0]));
    return count;
}

static uint64_t next_event_ns(const struct net *net)
{
    uint64_t first_ns = weft_roce_next_event_ns(net->sides[0].port, net->now_ns);
    uint64_t second_ns = weft_roce_next_event_ns(net->sides[1].port, net->now_ns);
    return first_ns < second_ns ? first_ns : second_ns;
}

/* Most of each burst is lost, the wanted response among them where the ring is full of stale ones.
 * Each time that it is asked for again some arrive, and what counts for the retry limit is a time
 * without any: two in a row would end it. */
static void check_ring(uint32_t bursts, uint32_t drained)
{
    struct net net;
    struct ring ring = {.frames = calloc(RING, sizeof(ring.frames[0]))};
    net_init(&net, &(struct net_options){
                       .seed = 9, .retry_limit = 1, .memory_bytes = LONG_BYTES, .mtu_bytes = 1024});
    net_connect(&net);
    net_fill(net.sides[1].memory, LONG_BYTES, 4);
    post(&net, 0, 1, WEFT_OPERATION_READ, LONG_BYTES);
    struct weft_completion done;
    uint32_t turns = 0;
    while (!weft_roce_cq_poll(net.sides[0].cq, &done, 1)) {
        cr_assert_lt(turns++, 100000);
        take(&net, 0, &sent, BURST);
        give_all(&net, 1, &sent);
        uint32_t moved = sent.count + burst_into(&net, &ring, bursts);
        moved += drain(&net, &ring, drained);
        net.now_ns += 1000;
        uint64_t event_ns = next_event_ns(&net);
        if (!moved && event_ns > net.now_ns)
            net.now_ns = event_ns;
    }
    cr_assert_eq(done.status, WEFT_OK, "%s", weft_status_text(done.status));
    cr_assert_gt(ring.lost, 0);
    cr_assert(net_filled(net.sides[0].memory, LONG_BYTES, 4));
    free(ring.frames);
    net_fini(&net);
}

Test(adverse, long_read_into_a_short_ring)
{
    check_ring(32, RING);
    check_ring(200, RING);
    check_ring(32, 64);
    check_ring(2, 32);
}
