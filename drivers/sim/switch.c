/* SPDX-License-Identifier: BSD-3-Clause */
/* A switch stores a frame whole, then forwards it: one buffer that all ports share, a queue for
 * each port, ECN marks by the length of the queue, and pausing by what each neighbour has stored
 * there. */
#include <string.h>

#include "drivers/sim/state.h"
#include "fabric/base/wide.h"

static void count_drop(struct weft_sim_fabric *fabric, uint64_t *counter,
                       enum weft_sim_happening why, uint32_t wire, uint32_t frame)
{
    (*counter)++;
    weft_sim_tell(fabric, why, wire, frame);
    weft_sim_frame_free(fabric, frame);
}

/* As RED does, on the queue as it is now: the averaging of old is left out, as switches do. */
static bool is_to_mark(struct weft_sim_switch *at, uint64_t queue_bytes)
{
    if (!at->ecn_max_bytes || queue_bytes < at->ecn_min_bytes)
        return false;
    if (queue_bytes >= at->ecn_max_bytes)
        return true;
    uint64_t above = queue_bytes - at->ecn_min_bytes;
    uint64_t span = at->ecn_max_bytes - at->ecn_min_bytes;
    uint64_t chance = (uint64_t)((weft_u128)at->ecn_probability * above / span);
    return weft_random_next(&at->random) >> 32 < chance;
}

static void mark(struct weft_sim_fabric *fabric, struct weft_sim_switch *at, uint32_t wire,
                 uint32_t frame)
{
    struct weft_sim_packet packet;
    if (!is_to_mark(at, fabric->wires[wire].queue.bytes))
        return;
    weft_sim_packet_read(weft_sim_frame_data(fabric, frame), fabric->frames[frame].len_bytes,
                         &packet);
    if (!weft_sim_packet_mark(&packet))
        return;
    at->counters.marked++;
    weft_sim_tell(fabric, WEFT_SIM_MARKED, wire, frame);
}

static void store(struct weft_sim_fabric *fabric, struct weft_sim_switch *at, uint32_t from_wire,
                  uint32_t to_wire, uint32_t frame)
{
    struct weft_sim_wire *from = &fabric->wires[from_wire];
    uint32_t len_bytes = fabric->frames[frame].len_bytes;
    if (len_bytes > at->counters.buffer_bytes - at->counters.used_bytes) {
        count_drop(fabric, &at->counters.overflown, WEFT_SIM_OVERFLOWN, to_wire, frame);
        return;
    }
    mark(fabric, at, to_wire, frame);
    at->counters.used_bytes += len_bytes;
    if (at->counters.used_bytes > at->counters.most_bytes)
        at->counters.most_bytes = at->counters.used_bytes;
    at->counters.queued++;
    fabric->frames[frame].from_wire = from_wire;
    from->stored_bytes += len_bytes;
    weft_sim_tell(fabric, WEFT_SIM_FORWARDED, to_wire, frame);
    weft_sim_queue_put(fabric, &fabric->wires[to_wire].queue, frame);
    if (at->xoff_bytes && from->stored_bytes > at->xoff_bytes)
        weft_sim_wire_want(fabric, from_wire ^ 1u, WEFT_SIM_PAUSE);
    weft_sim_wire_next(fabric, to_wire);
}

static uint32_t copy_of(struct weft_sim_fabric *fabric, uint32_t frame)
{
    uint32_t copy = weft_sim_frame_take(fabric, false);
    if (copy == WEFT_SIM_NONE)
        return WEFT_SIM_NONE;
    memcpy(weft_sim_frame_data(fabric, copy), weft_sim_frame_data(fabric, frame),
           fabric->frames[frame].len_bytes);
    fabric->frames[copy].len_bytes = fabric->frames[frame].len_bytes;
    return copy;
}

/* By the tree that joins all: no frame comes back or comes twice. */
static void flood(struct weft_sim_fabric *fabric, struct weft_sim_switch *at, uint32_t from_wire,
                  uint32_t frame)
{
    uint32_t last = WEFT_SIM_NONE;
    for (uint32_t i = 0; i < at->port_count; i++) {
        uint32_t wire = fabric->ports[at->first_port + i];
        if (!fabric->wires[wire].floods || wire == (from_wire ^ 1u))
            continue;
        uint32_t copy = last == WEFT_SIM_NONE ? WEFT_SIM_NONE : copy_of(fabric, frame);
        if (copy != WEFT_SIM_NONE) {
            at->counters.copies++;
            store(fabric, at, from_wire, last, copy);
        }
        last = wire;
    }
    if (last == WEFT_SIM_NONE)
        count_drop(fabric, &at->counters.spent, WEFT_SIM_SPENT, from_wire, frame);
    else
        store(fabric, at, from_wire, last, frame);
}

/* One of the equal ways, the same for all frames of a flow. */
static uint32_t choose(const struct weft_sim_fabric *fabric, uint32_t index, uint32_t nic,
                       uint32_t frame)
{
    const struct weft_sim_switch *at = &fabric->switches[index];
    const uint32_t *start = &fabric->route_starts[index * fabric->nic_count + nic];
    uint32_t count = start[1] - start[0];
    if (count < 2)
        return count ? fabric->routes[start[0]] : WEFT_SIM_NONE;
    struct weft_sim_packet packet;
    uint8_t *data = weft_sim_frame_data(fabric, frame);
    weft_sim_packet_read(data, fabric->frames[frame].len_bytes, &packet);
    uint64_t hash = weft_sim_packet_hash(data, &packet, at->salt);
    return fabric->routes[start[0] + (uint32_t)((hash >> 32) * count >> 32)];
}

void weft_sim_switch_receive(struct weft_sim_fabric *fabric, uint32_t index, uint32_t wire,
                             uint32_t frame)
{
    struct weft_sim_switch *at = &fabric->switches[index];
    bool many;
    at->counters.received++;
    uint32_t nic = weft_sim_mac_nic(fabric, weft_sim_frame_data(fabric, frame), &many);
    if (many) {
        flood(fabric, at, wire, frame);
        return;
    }
    uint32_t to_wire = nic == WEFT_SIM_NONE ? WEFT_SIM_NONE : choose(fabric, index, nic, frame);
    if (to_wire == WEFT_SIM_NONE)
        count_drop(fabric, &at->counters.stranded, WEFT_SIM_STRANDED, wire, frame);
    else
        store(fabric, at, wire, to_wire, frame);
}

void weft_sim_switch_release(struct weft_sim_fabric *fabric, uint32_t index,
                             const struct weft_sim_frame *frame)
{
    struct weft_sim_switch *at = &fabric->switches[index];
    struct weft_sim_wire *from = &fabric->wires[frame->from_wire];
    assert(at->counters.used_bytes >= frame->len_bytes && from->stored_bytes >= frame->len_bytes);
    at->counters.used_bytes -= frame->len_bytes;
    at->counters.queued--;
    at->counters.left++;
    from->stored_bytes -= frame->len_bytes;
    if (at->xoff_bytes && from->stored_bytes <= at->xon_bytes)
        weft_sim_wire_want(fabric, frame->from_wire ^ 1u, WEFT_SIM_RUN);
}

/* What still comes from a neighbour after its threshold was passed: the frame that the pause waits
 * behind, the pause itself, both delays, and the frame that the neighbour has begun. */
static uint64_t headroom_bytes(const struct weft_sim_fabric *fabric, uint32_t from_wire)
{
    const struct weft_sim_wire *from = &fabric->wires[from_wire];
    const struct weft_sim_wire *back = &fabric->wires[from_wire ^ 1u];
    uint64_t wait_ps =
        (weft_sim_line_parts(fabric->frame_stride) + weft_sim_line_parts(WEFT_SIM_PAUSE_BYTES)) /
        back->rate_bps;
    uint64_t total_ps = wait_ps + from->delay_ps + back->delay_ps;
    uint64_t flying =
        (uint64_t)((weft_u128)total_ps * from->rate_bps / ((weft_u128)8 * WEFT_SIM_PS_PER_S)) + 1;
    return flying + 2 * (uint64_t)fabric->frame_stride;
}

enum weft_status weft_sim_switch_check(const struct weft_sim_fabric *fabric,
                                       const struct weft_sim_switch *at, struct weft_error *error)
{
    uint64_t wanted_bytes = 0;
    for (uint32_t i = 0; at->xoff_bytes && i < at->port_count; i++)
        wanted_bytes +=
            at->xoff_bytes + headroom_bytes(fabric, fabric->ports[at->first_port + i] ^ 1u);
    if (wanted_bytes <= at->counters.buffer_bytes)
        return WEFT_OK;
    return weft_error_set(
        error, WEFT_INVALID,
        "switch %s: %u ports that each pause at %llu bytes, plus what still arrives after the "
        "pause, need %llu bytes, but its buffer has %llu: use a larger buffer or a smaller xoff",
        at->name, at->port_count, (unsigned long long)at->xoff_bytes,
        (unsigned long long)wanted_bytes, (unsigned long long)at->counters.buffer_bytes);
}
