/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/flow.h"

#include <assert.h>
#include <stdlib.h>

#include "fabric/base/units.h"

/* DSCP 48 (CS6, network control), where RDMA NICs put their CNPs. Not ECN-capable: nobody would
 * answer a mark on it. */
#define CNP_TRAFFIC_CLASS (48u << 2)
#define CNP_PAYLOAD_BYTES 16u
#define BTH_BECN 0x40u

static enum weft_status check_rate(uint64_t rate_bps, struct weft_error *error)
{
    char text[WEFT_UNITS_TEXT];
    char least[WEFT_UNITS_TEXT];
    if (!rate_bps || rate_bps >= WEFT_PACER_RATE_LEAST_BPS)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "a rate of %s for an endpoint: at least %s",
                          weft_format_rate(rate_bps, text),
                          weft_format_rate(WEFT_PACER_RATE_LEAST_BPS, least));
}

enum weft_status weft_flows_init(struct weft_roce_port *port,
                                 const struct weft_roce_port_options *options,
                                 struct weft_error *error)
{
    struct weft_flows *flows = &port->flows;
    flows->rate_bps = options->rate_bps;
    flows->controlled = options->congestion.control == WEFT_CONGESTION_DCQCN;
    weft_link_init(&flows->parked);
    weft_link_init(&flows->notifications);
    enum weft_status status = check_rate(options->rate_bps, error);
    if (status == WEFT_OK && flows->controlled)
        status = weft_dcqcn_check(&options->congestion, &flows->dcqcn, error);
    if (status != WEFT_OK || !(flows->controlled || flows->rate_bps))
        return status;
    flows->due.entries = calloc(port->qp_max, sizeof(struct weft_due *));
    if (!flows->due.entries)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for pacing %u endpoints",
                              port->qp_max);
    return WEFT_OK;
}

void weft_flows_fini(struct weft_roce_port *port)
{
    assert(!port->flows.due.count);
    free(port->flows.due.entries);
}

/* DCQCN is for connections: a datagram has no queue pair on the other side that would answer. */
static bool is_controlled(const struct weft_roce_qp *qp)
{
    return qp->port->flows.controlled && qp->transport != WEFT_TRANSPORT_UD;
}

/* At a low rate the packets between two that ask for an acknowledgement would take so long that the
 * first of them times out: there each one asks. */
static uint32_t ack_every(const struct weft_roce_qp *qp)
{
    const struct weft_roce_port *port = qp->port;
    uint64_t packet_ns = qp->flow.pacer.byte_time * qp->mtu_bytes >> WEFT_PACER_SHIFT;
    return packet_ns * port->ack_every > port->ack_timeout_ns / 4 ? 1 : port->ack_every;
}

/* What is said of the rate follows the state that it came from. */
static void take_rate(struct weft_roce_qp *qp)
{
    const struct weft_flows *flows = &qp->port->flows;
    uint64_t rate_bps = flows->rate_bps;
    if (is_controlled(qp)) {
        qp->counters.rate_bps = qp->flow.dcqcn.current_bps;
        qp->counters.least_rate_bps = qp->flow.dcqcn.least_bps;
        if (!rate_bps || qp->flow.dcqcn.current_bps < rate_bps)
            rate_bps = qp->flow.dcqcn.current_bps;
    }
    if (rate_bps == qp->flow.pacer.rate_bps)
        return;
    weft_pacer_set_rate(&qp->flow.pacer, rate_bps);
    qp->ack_every = ack_every(qp);
}

void weft_flow_init(struct weft_roce_qp *qp)
{
    struct weft_flow *flow = &qp->flow;
    weft_link_init(&flow->notification);
    flow->pacer.rested = true;
    qp->paced = qp->port->flows.rate_bps || is_controlled(qp);
    qp->ack_every = qp->port->ack_every;
    if (is_controlled(qp))
        weft_dcqcn_init(&flow->dcqcn, &qp->port->flows.dcqcn);
    if (qp->paced)
        take_rate(qp);
}

void weft_flow_fini(struct weft_roce_qp *qp)
{
    weft_due_remove(&qp->port->flows.due, &qp->flow.due);
    weft_link_remove(&qp->flow.notification);
}

/* ---- pacing ---- */

void weft_flow_sent(struct weft_roce_qp *qp, uint32_t len_bytes, uint64_t now_ns)
{
    struct weft_flow *flow = &qp->flow;
    if (is_controlled(qp)) {
        weft_dcqcn_advance(&flow->dcqcn, &qp->port->flows.dcqcn, now_ns);
        weft_dcqcn_sent(&flow->dcqcn, &qp->port->flows.dcqcn, len_bytes);
        if (flow->dcqcn.current_bps != qp->counters.rate_bps)
            take_rate(qp);
    }
    weft_pacer_sent(&flow->pacer, len_bytes, now_ns);
}

bool weft_flow_settle(struct weft_roce_qp *qp, bool can_send, uint64_t now_ns)
{
    struct weft_flows *flows = &qp->port->flows;
    if (can_send && weft_flow_due(qp, now_ns))
        return false;
    weft_link_remove(&qp->active);
    if (!can_send) {
        weft_pacer_rest(&qp->flow.pacer);
        return true;
    }
    /* Its link stays in use: so nobody puts it back among the active. A place in the heap may be
     * left over from before the queue pair was disturbed. */
    weft_link_append(&flows->parked, &qp->active);
    weft_due_remove(&flows->due, &qp->flow.due);
    weft_due_push(&flows->due, &qp->flow.due, weft_pacer_due_ns(&qp->flow.pacer));
    return true;
}

struct weft_roce_qp *weft_flows_wake(struct weft_roce_port *port, uint64_t now_ns)
{
    struct weft_due *due = weft_due_first(&port->flows.due);
    if (!due || due->due_ns > now_ns)
        return NULL;
    weft_due_remove(&port->flows.due, due);
    struct weft_flow *flow = WEFT_CONTAINER(due, struct weft_flow, due);
    struct weft_roce_qp *qp = WEFT_CONTAINER(flow, struct weft_roce_qp, flow);
    weft_link_remove(&qp->active);
    return qp;
}

uint64_t weft_flows_next_ns(const struct weft_roce_port *port)
{
    const struct weft_due *due = weft_due_first(&port->flows.due);
    return due ? due->due_ns : UINT64_MAX;
}

/* ---- congestion ---- */

/* Data whose sender can slow down. Marks on acknowledgements and CNPs tell of the way back. */
static bool is_data(const struct weft_packet *packet)
{
    switch ((enum weft_opcode_kind)packet->opcode->kind) {
    case WEFT_OPCODE_SEND:
    case WEFT_OPCODE_SEND_INVALIDATE:
    case WEFT_OPCODE_WRITE:
    case WEFT_OPCODE_READ_RESPONSE:
        return true;
    case WEFT_OPCODE_NONE:
    case WEFT_OPCODE_READ_REQUEST:
    case WEFT_OPCODE_ACKNOWLEDGE:
    case WEFT_OPCODE_ATOMIC:
    case WEFT_OPCODE_ATOMIC_ACKNOWLEDGE:
    case WEFT_OPCODE_CONGESTION:
        break;
    }
    return false;
}

void weft_flow_marked(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns)
{
    struct weft_roce_port *port = qp->port;
    struct weft_flow *flow = &qp->flow;
    port->counters.congestion_marked_packets++;
    if (!is_controlled(qp) || !is_data(packet) || now_ns < flow->notify_again_ns ||
        !weft_path_ready(&qp->path))
        return;
    flow->notify_again_ns = now_ns + port->flows.dcqcn.cnp_period_ns;
    if (weft_link_empty(&flow->notification))
        weft_link_append(&port->flows.notifications, &flow->notification);
}

void weft_flow_notified(struct weft_roce_qp *qp, const struct weft_packet *packet, uint64_t now_ns)
{
    if (packet->payload_bytes != CNP_PAYLOAD_BYTES) {
        qp->port->counters.malformed_packets++;
        return;
    }
    qp->port->counters.cnps_received++;
    if (!is_controlled(qp))
        return;
    weft_dcqcn_notified(&qp->flow.dcqcn, &qp->port->flows.dcqcn, now_ns);
    take_rate(qp);
}

/* Everything that differs from other packets of the path is masked for the ICRC, or in the BTH. */
static void build(struct weft_roce_qp *qp, struct weft_roce_frame *frame)
{
    static const uint8_t zeros[CNP_PAYLOAD_BYTES] = {0};
    struct weft_path path = qp->path;
    path.traffic_class = CNP_TRAFFIC_CLASS;
    path.checksum_base += CNP_TRAFFIC_CLASS;
    path.checksum_base -= qp->path.traffic_class;
    uint8_t *at = weft_build_start(&path, frame->data, WEFT_OPCODE_CNP, 0, CNP_PAYLOAD_BYTES);
    frame->len_bytes = weft_build_finish(&path, frame->data, at, zeros, CNP_PAYLOAD_BYTES);
    uint8_t *bth = at - WEFT_BTH_BYTES;
    bth[4] |= BTH_BECN;
}

uint32_t weft_flows_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                             uint32_t count)
{
    uint32_t filled = 0;
    while (filled < count && !weft_link_empty(&port->flows.notifications)) {
        struct weft_flow *flow =
            WEFT_CONTAINER(port->flows.notifications.next, struct weft_flow, notification);
        struct weft_roce_qp *qp = WEFT_CONTAINER(flow, struct weft_roce_qp, flow);
        weft_link_remove(&flow->notification);
        /* The neighbour may have been lost since. */
        if (!weft_path_ready(&qp->path))
            continue;
        build(qp, &frames[filled++]);
        port->counters.cnps_sent++;
    }
    return filled;
}
