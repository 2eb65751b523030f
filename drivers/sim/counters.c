/* SPDX-License-Identifier: BSD-3-Clause */
/* What is there and what was counted. */
#include "drivers/sim/state.h"

uint32_t weft_sim_nic_count(const struct weft_sim_fabric *fabric)
{
    return fabric->nic_count;
}

struct weft_ip weft_sim_nic_address(const struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    return fabric->nics[nic].address;
}

uint64_t weft_sim_nic_rate_bps(const struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    return fabric->nics[nic].rate_bps;
}

uint32_t weft_sim_nic_wire(const struct weft_sim_fabric *fabric, uint32_t nic)
{
    assert(nic < fabric->nic_count);
    return fabric->nics[nic].out;
}

uint32_t weft_sim_mtu_bytes(const struct weft_sim_fabric *fabric)
{
    return fabric->mtu_bytes;
}

void weft_sim_nic_counters(const struct weft_sim_fabric *fabric, uint32_t nic,
                           struct weft_sim_nic_counters *ret)
{
    assert(nic < fabric->nic_count);
    *ret = fabric->nics[nic].counters;
}

uint32_t weft_sim_wire_count(const struct weft_sim_fabric *fabric)
{
    return fabric->wire_count;
}

void weft_sim_wire_counters(const struct weft_sim_fabric *fabric, uint32_t wire,
                            struct weft_sim_wire_counters *ret)
{
    assert(wire < fabric->wire_count);
    const struct weft_sim_queue *queue = &fabric->wires[wire].queue;
    *ret = fabric->wires[wire].counters;
    ret->queue_bytes = queue->bytes;
    ret->queue_most_bytes = queue->most_bytes;
}

uint32_t weft_sim_switch_count(const struct weft_sim_fabric *fabric)
{
    return fabric->switch_count;
}

void weft_sim_switch_counters(const struct weft_sim_fabric *fabric, uint32_t index,
                              struct weft_sim_switch_counters *ret)
{
    assert(index < fabric->switch_count);
    *ret = fabric->switches[index].counters;
}

/* ---- the audit ---- */

static enum weft_status audit_wire(const struct weft_sim_fabric *fabric, uint32_t index,
                                   struct weft_error *error)
{
    const struct weft_sim_wire_counters *counters = &fabric->wires[index].counters;
    if (counters->entered + counters->duplicated ==
        counters->arrived + counters->lost + counters->cut + counters->flying)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "wire %u: %llu frames entered and %llu were doubled, but %llu arrived, "
                          "%llu were lost, %llu cut off, and %llu fly",
                          index, (unsigned long long)counters->entered,
                          (unsigned long long)counters->duplicated,
                          (unsigned long long)counters->arrived, (unsigned long long)counters->lost,
                          (unsigned long long)counters->cut, (unsigned long long)counters->flying);
}

/* What a wire's sender holds for it: the queue and the frame being sent. */
static uint64_t held_bytes(const struct weft_sim_fabric *fabric, const struct weft_sim_wire *wire,
                           uint64_t *frames)
{
    uint64_t bytes = 0;
    for (uint32_t i = wire->queue.head; i != WEFT_SIM_NONE; i = fabric->frames[i].next) {
        bytes += fabric->frames[i].len_bytes;
        (*frames)++;
    }
    if (!weft_sim_wire_idle(wire) && !fabric->frames[wire->sending].is_pause) {
        bytes += fabric->frames[wire->sending].len_bytes;
        (*frames)++;
    }
    return bytes;
}

static enum weft_status audit_switch(const struct weft_sim_fabric *fabric, uint32_t index,
                                     struct weft_error *error)
{
    const struct weft_sim_switch *at = &fabric->switches[index];
    const struct weft_sim_switch_counters *counters = &at->counters;
    uint64_t bytes = 0, frames = 0;
    for (uint32_t i = 0; i < at->port_count; i++)
        bytes += held_bytes(fabric, &fabric->wires[fabric->ports[at->first_port + i]], &frames);
    if (bytes != counters->used_bytes || bytes > counters->buffer_bytes)
        return weft_error_set(
            error, WEFT_INVALID, "switch %s holds %llu bytes, but says %llu of a buffer of %llu",
            at->name, (unsigned long long)bytes, (unsigned long long)counters->used_bytes,
            (unsigned long long)counters->buffer_bytes);
    if (frames != counters->queued || counters->received + counters->copies !=
                                          counters->overflown + counters->stranded +
                                              counters->spent + counters->queued + counters->left)
        return weft_error_set(
            error, WEFT_INVALID,
            "switch %s: %llu frames came and %llu were copied, but %llu did not "
            "fit, %llu had no way, %llu left, and %llu are here",
            at->name, (unsigned long long)counters->received, (unsigned long long)counters->copies,
            (unsigned long long)counters->overflown, (unsigned long long)counters->stranded,
            (unsigned long long)counters->left, (unsigned long long)frames);
    return WEFT_OK;
}

static enum weft_status audit_pool(const struct weft_sim_fabric *fabric, struct weft_error *error)
{
    uint64_t free_frames = 0, held = 0, flying = 0, said = 0;
    for (uint32_t i = 0; i < fabric->frame_count; i++) {
        const struct weft_sim_frame *frame = &fabric->frames[i];
        free_frames += frame->place == WEFT_SIM_FREE;
        held += frame->place == WEFT_SIM_HELD;
        flying += frame->place == WEFT_SIM_FLYING && !frame->is_pause;
    }
    for (uint32_t i = 0; i < fabric->wire_count; i++)
        said += fabric->wires[i].counters.flying;
    if (free_frames == fabric->frames_left && !held && flying == said)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%llu frames are free and %u said to be, %llu fly and %llu said to, and "
                          "%llu are nowhere",
                          (unsigned long long)free_frames, fabric->frames_left,
                          (unsigned long long)flying, (unsigned long long)said,
                          (unsigned long long)held);
}

enum weft_status weft_sim_audit(const struct weft_sim_fabric *fabric, struct weft_error *error)
{
    enum weft_status status = audit_pool(fabric, error);
    for (uint32_t i = 0; status == WEFT_OK && i < fabric->wire_count; i++)
        status = audit_wire(fabric, i, error);
    for (uint32_t i = 0; status == WEFT_OK && i < fabric->switch_count; i++)
        status = audit_switch(fabric, i, error);
    return status;
}
