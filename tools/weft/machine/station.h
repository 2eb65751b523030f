/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker polls. */
#ifndef WEFT_TOOLS_STATION_H
#define WEFT_TOOLS_STATION_H

#include "fabric/driver.h"
#include "fabric/node/node.h"

/* A device and its nodes. Where polling begins goes round, so none is favoured by its place. */
struct weft_station {
    const struct weft_driver *driver;
    struct weft_device *device;
    struct weft_node **nodes;
    uint32_t *parts; /* of each node: which of the jobs that run together it belongs to */
    uint32_t node_count;
    uint32_t first_node; /* in the next turn */
};

#endif
