/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void weft_topology_destroy(struct weft_topology *topology)
{
    if (!topology)
        return;
    for (uint32_t i = 0; topology->hosts && i < topology->host_count; i++) {
        free(topology->hosts[i].name);
        free(topology->hosts[i].agent);
    }
    for (uint32_t i = 0; topology->nics && i < topology->nic_count; i++) {
        free(topology->nics[i].name);
        free(topology->nics[i].device);
        free(topology->nics[i].driver);
    }
    for (uint32_t i = 0; topology->switches && i < topology->switch_count; i++)
        free(topology->switches[i].name);
    free(topology->hosts);
    free(topology->nics);
    free(topology->switches);
    free(topology->links);
    free(topology->rank_nics);
    free(topology->name);
    free(topology);
}

/* 198.18.0.0/15 (RFC 2544: for tests) counted up. Addresses that end in 0 or 255 are left out: some
 * tools take them for a network's. */
#define ADDRESSES_A_BYTE 254u

static struct weft_ip loopback_address(uint32_t rank)
{
    return (struct weft_ip){.version = 4,
                            .prefix_bits = 15,
                            .bytes = {198, (uint8_t)(18 + rank / ADDRESSES_A_BYTE / 256),
                                      (uint8_t)(rank / ADDRESSES_A_BYTE % 256),
                                      (uint8_t)(rank % ADDRESSES_A_BYTE + 1)}};
}
_Static_assert(WEFT_RANKS_MAX <= 512u * ADDRESSES_A_BYTE, "each rank has an address of its own");

static bool fill_loopback(struct weft_topology *topology)
{
    topology->name = strdup("loopback");
    topology->hosts[0].name = strdup("local");
    topology->hosts[0].nic_count = topology->nic_count;
    bool whole = topology->name && topology->hosts[0].name;
    for (uint32_t rank = 0; rank < topology->nic_count; rank++) {
        struct weft_nic *nic = &topology->nics[rank];
        char name[16];
        (void)snprintf(name, sizeof(name), "p%u", rank);
        nic->name = strdup(name);
        nic->device = strdup("loopback");
        nic->address = loopback_address(rank);
        nic->index = rank;
        topology->rank_nics[rank] = rank;
        whole = whole && nic->name && nic->device;
    }
    return whole;
}

enum weft_status weft_topology_loopback(uint32_t rank_count, struct weft_topology **ret_topology,
                                        struct weft_error *error)
{
    if (rank_count == 0 || rank_count > WEFT_RANKS_MAX)
        return weft_error_set(error, WEFT_INVALID, "%u ranks: there may be from 1 to %u",
                              rank_count, WEFT_RANKS_MAX);
    struct weft_topology *topology = calloc(1, sizeof(*topology));
    if (!topology)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    topology->host_count = 1;
    topology->nic_count = rank_count;
    topology->rank_count = rank_count;
    topology->hosts = calloc(1, sizeof(topology->hosts[0]));
    topology->nics = calloc(rank_count, sizeof(topology->nics[0]));
    topology->rank_nics = calloc(rank_count, sizeof(topology->rank_nics[0]));
    if (!topology->hosts || !topology->nics || !topology->rank_nics || !fill_loopback(topology)) {
        weft_topology_destroy(topology);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u ranks", rank_count);
    }
    *ret_topology = topology;
    return WEFT_OK;
}
