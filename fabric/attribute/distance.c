/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a message's peer is: a longer way takes longer, and nobody is to blame for it. */
#include "fabric/attribute/internal.h"

/* Of all ranks' searches together: beyond it all peers are taken to be equally far. */
#define VISITS_MAX UINT64_C(200000000)

/* Without links: on the same NIC, in the same host, elsewhere. */
static uint32_t known_distance(const struct weft_topology *topology, uint32_t from_nic,
                               uint32_t to_nic)
{
    if (from_nic == to_nic)
        return 0;
    return topology->nics[from_nic].host == topology->nics[to_nic].host ? 1 : 2;
}

static void fill_rank(struct weft_attributor *attributor, uint32_t rank, struct weft_paths *paths)
{
    const struct weft_schedule *schedule = attributor->input->schedules[rank];
    const struct weft_topology *topology = attributor->input->topology;
    uint32_t nic = topology->rank_nics[rank];
    const uint32_t *hops = paths ? weft_paths_hops(paths, nic) : NULL;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND)
            continue;
        uint32_t peer_nic = topology->rank_nics[op->peer];
        attributor->ranks[rank].hops[i] =
            hops ? hops[peer_nic] : known_distance(topology, nic, peer_nic);
    }
}

enum weft_status weft_distances_fill(struct weft_attributor *attributor, struct weft_error *error)
{
    const struct weft_topology *topology = attributor->input->topology;
    uint64_t nodes = (uint64_t)topology->nic_count + topology->switch_count + topology->link_count;
    struct weft_paths *paths = NULL;
    if (topology->link_count && nodes * attributor->input->rank_count <= VISITS_MAX) {
        paths = weft_paths_create(topology);
        if (!paths)
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for paths");
    }
    for (uint32_t rank = 0; rank < attributor->input->rank_count; rank++)
        fill_rank(attributor, rank, paths);
    weft_paths_destroy(paths);
    return WEFT_OK;
}
