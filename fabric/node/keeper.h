/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the control thread sees it: the parts that are its own or shared, and no more. */
#ifndef WEFT_NODE_KEEPER_H
#define WEFT_NODE_KEEPER_H

#include "fabric/node/setup.h"
#include "fabric/node/shared.h"
#include "fabric/node/tally.h"

const struct weft_node_setup *weft_node_setup(const struct weft_node *node);
const struct weft_channel_setup *weft_node_channel(const struct weft_node *node, uint32_t index);
/* Atomics: of a const node too, for only what it does is not to change. */
struct weft_node_shared *weft_node_shared(const struct weft_node *node);
const struct weft_phase_options *weft_node_order(const struct weft_node *node);

/* What is the control thread's while the node is idle. Asserts that it is, or has failed. */
struct weft_node_tally *weft_node_tally(struct weft_node *node);
/* To read; of a node that runs only on the thread that polls it. */
const struct weft_node_tally *weft_node_tallied(const struct weft_node *node);
/* Gives the order for the next phase, to an idle node. */
void weft_node_set_order(struct weft_node *node, const struct weft_phase_options *order);

/* trace_read.c: forgets all of them; the node is idle */
void weft_trace_reset(const struct weft_node_setup *setup);

#endif
