/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual time: from event to event. */
#include "drivers/sim/state.h"

/* Users look at least so often while anything happens: they sample what flows. */
#define LOOK_PS (UINT64_C(50000) * WEFT_SIM_PS_PER_NS)

uint64_t weft_sim_now_ps(const struct weft_sim_fabric *fabric)
{
    return fabric->now_ps;
}

uint64_t weft_sim_next_ps(const struct weft_sim_fabric *fabric)
{
    return weft_sim_event_next_ps(&fabric->events);
}

static void run_one(struct weft_sim_fabric *fabric)
{
    uint64_t at_ps = weft_sim_event_next_ps(&fabric->events);
    assert(at_ps >= fabric->now_ps);
    fabric->now_ps = at_ps;
    uint32_t slot = weft_sim_event_take(&fabric->events);
    if (slot < fabric->nic_count)
        weft_sim_nic_run(fabric, slot);
    else if (slot < fabric->nic_count + fabric->wire_count)
        weft_sim_wire_sent(fabric, slot - fabric->nic_count);
    else
        weft_sim_wire_arrived(fabric, slot - fabric->nic_count - fabric->wire_count);
}

uint32_t weft_sim_settle(struct weft_sim_fabric *fabric)
{
    uint32_t count = 0;
    while (weft_sim_event_next_ps(&fabric->events) <= fabric->now_ps) {
        run_one(fabric);
        count++;
    }
    fabric->has_news = false;
    return count;
}

bool weft_sim_advance(struct weft_sim_fabric *fabric, uint64_t until_ps)
{
    uint64_t start_ps = fabric->now_ps;
    uint64_t look_ps = until_ps - start_ps > LOOK_PS ? start_ps + LOOK_PS : until_ps;
    bool moved = false;
    assert(until_ps >= start_ps);
    fabric->has_news = false;
    while (!fabric->has_news && weft_sim_event_next_ps(&fabric->events) <= until_ps) {
        if (moved && weft_sim_event_next_ps(&fabric->events) > look_ps)
            return true;
        run_one(fabric);
        moved = true;
        if (fabric->has_news)
            (void)weft_sim_settle(fabric);
        else
            continue;
        return true;
    }
    if (until_ps == WEFT_SIM_NEVER || until_ps == fabric->now_ps)
        return moved;
    fabric->now_ps = until_ps;
    return true;
}
