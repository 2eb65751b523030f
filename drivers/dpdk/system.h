/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel says of this machine: hugepages, PCI NICs, interfaces, permissions. Reads only.
 */
#ifndef WEFT_DPDK_SYSTEM_H
#define WEFT_DPDK_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/driver.h"

/* Of the size that has most of them free. */
uint64_t weft_system_free_hugepage_bytes(void);

/* From linux/capability.h. */
enum weft_system_capability {
    WEFT_CAPABILITY_NET_ADMIN = 12,
    WEFT_CAPABILITY_NET_RAW = 13,
    WEFT_CAPABILITY_SYS_ADMIN = 21,
    WEFT_CAPABILITY_BPF = 39,
};
bool weft_system_may(enum weft_system_capability capability);

struct weft_system_pci {
    char address[32]; /* "0000:01:00.0" */
    char driver[64];  /* the kernel's; empty: none */
    char ids[16];     /* "8086:1572" */
    int32_t numa_node;
    bool usable; /* DPDK can drive it as it is bound now */
};
typedef void (*weft_system_pci_visitor)(void *context, const struct weft_system_pci *pci);
/* The network controllers. */
void weft_system_each_pci(weft_system_pci_visitor visit, void *context);
bool weft_system_has_dpdk_pci(void);

struct weft_system_interface {
    char name[16];
    uint32_t mtu_bytes;
    bool up;
    bool ethernet;
    uint64_t line_rate_bps; /* 0: not known, or not a real one */
    int32_t numa_node;
};
/* Of the calling thread's network namespace. */
bool weft_system_interface(const char *name, struct weft_system_interface *ret_interface);
bool weft_system_interface_has(const char *name, const struct weft_ip *address);

/* First line of a file of /sys or /proc without its newline; false: not readable. */
bool weft_system_read_line(const char *path, char *text, size_t size_bytes);

#endif
