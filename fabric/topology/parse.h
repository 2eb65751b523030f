/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a topology's parser: first every value on its own (parse.c), then the names
 * (unique.c), then what refers to names (refer.c). */
#ifndef WEFT_TOPOLOGY_PARSE_H
#define WEFT_TOPOLOGY_PARSE_H

#include "fabric/base/yaml.h"
#include "fabric/topology/names.h"
#include "fabric/topology/topology.h"

#define WEFT_LINK_RATE_BPS_MAX UINT64_C(100000000000000)

struct weft_topology_parse {
    struct weft_topology *topology;
    struct weft_error *error;
    const struct weft_yaml_node *hosts, *switches, *links, *ranks; /* switches, links: or NULL */
    /* Where each stands in the file, by its index. */
    const struct weft_yaml_node **host_nodes, **nic_nodes, **switch_nodes;
    struct weft_names host_names, nic_names, switch_names; /* NICs as "host/nic" */
};

static inline enum weft_status weft_topology_no_memory(const struct weft_topology_parse *parse)
{
    return weft_error_set(parse->error, WEFT_NO_MEMORY, "out of memory");
}

/* Fills the names; refuses names, agents, addresses and devices that are there twice. */
enum weft_status weft_topology_check_unique(struct weft_topology_parse *parse);

/* Links and ranks. */
enum weft_status weft_topology_resolve(struct weft_topology_parse *parse);

#endif
