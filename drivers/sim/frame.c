/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool of frames, and queues of them. */
#include "drivers/sim/state.h"

uint32_t weft_sim_frame_take(struct weft_sim_fabric *fabric, bool is_pause)
{
    if (fabric->frames_left <= (is_pause ? 0 : fabric->frames_reserved)) {
        fabric->starved = true;
        return WEFT_SIM_NONE;
    }
    uint32_t index = fabric->frame_free;
    struct weft_sim_frame *frame = &fabric->frames[index];
    assert(frame->place == WEFT_SIM_FREE);
    fabric->frame_free = frame->next;
    fabric->frames_left--;
    *frame = (struct weft_sim_frame){.next = WEFT_SIM_NONE,
                                     .from_wire = WEFT_SIM_NONE,
                                     .on_wire = WEFT_SIM_NONE,
                                     .place = WEFT_SIM_HELD,
                                     .is_pause = is_pause};
    return index;
}

static void wake_all(struct weft_sim_fabric *fabric)
{
    fabric->starved = false;
    for (uint32_t i = 0; i < fabric->nic_count; i++)
        weft_sim_kick(fabric, i);
    for (uint32_t i = 0; i < fabric->wire_count; i++) {
        if (fabric->wires[i].wanted != fabric->wires[i].told)
            weft_sim_wire_next(fabric, i);
    }
}

void weft_sim_frame_free(struct weft_sim_fabric *fabric, uint32_t index)
{
    struct weft_sim_frame *frame = &fabric->frames[index];
    assert(frame->place == WEFT_SIM_HELD);
    frame->place = WEFT_SIM_FREE;
    frame->next = fabric->frame_free;
    fabric->frame_free = index;
    fabric->frames_left++;
    if (fabric->starved && fabric->frames_left > fabric->frames_reserved)
        wake_all(fabric);
}

void weft_sim_queue_put(struct weft_sim_fabric *fabric, struct weft_sim_queue *queue,
                        uint32_t frame)
{
    assert(fabric->frames[frame].place == WEFT_SIM_HELD);
    fabric->frames[frame].place = WEFT_SIM_QUEUED;
    fabric->frames[frame].next = WEFT_SIM_NONE;
    if (queue->tail == WEFT_SIM_NONE)
        queue->head = frame;
    else
        fabric->frames[queue->tail].next = frame;
    queue->tail = frame;
    queue->count++;
    queue->bytes += fabric->frames[frame].len_bytes;
    if (queue->bytes > queue->most_bytes)
        queue->most_bytes = queue->bytes;
}

uint32_t weft_sim_queue_take(struct weft_sim_fabric *fabric, struct weft_sim_queue *queue)
{
    uint32_t frame = queue->head;
    if (frame == WEFT_SIM_NONE)
        return WEFT_SIM_NONE;
    assert(fabric->frames[frame].place == WEFT_SIM_QUEUED);
    fabric->frames[frame].place = WEFT_SIM_HELD;
    queue->head = fabric->frames[frame].next;
    if (queue->head == WEFT_SIM_NONE)
        queue->tail = WEFT_SIM_NONE;
    queue->count--;
    queue->bytes -= fabric->frames[frame].len_bytes;
    return frame;
}
