/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers of the values that only topologies have. */
#ifndef WEFT_TOPOLOGY_READ_H
#define WEFT_TOPOLOGY_READ_H

#include "fabric/base/yaml.h"

/* char *: letters, digits, '.', '_' and '-' */
enum weft_status weft_topology_read_name(const struct weft_yaml_node *node, void *ret_field,
                                         struct weft_error *error);
/* struct weft_ip: one that a host can have */
enum weft_status weft_topology_read_address(const struct weft_yaml_node *node, void *ret_field,
                                            struct weft_error *error);
/* struct weft_ip, written without a prefix */
enum weft_status weft_topology_read_gateway(const struct weft_yaml_node *node, void *ret_field,
                                            struct weft_error *error);
/* uint16_t: 1 .. 4094 */
enum weft_status weft_topology_read_vlan(const struct weft_yaml_node *node, void *ret_field,
                                         struct weft_error *error);
/* uint8_t: 0 .. 7 */
enum weft_status weft_topology_read_vlan_priority(const struct weft_yaml_node *node,
                                                  void *ret_field, struct weft_error *error);
/* char *: "10.0.0.1:7117", "[2001:db8::1]:7117", "node17:7117" */
enum weft_status weft_topology_read_agent(const struct weft_yaml_node *node, void *ret_field,
                                          struct weft_error *error);

#define WEFT_SWITCH_BUFFER_BYTES_MAX (UINT64_C(1) << 40)
/* struct weft_ecn: {min: 100KiB, max: 400KiB, probability: 0.01} */
enum weft_status weft_topology_read_ecn(const struct weft_yaml_node *node, void *ret_field,
                                        struct weft_error *error);
/* struct weft_pfc: {xoff: 512KiB, xon: 256KiB} */
enum weft_status weft_topology_read_pfc(const struct weft_yaml_node *node, void *ret_field,
                                        struct weft_error *error);

#endif
