/* SPDX-License-Identifier: BSD-3-Clause */
/* What `weft devices` says of DPDK. Looks without EAL. */
#include "drivers/dpdk/list.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "drivers/dpdk/mtu.h"
#include "drivers/dpdk/system.h"

struct listing {
    weft_device_visitor visit;
    void *context;
};

static void say(const struct listing *listing, const char *name, const char *detail,
                const char *hindrance)
{
    const struct weft_device_description device = {
        .name = name,
        .detail = detail,
        .hindrance = *hindrance ? hindrance : NULL,
    };
    listing->visit(listing->context, &device);
}

static void list_pci(void *context, const struct weft_system_pci *pci)
{
    const struct listing *listing = context;
    char detail[128];
    char hindrance[256] = "";
    (void)snprintf(detail, sizeof(detail), "PCI NIC %s, %s%s", pci->ids,
                   *pci->driver ? "driver " : "no driver", pci->driver);
    if (!pci->usable)
        (void)snprintf(hindrance, sizeof(hindrance),
                       "bound to %s%s; dpdk-devbind.py -b vfio-pci %s, or use "
                       "net_af_packet0,iface=... on its interface",
                       *pci->driver ? "kernel driver " : "no driver", pci->driver, pci->address);
    else if (weft_system_free_hugepage_bytes() == 0)
        (void)snprintf(hindrance, sizeof(hindrance),
                       "no free hugepages; sysctl vm.nr_hugepages=512");
    say(listing, pci->address, detail, hindrance);
}

static uint32_t path_mtu(const struct weft_system_interface *interface, bool xdp)
{
    uint32_t mtu_bytes = weft_mtu_for_interface(interface->mtu_bytes);
    return xdp && mtu_bytes > 2048 ? 2048 : mtu_bytes;
}

static void list_interface(const struct listing *listing,
                           const struct weft_system_interface *interface, bool xdp)
{
    char name[64];
    char detail[128];
    char hindrance[160] = "";
    (void)snprintf(name, sizeof(name), "%s0,iface=%s", xdp ? "net_af_xdp" : "net_af_packet",
                   interface->name);
    (void)snprintf(detail, sizeof(detail), "%s, interface MTU %u, path MTU %u",
                   xdp ? "by AF_XDP" : "by packet socket", interface->mtu_bytes,
                   path_mtu(interface, xdp));
    if (!weft_system_may(WEFT_CAPABILITY_NET_RAW))
        (void)snprintf(hindrance, sizeof(hindrance), "no CAP_NET_RAW: run as root");
    else if (!weft_system_may(WEFT_CAPABILITY_NET_ADMIN))
        (void)snprintf(hindrance, sizeof(hindrance), "no CAP_NET_ADMIN: run as root");
    else if (!interface->up)
        (void)snprintf(hindrance, sizeof(hindrance), "it is down: ip link set %s up",
                       interface->name);
    else if (path_mtu(interface, xdp) == 0)
        (void)snprintf(hindrance, sizeof(hindrance),
                       "its MTU is too small: ip link set %s mtu 4200", interface->name);
    else if (xdp && interface->mtu_bytes > 3498)
        (void)snprintf(hindrance, sizeof(hindrance),
                       "its MTU is too large for XDP: ip link set %s mtu %u", interface->name,
                       2048 + WEFT_MTU_OVERHEAD);
    say(listing, name, detail, hindrance);
}

void weft_dpdk_list(weft_device_visitor visit, void *context)
{
    const struct listing listing = {.visit = visit, .context = context};
    say(&listing, "loopback",
        "a switch in this process, RoCE v2, path MTU 4096; needs no root and no hugepages", "");
    weft_system_each_pci(list_pci, (void *)(uintptr_t)&listing);
    struct if_nameindex *names = if_nameindex();
    for (const struct if_nameindex *at = names; at && at->if_index; at++) {
        struct weft_system_interface interface;
        if (!weft_system_interface(at->if_name, &interface) || !interface.ethernet)
            continue;
        list_interface(&listing, &interface, false);
        list_interface(&listing, &interface, true);
    }
    if (names)
        if_freenameindex(names);
}
