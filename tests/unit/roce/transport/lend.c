/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams that are built when they are posted, into frames that the port was lent. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define FRAMES 160u

/* Side 0 of a net; its frames are taken from it by hand. */
struct sender {
    struct net net;
    struct weft_roce_destination *destination;
    struct weft_roce_frame frames[FRAMES];
    uint8_t buffers[FRAMES][WEFT_ROCE_FRAME_MAX];
};

static struct sender *open_sender(const struct net_options *options)
{
    struct weft_error error = {0};
    struct sender *sender = calloc(1, sizeof(*sender));
    cr_assert(sender);
    struct net_options ud = *options;
    ud.seed = 21;
    ud.transport = WEFT_TRANSPORT_UD;
    ud.depth = 256;
    net_init(&sender->net, &ud);
    const struct net_side *sides = sender->net.sides;
    enum weft_status status =
        weft_roce_destination_create(sides[0].qp, &sides[1].address, &sender->destination, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    while (weft_roce_destination_state(sender->destination, NULL) != WEFT_ENDPOINT_READY)
        cr_assert(net_step(&sender->net));
    for (uint32_t i = 0; i < FRAMES; i++)
        sender->frames[i] = (struct weft_roce_frame){sender->buffers[i], WEFT_ROCE_FRAME_MAX, 0};
    return sender;
}

static void close_sender(struct sender *sender)
{
    weft_roce_destination_destroy(sender->net.sides[0].qp, sender->destination);
    net_fini(&sender->net);
    free(sender);
}

static void lend(struct sender *sender, uint32_t count)
{
    weft_roce_lend(sender->net.sides[0].port, sender->frames, count);
}

static uint32_t transmit(struct sender *sender)
{
    return weft_roce_transmit(sender->net.sides[0].port, sender->frames, FRAMES,
                              sender->net.now_ns);
}

static struct weft_work work_of(const struct sender *sender, uint64_t id, uint32_t len_bytes)
{
    struct weft_work work = net_work(&sender->net, 0, WEFT_OPERATION_SEND, 0, len_bytes);
    work.id = id;
    work.destination = (const void *)sender->destination;
    return work;
}

static void post(struct sender *sender, const struct weft_work *works, uint32_t count)
{
    cr_assert_eq(weft_roce_post_send(sender->net.sides[0].qp, works, count), count);
}

static uint32_t built(const struct sender *sender)
{
    return sender->net.sides[0].port->lent.filled;
}

static uint32_t poll(struct sender *sender, struct weft_completion *completions, uint32_t count)
{
    return weft_roce_cq_poll(sender->net.sides[0].cq, completions, count);
}

static uint32_t psn_of(const struct weft_roce_frame *frame)
{
    return weft_wire_get24(frame->data + 42 + 8);
}

/* Every length, some inline, some without a completion, one with immediate data: the same bytes and
 * completions as without the loan. */
Test(lend, same_as_queued)
{
    static struct weft_work works[2][150];
    static struct weft_completion completions[2][150];
    struct sender *senders[2];
    uint32_t completed[2];
    for (uint32_t lent = 0; lent < 2; lent++) {
        struct sender *sender = senders[lent] =
            open_sender(&(struct net_options){.ipv6 = true, .vlan_id = 7});
        net_fill(sender->net.sides[0].memory, 4096, 1);
        for (uint32_t i = 0; i < 150; i++) {
            struct weft_work *work = &works[lent][i];
            *work = work_of(sender, i, i);
            work->unsignaled = i % 3 == 1;
            work->inlined = i < 64 && i % 5 == 2;
            if (i == 140)
                work->operation = WEFT_OPERATION_SEND_IMMEDIATE;
        }
        if (lent)
            lend(sender, FRAMES);
        post(sender, works[lent], 70);
        post(sender, works[lent] + 70, 80);
        /* All up to the immediate one are built. */
        cr_assert_eq(built(sender), lent ? 140 : 0);
        cr_assert_eq(poll(sender, completions[lent], 150), 0);
        cr_assert_eq(transmit(sender), 150);
        completed[lent] = poll(sender, completions[lent], 150);
    }
    cr_assert_eq(completed[0], 100);
    cr_assert_eq(completed[1], 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(completions[0][i].id, completions[1][i].id);
    for (uint32_t i = 0; i < 150; i++) {
        const struct weft_roce_frame *queued = &senders[0]->frames[i];
        const struct weft_roce_frame *at_once = &senders[1]->frames[i];
        cr_assert_eq(queued->len_bytes, at_once->len_bytes);
        cr_assert_arr_eq(queued->data, at_once->data, queued->len_bytes, "%u bytes", i);
    }
    const struct weft_device_counters *queued =
        weft_roce_port_counters(senders[0]->net.sides[0].port);
    const struct weft_device_counters *at_once =
        weft_roce_port_counters(senders[1]->net.sides[0].port);
    cr_assert_eq(queued->sent_packets, at_once->sent_packets);
    cr_assert_eq(queued->sent_bytes, at_once->sent_bytes);
    close_sender(senders[0]);
    close_sender(senders[1]);
}

/* More than were lent, then more still: those wait, and all leave in order. */
Test(lend, order)
{
    struct weft_completion completions[16];
    struct weft_work works[16];
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    for (uint32_t i = 0; i < 16; i++)
        works[i] = work_of(sender, i, 64);
    lend(sender, 4);
    post(sender, works, 3);
    post(sender, works + 3, 3);
    post(sender, works + 6, 10);
    cr_assert_eq(weft_roce_next_event_ns(sender->net.sides[0].port, sender->net.now_ns),
                 sender->net.now_ns);
    cr_assert_eq(built(sender), 4);
    cr_assert_eq(poll(sender, completions, 16), 0);
    cr_assert_eq(transmit(sender), 16);
    cr_assert_eq(poll(sender, completions, 16), 16);
    for (uint32_t i = 0; i < 16; i++) {
        cr_assert_eq(completions[i].id, i);
        cr_assert_eq(psn_of(&sender->frames[i]), ((psn_of(sender->frames) + i) & 0xffffff));
    }
    close_sender(sender);
}

/* What is built alone is due at once. */
Test(lend, due)
{
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct weft_work work = work_of(sender, 0, 64);
    struct weft_roce_port *port = sender->net.sides[0].port;
    lend(sender, 4);
    cr_assert_gt(weft_roce_next_event_ns(port, sender->net.now_ns), sender->net.now_ns);
    post(sender, &work, 1);
    cr_assert_eq(weft_roce_next_event_ns(port, sender->net.now_ns), sender->net.now_ns);
    cr_assert_eq(transmit(sender), 1);
    /* The loan is over. */
    post(sender, &work, 1);
    cr_assert_eq(built(sender), 0);
    struct weft_completion completions[2];
    cr_assert_eq(poll(sender, completions, 2), 1);
    close_sender(sender);
}

/* What was there before is seen, what is built now is not before it is sent. */
Test(lend, completion)
{
    struct weft_completion completions[3];
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    const struct weft_work works[3] = {work_of(sender, 1, 64), work_of(sender, 2, 64),
                                       work_of(sender, 3, 64)};
    post(sender, &works[0], 1);
    cr_assert_eq(transmit(sender), 1);
    for (int round = 0; round < 3; round++) {
        lend(sender, 4);
        post(sender, &works[1], 2);
        cr_assert_eq(built(sender), 2);
        cr_assert_eq(poll(sender, completions, 3), round == 0);
        cr_assert_eq(transmit(sender), 2);
        cr_assert_eq(poll(sender, completions, 3), 2);
        cr_assert_eq(completions[1].id, 3);
    }
    close_sender(sender);
}

/* A queue pair goes whose datagrams are built; what another has put into the queue stays. */
Test(lend, queue_pair_goes)
{
    struct weft_error error = {0};
    struct weft_completion completions[4];
    struct sender *sender = open_sender(&(struct net_options){.depth = 64});
    struct net_side *side = &sender->net.sides[0];
    struct weft_roce_cq *cq = NULL;
    struct weft_roce_qp *qps[2];
    struct weft_roce_destination *destinations[2];
    struct weft_work work = work_of(sender, 0, 64);
    cr_assert_eq(weft_roce_cq_create(side->port, 16, &cq, &error), WEFT_OK);
    for (uint32_t i = 0; i < 2; i++) {
        const struct weft_roce_qp_options options = {
            .transport = WEFT_TRANSPORT_UD, .cq = cq, .send_depth = 4, .receive_depth = 4};
        cr_assert_eq(weft_roce_qp_create(side->port, &options, &qps[i], &error), WEFT_OK, "%s",
                     error.text);
        cr_assert_eq(weft_roce_destination_create(qps[i], &sender->net.sides[1].address,
                                                  &destinations[i], &error),
                     WEFT_OK);
    }
    lend(sender, 4);
    for (uint32_t i = 0; i < 4; i++) {
        work.id = i;
        work.destination = (const void *)destinations[i & 1];
        cr_assert_eq(weft_roce_post_send(qps[i & 1], &work, 1), 1);
    }
    cr_assert_eq(built(sender), 4);
    weft_roce_destination_destroy(qps[0], destinations[0]);
    weft_roce_qp_destroy(side->port, qps[0]);
    cr_assert_eq(transmit(sender), 4);
    cr_assert_eq(weft_roce_cq_poll(cq, completions, 4), 2);
    cr_assert_eq(completions[0].id, 1);
    cr_assert_eq(completions[1].id, 3);
    weft_roce_destination_destroy(qps[1], destinations[1]);
    weft_roce_qp_destroy(side->port, qps[1]);
    weft_roce_cq_destroy(side->port, cq);
    close_sender(sender);
}

/* The one before goes, the bad one fails, the one behind is flushed. */
Test(lend, bad_lkey)
{
    struct weft_completion completions[3];
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct weft_work works[3];
    for (uint32_t i = 0; i < 3; i++)
        works[i] = work_of(sender, i, 64);
    works[1].lkey ^= 0x10000;
    lend(sender, 4);
    post(sender, works, 3);
    cr_assert_eq(transmit(sender), 1);
    cr_assert_eq(poll(sender, completions, 3), 3);
    cr_assert_eq(completions[0].status, WEFT_OK);
    cr_assert_eq(completions[1].status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(completions[2].status, WEFT_FLUSHED);
    close_sender(sender);
}

/* Memory that the region does not hold to its end. */
Test(lend, beyond_the_region)
{
    struct weft_completion completion;
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct weft_work work = work_of(sender, 0, 64);
    const struct weft_region *region = &sender->net.sides[0].region;
    work.memory = (uint8_t *)region->memory + region->len_bytes - 63;
    lend(sender, 4);
    post(sender, &work, 1);
    cr_assert_eq(transmit(sender), 0);
    cr_assert_eq(poll(sender, &completion, 1), 1);
    cr_assert_eq(completion.status, WEFT_LOCAL_PROTECTION);
    close_sender(sender);
}

/* Where something waits already nothing is lent, and it goes first. */
Test(lend, behind_what_waits)
{
    struct weft_completion completions[2];
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct weft_work works[2] = {work_of(sender, 1, 64), work_of(sender, 2, 64)};
    post(sender, &works[0], 1);
    lend(sender, 4);
    post(sender, &works[1], 1);
    cr_assert_eq(built(sender), 0);
    cr_assert_eq(transmit(sender), 2);
    cr_assert_eq(poll(sender, completions, 2), 2);
    cr_assert_eq(completions[0].id, 1);
    close_sender(sender);
}

/* A question to a neighbour is not the queue pair's, and goes first all the same. */
Test(lend, behind_a_question)
{
    struct weft_error error = {0};
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct net_side *side = &sender->net.sides[0];
    struct weft_endpoint_address peer = sender->net.sides[1].address;
    struct weft_roce_destination *other = NULL;
    peer.gid[15] = 99;
    cr_assert_eq(weft_roce_destination_create(side->qp, &peer, &other, &error), WEFT_OK);
    const struct weft_work work = work_of(sender, 1, 64);
    lend(sender, 4);
    post(sender, &work, 1);
    cr_assert_eq(built(sender), 0);
    cr_assert_eq(transmit(sender), 2);
    cr_assert_eq(weft_wire_get16(sender->frames[0].data + 12), WEFT_ETHERTYPE_ARP);
    weft_roce_destination_destroy(side->qp, other);
    close_sender(sender);
}

/* A paced queue pair's datagrams wait for their time. */
Test(lend, paced)
{
    struct sender *sender = open_sender(&(struct net_options){.rate_bps = 1000000});
    struct weft_work work = work_of(sender, 1, 64);
    lend(sender, 4);
    post(sender, &work, 1);
    cr_assert_eq(built(sender), 0);
    close_sender(sender);
}

/* A device that sends to itself has to look at its frames. */
Test(lend, reaches_itself)
{
    struct weft_error error = {0};
    struct sender *sender = open_sender(&(struct net_options){.seed = 0});
    struct net_side *side = &sender->net.sides[0];
    struct weft_roce_destination *own = NULL;
    cr_assert_not(weft_roce_reaches_itself(side->port));
    cr_assert_eq(weft_roce_destination_create(side->qp, &side->address, &own, &error), WEFT_OK);
    cr_assert(weft_roce_reaches_itself(side->port));
    weft_roce_destination_destroy(side->qp, own);
    close_sender(sender);
}
