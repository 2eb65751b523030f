/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/topology/parse.h"

#define DELAY_NS_MAX UINT64_C(10000000000)

static enum weft_status unknown(struct weft_topology_parse *parse,
                                const struct weft_yaml_node *node, const char *what,
                                const struct weft_names *names)
{
    const char **list = weft_names_list(names);
    if (!list)
        return weft_topology_no_memory(parse);
    enum weft_status status = weft_yaml_unknown(&node->where, what, node->text, list, parse->error);
    free(list);
    return status;
}

static enum weft_status find_nic(struct weft_topology_parse *parse,
                                 const struct weft_yaml_node *node, uint32_t *ret_nic)
{
    uint32_t host;
    if (node->kind != WEFT_YAML_TEXT)
        return weft_error_at(parse->error, &node->where,
                             "expected the name of a NIC, such as a/a0");
    if (weft_names_find(&parse->nic_names, node->text, ret_nic))
        return WEFT_OK;
    if (!weft_names_find(&parse->host_names, node->text, &host))
        return unknown(parse, node, "NIC", &parse->nic_names);
    const struct weft_host *found = &parse->topology->hosts[host];
    return weft_error_at(parse->error, &node->where,
                         "'%s' is a host: name one of its NICs, such as '%s/%s'", found->name,
                         found->name, parse->topology->nics[found->first_nic].name);
}

static enum weft_status find_end(struct weft_topology_parse *parse,
                                 const struct weft_yaml_node *node, struct weft_link_end *ret_end)
{
    bool names_nic = node->kind == WEFT_YAML_TEXT && strchr(node->text, '/');
    uint32_t host;
    if (node->kind == WEFT_YAML_TEXT &&
        weft_names_find(&parse->switch_names, node->text, &ret_end->index)) {
        ret_end->is_switch = true;
        return WEFT_OK;
    }
    if (node->kind == WEFT_YAML_TEXT && !names_nic && parse->switch_names.count > 0 &&
        !weft_names_find(&parse->host_names, node->text, &host))
        return unknown(parse, node, "switch", &parse->switch_names);
    return find_nic(parse, node, &ret_end->index);
}

struct link_row {
    const struct weft_yaml_node *between;
    uint64_t rate_bps, delay_ns;
};

static const struct weft_yaml_key link_keys[] = {
    {"between", weft_yaml_read_list, offsetof(struct link_row, between), true, 0, 0},
    {"rate", weft_yaml_read_rate, offsetof(struct link_row, rate_bps), false, 1,
     WEFT_LINK_RATE_BPS_MAX},
    {"delay", weft_yaml_read_time, offsetof(struct link_row, delay_ns), false, 0, DELAY_NS_MAX},
    {0},
};

static enum weft_status read_link(struct weft_topology_parse *parse,
                                  const struct weft_yaml_node *node, bool *nic_linked,
                                  struct weft_link *ret_link)
{
    struct link_row row = {.delay_ns = WEFT_DELAY_NONE};
    assert(nic_linked && ret_link);
    enum weft_status status = weft_yaml_read_map(node, "a link", link_keys, &row, parse->error);
    if (status != WEFT_OK)
        return status;
    if (row.between->count != 2)
        return weft_error_at(parse->error, &row.between->where,
                             "a link must have 2 ends, such as [a/a0, s0], not %u",
                             row.between->count);
    *ret_link = (struct weft_link){.rate_bps = row.rate_bps, .delay_ns = row.delay_ns};
    const struct weft_yaml_node *end_node = row.between->first;
    for (uint32_t i = 0; i < 2; i++, end_node = end_node->next) {
        struct weft_link_end *end = &ret_link->ends[i];
        status = find_end(parse, end_node, end);
        if (status != WEFT_OK)
            return status;
        if (!end->is_switch && nic_linked[end->index])
            return weft_error_at(parse->error, &end_node->where, "NIC '%s' has a link already",
                                 end_node->text);
        if (!end->is_switch)
            nic_linked[end->index] = true;
    }
    const struct weft_link_end *ends = ret_link->ends;
    if (ends[0].is_switch && ends[1].is_switch && ends[0].index == ends[1].index)
        return weft_error_at(parse->error, &row.between->where,
                             "both ends of this link are the same switch");
    return WEFT_OK;
}

static enum weft_status read_links(struct weft_topology_parse *parse)
{
    struct weft_topology *topology = parse->topology;
    if (!parse->links || parse->links->count == 0)
        return WEFT_OK;
    topology->link_count = parse->links->count;
    topology->links = calloc(topology->link_count, sizeof(topology->links[0]));
    bool *nic_linked = calloc(topology->nic_count, sizeof(*nic_linked));
    enum weft_status status =
        topology->links && nic_linked ? WEFT_OK : weft_topology_no_memory(parse);
    struct weft_link *link = topology->links;
    const struct weft_yaml_node *node = parse->links->first;
    for (; status == WEFT_OK && node; node = node->next)
        status = read_link(parse, node, nic_linked, link++);
    free(nic_linked);
    return status;
}

static enum weft_status read_ranks(struct weft_topology_parse *parse)
{
    struct weft_topology *topology = parse->topology;
    topology->rank_count = parse->ranks->count;
    topology->rank_nics = calloc(topology->rank_count, sizeof(topology->rank_nics[0]));
    if (!topology->rank_nics)
        return weft_topology_no_memory(parse);
    enum weft_status status = WEFT_OK;
    uint32_t *rank = topology->rank_nics;
    const struct weft_yaml_node *node = parse->ranks->first;
    for (; status == WEFT_OK && node; node = node->next)
        status = find_nic(parse, node, rank++);
    return status;
}

enum weft_status weft_topology_resolve(struct weft_topology_parse *parse)
{
    enum weft_status status = read_links(parse);
    return status == WEFT_OK ? read_ranks(parse) : status;
}
