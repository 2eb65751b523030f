/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of all channels of a test: gathered from the agents, checked, and handed to those
 * that need them. */
#ifndef WEFT_CONTROL_CHANNELS_H
#define WEFT_CONTROL_CHANNELS_H

#include "fabric/node/node.h"

struct weft_channel_entry {
    uint32_t agent;      /* where the rank is that needs it */
    uint32_t from_agent; /* where it comes from */
    struct weft_channel_address address;
};

struct weft_channels {
    struct weft_channel_entry *entries;
    uint32_t count, capacity;
};

void weft_channels_fini(struct weft_channels *channels);

/* `rank_agents[r]` is the agent of rank r. All of `addresses` must be of ranks of `agent`. */
WEFT_CHECKED enum weft_status weft_channels_add(struct weft_channels *channels, uint32_t agent,
                                                const struct weft_channel_address *addresses,
                                                uint32_t count, const uint32_t *rank_agents,
                                                struct weft_error *error);

/* All have been added: puts them in the order of agents. Each must be there once and have its
 * other direction. */
WEFT_CHECKED enum weft_status weft_channels_finish(struct weft_channels *channels,
                                                   struct weft_error *error);

/* Where the entries for an agent begin, and how many there are. */
const struct weft_channel_entry *weft_channels_of(const struct weft_channels *channels,
                                                  uint32_t agent, uint32_t *ret_count);

#endif
