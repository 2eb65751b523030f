/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker whose stations' driver has a clock of its own: polls them in virtual time. */
#ifndef WEFT_TOOLS_VIRTUAL_H
#define WEFT_TOOLS_VIRTUAL_H

#include "tools/weft/machine/station.h"

static inline bool weft_virtual_stations(const struct weft_station *stations, uint32_t count)
{
    return count && stations[0].driver->clock_ns;
}

/* One turn of all at this instant; where nobody had anything to do, time goes on to what comes
 * next. It stands still while all wait for the control thread, which has another clock: so a run
 * gives the same figures however slow the machine is. So it does while all ranks of one of several
 * jobs want to be granted more. False: nothing to do; *ret_waits: for that reason. */
bool weft_virtual_turn(const struct weft_station *stations, uint32_t count, bool *ret_waits);

#endif
