/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts, their NICs, switches, links, and where the ranks sit; from YAML (docs in topologies/). */
#ifndef WEFT_TOPOLOGY_TOPOLOGY_H
#define WEFT_TOPOLOGY_TOPOLOGY_H

#include "fabric/topology/ip.h"

/* Not given: 0 is a delay that a link may have. */
#define WEFT_DELAY_NONE UINT64_MAX

struct weft_nic {
    char *name;             /* unique in its host */
    char *device;           /* as the driver names it */
    char *driver;           /* NULL: the test's */
    struct weft_ip address; /* version 0: not given */
    struct weft_ip gateway;
    uint16_t vlan_id; /* WEFT_VLAN_NONE: not given */
    uint8_t vlan_priority;
    uint64_t rate_bps; /* 0: not given */
    uint32_t host;     /* index */
    uint32_t index;    /* in the topology: which NIC it is, whatever its device is called */
};

struct weft_host {
    char *name;
    char *agent; /* "10.0.0.1:7117", where its agent listens; NULL: this process runs its ranks */
    uint32_t first_nic, nic_count; /* in weft_topology.nics */
};

/* Marking by the length of a queue: none below the minimum, all above the maximum, in between a
 * share that rises from 0 to the probability. */
struct weft_ecn {
    uint64_t min_bytes;
    uint64_t max_bytes;       /* 0: no marking */
    uint64_t probability_ppm; /* at the maximum */
};

/* Pausing a neighbour (PFC) by what the switch has stored of it. */
struct weft_pfc {
    uint64_t xoff_bytes; /* 0: no pausing */
    uint64_t xon_bytes;
};

/* What a switch does beside forwarding is for driver sim; a real one is not asked. */
struct weft_switch {
    char *name;
    uint64_t buffer_bytes; /* that its ports share; 0: not given */
    struct weft_ecn ecn;
    struct weft_pfc pfc;
};

/* An end of a link: a NIC or a switch. */
struct weft_link_end {
    bool is_switch;
    uint32_t index;
};

struct weft_link {
    struct weft_link_end ends[2];
    uint64_t rate_bps; /* 0: not given */
    uint64_t delay_ns; /* WEFT_DELAY_NONE: not given */
};

struct weft_topology {
    char *name;
    uint32_t host_count, nic_count, switch_count, link_count, rank_count;
    struct weft_host *hosts;
    struct weft_nic *nics;
    struct weft_switch *switches;
    struct weft_link *links;
    uint32_t *rank_nics; /* rank r sits on nics[rank_nics[r]] */
};

/* Sums over more ranks are not exact in float32; see verify.h. */
#define WEFT_RANKS_MAX 130000u

/* Parses and checks. Errors point into the source and suggest the nearest key or name. */
WEFT_CHECKED enum weft_status weft_topology_parse(const struct weft_source *source,
                                                  struct weft_topology **ret_topology,
                                                  struct weft_error *error);
void weft_topology_destroy(struct weft_topology *topology);

/* `rank_count` ranks on this host, each on a loopback port of its own: what runs without a file. */
WEFT_CHECKED enum weft_status weft_topology_loopback(uint32_t rank_count,
                                                     struct weft_topology **ret_topology,
                                                     struct weft_error *error);

#endif
