/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/base/address.h"
#include "drivers/roce/base/ring.h"
#include "drivers/roce/neighbour/arp.h"
#include "drivers/roce/neighbour/ask.h"
#include "drivers/roce/neighbour/discovery.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "drivers/roce/neighbour/transmit.h"
#include "drivers/roce/packet/parse.h"
#include "drivers/roce/transport/flow.h"
#include "drivers/roce/transport/qp.h"
#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/requester.h"
#include "drivers/roce/transport/requester_read.h"
#include "drivers/roce/transport/responder.h"
#include "drivers/roce/transport/responder_read.h"
#include "drivers/roce/transport/uc.h"
#include "drivers/roce/transport/ud.h"

#define DEFAULT_WINDOW_PACKETS 128u
/* 4.096 us * 2^14, what is usual. */
#define DEFAULT_ACK_TIMEOUT_NS UINT64_C(67108864)
#define DEFAULT_RETRIES 7u

static enum weft_status check_address(const struct weft_roce_port_options *options,
                                      struct weft_error *error)
{
    char text[WEFT_IP_TEXT];
    const struct weft_ip *address = &options->address;
    const struct weft_ip *gateway = &options->gateway;
    if ((address->version != 4 && address->version != 6) || !weft_ip_is_host(address) ||
        address->prefix_bits > 8 * weft_ip_len_bytes(address))
        return weft_error_set(error, WEFT_INVALID,
                              "a RoCE port needs a host's IP address, such as 10.0.0.1/24 or "
                              "fd00::1/64");
    if (gateway->version && (gateway->version != address->version || !weft_ip_is_host(gateway) ||
                             !(weft_ip_within(address, gateway) || weft_ip_is_link_local(gateway))))
        return weft_error_set(error, WEFT_INVALID,
                              "the gateway %s is not in the port's own network",
                              weft_ip_format(gateway, false, text));
    return WEFT_OK;
}

static enum weft_status check_marks(const struct weft_roce_port_options *options,
                                    struct weft_error *error)
{
    if (options->vlan_id > 4094)
        return weft_error_set(error, WEFT_INVALID, "VLAN %u: it must be 1 to 4094, or 0 for none",
                              options->vlan_id);
    if (options->vlan_priority > 7)
        return weft_error_set(error, WEFT_INVALID, "a VLAN priority of %u: it must be 0 to 7",
                              options->vlan_priority);
    if (options->vlan_priority && options->vlan_id == WEFT_VLAN_NONE)
        return weft_error_set(error, WEFT_INVALID,
                              "a VLAN priority of %u without a VLAN: only a tag carries it",
                              options->vlan_priority);
    if (options->traffic_class & 3)
        return weft_error_set(
            error, WEFT_INVALID,
            "a traffic class of %#x: its low two bits belong to ECN; give DSCP << 2",
            options->traffic_class);
    return WEFT_OK;
}

static enum weft_status check_options(const struct weft_roce_port_options *options,
                                      struct weft_error *error)
{
    static const uint8_t no_mac[6] = {0};
    uint32_t mtu_bytes = options->mtu_bytes;
    if ((options->mac[0] & 1) || memcmp(options->mac, no_mac, 6) == 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the port's MAC address is zero or a multicast address");
    if (mtu_bytes < 256 || mtu_bytes > 4096 || (mtu_bytes & (mtu_bytes - 1)) != 0)
        return weft_error_set(error, WEFT_INVALID,
                              "a path MTU of %u: it must be 256, 512, 1024, 2048 or 4096",
                              mtu_bytes);
    if (!options->max_qps || options->max_qps > WEFT_ROCE_QPS_MAX)
        return weft_error_set(error, WEFT_INVALID, "%u endpoints on one port: it must be 1 to %u",
                              options->max_qps, WEFT_ROCE_QPS_MAX);
    if (options->max_regions > WEFT_ROCE_REGIONS_MAX)
        return weft_error_set(error, WEFT_INVALID, "%u regions on one port: at most %u",
                              options->max_regions, WEFT_ROCE_REGIONS_MAX);
    if (options->window_packets > WEFT_ROCE_WINDOW_MAX)
        return weft_error_set(error, WEFT_INVALID, "a window of %u packets: at most %u",
                              options->window_packets, WEFT_ROCE_WINDOW_MAX);
    enum weft_status status = check_marks(options, error);
    return status == WEFT_OK ? check_address(options, error) : status;
}

/* What happens to frames outside of the port. */
#define COUNTED_ELSEWHERE                                                        \
    (WEFT_BIT(WEFT_COUNTER_unroutable_packets) | WEFT_BIT(WEFT_COUNTER_pauses) | \
     WEFT_COUNTED_INJECTED)

static void fill_port(struct weft_roce_port *port, const struct weft_roce_port_options *options)
{
    memcpy(port->interface.mac, options->mac, 6);
    port->interface.udp_port = options->udp_port ? options->udp_port : WEFT_ROCE_UDP_PORT;
    port->mtu_bytes = options->mtu_bytes;
    port->mtu_shift = (uint8_t)__builtin_ctz(options->mtu_bytes);
    port->retry_limit = options->retry_limit ? options->retry_limit : DEFAULT_RETRIES;
    port->rnr_retry_limit = options->rnr_retry_limit ? options->rnr_retry_limit : 7;
    port->interface.address = options->address;
    port->interface.gateway = options->gateway;
    port->interface.vlan_id = options->vlan_id;
    port->interface.vlan_priority = options->vlan_priority;
    port->interface.traffic_class = options->traffic_class;
    port->window_packets =
        options->window_packets ? options->window_packets : DEFAULT_WINDOW_PACKETS;
    port->ack_every = port->window_packets >= 4 ? port->window_packets / 4 : 1;
    port->ack_timeout_ns =
        options->ack_timeout_ns ? options->ack_timeout_ns : DEFAULT_ACK_TIMEOUT_NS;
    port->turn_left = WEFT_TRANSMIT_QUANTUM;
    port->qp_max = options->max_qps;
    port->regions.max = options->max_regions;
    port->counters.counted = WEFT_COUNTED_ALL & ~COUNTED_ELSEWHERE;
    weft_random_seed(&port->random, options->seed);
    weft_link_init(&port->active);
    weft_link_init(&port->answers);
    weft_wheel_init(&port->wheel);
    weft_neighbours_init(&port->neighbours, &port->interface, &port->wheel, &port->counters);
}

enum weft_status weft_roce_port_create(const struct weft_roce_port_options *options,
                                       struct weft_roce_port **ret_port, struct weft_error *error)
{
    assert(options && ret_port);
    enum weft_status status = check_options(options, error);
    if (status != WEFT_OK)
        return status;
    struct weft_roce_port *port = calloc(1, sizeof(*port));
    if (!port)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a RoCE port");
    fill_port(port, options);
    port->qp_mask = weft_ring_size(options->max_qps) - 1;
    port->regions.mask = weft_ring_size(options->max_regions) - 1;
    port->qps = calloc(port->qp_mask + 1u, sizeof(struct weft_roce_qp *));
    port->regions.slots = calloc(port->regions.mask + 1u, sizeof(*port->regions.slots));
    if (!port->qps || !port->regions.slots)
        status = weft_error_set(error, WEFT_NO_MEMORY,
                                "no memory for the tables of %u endpoints and %u regions",
                                options->max_qps, options->max_regions);
    if (status == WEFT_OK)
        status = weft_flows_init(port, options, error);
    if (status != WEFT_OK) {
        weft_roce_port_destroy(port);
        return status;
    }
    *ret_port = port;
    return WEFT_OK;
}

void weft_roce_port_destroy(struct weft_roce_port *port)
{
    if (!port)
        return;
    assert(!port->qp_count && !port->cq_count && !port->regions.count);
    weft_flows_fini(port);
    weft_neighbours_free(&port->neighbours);
    free(port->qps);
    free(port->regions.slots);
    free(port);
}

const struct weft_device_counters *weft_roce_port_counters(const struct weft_roce_port *port)
{
    return &port->counters;
}

uint32_t weft_roce_port_mtu(const struct weft_roce_port *port)
{
    return port->mtu_bytes;
}

bool weft_roce_reaches_itself(const struct weft_roce_port *port)
{
    return port->neighbours.reaches_itself;
}

/* Queue pairs only mark themselves as ready or failed here: none leaves its neighbour meanwhile. */
static void tell_users(const struct weft_neighbour *neighbour)
{
    const struct weft_link *users = &neighbour->users;
    for (struct weft_link *link = users->next; link != users; link = link->next) {
        struct weft_path *path = WEFT_CONTAINER(link, struct weft_path, link);
        weft_path_neighbour_changed(path);
        if (path->qp)
            weft_qp_neighbour_changed(path->qp);
    }
}

/* After whatever may have changed neighbours, at once: no frame waits for the news. */
static void tell_changes(struct weft_roce_port *port)
{
    const struct weft_neighbour *neighbour;
    while ((neighbour = weft_neighbours_next_changed(&port->neighbours)) != NULL)
        tell_users(neighbour);
}

enum weft_status weft_roce_neighbour_add(struct weft_roce_port *port, const struct weft_ip *address,
                                         const uint8_t mac[6], struct weft_error *error)
{
    enum weft_status status = weft_neighbour_fix(&port->neighbours, address, mac, error);
    tell_changes(port);
    return status;
}

static void receive_rc(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns)
{
    switch ((enum weft_opcode_kind)packet->opcode->kind) {
    case WEFT_OPCODE_SEND:
    case WEFT_OPCODE_WRITE:
    case WEFT_OPCODE_READ_REQUEST:
    case WEFT_OPCODE_ATOMIC:
    case WEFT_OPCODE_SEND_INVALIDATE:
        weft_responder_receive(qp, packet);
        break;
    case WEFT_OPCODE_ACKNOWLEDGE:
        weft_requester_acknowledge(qp, packet, now_ns);
        break;
    case WEFT_OPCODE_CONGESTION:
        weft_flow_notified(qp, packet, now_ns);
        break;
    case WEFT_OPCODE_READ_RESPONSE:
    case WEFT_OPCODE_ATOMIC_ACKNOWLEDGE:
        weft_requester_response(qp, packet, now_ns);
        break;
    case WEFT_OPCODE_NONE:
        qp->port->counters.unexpected_packets++;
        break;
    }
}

static void receive_uc(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns)
{
    if (packet->opcode->kind == WEFT_OPCODE_CONGESTION)
        weft_flow_notified(qp, packet, now_ns);
    else
        weft_uc_receive(qp, packet);
}

/* The queue pair that the packet is for, from the peer that it is connected to; NULL: none. */
static struct weft_roce_qp *find_qp(const struct weft_roce_port *port,
                                    const struct weft_packet *packet)
{
    struct weft_roce_qp *qp = port->qps[packet->qpn & port->qp_mask];
    if (!qp || qp->qpn != packet->qpn || qp->state == WEFT_ENDPOINT_NEW)
        return NULL;
    uint8_t service = packet->bth[0] >> 5;
    if (qp->transport == WEFT_TRANSPORT_UD)
        return service == WEFT_SERVICE_UD ? qp : NULL;
    uint8_t own = qp->transport == WEFT_TRANSPORT_UC ? WEFT_SERVICE_UC : WEFT_SERVICE_RC;
    if (service != own && service != WEFT_SERVICE_CNP)
        return NULL;
    bool known = packet->ip_bytes == WEFT_IPV4_BYTES
                     ? memcmp(packet->ip + 12, qp->path.address.bytes, 4) == 0
                     : memcmp(packet->ip + 8, qp->path.address.bytes, 16) == 0;
    return known ? qp : NULL;
}

static void receive_roce(struct weft_roce_port *port, const struct weft_packet *packet,
                         uint64_t now_ns)
{
    struct weft_roce_qp *qp = find_qp(port, packet);
    if (!qp) {
        port->counters.unexpected_packets++;
        return;
    }
    if (!weft_packet_icrc_good(packet)) {
        port->counters.icrc_errors++;
        return;
    }
    if (weft_packet_marked(packet))
        weft_flow_marked(qp, packet, now_ns);
    if (qp->transport == WEFT_TRANSPORT_UD)
        weft_ud_receive(qp, packet);
    else if (qp->transport == WEFT_TRANSPORT_UC)
        receive_uc(qp, packet, now_ns);
    else
        receive_rc(qp, packet, now_ns);
}

void weft_roce_receive(struct weft_roce_port *port, const uint8_t *frame, uint32_t len_bytes,
                       uint64_t now_ns)
{
    struct weft_packet packet;
    port->counters.received_packets++;
    port->counters.received_bytes += len_bytes;
    switch (weft_packet_parse(&port->interface, frame, len_bytes, &packet)) {
    case WEFT_PARSE_ROCE:
        receive_roce(port, &packet, now_ns);
        break;
    case WEFT_PARSE_ARP:
        weft_arp_receive(&port->neighbours, packet.ip, packet.network_bytes, now_ns);
        tell_changes(port);
        break;
    case WEFT_PARSE_MALFORMED:
        port->counters.malformed_packets++;
        break;
    case WEFT_PARSE_ICMPV6:
        weft_discovery_receive(&port->neighbours, packet.ip, frame + 6, now_ns);
        tell_changes(port);
        break;
    case WEFT_PARSE_UNEXPECTED:
        port->counters.unexpected_packets++;
        break;
    }
}

static void expire(struct weft_roce_port *port, struct weft_timer *timer, uint64_t now_ns)
{
    if (timer->kind == WEFT_TIMER_QP) {
        weft_requester_expired(WEFT_CONTAINER(timer, struct weft_roce_qp, timer));
        return;
    }
    weft_neighbour_expired(&port->neighbours, WEFT_CONTAINER(timer, struct weft_neighbour, timer),
                           now_ns);
    tell_changes(port);
}

static void run_timers(struct weft_roce_port *port, uint64_t now_ns)
{
    struct weft_link expired;
    weft_link_init(&expired);
    weft_wheel_run(&port->wheel, now_ns, &expired);
    while (!weft_link_empty(&expired)) {
        struct weft_timer *timer = WEFT_CONTAINER(expired.next, struct weft_timer, link);
        weft_link_remove(&timer->link);
        /* Another's expiry may have set it anew. */
        if (timer->deadline_ns != WEFT_TIMER_NEVER)
            weft_timer_set(&port->wheel, timer, timer->deadline_ns);
        else
            expire(port, timer, now_ns);
    }
}

static uint32_t transmit_answers(struct weft_roce_port *port, struct weft_roce_frame *frames,
                                 uint32_t count)
{
    uint32_t filled = 0;
    while (filled < count && !weft_link_empty(&port->answers)) {
        struct weft_roce_qp *qp = WEFT_CONTAINER(port->answers.next, struct weft_roce_qp, answer);
        weft_link_remove(&qp->answer);
        weft_responder_build(qp, &frames[filled++]);
    }
    return filled;
}

/* Responses and what the queue pair sends by itself share the frames. */
static uint32_t fill_both(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count,
                          uint64_t now_ns)
{
    qp->responses_first = !qp->responses_first;
    uint32_t share = (count + qp->responses_first) >> 1;
    uint32_t filled = weft_responder_respond(qp, frames, share);
    filled += weft_requester_transmit(qp, frames + filled, count - filled, now_ns);
    return filled + weft_responder_respond(qp, frames + filled, count - filled);
}

static uint32_t fill_frames(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count,
                            uint64_t now_ns)
{
    if (qp->transport == WEFT_TRANSPORT_UD)
        return weft_ud_transmit(qp, frames, count);
    if (qp->transport == WEFT_TRANSPORT_UC)
        return weft_uc_transmit(qp, frames, count);
    if (qp->responding)
        return fill_both(qp, frames, count, now_ns);
    return weft_requester_transmit(qp, frames, count, now_ns);
}

/* One by one, each when it is due. */
static uint32_t fill_paced(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count,
                           uint64_t now_ns)
{
    uint32_t filled = 0;
    while (filled < count && weft_flow_due(qp, now_ns) &&
           fill_frames(qp, frames + filled, 1, now_ns))
        weft_flow_sent(qp, frames[filled++].len_bytes, now_ns);
    return filled;
}

static void wake_parked(struct weft_roce_port *port, uint64_t now_ns)
{
    struct weft_roce_qp *qp;
    while ((qp = weft_flows_wake(port, now_ns)) != NULL)
        weft_qp_activate(qp);
}

/* Queue pairs in turn. One whose turn is cut short by the end of the frames stays first and has the
 * rest of it next time: all get the same share, however many frames come at once. */
static uint32_t transmit_data(struct weft_roce_port *port, struct weft_roce_frame *frames,
                              uint32_t count, uint64_t now_ns)
{
    uint32_t filled = 0;
    while (filled < count && !weft_link_empty(&port->active)) {
        struct weft_roce_qp *qp = WEFT_CONTAINER(port->active.next, struct weft_roce_qp, active);
        uint32_t room = count - filled;
        uint32_t quantum = room < port->turn_left ? room : port->turn_left;
        uint32_t sent = qp->paced ? fill_paced(qp, frames + filled, quantum, now_ns)
                                  : fill_frames(qp, frames + filled, quantum, now_ns);
        filled += sent;
        port->turn_left -= sent;
        if (qp->paced && weft_flow_settle(qp, weft_qp_can_send(qp), now_ns)) {
            port->turn_left = WEFT_TRANSMIT_QUANTUM;
            continue;
        }
        if (port->turn_left && weft_qp_can_send(qp))
            break;
        port->turn_left = WEFT_TRANSMIT_QUANTUM;
        weft_link_remove(&qp->active);
        weft_qp_activate(qp);
    }
    return filled;
}

static void count_sent(struct weft_roce_port *port, const struct weft_roce_frame *frames,
                       uint32_t count)
{
    uint64_t sent_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        sent_bytes += frames[i].len_bytes;
        /* One by one: a vector's load would wait for the stores that it spans. */
        __asm__("" : "+r"(sent_bytes));
    }
    port->counters.sent_packets += count;
    port->counters.sent_bytes += sent_bytes;
}

/* Something waits that has nothing to do with what is posted next, and goes before it. */
static bool has_waiting(const struct weft_roce_port *port)
{
    return !weft_link_empty(&port->active) || !weft_link_empty(&port->answers) ||
           !weft_link_empty(&port->flows.notifications) ||
           weft_neighbours_pending(&port->neighbours);
}

void weft_roce_lend(struct weft_roce_port *port, struct weft_roce_frame *frames, uint32_t count)
{
    assert(!port->lent.filled);
    if (!port->datagram_qps || has_waiting(port))
        count = 0;
    port->lent = (struct weft_lent){.frames = frames, .count = count, .loan = port->lent.loan + 1};
}

/* What was filled since they were lent. */
static uint32_t end_loan(struct weft_roce_port *port, const struct weft_roce_frame *frames,
                         uint32_t count)
{
    uint32_t filled = port->lent.filled;
    assert(!filled || (frames == port->lent.frames && count >= filled));
    port->lent.count = 0;
    port->lent.filled = 0;
    return filled;
}

uint32_t weft_roce_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                            uint32_t count, uint64_t now_ns)
{
    uint32_t filled = end_loan(port, frames, count);
    run_timers(port, now_ns);
    filled += weft_neighbours_transmit(&port->neighbours, frames + filled, count - filled, now_ns);
    filled += weft_flows_transmit(port, frames + filled, count - filled);
    filled += transmit_answers(port, frames + filled, count - filled);
    wake_parked(port, now_ns);
    filled += transmit_data(port, frames + filled, count - filled, now_ns);
    count_sent(port, frames, filled);
    return filled;
}

uint64_t weft_roce_next_event_ns(const struct weft_roce_port *port, uint64_t now_ns)
{
    if (port->lent.filled || has_waiting(port))
        return now_ns;
    uint64_t timer_ns = weft_wheel_next_ns(&port->wheel);
    uint64_t due_ns = weft_flows_next_ns(port);
    return due_ns < timer_ns ? due_ns : timer_ns;
}
