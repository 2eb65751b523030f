/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked for and an RDMA device has no way to do: refused, for a run that quietly did
 * something else would be worse. */
#include "drivers/verbs/internal.h"
#include "drivers/verbs/sysfs.h"

enum weft_status weft_verbs_options_check(const struct weft_device_options *options,
                                          const char *device, struct weft_error *error)
{
    if (options->pcap_path)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: no software sees an RDMA device's packets, so they cannot be "
                              "captured to %s; capture on the switch, or use the dpdk driver",
                              device, options->pcap_path);
    if (weft_fault_is_on(&options->fault))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: no software sees an RDMA device's packets, so faults cannot be "
                              "injected; give the faults to the dpdk ranks",
                              device);
    if (options->congestion.control != WEFT_CONGESTION_NONE)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: an RDMA device has its own congestion control, set with its "
                              "vendor's tools; leave it out here, or use the dpdk driver",
                              device);
    if (options->vlan_id != WEFT_VLAN_NONE)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: an RDMA device tags the packets of a VLAN interface's GID: make "
                              "one (ip link add link DEV name DEV.%u type vlan id %u), and give "
                              "its address to this NIC instead of vlan",
                              device, options->vlan_id, options->vlan_id);
    if (options->rate_bps > 0)
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: endpoints of an RDMA device are not paced here; limit the rate "
                              "of the test, or use the dpdk driver",
                              device);
    return WEFT_OK;
}

enum weft_status weft_verbs_flow_choose(const struct weft_device *device, uint16_t source_port,
                                        uint32_t *ret_flow_label, struct weft_error *error)
{
    *ret_flow_label = 0;
    if (source_port == 0)
        return WEFT_OK;
    char path[WEFT_VERBS_SYSFS_PATH], driver[64] = "";
    weft_verbs_sysfs_path(path, WEFT_VERBS_SYSFS_INFINIBAND, device->name.device, "device/driver");
    (void)weft_verbs_sysfs_link_name(path, driver, sizeof(driver));
    if (device->gid.type != WEFT_VERBS_GID_ROCE_V2 || !weft_verbs_labels_flows(driver))
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "%s: UDP source port %u was requested, but this device chooses its "
                              "own for each queue pair; leave it out, or use the dpdk driver",
                              device->name.device, source_port);
    if (!weft_verbs_flow_label(source_port, ret_flow_label))
        return weft_error_set(
            error, WEFT_UNSUPPORTED,
            "%s: UDP source port %u was requested; an RDMA device sends from 49152 to 65535 only",
            device->name.device, source_port);
    return WEFT_OK;
}
