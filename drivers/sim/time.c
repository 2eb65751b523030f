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

/* Whether there is an event no later than that. */
static bool has_event(const struct weft_sim_fabric *fabric, uint64_t until_ps)
{
    return fabric->events.count && weft_sim_event_next_ps(&fabric->events) <= until_ps;
}

bool weft_sim_advance(struct weft_sim_fabric *fabric, uint64_t until_ps)
{
    uint64_t start_ps = fabric->now_ps;
    assert(until_ps >= start_ps);
    uint64_t look_ps = until_ps - start_ps > LOOK_PS ? start_ps + LOOK_PS : until_ps;
    if (!has_event(fabric, until_ps)) {
        bool moves = until_ps != WEFT_SIM_NEVER && until_ps > start_ps;
        fabric->now_ps = moves ? until_ps : start_ps;
        return moves;
    }
    fabric->has_news = false;
    do
        run_one(fabric);
    while (!fabric->has_news && has_event(fabric, look_ps));
    (void)weft_sim_settle(fabric);
    return true;
}
