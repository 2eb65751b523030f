/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/ud.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/neighbour.h"

enum weft_status weft_roce_destination_create(struct weft_roce_qp *qp,
                                              const struct weft_endpoint_address *peer,
                                              struct weft_roce_destination **ret_destination,
                                              struct weft_error *error)
{
    assert(qp && peer && ret_destination);
    if (qp->transport != WEFT_TRANSPORT_UD)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "destinations are for UD endpoints; connect an RC endpoint");
    struct weft_roce_destination *destination =
        aligned_alloc(_Alignof(struct weft_roce_destination), sizeof(*destination));
    if (!destination)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a UD destination");
    *destination = (struct weft_roce_destination){.qpn = peer->qpn, .qkey = peer->qkey};
    enum weft_status status =
        weft_path_open(qp->port, &destination->path,
                       &(struct weft_path_ends){.peer_gid = peer->gid,
                                                .local_qpn = qp->qpn,
                                                .peer_qpn = peer->qpn,
                                                .source_port = qp->source_port,
                                                .qp = NULL},
                       error);
    if (status != WEFT_OK) {
        free(destination);
        return status;
    }
    qp->destination_count++;
    *ret_destination = destination;
    return WEFT_OK;
}

enum weft_endpoint_state
weft_roce_destination_state(const struct weft_roce_destination *destination,
                            struct weft_error *error)
{
    const struct weft_neighbour *neighbour = destination->path.neighbour;
    if (neighbour->state == WEFT_ENDPOINT_FAILED)
        (void)weft_neighbour_error(destination->path.port, neighbour, error);
    return neighbour->state;
}

void weft_roce_destination_destroy(struct weft_roce_qp *qp,
                                   struct weft_roce_destination *destination)
{
    if (!destination)
        return;
    assert(qp->destination_count);
    qp->destination_count--;
    weft_path_close(qp->port, &destination->path);
    free(destination);
}

static void build(const struct weft_roce_qp *qp, const struct weft_send *work,
                  struct weft_roce_frame *frame)
{
    struct weft_roce_destination *destination = work->destination;
    uint32_t psn = (uint32_t)qp->requester.next_sequence & WEFT_ROCE_NUMBER_MASK;
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + work->len_bytes);
    uint8_t *at = weft_build_start(&destination->path, frame->data, WEFT_OPCODE_UD_SEND_ONLY, psn,
                                   work->len_bytes);
    weft_wire_put32(at, destination->qkey);
    weft_wire_put32(at + 4, qp->qpn);
    at += WEFT_DETH_BYTES;
    frame->len_bytes =
        weft_build_finish(&destination->path, frame->data, at, work->memory, work->len_bytes);
}

static void fail_work(struct weft_roce_qp *qp, const struct weft_send *work)
{
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_LOCAL_SEND,
                                             .detail = work->lkey,
                                             .send_status = WEFT_LOCAL_PROTECTION,
                                             .receive_status = WEFT_FLUSHED});
}

uint32_t weft_ud_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames, uint32_t count)
{
    struct weft_requester *requester = &qp->requester;
    uint32_t filled = 0;
    while (filled < count && requester->cursor != requester->posted) {
        const struct weft_send *work = &requester->sends[requester->cursor & requester->mask];
        if (work->bad_lkey) {
            fail_work(qp, work);
            break;
        }
        build(qp, work, &frames[filled++]);
        requester->next_sequence++;
        requester->cursor++;
        weft_qp_complete_send(qp, WEFT_OK, 0);
    }
    return filled;
}

/* The area of the GRH: an IPv4 header lies in its second half (Annex A17.4.5.2). */
static void put_grh(uint8_t *memory, const struct weft_packet *packet)
{
    memset(memory, 0, WEFT_GRH_BYTES - packet->ip_bytes);
    memcpy(memory + WEFT_GRH_BYTES - packet->ip_bytes, packet->ip, packet->ip_bytes);
}

/* What finds no receive, or one too small, is lost: nobody is told (IBTA vol. 1, 9.8.2). */
void weft_ud_receive(struct weft_roce_qp *qp, const struct weft_packet *packet)
{
    if (weft_wire_get32(weft_packet_extension(packet, 0)) != qp->qkey) {
        qp->port->counters.unexpected_packets++;
        return;
    }
    uint32_t len_bytes = WEFT_GRH_BYTES + packet->payload_bytes;
    const struct weft_receive *receive = weft_qp_oldest_receive(qp);
    if (weft_qp_receive_empty(qp) || receive->bad_lkey || receive->len_bytes < len_bytes) {
        qp->port->counters.receive_dropped++;
        return;
    }
    put_grh(receive->memory, packet);
    if (packet->payload_bytes)
        memcpy(receive->memory + WEFT_GRH_BYTES, packet->payload, packet->payload_bytes);
    qp->counters.received_payload_bytes += packet->payload_bytes;
    bool immediate = (packet->opcode->headers & WEFT_HEADER_IMMEDIATE) != 0;
    struct weft_completion completion = {
        .status = WEFT_OK,
        .len_bytes = len_bytes,
        .has_immediate = immediate,
        .immediate = immediate ? weft_packet_immediate(packet) : 0,
    };
    weft_qp_complete_receive(qp, &completion);
}
