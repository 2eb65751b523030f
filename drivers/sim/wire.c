/* SPDX-License-Identifier: BSD-3-Clause */
/* One direction of a link: it carries a frame at a time, and frames arrive a delay later. */
#include "drivers/sim/state.h"

/* In whole picoseconds; what is left over goes into the next frame where that follows without a
 * gap, so that a busy wire's rate is exact. */
static uint64_t line_time_ps(struct weft_sim_wire *wire, uint32_t len_bytes, uint64_t start_ps)
{
    if (start_ps > wire->end_ps)
        wire->remainder = 0;
    uint64_t parts = weft_sim_line_parts(len_bytes) + wire->remainder;
    wire->remainder = parts % wire->rate_bps;
    return parts / wire->rate_bps;
}

static bool is_nic(const struct weft_sim_fabric *fabric, uint32_t node)
{
    return node < fabric->nic_count;
}

void weft_sim_wire_send(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame_index)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    struct weft_sim_frame *frame = &fabric->frames[frame_index];
    assert(weft_sim_wire_idle(wire) && frame->place == WEFT_SIM_HELD);
    frame->place = WEFT_SIM_SENDING;
    wire->sending = frame_index;
    wire->end_ps = fabric->now_ps + line_time_ps(wire, frame->len_bytes, fabric->now_ps);
    uint32_t slot = weft_sim_wire_slot(fabric, wire_index);
    weft_sim_event_set(&fabric->events, slot, slot, wire->end_ps);
    if (!frame->is_pause)
        weft_sim_tell(fabric, WEFT_SIM_SENT, wire_index, frame_index);
}

/* Ranks that share a NIC talk to each other inside it, at the pace of its port. */
static bool stays_inside(const struct weft_sim_fabric *fabric, const struct weft_sim_wire *wire,
                         uint32_t frame)
{
    bool many;
    return is_nic(fabric, wire->from) && !fabric->frames[frame].is_pause &&
           weft_sim_mac_nic(fabric, weft_sim_frame_data(fabric, frame), &many) == wire->from;
}

void weft_sim_wire_sent(struct weft_sim_fabric *fabric, uint32_t wire_index)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    uint32_t frame = wire->sending;
    assert(frame != WEFT_SIM_NONE);
    wire->sending = WEFT_SIM_NONE;
    fabric->frames[frame].place = WEFT_SIM_HELD;
    bool is_data = !fabric->frames[frame].is_pause;
    if (is_data && !is_nic(fabric, wire->from))
        weft_sim_switch_release(fabric, wire->from - fabric->nic_count, &fabric->frames[frame]);
    if (stays_inside(fabric, wire, frame))
        weft_sim_nic_receive(fabric, wire->from, wire_index, frame);
    else
        weft_sim_fly(fabric, wire_index, frame);
    weft_sim_wire_next(fabric, wire_index);
}

static void take_pause(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame)
{
    uint32_t reverse = wire_index ^ 1u;
    struct weft_sim_wire *paused = &fabric->wires[reverse];
    paused->paused = fabric->frames[frame].pause == WEFT_SIM_PAUSE;
    paused->counters.pauses += paused->paused;
    weft_sim_tell(fabric, paused->paused ? WEFT_SIM_PAUSED : WEFT_SIM_RESUMED, reverse,
                  WEFT_SIM_NONE);
    weft_sim_frame_free(fabric, frame);
    weft_sim_wire_next(fabric, reverse);
}

void weft_sim_wire_arrived(struct weft_sim_fabric *fabric, uint32_t frame_index)
{
    struct weft_sim_frame *frame = &fabric->frames[frame_index];
    uint32_t wire_index = frame->on_wire;
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    assert(frame->place == WEFT_SIM_FLYING);
    frame->place = WEFT_SIM_HELD;
    frame->on_wire = WEFT_SIM_NONE;
    if (frame->is_pause) {
        take_pause(fabric, wire_index, frame_index);
        return;
    }
    wire->counters.flying--;
    wire->counters.arrived++;
    if (is_nic(fabric, wire->to))
        weft_sim_nic_receive(fabric, wire->to, wire_index, frame_index);
    else
        weft_sim_switch_receive(fabric, wire->to - fabric->nic_count, wire_index, frame_index);
}

/* Pause frames go before all others, and a paused wire carries them too. */
static bool send_pause(struct weft_sim_fabric *fabric, uint32_t wire_index)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    if (wire->wanted == wire->told)
        return false;
    uint32_t frame = weft_sim_frame_take(fabric, true);
    if (frame == WEFT_SIM_NONE)
        return false;
    fabric->frames[frame].len_bytes = WEFT_SIM_PAUSE_BYTES;
    fabric->frames[frame].pause = wire->wanted;
    wire->told = wire->wanted;
    weft_sim_wire_send(fabric, wire_index, frame);
    return true;
}

void weft_sim_wire_next(struct weft_sim_fabric *fabric, uint32_t wire_index)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    if (!weft_sim_wire_idle(wire) || send_pause(fabric, wire_index) || wire->paused)
        return;
    if (is_nic(fabric, wire->from)) {
        weft_sim_kick(fabric, wire->from);
        return;
    }
    uint32_t frame = weft_sim_queue_take(fabric, &wire->queue);
    if (frame != WEFT_SIM_NONE)
        weft_sim_wire_send(fabric, wire_index, frame);
}

void weft_sim_wire_want(struct weft_sim_fabric *fabric, uint32_t wire_index,
                        enum weft_sim_pause wanted)
{
    fabric->wires[wire_index].wanted = (uint8_t)wanted;
    weft_sim_wire_next(fabric, wire_index);
}
