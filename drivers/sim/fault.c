/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes wrong on a wire, by shares and a seed. */
#include <string.h>

#include "drivers/sim/state.h"

#define DELAY_NS UINT64_C(10000)
#define REORDER_FRAMES 3u

static bool drawn(struct weft_sim_wire *wire, double share)
{
    /* 53 bits: as many as a double holds. */
    return share > 0 && (double)(weft_random_next(&wire->random) >> 11) * 0x1p-53 < share;
}

static bool is_cut(const struct weft_sim_fabric *fabric, const struct weft_sim_wire *wire)
{
    for (uint32_t i = 0; i < wire->cut_count; i++) {
        if (fabric->now_ps >= wire->cuts[i].start_ps && fabric->now_ps < wire->cuts[i].end_ps)
            return true;
    }
    return false;
}

static void depart(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame,
                   uint64_t late_ps)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    fabric->frames[frame].place = WEFT_SIM_FLYING;
    fabric->frames[frame].on_wire = wire_index;
    fabric->frames[frame].from_wire = WEFT_SIM_NONE;
    wire->counters.flying += !fabric->frames[frame].is_pause;
    /* Which slot the frame has is chance; what it travels on is not. */
    weft_sim_event_set(&fabric->events, weft_sim_frame_slot(fabric, frame), ~wire_index,
                       fabric->now_ps + wire->delay_ps + late_ps);
}

static void drop(struct weft_sim_fabric *fabric, enum weft_sim_happening why, uint32_t wire,
                 uint32_t frame)
{
    weft_sim_tell(fabric, why, wire, frame);
    weft_sim_frame_free(fabric, frame);
}

/* A frame is corrupted once at most: a second time might set it right again. */
static void corrupt(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    if (fabric->frames[frame].corrupted || !drawn(wire, wire->fault.corrupt) ||
        !weft_sim_packet_corrupt(weft_sim_frame_data(fabric, frame),
                                 fabric->frames[frame].len_bytes, &wire->random))
        return;
    fabric->frames[frame].corrupted = true;
    wire->counters.corrupted++;
    weft_sim_tell(fabric, WEFT_SIM_CORRUPTED, wire_index, frame);
}

static void mark(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    struct weft_sim_packet packet;
    if (!drawn(wire, wire->fault.mark))
        return;
    weft_sim_packet_read(weft_sim_frame_data(fabric, frame), fabric->frames[frame].len_bytes,
                         &packet);
    if (!weft_sim_packet_mark(&packet))
        return;
    wire->counters.marked++;
    weft_sim_tell(fabric, WEFT_SIM_MARKED, wire_index, frame);
}

static void duplicate(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame,
                      uint64_t frame_ps)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    if (!drawn(wire, wire->fault.duplicate))
        return;
    uint32_t copy = weft_sim_frame_take(fabric, false);
    if (copy == WEFT_SIM_NONE)
        return;
    memcpy(weft_sim_frame_data(fabric, copy), weft_sim_frame_data(fabric, frame),
           fabric->frames[frame].len_bytes);
    fabric->frames[copy].len_bytes = fabric->frames[frame].len_bytes;
    fabric->frames[copy].corrupted = fabric->frames[frame].corrupted;
    wire->counters.duplicated++;
    weft_sim_tell(fabric, WEFT_SIM_DUPLICATED, wire_index, copy);
    depart(fabric, wire_index, copy, frame_ps);
}

/* A frame is overtaken by those that come behind it without a gap. */
static uint64_t lateness_ps(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame,
                            uint64_t frame_ps)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    const struct weft_fault_options *fault = &wire->fault;
    uint64_t late_ps = 0;
    if (drawn(wire, fault->reorder)) {
        uint64_t frames = fault->reorder_frames ? fault->reorder_frames : REORDER_FRAMES;
        late_ps += frames * frame_ps + frame_ps / 2;
        wire->counters.reordered++;
        weft_sim_tell(fabric, WEFT_SIM_REORDERED, wire_index, frame);
    }
    if (drawn(wire, fault->delay)) {
        late_ps += (fault->delay_ns ? fault->delay_ns : DELAY_NS) * WEFT_SIM_PS_PER_NS;
        wire->counters.delayed++;
        weft_sim_tell(fabric, WEFT_SIM_DELAYED, wire_index, frame);
    }
    return late_ps;
}

void weft_sim_fly(struct weft_sim_fabric *fabric, uint32_t wire_index, uint32_t frame)
{
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    if (fabric->frames[frame].is_pause) {
        depart(fabric, wire_index, frame, 0);
        return;
    }
    wire->counters.entered++;
    wire->counters.bytes += fabric->frames[frame].len_bytes;
    if (is_cut(fabric, wire)) {
        wire->counters.cut++;
        drop(fabric, WEFT_SIM_CUT, wire_index, frame);
        return;
    }
    if (drawn(wire, wire->fault.drop)) {
        wire->counters.lost++;
        drop(fabric, WEFT_SIM_LOST, wire_index, frame);
        return;
    }
    corrupt(fabric, wire_index, frame);
    mark(fabric, wire_index, frame);
    uint64_t frame_ps = weft_sim_line_parts(fabric->frames[frame].len_bytes) / wire->rate_bps;
    duplicate(fabric, wire_index, frame, frame_ps);
    depart(fabric, wire_index, frame, lateness_ps(fabric, wire_index, frame, frame_ps));
}

void weft_sim_set_fault(struct weft_sim_fabric *fabric, uint32_t wire_index,
                        const struct weft_fault_options *fault)
{
    assert(wire_index < fabric->wire_count);
    struct weft_sim_wire *wire = &fabric->wires[wire_index];
    wire->fault = *fault;
    weft_random_seed(&wire->random, fault->seed);
}

void weft_sim_cut_link(struct weft_sim_fabric *fabric, uint32_t link, uint64_t start_ps,
                       uint64_t end_ps)
{
    assert(2 * link < fabric->wire_count);
    for (uint32_t i = 2 * link; i < 2 * link + 2; i++) {
        struct weft_sim_wire *wire = &fabric->wires[i];
        assert(wire->cut_count < WEFT_SIM_CUTS_MAX);
        wire->cuts[wire->cut_count++] = (struct weft_sim_cut){start_ps, end_ps};
    }
}
