/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/topology/parse.h"
#include "fabric/topology/read.h"

/* The place of a key's value where there is one, else of the whole. */
static const struct weft_location *place(const struct weft_yaml_node *map, const char *key)
{
    const struct weft_yaml_node *node = weft_yaml_find(map, key);
    return node ? &node->where : &map->where;
}

/* ---- the file as a whole ---- */

struct file {
    char *name;
    const struct weft_yaml_node *hosts, *switches, *links, *ranks;
};

static const struct weft_yaml_key file_keys[] = {
    {"name", weft_topology_read_name, offsetof(struct file, name), true, 0, 0},
    {"hosts", weft_yaml_read_list, offsetof(struct file, hosts), true, 0, 0},
    {"switches", weft_yaml_read_list, offsetof(struct file, switches), false, 0, 0},
    {"links", weft_yaml_read_list, offsetof(struct file, links), false, 0, 0},
    {"ranks", weft_yaml_read_list, offsetof(struct file, ranks), true, 0, 0},
    {0},
};

static enum weft_status read_file(struct weft_topology_parse *parse,
                                  const struct weft_yaml_node *root)
{
    struct file file = {0};
    enum weft_status status =
        weft_yaml_read_map(root, "a topology", file_keys, &file, parse->error);
    parse->topology->name = file.name;
    if (status != WEFT_OK)
        return status;
    if (file.hosts->count == 0)
        return weft_error_at(parse->error, &file.hosts->where, "there is no host");
    if (file.ranks->count == 0)
        return weft_error_at(parse->error, &file.ranks->where,
                             "there is no rank: name the NIC of each, such as [a/a0, b/b0]");
    if (file.ranks->count > WEFT_RANKS_MAX)
        return weft_error_at(parse->error, &file.ranks->where, "%u ranks: the limit is %u",
                             file.ranks->count, WEFT_RANKS_MAX);
    parse->hosts = file.hosts;
    parse->switches = file.switches;
    parse->links = file.links;
    parse->ranks = file.ranks;
    return WEFT_OK;
}

/* ---- hosts ---- */

static enum weft_status check_gateway(struct weft_topology_parse *parse,
                                      const struct weft_yaml_node *node, const struct weft_nic *nic)
{
    const struct weft_location *where = place(node, "gateway");
    const struct weft_ip *address = &nic->address, *gateway = &nic->gateway;
    if (!address->version)
        return weft_error_at(parse->error, where, "a gateway needs an address: give the NIC one");
    if (address->version != gateway->version)
        return weft_error_at(parse->error, where,
                             "the gateway and the NIC's address are of different IP versions");
    bool same = true;
    for (uint32_t i = 0; i < address->prefix_bits; i++) {
        uint32_t differing = address->bytes[i / 8] ^ (uint32_t)gateway->bytes[i / 8];
        same = same && !(differing >> (7 - i % 8) & 1);
    }
    char text[WEFT_IP_TEXT];
    /* Routers of IPv6 may be known by their link-local address alone. */
    if (!same && !weft_ip_is_link_local(gateway))
        return weft_error_at(parse->error, where, "the gateway lies outside the NIC's network, %s",
                             weft_ip_format(address, true, text));
    if (memcmp(address->bytes, gateway->bytes, sizeof(address->bytes)) == 0)
        return weft_error_at(parse->error, where, "the gateway is the NIC's own address");
    return WEFT_OK;
}

static const struct weft_yaml_key nic_keys[] = {
    {"name", weft_topology_read_name, offsetof(struct weft_nic, name), true, 0, 0},
    {"device", weft_yaml_read_text, offsetof(struct weft_nic, device), true, 0, 0},
    {"address", weft_topology_read_address, offsetof(struct weft_nic, address), false, 0, 0},
    {"rate", weft_yaml_read_rate, offsetof(struct weft_nic, rate_bps), false, 1,
     WEFT_LINK_RATE_BPS_MAX},
    {"driver", weft_topology_read_name, offsetof(struct weft_nic, driver), false, 0, 0},
    {"gateway", weft_topology_read_gateway, offsetof(struct weft_nic, gateway), false, 0, 0},
    {"vlan", weft_topology_read_vlan, offsetof(struct weft_nic, vlan_id), false, 0, 0},
    {"vlan-priority", weft_topology_read_vlan_priority, offsetof(struct weft_nic, vlan_priority),
     false, 0, 0},
    {0},
};

static enum weft_status read_nic(struct weft_topology_parse *parse,
                                 const struct weft_yaml_node *node, uint32_t host, uint32_t index)
{
    struct weft_nic *nic = &parse->topology->nics[index];
    nic->host = host;
    nic->index = index;
    parse->nic_nodes[index] = node;
    enum weft_status status = weft_yaml_read_map(node, "a NIC", nic_keys, nic, parse->error);
    if (status == WEFT_OK && nic->gateway.version) {
        status = check_gateway(parse, node, nic);
        nic->gateway.prefix_bits = nic->address.prefix_bits;
    }
    if (status == WEFT_OK && weft_yaml_find(node, "vlan-priority") && !nic->vlan_id)
        status = weft_error_at(parse->error, place(node, "vlan-priority"),
                               "'vlan-priority' needs a VLAN: give the NIC 'vlan' too");
    return status;
}

struct host_row {
    char *name, *agent;
    const struct weft_yaml_node *nics;
};

static const struct weft_yaml_key host_keys[] = {
    {"name", weft_topology_read_name, offsetof(struct host_row, name), true, 0, 0},
    {"agent", weft_topology_read_agent, offsetof(struct host_row, agent), false, 0, 0},
    {"nics", weft_yaml_read_list, offsetof(struct host_row, nics), true, 0, 0},
    {0},
};

/* NICs are counted here and read once the array for all of them is there. */
static enum weft_status read_host(struct weft_topology_parse *parse,
                                  const struct weft_yaml_node *node, uint32_t index)
{
    struct weft_topology *topology = parse->topology;
    struct weft_host *host = &topology->hosts[index];
    struct host_row row = {0};
    enum weft_status status = weft_yaml_read_map(node, "a host", host_keys, &row, parse->error);
    host->name = row.name;
    host->agent = row.agent;
    parse->host_nodes[index] = node;
    if (status != WEFT_OK)
        return status;
    if (row.nics->count == 0)
        return weft_error_at(parse->error, &row.nics->where, "host '%s' has no NIC", host->name);
    host->first_nic = topology->nic_count;
    host->nic_count = row.nics->count;
    topology->nic_count += row.nics->count;
    return WEFT_OK;
}

static enum weft_status read_nics(struct weft_topology_parse *parse)
{
    struct weft_topology *topology = parse->topology;
    assert(topology->nic_count); /* a host has one at least */
    topology->nics = calloc(topology->nic_count, sizeof(topology->nics[0]));
    parse->nic_nodes = calloc(topology->nic_count, sizeof(parse->nic_nodes[0]));
    if (!topology->nics || !parse->nic_nodes)
        return weft_topology_no_memory(parse);
    enum weft_status status = WEFT_OK;
    for (uint32_t host = 0; host < topology->host_count; host++) {
        const struct weft_yaml_node *node = weft_yaml_find(parse->host_nodes[host], "nics")->first;
        uint32_t index = topology->hosts[host].first_nic;
        for (; status == WEFT_OK && node; node = node->next)
            status = read_nic(parse, node, host, index++);
    }
    return status;
}

static enum weft_status read_hosts(struct weft_topology_parse *parse)
{
    struct weft_topology *topology = parse->topology;
    assert(parse->hosts); /* the table says that it is required */
    topology->host_count = parse->hosts->count;
    topology->hosts = calloc(topology->host_count, sizeof(topology->hosts[0]));
    parse->host_nodes = calloc(topology->host_count, sizeof(parse->host_nodes[0]));
    if (!topology->hosts || !parse->host_nodes)
        return weft_topology_no_memory(parse);
    enum weft_status status = WEFT_OK;
    uint32_t index = 0;
    const struct weft_yaml_node *node = parse->hosts->first;
    for (; status == WEFT_OK && node; node = node->next)
        status = read_host(parse, node, index++);
    return status == WEFT_OK ? read_nics(parse) : status;
}

/* ---- switches ---- */

static const struct weft_yaml_key switch_keys[] = {
    {"name", weft_topology_read_name, offsetof(struct weft_switch, name), true, 0, 0},
    {"buffer", weft_yaml_read_size, offsetof(struct weft_switch, buffer_bytes), false, 1,
     WEFT_SWITCH_BUFFER_BYTES_MAX},
    {"ecn", weft_topology_read_ecn, offsetof(struct weft_switch, ecn), false, 0, 0},
    {"pfc", weft_topology_read_pfc, offsetof(struct weft_switch, pfc), false, 0, 0},
    {0},
};

static enum weft_status read_switches(struct weft_topology_parse *parse)
{
    struct weft_topology *topology = parse->topology;
    if (!parse->switches || parse->switches->count == 0)
        return WEFT_OK;
    topology->switch_count = parse->switches->count;
    topology->switches = calloc(topology->switch_count, sizeof(topology->switches[0]));
    parse->switch_nodes = calloc(topology->switch_count, sizeof(parse->switch_nodes[0]));
    if (!topology->switches || !parse->switch_nodes)
        return weft_topology_no_memory(parse);
    enum weft_status status = WEFT_OK;
    uint32_t index = 0;
    const struct weft_yaml_node *node = parse->switches->first;
    for (; status == WEFT_OK && node; node = node->next, index++) {
        parse->switch_nodes[index] = node;
        status = weft_yaml_read_map(node, "a switch", switch_keys, &topology->switches[index],
                                    parse->error);
    }
    return status;
}

/* ---- all of it ---- */

typedef enum weft_status (*step)(struct weft_topology_parse *parse);

static enum weft_status read_topology(struct weft_topology_parse *parse,
                                      const struct weft_yaml_node *root)
{
    static const step steps[] = {read_hosts, read_switches, weft_topology_check_unique,
                                 weft_topology_resolve};
    enum weft_status status = read_file(parse, root);
    for (size_t i = 0; status == WEFT_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
        status = steps[i](parse);
    free(parse->host_nodes);
    free(parse->nic_nodes);
    free(parse->switch_nodes);
    weft_names_fini(&parse->host_names);
    weft_names_fini(&parse->nic_names);
    weft_names_fini(&parse->switch_names);
    return status;
}

enum weft_status weft_topology_parse(const struct weft_source *source,
                                     struct weft_topology **ret_topology, struct weft_error *error)
{
    struct weft_yaml *yaml = NULL;
    enum weft_status status = weft_yaml_parse(source, &yaml, error);
    if (status != WEFT_OK)
        return status;
    struct weft_topology_parse parse = {.topology = calloc(1, sizeof(*parse.topology)),
                                        .error = error};
    status = parse.topology ? read_topology(&parse, weft_yaml_root(yaml))
                            : weft_topology_no_memory(&parse);
    weft_yaml_destroy(yaml);
    if (status == WEFT_OK)
        *ret_topology = parse.topology;
    else
        weft_topology_destroy(parse.topology);
    return status;
}
