/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment: started once a process, quiet, leaving the caller's thread as it was. */
#ifndef WEFT_DPDK_EAL_H
#define WEFT_DPDK_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_lcore.h>

#include "fabric/driver.h"

/* EAL cannot be started in this process any more, and after stop asks DPDK nothing. */
bool weft_eal_spent(void);
/* `memory_bytes` is what pools, rings and ports will need together. */
WEFT_CHECKED enum weft_status weft_eal_start(const struct weft_driver_start *start,
                                             uint64_t memory_bytes, struct weft_error *error);
void weft_eal_stop(void);
bool weft_eal_running(void);

/* Between the two EAL's interrupt thread stands still. memif's driver frees a device from there
 * when its peer leaves, without regard to a close that goes on meanwhile; at the end of a run both
 * ends close at once. */
void weft_eal_hold_interrupts(void);
void weft_eal_release_interrupts(void);

/* Gives the calling thread an lcore id, so that mempools have a cache for it; given back when the
 * thread ends. */
void weft_eal_register_thread(void);

static inline void weft_eal_enter(void)
{
    if (__builtin_expect(rte_lcore_id() == LCORE_ID_ANY, 0))
        weft_eal_register_thread();
}

/* The environment's and its drivers' own log: kept in memory, the newest lines; to stderr as well
 * where verbose. */
void weft_eal_log_open(bool verbose);
/* With EAL started: what the libraries of its drivers would print goes there too. */
void weft_eal_log_take_libraries(void);
/* Forgets the lines so far, so that an error quotes only what belongs to it. */
void weft_eal_log_clear(void);
/* The newest lines joined by "; "; returns `text`, which is empty where nothing was logged. */
char *weft_eal_log_text(char *text, size_t size_bytes);

#endif
