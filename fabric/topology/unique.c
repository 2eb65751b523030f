/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fabric/topology/parse.h"

/* The place of a key's value where there is one, else of the whole. */
static const struct weft_location *place(const struct weft_yaml_node *map, const char *key)
{
    const struct weft_yaml_node *node = weft_yaml_find(map, key);
    return node ? &node->where : &map->where;
}

static enum weft_status index_hosts(struct weft_topology_parse *parse)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    for (uint32_t i = 0; i < topology->host_count; i++)
        weft_names_add(&parse->host_names, i, "%s", topology->hosts[i].name);
    if (!weft_names_sort(&parse->host_names, &later, &earlier))
        return weft_error_at(parse->error, place(parse->host_nodes[later], "name"),
                             "duplicate host '%s'; the first is in line %u",
                             topology->hosts[later].name,
                             place(parse->host_nodes[earlier], "name")->line);
    return WEFT_OK;
}

static enum weft_status index_nics(struct weft_topology_parse *parse)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    for (uint32_t i = 0; i < topology->nic_count; i++) {
        const struct weft_nic *nic = &topology->nics[i];
        weft_names_add(&parse->nic_names, i, "%s/%s", topology->hosts[nic->host].name, nic->name);
    }
    if (!weft_names_sort(&parse->nic_names, &later, &earlier))
        return weft_error_at(parse->error, place(parse->nic_nodes[later], "name"),
                             "host '%s' has a NIC '%s' already, in line %u",
                             topology->hosts[topology->nics[later].host].name,
                             topology->nics[later].name,
                             place(parse->nic_nodes[earlier], "name")->line);
    return WEFT_OK;
}

static enum weft_status index_switches(struct weft_topology_parse *parse)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    for (uint32_t i = 0; i < topology->switch_count; i++)
        weft_names_add(&parse->switch_names, i, "%s", topology->switches[i].name);
    if (!weft_names_sort(&parse->switch_names, &later, &earlier))
        return weft_error_at(parse->error, place(parse->switch_nodes[later], "name"),
                             "duplicate switch '%s'; the first is in line %u",
                             topology->switches[later].name,
                             place(parse->switch_nodes[earlier], "name")->line);
    return WEFT_OK;
}

static enum weft_status check_agents(struct weft_topology_parse *parse, struct weft_names *names)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    for (uint32_t i = 0; i < topology->host_count; i++) {
        if (topology->hosts[i].agent)
            weft_names_add(names, i, "%s", topology->hosts[i].agent);
    }
    if (!weft_names_sort(names, &later, &earlier))
        return weft_error_at(
            parse->error, place(parse->host_nodes[later], "agent"),
            "hosts '%s' and '%s' have the same agent: put their NICs into one host",
            topology->hosts[earlier].name, topology->hosts[later].name);
    return WEFT_OK;
}

static enum weft_status check_addresses(struct weft_topology_parse *parse, struct weft_names *names)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    char text[WEFT_IP_TEXT];
    for (uint32_t i = 0; i < topology->nic_count; i++) {
        if (topology->nics[i].address.version)
            weft_names_add(names, i, "%s", weft_ip_format(&topology->nics[i].address, false, text));
    }
    if (weft_names_sort(names, &later, &earlier))
        return WEFT_OK;
    const struct weft_nic *first = &topology->nics[earlier];
    return weft_error_at(parse->error, place(parse->nic_nodes[later], "address"),
                         "%s is the address of NIC '%s/%s' already",
                         weft_ip_format(&first->address, false, text),
                         topology->hosts[first->host].name, first->name);
}

static enum weft_status check_devices(struct weft_topology_parse *parse, struct weft_names *names)
{
    const struct weft_topology *topology = parse->topology;
    uint32_t later, earlier;
    for (uint32_t i = 0; i < topology->nic_count; i++) {
        const struct weft_nic *nic = &topology->nics[i];
        if (strcmp(nic->device, "loopback") != 0)
            weft_names_add(names, i, "%u/%s", nic->host, nic->device);
    }
    if (!weft_names_sort(names, &later, &earlier))
        return weft_error_at(parse->error, place(parse->nic_nodes[later], "device"),
                             "NIC '%s' of this host has that device already: ranks may share a NIC",
                             topology->nics[earlier].name);
    return WEFT_OK;
}

typedef enum weft_status (*uniqueness_check)(struct weft_topology_parse *parse,
                                             struct weft_names *names);

enum weft_status weft_topology_check_unique(struct weft_topology_parse *parse)
{
    static const uniqueness_check checks[] = {check_agents, check_addresses, check_devices};
    enum weft_status status = index_hosts(parse);
    if (status == WEFT_OK)
        status = index_nics(parse);
    if (status == WEFT_OK)
        status = index_switches(parse);
    for (size_t i = 0; status == WEFT_OK && i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct weft_names names = {0};
        status = checks[i](parse, &names);
        if (status == WEFT_OK && names.out_of_memory)
            status = weft_topology_no_memory(parse);
        weft_names_fini(&names);
    }
    bool lacking = parse->host_names.out_of_memory || parse->nic_names.out_of_memory ||
                   parse->switch_names.out_of_memory;
    return status == WEFT_OK && lacking ? weft_topology_no_memory(parse) : status;
}
