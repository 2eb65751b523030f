/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the control thread sees it: only the parts that this thread owns or shares. */
#ifndef WEFT_NODE_KEEPER_H
#define WEFT_NODE_KEEPER_H

#include "fabric/node/setup.h"
#include "fabric/node/shared.h"
#include "fabric/node/tally.h"

const struct weft_node_setup *weft_node_setup(const struct weft_node *node);
const struct weft_channel_setup *weft_node_channel(const struct weft_node *node, uint32_t index);
/* Takes a const node too: the shared part consists of atomics, and const only promises that what
 * the node does will not change. */
struct weft_node_shared *weft_node_shared(const struct weft_node *node);
const struct weft_phase_options *weft_node_order(const struct weft_node *node);

/* The tally, which belongs to the control thread while the node is idle. Asserts that the node is
 * idle or has failed. */
struct weft_node_tally *weft_node_tally(struct weft_node *node);
/* For reading only. While the node runs, only the thread that polls it may call this. */
const struct weft_node_tally *weft_node_tallied(const struct weft_node *node);
/* Sets the options of the next phase. The node must be idle. */
void weft_node_set_order(struct weft_node *node, const struct weft_phase_options *order);

/* trace_read.c: forgets all traces; the node must be idle */
void weft_trace_reset(const struct weft_node_setup *setup);

#endif
