/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for the data path: on the NUMA node of the device, every page touched before use. */
#ifndef WEFT_TOOLS_MEMORY_H
#define WEFT_TOOLS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Page-aligned and zeroed; node -1: anywhere. NULL: out of memory. `context` is not used: the
 * shape is weft_node_options.allocate. */
void *weft_memory_allocate(void *context, uint64_t len_bytes, int32_t numa_node);
void weft_memory_release(void *context, void *memory, uint64_t len_bytes);

/* Reads from the text of /proc/meminfo how much memory is available without swapping: free memory
 * and reclaimable caches. Returns false if the text does not say. */
bool weft_memory_available(FILE *meminfo, uint64_t *ret_bytes);

/* The same for this machine; UINT64_MAX if it does not say. */
uint64_t weft_memory_available_now(void);

/* The NUMA node of a CPU; -1: not known. */
int32_t weft_memory_node_of_cpu(uint32_t cpu);

#endif
