/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker for stations whose driver has its own clock: polls them in virtual time. */
#ifndef WEFT_TOOLS_VIRTUAL_H
#define WEFT_TOOLS_VIRTUAL_H

#include "tools/weft/machine/station.h"

static inline bool weft_virtual_stations(const struct weft_station *stations, uint32_t count)
{
    return count && stations[0].driver->clock_ns;
}

/* One turn of all stations at this instant; if none had work, advances time to the next event. Time
 * stands still while all stations wait for the control thread, which has another clock; so a run
 * gives the same figures on a slow machine. With several jobs, time also stands still while all
 * ranks of one job wait for a grant. Returns false if nothing was done; *ret_waits says if that was
 * the reason. */
bool weft_virtual_turn(const struct weft_station *stations, uint32_t count, bool *ret_waits);

#endif
