/* SPDX-License-Identifier: BSD-3-Clause */
/* What a device's own figures mean for the contract. Pure: structs of libibverbs in, no calls. */
#ifndef WEFT_DRIVERS_VERBS_LIMITS_H
#define WEFT_DRIVERS_VERBS_LIMITS_H

#include <infiniband/verbs.h>

#include "fabric/driver.h"

/* "mlx5_0:2" */
struct weft_verbs_name {
    char device[64];
    uint8_t port; /* from 1 */
};
WEFT_CHECKED enum weft_status
weft_verbs_name_parse(const char *text, struct weft_verbs_name *ret_name, struct weft_error *error);

/* 4096 for IBV_MTU_4096; 0 for a code that is none. */
uint32_t weft_verbs_mtu_bytes(enum ibv_mtu code);
/* The code of a path MTU; false: there is none of that size. */
bool weft_verbs_mtu_code(uint32_t mtu_bytes, enum ibv_mtu *ret_code);
/* What was asked where the port can, else an error with the remedy; 0 asks for all it can. */
WEFT_CHECKED enum weft_status weft_verbs_mtu_choose(uint32_t active_bytes, uint32_t asked_bytes,
                                                    uint32_t *ret_mtu_bytes,
                                                    struct weft_error *error);

/* "400 Gb/sec (4X NDR)", the words of sysfs; 0: not understood. */
uint64_t weft_verbs_rate_parse(const char *text);

/* The limits, clamped to what the contract can say, and the operations; inline, UC, rate and NUMA
 * node are left alone. */
void weft_verbs_limits_clamp(const struct ibv_device_attr *device, const struct ibv_port_attr *port,
                             struct weft_capabilities *capabilities);

/* A flow label from which devices that follow the IBTA's rule make this UDP source port (it is not
 * 0 and the port is 0xC000 | ((label & 0x3fff) ^ (label >> 14))); false: the rule makes no such
 * port. */
bool weft_verbs_flow_label(uint16_t source_port, uint32_t *ret_flow_label);
/* Whether the devices of this kernel driver (the PCI device's, "mlx5_core") go by that rule. */
bool weft_verbs_labels_flows(const char *kernel_driver);

/* An error with both figures where `asked` is beyond `limit`; `what` as in "send depth". */
WEFT_CHECKED enum weft_status weft_verbs_limit_check(const char *what, uint64_t asked,
                                                     uint64_t limit, struct weft_error *error);

#endif
