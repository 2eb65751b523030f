/* SPDX-License-Identifier: BSD-3-Clause */
/* The hands of an agent: worker threads that poll, devices, nodes, and the machine's clock. All of
 * it is called on the control thread. */
#ifndef WEFT_TOOLS_RUNTIME_H
#define WEFT_TOOLS_RUNTIME_H

#include "fabric/control/control.h"
#include "fabric/topology/topology.h"
#include "tools/weft/machine/worker.h"
#include "tools/weft/service/allow.h"

struct weft_runtime_options {
    uint32_t workers; /* 0: as many as this process has CPUs */
    enum weft_idle idle;
    bool verbose;
    struct weft_allow allow;
    const char *pcap_path; /* NULL: no capture; must outlive the runtime */
    /* What is run on, where this process runs all of it in virtual time: one worker, and the
     * driver's clock. NULL: in the machine's time. Must outlive the runtime. */
    const struct weft_topology *virtual_topology;
};

struct weft_runtime;

/* Calibrates the clock, starts the workers (parked), measures the noise floor: less than 100 ms. */
WEFT_CHECKED enum weft_status weft_runtime_create(const struct weft_runtime_options *options,
                                                  struct weft_runtime **ret_runtime,
                                                  struct weft_error *error);
/* Releases a test that is still prepared and stops the drivers: nothing can be prepared any more.
 * WEFT_IO: something, such as a capture, has not reached its file whole. */
WEFT_CHECKED enum weft_status weft_runtime_stop(struct weft_runtime *runtime,
                                                struct weft_error *error);
/* Stops, unless that is done, and ends the workers. NULL is taken. */
void weft_runtime_destroy(struct weft_runtime *runtime);

/* The operations that weft_agent_create wants; their context is the runtime. */
const struct weft_agent_runtime *weft_runtime_agent_ops(void);

/* The drivers' slow work, such as writing a capture: to be called every few milliseconds. */
WEFT_CHECKED enum weft_status weft_runtime_service(struct weft_runtime *runtime,
                                                   struct weft_error *error);

/* The clock that every `now_ns` of this process comes from. */
uint64_t weft_runtime_now_ns(const struct weft_runtime *runtime);

#endif
