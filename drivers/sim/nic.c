/* SPDX-License-Identifier: BSD-3-Clause */
/* A NIC holds a port: it asks for one frame whenever its wire is free, and looks again when the
 * port says that it has something to do. */
#include "drivers/roce/packet/opcode.h"
#include "drivers/sim/state.h"

/* The middle of a message tells nobody anything; all else may. */
static bool is_news(const uint8_t *data, uint32_t len_bytes)
{
    struct weft_sim_packet packet;
    weft_sim_packet_read((uint8_t *)(uintptr_t)data, len_bytes, &packet);
    if (!packet.bth)
        return true;
    const struct weft_opcode *opcode = &weft_opcodes[packet.bth[0]];
    return !opcode->payload || opcode->last;
}

void weft_sim_nic_receive(struct weft_sim_fabric *fabric, uint32_t index, uint32_t wire,
                          uint32_t frame)
{
    struct weft_sim_nic *nic = &fabric->nics[index];
    const uint8_t *data = weft_sim_frame_data(fabric, frame);
    uint32_t len_bytes = fabric->frames[frame].len_bytes;
    if (!nic->port || nic->dead) {
        nic->counters.stranded++;
        weft_sim_tell(fabric, WEFT_SIM_STRANDED, wire, frame);
    } else {
        nic->counters.delivered++;
        nic->counters.delivered_corrupted += fabric->frames[frame].corrupted;
        weft_sim_tell(fabric, WEFT_SIM_DELIVERED, wire, frame);
        weft_roce_receive(nic->port, data, len_bytes, weft_sim_now_ns(fabric));
        if (is_news(data, len_bytes))
            fabric->has_news = true;
        weft_sim_kick(fabric, index);
    }
    weft_sim_frame_free(fabric, frame);
}

static void look_again(struct weft_sim_fabric *fabric, uint32_t index)
{
    uint64_t now_ns = weft_sim_now_ns(fabric);
    uint64_t next_ns = weft_roce_next_event_ns(fabric->nics[index].port, now_ns);
    if (next_ns == UINT64_MAX)
        return;
    next_ns = next_ns > now_ns ? next_ns : now_ns + 1;
    weft_sim_event_hasten(&fabric->events, index, next_ns * WEFT_SIM_PS_PER_NS);
}

void weft_sim_nic_run(struct weft_sim_fabric *fabric, uint32_t index)
{
    struct weft_sim_nic *nic = &fabric->nics[index];
    const struct weft_sim_wire *wire = &fabric->wires[nic->out];
    /* It is kicked when the wire is free. */
    if (!nic->port || nic->dead || !weft_sim_wire_idle(wire) || wire->paused)
        return;
    uint32_t frame = weft_sim_frame_take(fabric, false);
    if (frame == WEFT_SIM_NONE)
        return;
    struct weft_roce_frame empty = {.data = weft_sim_frame_data(fabric, frame),
                                    .capacity_bytes = fabric->frame_stride};
    if (weft_roce_transmit(nic->port, &empty, 1, weft_sim_now_ns(fabric))) {
        fabric->frames[frame].len_bytes = empty.len_bytes;
        /* Datagrams are complete when they are sent. */
        if (is_news(empty.data, empty.len_bytes))
            fabric->has_news = true;
        weft_sim_wire_send(fabric, nic->out, frame);
        return;
    }
    weft_sim_frame_free(fabric, frame);
    fabric->has_news = true;
    look_again(fabric, index);
}

void weft_sim_kick(struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    weft_sim_event_hasten(&fabric->events, nic, fabric->now_ps);
}

void weft_sim_attach(struct weft_sim_fabric *fabric, uint32_t nic, struct weft_roce_port *port)
{
    assert(nic < fabric->nic_count && (!port || !fabric->nics[nic].port));
    fabric->nics[nic].port = port;
    weft_sim_kick(fabric, nic);
}

bool weft_sim_is_attached(const struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    return fabric->nics[nic].port != NULL;
}

void weft_sim_kill(struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    fabric->nics[nic].dead = true;
}
