/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/roce/net.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/packet/icrc.h"

static void open_side(struct net *net, uint32_t index)
{
    const struct net_options *options = &net->options;
    struct net_side *side = &net->sides[index];
    uint8_t last = (uint8_t)(index + 1);
    struct weft_roce_port_options port = {
        .mac = {2, 0, 0, 0, 0, last},
        .address = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, last}},
        .vlan_id = options->vlan_id,
        .vlan_priority = options->vlan_priority,
        .traffic_class = options->traffic_class,
        .mtu_bytes = options->mtu_bytes,
        .max_qps = 8,
        .max_regions = 8,
        .window_packets = options->window_packets,
        .seed = options->seed * 2 + index,
        .ack_timeout_ns = options->ack_timeout_ns,
        .retry_limit = options->retry_limit,
        .rnr_retry_limit = options->rnr_retry_limit,
        .rate_bps = options->rate_bps,
        .congestion = options->congestion,
    };
    uint32_t read_depth = options->read_depth[index] ? options->read_depth[index] : 4;
    if (options->no_reads[index])
        read_depth = 0;
    if (options->ipv6)
        port.address =
            (struct weft_ip){.version = 6, .prefix_bits = 64, .bytes = {[0] = 0xfd, [15] = last}};
    struct weft_error error = {0};
    enum weft_status status = weft_roce_port_create(&port, &side->port, &error);
    assert(status == WEFT_OK);
    if (!options->reports)
        side->port->neighbours.report_ns = UINT64_MAX;
    status = weft_roce_cq_create(side->port, options->depth * 4, &side->cq, &error);
    assert(status == WEFT_OK);
    status = weft_roce_qp_create(side->port,
                                 &(struct weft_roce_qp_options){.transport = options->transport,
                                                                .cq = side->cq,
                                                                .send_depth = options->depth,
                                                                .receive_depth = options->depth,
                                                                .inline_bytes = 64,
                                                                .read_depth = read_depth,
                                                                .source_port = options->source_port,
                                                                .user = 100 + index},
                                 &side->qp, &error);
    assert(status == WEFT_OK);
    weft_roce_qp_address(side->qp, &side->address);
    side->memory = calloc(1, options->memory_bytes);
    assert(side->memory);
    status = weft_roce_region_register(side->port, side->memory, options->memory_bytes,
                                       &side->region, &error);
    assert(status == WEFT_OK);
}

void net_init(struct net *net, const struct net_options *options)
{
    *net = (struct net){.options = *options, .now_ns = 1000};
    struct net_options *set = &net->options;
    set->mtu_bytes = set->mtu_bytes ? set->mtu_bytes : 1024;
    set->ack_timeout_ns = set->ack_timeout_ns ? set->ack_timeout_ns : 100000;
    set->depth = set->depth ? set->depth : 64;
    set->memory_bytes = set->memory_bytes ? set->memory_bytes : 1u << 16;
    weft_random_seed(&net->random, options->seed);
    net->slots = calloc(NET_SLOTS, sizeof(*net->slots));
    net->buffers = calloc(NET_BURST, sizeof(*net->buffers));
    assert(net->slots && net->buffers);
    open_side(net, 0);
    open_side(net, 1);
}

void net_fini(struct net *net)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct net_side *side = &net->sides[i];
        weft_roce_qp_destroy(side->port, side->qp);
        weft_roce_cq_destroy(side->port, side->cq);
        weft_roce_region_deregister(side->port, &side->region);
        weft_roce_port_destroy(side->port);
        free(side->memory);
    }
    free(net->slots);
    free(net->buffers);
}

static bool happens(struct net *net, uint32_t parts)
{
    return parts && weft_random_below(&net->random, 1024) < parts;
}

void net_put(struct net *net, uint32_t to, const uint8_t *frame, uint32_t len_bytes)
{
    if (net->in_flight == NET_SLOTS)
        return;
    struct net_slot *slot = net->slots;
    while (slot->used)
        slot++;
    memcpy(slot->frame, frame, len_bytes);
    slot->len_bytes = len_bytes;
    slot->used = true;
    slot->to = to;
    slot->order = net->order++;
    slot->due_ns = net->now_ns + 1000;
    if (happens(net, net->options.faults.reorder))
        slot->due_ns += weft_random_below(&net->random, 20000);
    if (happens(net, net->options.faults.corrupt)) {
        uint64_t bit = weft_random_below(&net->random, (uint64_t)len_bytes * 8);
        slot->frame[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
    }
    net->in_flight++;
}

static void send_frame(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    if (net->tap && !net->tap(net, from, frame, len_bytes))
        return;
    if (net->sides[from].mute || happens(net, net->options.faults.drop))
        return;
    net_put(net, 1 - from, frame, len_bytes);
    if (happens(net, net->options.faults.duplicate))
        net_put(net, 1 - from, frame, len_bytes);
}

static uint32_t transmit(struct net *net, uint32_t index)
{
    struct net_side *side = &net->sides[index];
    struct weft_roce_frame frames[NET_BURST];
    uint32_t count = 1 + (uint32_t)weft_random_below(&net->random, NET_BURST);
    if (side->no_frames)
        count = 0;
    for (uint32_t i = 0; i < count; i++)
        frames[i] = (struct weft_roce_frame){net->buffers[i], WEFT_ROCE_FRAME_MAX, 0};
    uint32_t filled = weft_roce_transmit(side->port, frames, count, net->now_ns);
    assert(filled <= count);
    for (uint32_t i = 0; i < filled; i++)
        send_frame(net, index, frames[i].data, frames[i].len_bytes);
    return filled;
}

/* The next to arrive: the earliest, and of those the first that was sent. */
static struct net_slot *next_arrival(struct net *net)
{
    struct net_slot *next = NULL;
    uint32_t left = net->in_flight;
    for (struct net_slot *slot = net->slots; left; slot++) {
        if (!slot->used)
            continue;
        left--;
        if (!next || slot->due_ns < next->due_ns ||
            (slot->due_ns == next->due_ns && slot->order < next->order))
            next = slot;
    }
    return next;
}

static void deliver(struct net *net)
{
    for (;;) {
        struct net_slot *slot = next_arrival(net);
        if (!slot || slot->due_ns > net->now_ns)
            return;
        slot->used = false;
        net->in_flight--;
        weft_roce_receive(net->sides[slot->to].port, slot->frame, slot->len_bytes, net->now_ns);
    }
}

static uint64_t side_event_ns(const struct net *net, uint32_t index)
{
    const struct net_side *side = &net->sides[index];
    uint64_t event_ns = weft_roce_next_event_ns(side->port, net->now_ns);
    /* A port that has something to send and gets no frame would be asked without end. */
    if (side->no_frames && event_ns <= net->now_ns)
        return net->now_ns + 10000;
    return event_ns;
}

bool net_step(struct net *net)
{
    uint64_t next_ns = UINT64_MAX;
    struct net_slot *slot = next_arrival(net);
    if (slot)
        next_ns = slot->due_ns;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t event_ns = side_event_ns(net, i);
        next_ns = event_ns < next_ns ? event_ns : next_ns;
    }
    if (next_ns == UINT64_MAX)
        return false;
    /* A full wire is drained before more is put on it. */
    if (net->in_flight > NET_SLOTS - 4 * NET_BURST)
        next_ns = slot->due_ns;
    if (next_ns > net->now_ns)
        net->now_ns = next_ns;
    deliver(net);
    (void)transmit(net, 0);
    (void)transmit(net, 1);
    return true;
}

void net_run(struct net *net, uint64_t until_ns)
{
    while (net->now_ns < until_ns && net_step(net))
        ;
}

void net_connect(struct net *net)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct weft_error error = {0};
        enum weft_status status =
            weft_roce_qp_connect(net->sides[i].qp, &net->sides[1 - i].address, &error);
        assert(status == WEFT_OK);
    }
    while (weft_roce_qp_state(net->sides[0].qp, NULL) == WEFT_ENDPOINT_CONNECTING ||
           weft_roce_qp_state(net->sides[1].qp, NULL) == WEFT_ENDPOINT_CONNECTING) {
        bool more = net_step(net);
        assert(more);
    }
}

struct weft_completion net_wait(struct net *net, uint32_t side)
{
    struct weft_completion completion = {0};
    while (!weft_roce_cq_poll(net->sides[side].cq, &completion, 1)) {
        bool more = net_step(net);
        assert(more);
    }
    return completion;
}

void net_send(struct net *net, uint32_t from, const struct weft_work *work)
{
    uint32_t taken = weft_roce_post_send(net->sides[from].qp, work, 1);
    assert(taken == 1);
}

void net_receive(struct net *net, uint32_t at, uint64_t id, uint64_t offset_bytes,
                 uint32_t len_bytes)
{
    struct net_side *side = &net->sides[at];
    struct weft_work work = {.id = id,
                             .memory = side->memory + offset_bytes,
                             .lkey = side->region.lkey,
                             .len_bytes = len_bytes};
    uint32_t taken = weft_roce_post_receive(side->qp, &work, 1);
    assert(taken == 1);
}

struct weft_work net_work(const struct net *net, uint32_t from, enum weft_operation operation,
                          uint64_t offset_bytes, uint32_t len_bytes)
{
    const struct net_side *side = &net->sides[from];
    const struct net_side *other = &net->sides[1 - from];
    return (struct weft_work){
        .memory = side->memory + offset_bytes,
        .lkey = side->region.lkey,
        .len_bytes = len_bytes,
        .operation = operation,
        .remote_address = (uint64_t)(uintptr_t)other->memory + offset_bytes,
        .rkey = other->region.rkey,
    };
}

struct weft_work net_atomic(const struct net *net, uint32_t from, enum weft_operation operation,
                            uint64_t offset_bytes, uint64_t compare, uint64_t operand)
{
    struct weft_work work = net_work(net, from, operation, offset_bytes, 8);
    work.compare = compare;
    work.operand = operand;
    return work;
}

void net_fill(uint8_t *memory, size_t len_bytes, uint64_t seed)
{
    for (size_t i = 0; i < len_bytes; i++)
        memory[i] = (uint8_t)((i * 131 + (i >> 8) * 7 + seed * 29 + 1) & 0xff);
}

bool net_filled(const uint8_t *memory, size_t len_bytes, uint64_t seed)
{
    for (size_t i = 0; i < len_bytes; i++)
        if (memory[i] != (uint8_t)((i * 131 + (i >> 8) * 7 + seed * 29 + 1) & 0xff))
            return false;
    return true;
}

void net_inject(struct net *net, uint32_t to, uint8_t *frame, uint32_t len_bytes, bool fix)
{
    if (fix) {
        uint32_t covered_bytes = len_bytes - WEFT_ETHERNET_BYTES - WEFT_ICRC_BYTES;
        uint32_t icrc =
            htole32(weft_icrc_packet(frame + WEFT_ETHERNET_BYTES, WEFT_IPV4_BYTES, covered_bytes));
        memcpy(frame + len_bytes - WEFT_ICRC_BYTES, &icrc, sizeof(icrc));
    }
    weft_roce_receive(net->sides[to].port, frame, len_bytes, net->now_ns);
}
