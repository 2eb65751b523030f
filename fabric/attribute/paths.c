/* SPDX-License-Identifier: BSD-3-Clause */
/* Which links lie between two NICs. Which of several equal paths a flow takes is not known here, so
 * each has its share. */
#include <stdlib.h>
#include <string.h>

#include "fabric/attribute/internal.h"

struct reach {
    uint32_t *hops;  /* UINT32_MAX: not reached */
    double *ways;    /* how many shortest paths lead there */
    uint32_t *queue; /* in the order of their hops */
    uint32_t count;
};

struct weft_paths {
    const struct weft_topology *topology;
    uint32_t node_count;  /* NICs, then switches */
    uint32_t *first, *at; /* of each node its links */
    struct reach from, to;
};

static uint32_t node_of(const struct weft_paths *paths, const struct weft_link_end *end)
{
    return end->index + (end->is_switch ? paths->topology->nic_count : 0);
}

static bool allocate_reach(struct reach *reach, uint32_t node_count)
{
    reach->hops = calloc((size_t)node_count + 1, sizeof(uint32_t));
    reach->ways = calloc((size_t)node_count + 1, sizeof(double));
    reach->queue = calloc((size_t)node_count + 1, sizeof(uint32_t));
    return reach->hops && reach->ways && reach->queue;
}

static void list_links(struct weft_paths *paths)
{
    const struct weft_topology *topology = paths->topology;
    for (uint32_t i = 0; i < topology->link_count; i++) {
        for (uint32_t end = 0; end < 2; end++)
            paths->first[node_of(paths, &topology->links[i].ends[end]) + 1]++;
    }
    for (uint32_t i = 0; i < paths->node_count; i++)
        paths->first[i + 1] += paths->first[i];
    /* Each first is moved on while it is filled, and ends as the next one's. */
    for (uint32_t i = 0; i < topology->link_count; i++) {
        for (uint32_t end = 0; end < 2; end++)
            paths->at[paths->first[node_of(paths, &topology->links[i].ends[end])]++] = i;
    }
    for (uint32_t i = paths->node_count; i > 0; i--)
        paths->first[i] = paths->first[i - 1];
    paths->first[0] = 0;
}

struct weft_paths *weft_paths_create(const struct weft_topology *topology)
{
    struct weft_paths *paths = calloc(1, sizeof(*paths));
    if (!paths)
        return NULL;
    paths->topology = topology;
    paths->node_count = topology->nic_count + topology->switch_count;
    paths->first = calloc((size_t)paths->node_count + 2, sizeof(uint32_t));
    paths->at = calloc(2 * (size_t)topology->link_count + 1, sizeof(uint32_t));
    if (!paths->first || !paths->at || !allocate_reach(&paths->from, paths->node_count) ||
        !allocate_reach(&paths->to, paths->node_count)) {
        weft_paths_destroy(paths);
        return NULL;
    }
    list_links(paths);
    return paths;
}

static void free_reach(struct reach *reach)
{
    free(reach->hops);
    free(reach->ways);
    free(reach->queue);
}

void weft_paths_destroy(struct weft_paths *paths)
{
    if (!paths)
        return;
    free_reach(&paths->from);
    free_reach(&paths->to);
    free(paths->first);
    free(paths->at);
    free(paths);
}

static uint32_t other_end(const struct weft_paths *paths, uint32_t link, uint32_t node)
{
    const struct weft_link *it = &paths->topology->links[link];
    uint32_t end = node_of(paths, &it->ends[0]);
    return end == node ? node_of(paths, &it->ends[1]) : end;
}

/* NICs end paths: they forward nothing. */
static void spread(const struct weft_paths *paths, uint32_t start, struct reach *reach)
{
    memset(reach->hops, 0xff, paths->node_count * sizeof(*reach->hops));
    memset(reach->ways, 0, paths->node_count * sizeof(*reach->ways));
    reach->count = 0;
    reach->hops[start] = 0;
    reach->ways[start] = 1;
    reach->queue[reach->count++] = start;
    for (uint32_t i = 0; i < reach->count; i++) {
        uint32_t node = reach->queue[i];
        if (node < paths->topology->nic_count && node != start)
            continue;
        for (uint32_t j = paths->first[node]; j < paths->first[node + 1]; j++) {
            uint32_t next = other_end(paths, paths->at[j], node);
            if (reach->hops[next] == UINT32_MAX) {
                reach->hops[next] = reach->hops[node] + 1;
                reach->queue[reach->count++] = next;
            }
            if (reach->hops[next] == reach->hops[node] + 1)
                reach->ways[next] += reach->ways[node];
        }
    }
}

const uint32_t *weft_paths_hops(struct weft_paths *paths, uint32_t nic)
{
    spread(paths, nic, &paths->from);
    return paths->from.hops;
}

void weft_paths_add(struct weft_paths *paths, uint32_t from_nic, uint32_t to_nic, double weight,
                    double *link_weights)
{
    spread(paths, from_nic, &paths->from);
    spread(paths, to_nic, &paths->to);
    uint32_t hops = paths->from.hops[to_nic];
    if (hops == UINT32_MAX || !hops)
        return;
    for (uint32_t i = 0; i < paths->topology->link_count; i++) {
        for (uint32_t end = 0; end < 2; end++) {
            uint32_t near = node_of(paths, &paths->topology->links[i].ends[end]);
            uint32_t far = node_of(paths, &paths->topology->links[i].ends[1 - end]);
            if (paths->from.hops[near] == UINT32_MAX || paths->to.hops[far] == UINT32_MAX ||
                paths->from.hops[near] + 1 + paths->to.hops[far] != hops)
                continue;
            link_weights[i] +=
                weight * paths->from.ways[near] * paths->to.ways[far] / paths->from.ways[to_nic];
        }
    }
}
