/* SPDX-License-Identifier: BSD-3-Clause */
/* Path MTUs: 256, 512, 1024, 2048, 4096. */
#ifndef WEFT_DPDK_MTU_H
#define WEFT_DPDK_MTU_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/roce/roce.h"

/* What a frame of RoCE carries beside its payload, less Ethernet's header, which an interface's MTU
 * leaves out. A VLAN tag is counted, whether there is one or not: the kernel leaves that out too,
 * but not every NIC does. An MTU of 4200 holds a path MTU of 4096 all the same, and 1500 one of
 * 1024. */
#define WEFT_MTU_OVERHEAD (WEFT_ROCE_OVERHEAD_MAX - 14u)

static inline bool weft_mtu_is_valid(uint32_t mtu_bytes)
{
    return mtu_bytes >= 256 && mtu_bytes <= 4096 && (mtu_bytes & (mtu_bytes - 1)) == 0;
}

/* The largest that fits an interface's MTU; 0: none. */
static inline uint32_t weft_mtu_for_interface(uint32_t interface_mtu_bytes)
{
    for (uint32_t mtu_bytes = 4096; mtu_bytes >= 256; mtu_bytes /= 2)
        if (mtu_bytes + WEFT_MTU_OVERHEAD <= interface_mtu_bytes)
            return mtu_bytes;
    return 0;
}

#endif
