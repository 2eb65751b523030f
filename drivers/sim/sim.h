/* SPDX-License-Identifier: BSD-3-Clause */
/* The RoCE transport over a modelled fabric, in virtual time: one process holds all of it. Its
 * devices are the NICs of the topology that start is given. Not for more threads than one. */
#ifndef WEFT_SIM_SIM_H
#define WEFT_SIM_SIM_H

#include "fabric/driver.h"

extern const struct weft_driver weft_driver_sim;

/* The fabric that start has made, for tests: faults, traces, what it counts. NULL: not started. */
struct weft_sim_fabric;
struct weft_sim_fabric *weft_sim_driver_fabric(void);

#endif
