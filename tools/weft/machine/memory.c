/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/memory.h"

#include <inttypes.h>
#include <numa.h>
#include <string.h>
#include <sys/mman.h>

static bool numa_works(void)
{
    return numa_available() >= 0;
}

bool weft_memory_available(FILE *meminfo, uint64_t *ret_bytes)
{
    char line[128];
    uint64_t available_kib = 0;
    while (fgets(line, sizeof(line), meminfo)) {
        if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &available_kib) == 1) {
            *ret_bytes = available_kib * 1024;
            return true;
        }
    }
    return false;
}

uint64_t weft_memory_available_now(void)
{
    uint64_t available_bytes = UINT64_MAX;
    FILE *meminfo = fopen("/proc/meminfo", "re");
    if (meminfo) {
        (void)weft_memory_available(meminfo, &available_bytes);
        (void)fclose(meminfo);
    }
    return available_bytes;
}

void *weft_memory_allocate(void *context, uint64_t len_bytes, int32_t numa_node)
{
    (void)context;
    /* Mapping more than the machine has would succeed, and touching it would get the process
     * killed. */
    if (len_bytes >= weft_memory_available_now())
        return NULL;
    void *memory =
        mmap(NULL, len_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (numa_node >= 0 && numa_works())
        numa_tonode_memory(memory, len_bytes, numa_node);
    /* Fewer TLB misses; a kernel without huge pages just says no. */
    (void)madvise(memory, len_bytes, MADV_HUGEPAGE);
    memset(memory, 0, len_bytes);
    return memory;
}

void weft_memory_release(void *context, void *memory, uint64_t len_bytes)
{
    (void)context;
    if (memory)
        (void)munmap(memory, len_bytes);
}

int32_t weft_memory_node_of_cpu(uint32_t cpu)
{
    return numa_works() ? numa_node_of_cpu((int)cpu) : -1;
}
