/* SPDX-License-Identifier: BSD-3-Clause */
/* Creating and destroying a node: the only times when its setup can be written, because no worker
 * polls the node. The destroy functions also accept a partly created node. */
#ifndef WEFT_NODE_CREATE_H
#define WEFT_NODE_CREATE_H

#include "fabric/node/worker.h"

struct weft_node_parts {
    struct weft_node_setup *setup;
    struct weft_node_worker *worker;
};

/* Removes const from something that is const once the node has been created. */
static inline void *weft_writable(const void *later)
{
    union {
        const void *later;
        void *now;
    } both = {.later = later};
    return both.now;
}

static inline struct weft_channel_setup *weft_channel_making(const struct weft_node_parts *node,
                                                             uint32_t channel)
{
    return weft_writable(&node->worker->channels[channel].setup);
}

/* channels.c */
WEFT_CHECKED enum weft_status weft_channels_create(const struct weft_node_parts *node,
                                                   struct weft_error *error);
void weft_channels_destroy(const struct weft_node_parts *node);

/* resources.c */
WEFT_CHECKED enum weft_status weft_resources_check(const struct weft_node_parts *node,
                                                   struct weft_error *error);
WEFT_CHECKED enum weft_status weft_resources_create(const struct weft_node_parts *node,
                                                    struct weft_error *error);
void weft_resources_destroy(const struct weft_node_parts *node);

/* lanes.c: what the graph and the open loop need */
WEFT_CHECKED enum weft_status weft_lanes_create(const struct weft_node_parts *node,
                                                struct weft_error *error);
void weft_lanes_destroy(const struct weft_node_parts *node);

/* pace.c */
WEFT_CHECKED enum weft_status weft_pace_create(const struct weft_node_parts *node,
                                               struct weft_error *error);
void weft_pace_destroy(const struct weft_node_parts *node);

/* records.c */
WEFT_CHECKED enum weft_status weft_records_create(struct weft_node_setup *setup,
                                                  struct weft_error *error);
void weft_records_destroy(const struct weft_node_setup *setup);

#endif
