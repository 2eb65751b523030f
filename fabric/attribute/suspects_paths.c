/* SPDX-License-Identifier: BSD-3-Clause */
/* What else than a NIC's link its edges have in common. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

#define FEW_EDGES 4u

static bool joins_switches(const struct weft_link *link)
{
    return link->ends[0].is_switch && link->ends[1].is_switch;
}

static bool find_common(const struct weft_attributor *attributor, struct weft_paths *paths,
                        const struct weft_edge *const *edges, uint32_t count, double *weights,
                        uint32_t *crossed)
{
    const struct weft_topology *topology = attributor->input->topology;
    double least = count < FEW_EDGES ? 0 : 0.99;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t link = 0; link < topology->link_count; link++)
            weights[link] = 0;
        weft_paths_add(paths, topology->rank_nics[edges[i]->from],
                       topology->rank_nics[edges[i]->to], 1, weights);
        for (uint32_t link = 0; link < topology->link_count; link++)
            crossed[link] += weights[link] > least;
    }
    for (uint32_t link = 0; link < topology->link_count; link++) {
        if (joins_switches(&topology->links[link]) && crossed[link] == count)
            return true;
    }
    return false;
}

enum weft_status weft_suspects_share_link(const struct weft_attributor *attributor,
                                          const struct weft_edge *const *edges, uint32_t count,
                                          bool *ret_share, struct weft_error *error)
{
    const struct weft_topology *topology = attributor->input->topology;
    *ret_share = false;
    if (!topology->link_count)
        return WEFT_OK;
    struct weft_paths *paths = weft_paths_create(topology);
    double *weights = calloc((size_t)topology->link_count + 1, sizeof(*weights));
    uint32_t *crossed = calloc((size_t)topology->link_count + 1, sizeof(*crossed));
    bool made = paths && weights && crossed;
    if (made)
        *ret_share = find_common(attributor, paths, edges, count, weights, crossed);
    weft_paths_destroy(paths);
    free(weights);
    free(crossed);
    return made ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for paths");
}
