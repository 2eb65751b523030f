/* SPDX-License-Identifier: BSD-3-Clause */
/* How often the control thread looks after an agent. */
#ifndef WEFT_TOOLS_TICKER_H
#define WEFT_TOOLS_TICKER_H

#include "fabric/control/control.h"

#define WEFT_TICK_MS 5u
/* While the run waits for the agent: a test of a few iterations is mostly that. */
#define WEFT_TICK_EAGER_MS 1u

/* Until the next tick. `agent` may be NULL. */
static inline uint32_t weft_tick_ms(const struct weft_agent *agent)
{
    bool calm = !agent || weft_agent_hurry(agent) == WEFT_AGENT_CALM;
    return calm ? WEFT_TICK_MS : WEFT_TICK_EAGER_MS;
}

#endif
